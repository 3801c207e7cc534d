// The film under the lens: OpenSeadragon shows our PNG, the map lies over it as a transparent picture.
(function () {
  "use strict";

  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const STEP = 1.4; // one press of zoom in or out
  const PAN = 0.12; // one press of an arrow key, as a part of what is in sight

  class FilmViewer {
    constructor(root) {
      this.root = root;
      this.stage = root.querySelector("[data-stage]");
      this.note = root.querySelector("[data-viewer-note]");
      this.ratio = Number(root.dataset.height) / Number(root.dataset.width);
      this.heat = null;
      this.heatAddress = "";
      this.alpha = 0.4;
      this.mapOn = true;
      this.fitted = true; // the whole film is in sight, and stays so when the window changes
      this.film = { brightness: 100, contrast: 100, invert: 0 };
      this.lens = this.openLens();
    }

    openLens() {
      // The library adds a rule to the page unless it finds its mark there; the page's policy would refuse it.
      // The mark is an element of no known kind: it styles nothing.
      const mark = document.createElementNS("urn:pneumoweb", "style");
      mark.setAttribute("data-openseadragon-mobile-css", "");
      document.head.append(mark);
      const lens = OpenSeadragon({
        element: this.stage,
        tileSources: { type: "image", url: this.root.dataset.film },
        drawer: "canvas",
        showNavigationControl: false,
        animationTime: CALM ? 0 : 0.35,
        springStiffness: 8,
        minZoomImageRatio: 0.7,
        maxZoomPixelRatio: 8,
        visibilityRatio: 0.4,
        gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
        gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
        gestureSettingsTouch: { pinchRotate: false },
      });
      lens.addHandler("open", () => this.opened());
      lens.addHandler("open-failed", () => this.failed());
      lens.addHandler("update-viewport", () => this.drawn());
      lens.addHandler("canvas-key", (event) => {
        event.preventDefaultAction = true; // the keys are ours, see viewer-controls.js
      });
      lens.addHandler("zoom", () => this.sayZoom());
      lens.addHandler("after-resize", () => this.resized());
      for (const gesture of ["canvas-scroll", "canvas-drag", "canvas-pinch", "canvas-double-click"]) {
        lens.addHandler(gesture, () => (this.fitted = false));
      }
      lens.canvas.setAttribute("role", "application");
      lens.canvas.setAttribute("aria-label", "Film. Arrow keys move, plus and minus zoom, question mark lists all keys.");
      return lens;
    }

    opened() {
      this.note.hidden = true;
      if (this.heatAddress) this.showHeat(this.heatAddress);
      this.sayZoom();
    }

    drawn() {
      const film = this.lens.world.getItemAt(0);
      if (film && film.getFullyLoaded()) this.root.dataset.ready = "true";
    }

    failed() {
      this.note.hidden = false;
      this.note.textContent = "The film could not be loaded. Reload the page; if that does not help, tell an administrator.";
    }

    // Lay the picture at `address` over the film; the old one stays until the new one is there.
    showHeat(address) {
      this.heatAddress = address;
      if (!this.lens.isOpen()) return;
      const picture = new Image();
      picture.alt = "";
      picture.className = "pw-heat";
      picture.addEventListener("load", () => {
        if (this.heatAddress !== address) return;
        if (this.heat) this.lens.removeOverlay(this.heat);
        this.heat = picture;
        this.lens.addOverlay({ element: picture, location: new OpenSeadragon.Rect(0, 0, 1, this.ratio) });
        this.paintHeat();
        this.root.dataset.heatReady = "true";
      });
      picture.addEventListener("error", () => {
        window.pneumoweb.say("The map could not be loaded. Reload the page and try again.");
      });
      picture.src = address;
    }

    paintHeat() {
      if (this.heat) this.heat.style.opacity = this.mapOn ? String(this.alpha) : "0";
    }

    setAlpha(alpha) {
      this.alpha = alpha;
      this.paintHeat();
    }

    setMap(on) {
      this.mapOn = on;
      this.paintHeat();
    }

    setFilm(change) {
      Object.assign(this.film, change);
      const style = this.root.style;
      style.setProperty("--pw-film-brightness", `${this.film.brightness}%`);
      style.setProperty("--pw-film-contrast", `${this.film.contrast}%`);
      style.setProperty("--pw-film-invert", `${this.film.invert}%`);
    }

    // In the next frame, because the library moves the view itself once it has told of the new size.
    resized() {
      window.requestAnimationFrame(() => {
        if (this.fitted && this.lens.isOpen()) this.lens.viewport.goHome(true);
        this.sayZoom();
      });
    }

    zoom(inwards) {
      this.fitted = false;
      this.lens.viewport.zoomBy(inwards ? STEP : 1 / STEP);
      this.lens.viewport.applyConstraints();
    }

    fit() {
      this.fitted = true;
      this.lens.viewport.goHome(CALM);
    }

    actualSize() {
      this.fitted = false;
      const film = this.lens.world.getItemAt(0);
      if (film) this.lens.viewport.zoomTo(film.imageToViewportZoom(1 / window.devicePixelRatio));
    }

    move(x, y) {
      this.fitted = false;
      const bounds = this.lens.viewport.getBounds();
      this.lens.viewport.panBy(new OpenSeadragon.Point(x * PAN * bounds.width, y * PAN * bounds.height));
      this.lens.viewport.applyConstraints();
    }

    sayZoom() {
      const film = this.lens.world.getItemAt(0);
      if (!film) return;
      const zoom = film.viewportToImageZoom(this.lens.viewport.getZoom(false)) * window.devicePixelRatio;
      this.root.querySelector("[data-zoom]").textContent = `${Math.round(zoom * 100)}%`;
    }
  }

  window.pneumoweb = Object.assign(window.pneumoweb || {}, { FilmViewer });
})();
