// One picture of the film under OpenSeadragon: zoom, pan, fit, 1:1, turn. Shows our PNG and changes nothing in it.
(function () {
  "use strict";

  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const STEP = 1.4; // one press of zoom in or out
  const PAN = 0.12; // one press of an arrow key, as a part of what is in sight

  // The library adds a rule to the page unless it finds its mark there; the page's policy would refuse it.
  // The mark is an element of no known kind: it styles nothing.
  function keepLibraryQuiet() {
    if (document.querySelector("[data-openseadragon-mobile-css]")) return;
    const mark = document.createElementNS("urn:pneumoweb", "style");
    mark.setAttribute("data-openseadragon-mobile-css", "");
    document.head.append(mark);
  }

  class FilmLens {
    // `film`: the picture's address; `label`: what a screen reader calls it.
    constructor(stage, { film, ratio, label }) {
      this.stage = stage;
      this.ratio = ratio;
      this.fitted = true; // the whole film is in sight, and stays so when the window changes
      keepLibraryQuiet();
      this.lens = OpenSeadragon({
        element: stage,
        tileSources: { type: "image", url: film },
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
      this.lens.addHandler("canvas-key", (event) => {
        event.preventDefaultAction = true; // the keys are ours, see keys.js
      });
      this.lens.addHandler("after-resize", () => this.resized());
      for (const gesture of ["canvas-scroll", "canvas-drag", "canvas-pinch", "canvas-double-click"]) {
        this.lens.addHandler(gesture, () => (this.fitted = false));
      }
      this.lens.canvas.setAttribute("role", "application");
      this.lens.canvas.setAttribute("aria-label", label);
    }

    get film() {
      return this.lens.isOpen() ? this.lens.world.getItemAt(0) : null;
    }

    get viewport() {
      return this.lens.viewport;
    }

    // Call back at once if the film is there already, and each time it is opened.
    whenOpen(callback) {
      if (this.film) callback();
      this.lens.addHandler("open", callback);
    }

    // In the next frame, because the library moves the view itself once it has told of the new size.
    resized() {
      window.requestAnimationFrame(() => {
        if (this.fitted && this.film) this.viewport.goHome(true);
        this.lens.forceRedraw();
      });
    }

    zoom(inwards) {
      this.fitted = false;
      this.viewport.zoomBy(inwards ? STEP : 1 / STEP);
      this.viewport.applyConstraints();
    }

    fit() {
      this.fitted = true;
      this.viewport.goHome(CALM);
    }

    actualSize() {
      this.fitted = false;
      if (this.film) this.viewport.zoomTo(this.film.imageToViewportZoom(1 / window.devicePixelRatio));
    }

    // Right and down on the screen, whichever way the film is turned.
    move(x, y) {
      this.fitted = false;
      const size = this.viewport.getContainerSize();
      const way = new OpenSeadragon.Point(x * PAN * size.x, y * PAN * size.y);
      this.viewport.panBy(this.viewport.deltaPointsFromPixels(way));
      this.viewport.applyConstraints();
    }

    // Degrees clockwise, 0, 90, 180 or 270.
    get turned() {
      return (((Math.round(this.viewport.getRotation(false)) % 360) + 360) % 360) || 0;
    }

    turn(degrees) {
      this.viewport.setRotation(this.turned + degrees, true);
      if (this.fitted) this.viewport.goHome(true);
      else this.viewport.applyConstraints(true);
    }

    // Screen pixels for one pixel of the film.
    get magnification() {
      if (!this.film) return null;
      return this.film.viewportToImageZoom(this.viewport.getZoom(false)) * window.devicePixelRatio;
    }

    // Where the film's corners (top left, top right, bottom left) are now, in pixels of the stage.
    corners() {
      const at = (x, y) => this.viewport.pixelFromPoint(new OpenSeadragon.Point(x, y), true);
      return [at(0, 0), at(1, 0), at(0, this.ratio)];
    }

    // Show the same part of the film in the same way as another lens does at this moment.
    copy(other) {
      if (!this.film || !other.film) return;
      this.fitted = other.fitted;
      this.viewport.setRotation(other.viewport.getRotation(true), true);
      this.viewport.zoomTo(other.viewport.getZoom(true), null, true);
      this.viewport.panTo(other.viewport.getCenter(true), true);
    }
  }

  window.pneumoweb = Object.assign(window.pneumoweb || {}, { FilmLens });
})();
