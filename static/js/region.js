// The region on the film: drawn with mouse, pen or finger, or given in numbers; shown over the film.
(function () {
  "use strict";

  const EDGES = ["left", "top", "width", "height"];
  const SMALLEST = 4; // film pixels; less is a slip of the hand

  const lens = () => window.pneumoweb?.viewer?.viewer?.lens;
  const isOpen = () => Boolean(lens()?.isOpen());
  const panel = () => document.getElementById("reviews");

  function fields(form) {
    return Object.fromEntries(EDGES.map((edge) => [edge, form.querySelector(`input[name=region_${edge}]`)]));
  }

  // --- Showing: one frame over the film at a time -------------------------------------------------------

  let frame = null;

  function hide() {
    if (frame && lens()) lens().removeOverlay(frame);
    frame = null;
  }

  // `share`: left, top, width and height as shares of the film's.
  function show(share) {
    hide();
    if (!share || !isOpen()) return;
    const size = lens().world.getItemAt(0).getContentSize();
    const ratio = size.y / size.x;
    frame = document.createElement("div");
    frame.className = "pw-region-frame";
    const [x, y, width, height] = share;
    lens().addOverlay({ element: frame, location: new OpenSeadragon.Rect(x, y * ratio, width, height * ratio) });
  }

  function shareOf(form) {
    const inputs = fields(form);
    const values = EDGES.map((edge) => (inputs[edge].value === "" ? NaN : Number(inputs[edge].value)));
    const across = Number(form.dataset.filmWidth);
    const down = Number(form.dataset.filmHeight);
    const share = [values[0] / across, values[1] / down, values[2] / across, values[3] / down];
    return share.every(Number.isFinite) && share[2] > 0 && share[3] > 0 ? share : null;
  }

  function formChanged(form) {
    const share = shareOf(form);
    show(share);
    form.querySelector("[data-region-clear]").hidden = !share;
  }

  // --- Drawing ------------------------------------------------------------------------------------------

  class Pad {
    // Lies over the stage while a region is drawn, so that the film stays where it is.
    constructor(form) {
      this.form = form;
      this.words = form.querySelector("[data-region]").dataset;
      this.stage = lens().element;
      this.pad = document.createElement("div");
      this.pad.className = "pw-region-pad";
      this.start = null;
      this.stage.append(this.pad);
      this.pad.addEventListener("pointerdown", (event) => this.begin(event));
      this.pad.addEventListener("pointermove", (event) => this.drag(event));
      this.pad.addEventListener("pointerup", (event) => this.end(event));
      this.pad.addEventListener("pointercancel", () => this.close());
      this.escape = (event) => event.key === "Escape" && this.close();
      document.addEventListener("keydown", this.escape);
      this.pressed(true);
      this.stage.scrollIntoView({ block: "nearest" });
      say(this.words.wordsDraw);
    }

    pressed(on) {
      this.form.querySelector("[data-region-draw]").setAttribute("aria-pressed", String(on));
    }

    // The place of the pointer in film pixels, kept on the film.
    place(event) {
      const box = this.stage.getBoundingClientRect();
      const pixel = new OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
      const film = lens().world.getItemAt(0);
      const point = film.viewportToImageCoordinates(lens().viewport.pointFromPixel(pixel, true));
      const size = film.getContentSize();
      const width = Number(this.form.dataset.filmWidth);
      const height = Number(this.form.dataset.filmHeight);
      return {
        x: Math.min(width, Math.max(0, (point.x / size.x) * width)),
        y: Math.min(height, Math.max(0, (point.y / size.y) * height)),
      };
    }

    begin(event) {
      event.preventDefault();
      this.pad.setPointerCapture(event.pointerId);
      this.start = this.place(event);
    }

    drag(event) {
      if (this.start) this.fill(this.place(event));
    }

    end(event) {
      const last = this.place(event);
      const isSlip = !this.start || Math.abs(last.x - this.start.x) < SMALLEST || Math.abs(last.y - this.start.y) < SMALLEST;
      if (!isSlip) this.fill(last);
      this.close();
      if (!isSlip) say(this.words.wordsDrawn);
    }

    fill(last) {
      const left = Math.floor(Math.min(this.start.x, last.x));
      const top = Math.floor(Math.min(this.start.y, last.y));
      const values = {
        left,
        top,
        width: Math.floor(Math.max(this.start.x, last.x)) - left,
        height: Math.floor(Math.max(this.start.y, last.y)) - top,
      };
      const inputs = fields(this.form);
      for (const edge of EDGES) inputs[edge].value = values[edge];
      inputs.left.dispatchEvent(new Event("input", { bubbles: true }));
    }

    close() {
      document.removeEventListener("keydown", this.escape);
      this.pad.remove();
      this.pressed(false);
      pad = null;
    }
  }

  let pad = null;

  function say(words) {
    const announcer = document.querySelector("[data-announcer]");
    if (announcer) announcer.textContent = words;
  }

  function clear(form) {
    for (const input of Object.values(fields(form))) input.value = "";
    fields(form).left.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // --- The panel, each time it is there anew --------------------------------------------------------------

  function prepare() {
    if (pad) pad.close();
    hide();
    if (!lens()) return;
    for (const item of panel().querySelectorAll("[data-region-draw], [data-show-region]")) item.hidden = false;
    const form = panel().querySelector("form[data-review]");
    if (!form) return;
    if (isOpen()) formChanged(form);
    else lens().addOnceHandler("open", () => formChanged(form));
  }

  function clicked(event) {
    const form = event.target.closest("form[data-review]");
    const shown = event.target.closest("[data-show-region]");
    if (shown) return toggle(shown);
    if (event.target.closest("[data-region-clear]")) return clear(form);
    if (!event.target.closest("[data-region-draw]")) return undefined;
    if (pad) return pad.close();
    if (isOpen()) pad = new Pad(form);
    return undefined;
  }

  function toggle(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    for (const other of panel().querySelectorAll("[data-show-region]")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(on));
    const form = panel().querySelector("form[data-review]");
    if (on) show(button.dataset.showRegion.split(" ").map(Number));
    else if (form) formChanged(form);
    else hide();
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (!panel()) return;
    panel().addEventListener("click", clicked);
    panel().addEventListener("input", function (event) {
      const form = event.target.closest("form[data-review]");
      if (form && event.target.name.startsWith("region_")) formChanged(form);
    });
    prepare();
  });
  document.addEventListener("htmx:afterSettle", function (event) {
    if (panel() && event.target.closest("#reviews")) prepare();
  });
})();
