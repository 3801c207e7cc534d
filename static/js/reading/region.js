// The region on the film: drawn with mouse, pen or finger, or given in numbers; shown over the film.
import { announce } from "../shared/announce.js";

const EDGES = ["left", "top", "width", "height"];
const SMALLEST = 4; // film pixels; a smaller region is a slip of the hand
const reviewForm = "form[data-review]";

function inputsOf(form) {
  return Object.fromEntries(EDGES.map((edge) => [edge, form.querySelector(`input[name=region_${edge}]`)]));
}

// Left, top, width and height as shares of the film's size; null when they are incomplete.
function shareOf(form) {
  const inputs = inputsOf(form);
  const [left, top, width, height] = EDGES.map((edge) =>
    inputs[edge].value === "" ? NaN : Number(inputs[edge].value),
  );
  const [across, down] = [Number(form.dataset.filmWidth), Number(form.dataset.filmHeight)];
  const share = [left / across, top / down, width / across, height / down];
  return share.every(Number.isFinite) && share[2] > 0 && share[3] > 0 ? share : null;
}

function putValues(form, values) {
  const inputs = inputsOf(form);
  for (const edge of EDGES) inputs[edge].value = values[edge];
  inputs.left.dispatchEvent(new Event("input", { bubbles: true }));
}

// Draws a region with the pointer. Covers the stage meanwhile, so that the film does not move.
class RegionTool {
  constructor(osd, form, closed) {
    this.osd = osd;
    this.form = form;
    this.closed = closed;
    this.words = form.querySelector("[data-region]").dataset;
    this.start = null;
    this.pad = document.createElement("div");
    this.pad.className = "pw-region-pad";
    osd.element.append(this.pad);
    this.pad.addEventListener("pointerdown", (event) => this.begin(event));
    this.pad.addEventListener("pointermove", (event) => this.drag(event));
    this.pad.addEventListener("pointerup", (event) => this.end(event));
    this.pad.addEventListener("pointercancel", () => this.close());
    this.escape = (event) => event.key === "Escape" && this.close();
    document.addEventListener("keydown", this.escape);
    this.setPressed(true);
    osd.element.scrollIntoView({ block: "nearest" });
    announce(this.words.wordsDraw);
  }

  setPressed(on) {
    this.form.querySelector("[data-region-draw]").setAttribute("aria-pressed", String(on));
  }

  // The pointer's position in film pixels, limited to the film.
  position(event) {
    const box = this.osd.element.getBoundingClientRect();
    const pixel = new OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
    const film = this.osd.world.getItemAt(0);
    const point = film.viewportToImageCoordinates(this.osd.viewport.pointFromPixel(pixel, true));
    const size = film.getContentSize();
    const [width, height] = [Number(this.form.dataset.filmWidth), Number(this.form.dataset.filmHeight)];
    return {
      x: Math.min(width, Math.max(0, (point.x / size.x) * width)),
      y: Math.min(height, Math.max(0, (point.y / size.y) * height)),
    };
  }

  begin(event) {
    event.preventDefault();
    this.pad.setPointerCapture(event.pointerId);
    this.start = this.position(event);
  }

  drag(event) {
    if (this.start) this.fill(this.position(event));
  }

  end(event) {
    const last = this.position(event);
    const { start } = this;
    const isSlip = !start || Math.abs(last.x - start.x) < SMALLEST || Math.abs(last.y - start.y) < SMALLEST;
    if (!isSlip) this.fill(last);
    this.close();
    if (!isSlip) announce(this.words.wordsDrawn);
  }

  fill(last) {
    const left = Math.floor(Math.min(this.start.x, last.x));
    const top = Math.floor(Math.min(this.start.y, last.y));
    putValues(this.form, {
      left,
      top,
      width: Math.floor(Math.max(this.start.x, last.x)) - left,
      height: Math.floor(Math.max(this.start.y, last.y)) - top,
    });
  }

  close() {
    document.removeEventListener("keydown", this.escape);
    this.pad.remove();
    this.setPressed(false);
    this.closed();
  }
}

// Joins the review panel with the film. htmx replaces the panel's content, so its parts are found each time.
class Regions {
  constructor(panel, osd) {
    this.panel = panel;
    this.osd = osd;
    this.frame = null; // one at a time
    this.tool = null;
    panel.addEventListener("click", (event) => this.clicked(event));
    panel.addEventListener("input", (event) => {
      const form = event.target.closest(reviewForm);
      if (form && event.target.name.startsWith("region_")) this.formChanged(form);
    });
    document.addEventListener("htmx:afterSettle", (event) => {
      if (event.target.closest("#reviews")) this.prepare();
    });
    this.prepare();
  }

  get form() {
    return this.panel.querySelector(reviewForm);
  }

  prepare() {
    this.tool?.close();
    this.hide();
    for (const item of this.panel.querySelectorAll("[data-region-draw], [data-show-region]")) item.hidden = false;
    const { form } = this;
    if (!form) return;
    if (this.osd.isOpen()) this.formChanged(form);
    else this.osd.addOnceHandler("open", () => this.formChanged(form));
  }

  formChanged(form) {
    const share = shareOf(form);
    this.show(share);
    form.querySelector("[data-region-clear]").hidden = !share;
  }

  hide() {
    if (this.frame) this.osd.removeOverlay(this.frame);
    this.frame = null;
  }

  // `share`: left, top, width and height as shares of the film's.
  show(share) {
    this.hide();
    if (!share || !this.osd.isOpen()) return;
    const size = this.osd.world.getItemAt(0).getContentSize();
    const ratio = size.y / size.x;
    const [x, y, width, height] = share;
    this.frame = document.createElement("div");
    this.frame.className = "pw-region-frame";
    const location = new OpenSeadragon.Rect(x, y * ratio, width, height * ratio);
    this.osd.addOverlay({ element: this.frame, location });
  }

  clicked({ target }) {
    const shown = target.closest("[data-show-region]");
    if (shown) this.toggle(shown);
    else if (target.closest("[data-region-clear]")) this.clear(target.closest(reviewForm));
    else if (target.closest("[data-region-draw]")) this.toggleTool(target.closest(reviewForm));
  }

  clear(form) {
    putValues(form, { left: "", top: "", width: "", height: "" });
  }

  toggleTool(form) {
    if (this.tool) this.tool.close();
    else if (this.osd.isOpen()) this.tool = new RegionTool(this.osd, form, () => (this.tool = null));
  }

  toggle(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    for (const other of this.panel.querySelectorAll("[data-show-region]")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(on));
    const { form } = this;
    if (on) this.show(button.dataset.showRegion.split(" ").map(Number));
    else if (form) this.formChanged(form);
    else this.hide();
  }
}

// `osd`: the OpenSeadragon viewer that shows the film.
export function enableRegions(osd) {
  const panel = document.getElementById("reviews");
  if (panel) new Regions(panel, osd);
}
