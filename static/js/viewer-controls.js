// What people do with the viewer: buttons, sliders, keys, full screen; and the map once a result is there.
(function () {
  "use strict";
  const KEY = "pneumoweb-viewer";

  function remembered() {
    try {
      return JSON.parse(window.localStorage.getItem(KEY)) || {};
    } catch {
      return {};
    }
  }

  function remember(change) {
    try {
      window.localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }));
    } catch {
      // kept for this page only
    }
  }

  class Controls {
    constructor(root) {
      this.root = root;
      for (const item of root.querySelectorAll("[data-needs-script]")) item.hidden = false;
      this.alpha = root.querySelector("[data-alpha]");
      this.colourMap = root.querySelector("[data-colour-map]");
      this.mapSwitch = root.querySelector("[data-map-switch]");
      this.keys = root.querySelector("[data-keys]");
      this.legends = JSON.parse(root.dataset.legends);
      this.recall();
      this.viewer = new window.pneumoweb.FilmViewer(root);
      this.actions = this.makeActions();
      this.listen();
      this.alphaChanged(false);
      this.takeResult();
    }

    // A choice in the address wins over the one of last time.
    recall() {
      const asked = new URLSearchParams(window.location.search);
      const last = remembered();
      if (last.alpha >= 0 && last.alpha <= 1 && !asked.has("alpha")) this.alpha.value = last.alpha;
      if (last.colourMap in this.legends && !asked.has("colour_map")) this.colourMap.value = last.colourMap;
    }

    makeActions() {
      const viewer = this.viewer;
      return {
        "zoom-in": () => viewer.zoom(true),
        "zoom-out": () => viewer.zoom(false),
        fit: () => viewer.fit(),
        actual: () => viewer.actualSize(),
        invert: () => this.invert(!viewer.film.invert),
        adjust: () => this.toggleAdjust(),
        "reset-film": () => this.resetFilm(),
        full: () => this.toggleFull(),
        help: () => this.keys.showModal(),
        "close-help": () => this.keys.close(),
      };
    }

    listen() {
      this.root.addEventListener("click", (event) => {
        const button = event.target.closest("[data-do]");
        if (button) this.actions[button.dataset.do]();
      });
      this.root.addEventListener("keydown", (event) => this.pressed(event));
      this.alpha.addEventListener("input", () => this.alphaChanged(true));
      this.colourMap.addEventListener("change", () => this.colourMapChanged());
      this.mapSwitch.addEventListener("change", () => this.viewer.setMap(this.mapSwitch.checked));
      for (const slider of this.root.querySelectorAll("[data-filter]")) {
        slider.addEventListener("input", () => this.viewer.setFilm({ [slider.dataset.filter]: Number(slider.value) }));
      }
      document.addEventListener("fullscreenchange", () => this.fullChanged(document.fullscreenElement === this.root));
      document.body.addEventListener("study-finished", () => this.takeResult(true));
    }

    pressed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.matches("select") || this.keys.open) return;
      const isSlider = event.target.matches("input[type=range]");
      const action = this.keyAction(event.key, isSlider);
      if (!action) return;
      event.preventDefault();
      action();
    }

    keyAction(key, isSlider) {
      const viewer = this.viewer;
      const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (key in arrows) return isSlider ? null : () => viewer.move(...arrows[key]);
      if (key === "Escape" && this.root.classList.contains("pw-viewer--enlarged")) return () => this.fullChanged(false);
      const table = {
        "+": this.actions["zoom-in"], "=": this.actions["zoom-in"],
        "-": this.actions["zoom-out"], "_": this.actions["zoom-out"], "−": this.actions["zoom-out"],
        0: this.actions.fit, 1: this.actions.actual,
        m: () => this.toggleMap(), "[": () => this.stepAlpha(-0.1), "]": () => this.stepAlpha(0.1),
        i: this.actions.invert, f: this.actions.full, "?": this.actions.help,
      };
      return table[key.length === 1 ? key.toLowerCase() : key];
    }

    // The result is part of the page from the start, or came in later with the status.
    takeResult(announce) {
      const result = document.querySelector("[data-result]");
      const controls = this.root.querySelector("[data-map-controls]");
      const legend = this.root.querySelector("[data-legend]");
      controls.hidden = legend.hidden = !result;
      if (!result) return;
      this.heatLayer = result.dataset.heatLayer;
      this.root.querySelector("[data-strength-sentence]").textContent = result.dataset.strengthSentence;
      this.root.querySelector("[data-scale-end]").textContent = result.dataset.scaleEnd;
      this.paintLegend();
      this.aimDownloads();
      this.showHeat();
      if (announce) document.querySelector("[data-announcer]").textContent = result.dataset.summary;
    }

    showHeat() {
      if (this.heatLayer) this.viewer.showHeat(`${this.heatLayer}&colour_map=${encodeURIComponent(this.colourMap.value)}`);
    }

    colourMapChanged() {
      remember({ colourMap: this.colourMap.value });
      this.paintLegend();
      this.aimDownloads();
      this.showHeat();
    }

    // Downloaded pictures look like the one on the screen.
    aimDownloads() {
      for (const link of document.querySelectorAll("[data-picture]")) {
        const address = new URL(link.href);
        address.search = new URLSearchParams({ colour_map: this.colourMap.value, alpha: this.alpha.value });
        link.href = address.href;
      }
    }

    paintLegend() {
      const colours = this.legends[this.colourMap.value];
      this.root.querySelectorAll("[data-stop]").forEach((stop, index) => stop.setAttribute("stop-color", colours[index]));
    }

    alphaChanged(byHand) {
      const percent = `${Math.round(this.alpha.value * 100)}%`;
      this.alpha.setAttribute("aria-valuetext", percent);
      this.root.querySelector("[data-alpha-text]").textContent = percent;
      this.viewer.setAlpha(Number(this.alpha.value));
      this.aimDownloads();
      if (byHand) remember({ alpha: Number(this.alpha.value) });
    }

    stepAlpha(step) {
      this.alpha.value = Number(this.alpha.value) + step;
      this.alphaChanged(true);
    }

    toggleMap() {
      this.mapSwitch.checked = !this.mapSwitch.checked;
      this.viewer.setMap(this.mapSwitch.checked);
    }

    invert(on) {
      this.viewer.setFilm({ invert: on ? 100 : 0 });
      this.root.querySelector("[data-do=invert]").setAttribute("aria-pressed", String(on));
    }

    toggleAdjust() {
      const panel = this.root.querySelector(".pw-viewer-adjust");
      panel.hidden = !panel.hidden;
      this.root.querySelector("[data-do=adjust]").setAttribute("aria-expanded", String(!panel.hidden));
    }

    resetFilm() {
      for (const slider of this.root.querySelectorAll("[data-filter]")) slider.value = 100;
      this.viewer.setFilm({ brightness: 100, contrast: 100 });
      this.invert(false);
    }

    // Phones without full screen for elements get the same by covering the page.
    toggleFull() {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (this.root.classList.contains("pw-viewer--enlarged")) this.fullChanged(false);
      else if (this.root.requestFullscreen) this.root.requestFullscreen().catch(() => this.fullChanged(true));
      else this.fullChanged(true);
    }

    fullChanged(on) {
      this.root.classList.toggle("pw-viewer--enlarged", on);
      const button = this.root.querySelector("[data-do=full]");
      button.setAttribute("aria-pressed", String(on));
      this.viewer.stage.querySelector(".openseadragon-canvas")?.focus({ preventScroll: true });
    }
  }

  function offerCopies() {
    for (const button of document.querySelectorAll("[data-copy]")) {
      if (!navigator.clipboard) continue; // only in secure contexts; the whole value is in the title then
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        document.querySelector("[data-announcer]").textContent = "Copied.";
        button.classList.add("pw-copied");
        window.setTimeout(() => button.classList.remove("pw-copied"), 1500);
      });
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const root = document.querySelector("[data-viewer]");
    if (root) window.pneumoweb.viewer = new Controls(root);
    offerCopies();
  });
})();
