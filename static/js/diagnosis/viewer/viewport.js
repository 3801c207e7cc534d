// One picture of the film under OpenSeadragon: zoom, pan, fit, 1:1, turn. Shows our PNG and changes nothing in it.

const REDUCED_MOTION = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const STEP = 1.4; // one press of zoom in or out
const PAN = 0.12; // one press of an arrow key, as a share of what is visible

// The library adds a style element unless it finds one with its attribute; the page's CSP would block it.
// The element made here has an unknown namespace, so it styles nothing.
function preventStyleElement() {
  if (document.querySelector("[data-openseadragon-mobile-css]")) return;
  const element = document.createElementNS("urn:pneumoweb", "style");
  element.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(element);
}

export class FilmViewport {
  // `film`: the picture's address; `label`: what a screen reader calls it.
  constructor(stage, { film, ratio, label }) {
    this.stage = stage;
    this.ratio = ratio;
    this.fitted = true; // the whole film is visible, and stays so when the browser's window changes
    preventStyleElement();
    this.osd = OpenSeadragon({
      element: stage,
      tileSources: { type: "image", url: film },
      drawer: "canvas",
      showNavigationControl: false,
      animationTime: REDUCED_MOTION ? 0 : 0.35,
      springStiffness: 8,
      minZoomImageRatio: 0.7,
      maxZoomPixelRatio: 8,
      visibilityRatio: 0.4,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false },
    });
    this.osd.addHandler("canvas-key", (event) => {
      event.preventDefaultAction = true; // keys.js handles them
    });
    this.osd.addHandler("after-resize", () => this.resized());
    for (const gesture of ["canvas-scroll", "canvas-drag", "canvas-pinch", "canvas-double-click"]) {
      this.osd.addHandler(gesture, () => (this.fitted = false));
    }
    this.osd.canvas.setAttribute("role", "application");
    this.osd.canvas.setAttribute("aria-label", label);
  }

  get film() {
    return this.osd.isOpen() ? this.osd.world.getItemAt(0) : null;
  }

  get viewport() {
    return this.osd.viewport;
  }

  // Calls back now if the film is open, and each time it is opened.
  whenOpen(callback) {
    if (this.film) callback();
    this.osd.addHandler("open", callback);
  }

  // In the next frame, because the library moves the view after this event.
  resized() {
    window.requestAnimationFrame(() => {
      if (this.fitted && this.film) this.viewport.goHome(true);
      this.osd.forceRedraw();
    });
  }

  zoom(inwards) {
    this.fitted = false;
    this.viewport.zoomBy(inwards ? STEP : 1 / STEP);
    this.viewport.applyConstraints();
  }

  fit() {
    this.fitted = true;
    this.viewport.goHome(REDUCED_MOTION);
  }

  actualSize() {
    this.fitted = false;
    if (this.film) this.viewport.zoomTo(this.film.imageToViewportZoom(1 / window.devicePixelRatio));
  }

  // Right and down on the screen, whichever way the film is turned.
  move(x, y) {
    this.fitted = false;
    const size = this.viewport.getContainerSize();
    const delta = new OpenSeadragon.Point(x * PAN * size.x, y * PAN * size.y);
    this.viewport.panBy(this.viewport.deltaPointsFromPixels(delta));
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

  // The film's corners (top left, top right, bottom left), in pixels of the stage.
  corners() {
    const at = (x, y) => this.viewport.pixelFromPoint(new OpenSeadragon.Point(x, y), true);
    return [at(0, 0), at(1, 0), at(0, this.ratio)];
  }

  // Shows the same part of the film as another viewport, at the same magnification and rotation.
  copy(other) {
    if (!this.film || !other.film) return;
    this.fitted = other.fitted;
    this.viewport.setRotation(other.viewport.getRotation(true), true);
    this.viewport.zoomTo(other.viewport.getZoom(true), null, true);
    this.viewport.panTo(other.viewport.getCenter(true), true);
  }
}
