// What people do with the viewer: joins lens, window, map and comparison with buttons, sliders and memory.
(function () {
  "use strict";

  const { FilmLens, FilmWindow, MapLayer, Compare, Keys, viewerMemory } = window.pneumoweb;

  class Controls {
    constructor(root) {
      this.root = root;
      for (const item of root.querySelectorAll("[data-needs-script]")) item.hidden = false;
      this.find = (selector) => root.querySelector(selector);
      this.alpha = this.find("[data-alpha]");
      this.filmAlpha = this.find("[data-film-alpha]");
      this.colourMap = this.find("[data-colour-map]");
      this.mapSwitch = this.find("[data-map-switch]");
      this.sheet = this.find("[data-keys]");
      this.legends = JSON.parse(root.dataset.legends);
      this.viewer = this.openLens(this.find("[data-stage]"));
      this.filmWindow = new FilmWindow(root, (byHand) => this.filmChanged(byHand));
      this.compare = new Compare(root, this.viewer, () => this.openSecond());
      this.map = null;
      this.dragsWindow = false;
      this.filmWindow.attach(this.viewer, () => this.dragsWindow);
      this.watchLens();
      this.start();
      this.actions = this.makeActions();
      this.keys = new Keys(this);
      this.listen();
      this.takeResult();
    }

    openLens(stage) {
      const { film, width, height, sayFilm } = this.root.dataset;
      return new FilmLens(stage, { film, ratio: Number(height) / Number(width), label: sayFilm });
    }

    openSecond() {
      const second = this.openLens(this.find("[data-stage-second]"));
      this.filmWindow.attach(second, () => this.dragsWindow);
      return second;
    }

    watchLens() {
      const { lens } = this.viewer;
      const note = this.find("[data-viewer-note]");
      lens.addHandler("open", () => (note.hidden = true));
      lens.addHandler("open-failed", () => {
        note.hidden = false;
        note.textContent = this.root.dataset.sayFilmFailed;
      });
      lens.addHandler("update-viewport", () => {
        if (this.viewer.film?.getFullyLoaded()) this.root.dataset.ready = "true";
        this.sayZoom();
      });
    }

    // A choice in the address wins over the one of this session, that over the person's preference, which is
    // what the page came with.
    start() {
      const asked = new URLSearchParams(window.location.search);
      this.standard = { alpha: this.alpha.value, colourMap: this.colourMap.value };
      const last = viewerMemory.remembered();
      const wanted = { ...this.standard };
      if (last.alpha >= 0 && last.alpha <= 1 && !asked.has("alpha")) wanted.alpha = last.alpha;
      if (last.colourMap in this.legends && !asked.has("colour_map")) wanted.colourMap = last.colourMap;
      this.put({ ...wanted, filmAlpha: last.filmAlpha, style: last.style, compare: last.compare });
      this.filmWindow.recall(last.window);
    }

    put({ alpha, colourMap, filmAlpha = 1, style = "heat", compare = "over" }) {
      this.alpha.value = alpha;
      this.colourMap.value = colourMap;
      this.filmAlpha.value = filmAlpha;
      this.check("style", style);
      this.check("compare", compare);
      this.paintFilmAlpha();
      this.paintAlpha();
    }

    check(name, value) {
      for (const radio of this.root.querySelectorAll(`input[name=${name}]`)) radio.checked = radio.value === value;
      if (!this.checked(name)) this.find(`input[name=${name}]`).checked = true;
    }

    checked(name) {
      return this.find(`input[name=${name}]:checked`)?.value;
    }

    makeActions() {
      const lens = this.viewer;
      const led = (act) => (...values) => {
        this.compare.takeOver();
        act(...values);
      };
      return {
        "zoom-in": led(() => lens.zoom(true)),
        "zoom-out": led(() => lens.zoom(false)),
        fit: led(() => lens.fit()),
        actual: led(() => lens.actualSize()),
        move: led((x, y) => lens.move(x, y)),
        "turn-left": led(() => this.turn(-90)),
        "turn-right": led(() => this.turn(90)),
        invert: () => this.filmWindow.invert(),
        "window-drag": () => this.setDragsWindow(!this.dragsWindow),
        adjust: () => this.toggleAdjust(),
        "film-fainter": () => this.stepSlider(this.filmAlpha, -0.1),
        "film-stronger": () => this.stepSlider(this.filmAlpha, 0.1),
        reset: led(() => this.reset()),
        full: () => this.toggleFull(),
        "leave-full": () => this.fullChanged(false),
        help: () => this.sheet.showModal(),
        "close-help": () => this.sheet.close(),
        ...this.makeMapActions(),
      };
    }

    makeMapActions() {
      const actions = {
        map: () => this.mapSwitch.click(),
        "map-fainter": () => this.stepSlider(this.alpha, -0.1),
        "map-stronger": () => this.stepSlider(this.alpha, 0.1),
        style: () => this.next("style"),
        compare: () => this.next("compare"),
        colours: () => {
          this.colourMap.selectedIndex = (this.colourMap.selectedIndex + 1) % this.colourMap.length;
          this.colourMap.dispatchEvent(new Event("change"));
        },
        "divider-left": () => this.compare.slide(this.compare.share - 0.05),
        "divider-right": () => this.compare.slide(this.compare.share + 0.05),
      };
      const withMap = (act) => () => this.map && act();
      return Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, withMap(act)]));
    }

    listen() {
      this.root.addEventListener("click", (event) => {
        const button = event.target.closest("[data-do]");
        if (button) this.actions[button.dataset.do]();
      });
      this.alpha.addEventListener("input", () => this.alphaChanged());
      this.filmAlpha.addEventListener("input", () => {
        this.paintFilmAlpha();
        this.filmChanged(true);
      });
      this.colourMap.addEventListener("change", () => this.lookChanged());
      this.mapSwitch.addEventListener("change", () => this.map?.set({ on: this.mapSwitch.checked }));
      for (const radio of this.root.querySelectorAll("[data-style]")) radio.addEventListener("change", () => this.lookChanged());
      for (const radio of this.root.querySelectorAll("[data-compare]")) radio.addEventListener("change", () => this.wayChanged());
      document.addEventListener("fullscreenchange", () => this.fullChanged(document.fullscreenElement === this.root));
      document.body.addEventListener("study-finished", () => this.takeResult(true));
    }

    // --- The map ----------------------------------------------------------------------------------------

    // The result is part of the page from the start, or came in later with the status.
    takeResult(announce) {
      const result = document.querySelector("[data-result]");
      for (const part of this.root.querySelectorAll("[data-map-controls], [data-legend]")) part.hidden = !result;
      if (!result) return;
      this.heatLayer = result.dataset.heatLayer;
      this.map ||= new MapLayer(this.viewer, () => window.pneumoweb.say(this.root.dataset.sayMapFailed));
      this.map.set({ alpha: Number(this.alpha.value), on: this.mapSwitch.checked });
      this.showMap();
      this.compare.show(this.checked("compare"), this.map);
      this.sayChanges();
      if (announce) this.announce(result.dataset.summary);
    }

    showMap() {
      const style = this.checked("style");
      const colours = encodeURIComponent(this.colourMap.value);
      const stops = this.legends[this.colourMap.value];
      const colourAt = (percent) => stops[Math.round((percent / 100) * (stops.length - 1))];
      this.root.querySelectorAll("[data-stop]").forEach((stop, index) => stop.setAttribute("stop-color", stops[index]));
      for (const line of this.root.querySelectorAll(".pw-legend-line")) line.setAttribute("stroke", colourAt(line.dataset.level));
      this.root.dataset.style = style;
      this.aimDownloads();
      this.map?.show(`${this.heatLayer}&colour_map=${colours}${style === "contour" ? "&style=contour" : ""}`, style);
    }

    lookChanged() {
      viewerMemory.remember({ colourMap: this.colourMap.value, style: this.checked("style") });
      this.showMap();
      this.sayChanges();
    }

    wayChanged() {
      viewerMemory.remember({ compare: this.checked("compare") });
      this.compare.show(this.checked("compare"), this.map);
      this.sayChanges();
    }

    // Downloaded pictures look like the one on the screen.
    aimDownloads() {
      const wish = { colour_map: this.colourMap.value, alpha: this.alpha.value, style: this.checked("style") };
      for (const link of document.querySelectorAll("[data-picture]")) {
        const address = new URL(link.href);
        address.search = new URLSearchParams(wish);
        link.href = address.href;
      }
    }

    alphaChanged() {
      this.paintAlpha();
      this.aimDownloads();
      viewerMemory.remember({ alpha: Number(this.alpha.value) });
      this.sayChanges();
    }

    paintAlpha() {
      this.percent(this.alpha, "[data-alpha-text]");
      this.map?.set({ alpha: Number(this.alpha.value) });
    }

    percent(slider, text) {
      const percent = `${Math.round(slider.value * 100)}%`;
      slider.setAttribute("aria-valuetext", percent);
      this.find(text).textContent = percent;
    }

    stepSlider(slider, step) {
      slider.value = Number(slider.value) + step;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }

    next(name) {
      const radios = [...this.root.querySelectorAll(`input[name=${name}]`)];
      const radio = radios[(radios.findIndex((one) => one.checked) + 1) % radios.length];
      radio.checked = true;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    }

    // --- The film ---------------------------------------------------------------------------------------

    paintFilmAlpha() {
      this.percent(this.filmAlpha, "[data-film-alpha-text]");
      this.root.style.setProperty("--pw-film-opacity", this.filmAlpha.value);
    }

    filmChanged(byHand) {
      if (byHand) viewerMemory.remember({ window: this.filmWindow.values, filmAlpha: Number(this.filmAlpha.value) });
      this.sayChanges();
    }

    turn(degrees) {
      this.viewer.turn(degrees);
      this.sayChanges();
      this.announce(this.root.dataset.sayTurned.replace("{degrees}", this.viewer.turned));
    }

    setDragsWindow(on) {
      this.dragsWindow = on;
      this.root.classList.toggle("pw-viewer--drags-window", on);
      this.find("[data-do=window-drag]").setAttribute("aria-pressed", String(on));
    }

    toggleAdjust() {
      const panel = this.find("#pw-adjust");
      panel.hidden = !panel.hidden;
      this.find("[data-do=adjust]").setAttribute("aria-expanded", String(!panel.hidden));
    }

    // A film that is not shown as it was stored says so, and offers the way back.
    sayChanges() {
      const { sayWindow, sayInverted, sayTurned } = this.root.dataset;
      const { centre, width, invert } = this.filmWindow.values;
      const turned = this.viewer.film ? this.viewer.turned : 0;
      const words = [];
      if (!this.filmWindow.isStored) {
        words.push(sayWindow.replace("{centre}", Math.round(centre)).replace("{width}", Math.round(width)));
      }
      if (invert) words.push(sayInverted);
      if (turned) words.push(sayTurned.replace("{degrees}", turned));
      const kept = Object.keys(viewerMemory.remembered()).length > 0;
      this.find("[data-changed-words]").textContent = words.join(" ") || this.root.dataset.sayKept;
      this.find("[data-changed]").hidden = !words.length && !kept;
    }

    reset() {
      viewerMemory.forget();
      this.put(this.standard);
      this.filmWindow.reset();
      viewerMemory.forget(); // putting the film back was remembered
      this.setDragsWindow(false);
      if (!this.mapSwitch.checked) this.mapSwitch.click();
      this.compare.share = 0.5;
      this.compare.show("over", this.map);
      if (this.map) this.showMap();
      if (this.viewer.film) this.viewer.turn(-this.viewer.turned);
      this.viewer.fit();
      this.sayChanges();
      this.announce(this.root.dataset.sayReset);
    }

    sayZoom() {
      const magnification = this.viewer.magnification;
      const words = magnification ? `${Math.round(magnification * 100)}%` : "";
      const output = this.find("[data-zoom]");
      if (output.textContent !== words) output.textContent = words;
    }

    announce(words) {
      document.querySelector("[data-announcer]").textContent = words;
    }

    // --- Full screen --------------------------------------------------------------------------------------

    // Phones without full screen for elements get the same by covering the page.
    toggleFull() {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (this.root.classList.contains("pw-viewer--enlarged")) this.fullChanged(false);
      else if (this.root.requestFullscreen) this.root.requestFullscreen().catch(() => this.fullChanged(true));
      else this.fullChanged(true);
    }

    fullChanged(on) {
      this.root.classList.toggle("pw-viewer--enlarged", on);
      this.find("[data-do=full]").setAttribute("aria-pressed", String(on));
      this.viewer.stage.querySelector(".openseadragon-canvas")?.focus({ preventScroll: true });
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const root = document.querySelector("[data-viewer]");
    if (root) window.pneumoweb.viewer = new Controls(root);
  });
})();
