// Brightness and contrast: a window over the film's greys (centre and width in per cent), presets, invert, drag.

const STORED = { centre: 50, width: 100 };
const LIMITS = { centre: [0, 100], width: [4, 200] };
const PER_PIXEL = 0.25; // per cent of the grey range for one pixel of dragging
// Centre and width within the film's own range of greys (0: its 1st percentile, 1: its 99th).
const PRESETS = {
  whole: [0.5, 1],
  lungs: [0.35, 0.55],
  mediastinum: [0.68, 0.5],
  bone: [0.78, 0.4],
  contrast: [0.5, 0.5],
};
const NAMES = ["stored", ...Object.keys(PRESETS)];

const within = (name, value) => Math.min(LIMITS[name][1], Math.max(LIMITS[name][0], value));

// The 1st and 99th percentile of the film's greys, in per cent of the whole range.
async function rangeOf(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const greys = data.filter((_, index) => index % 4 === 0).sort();
  const at = (share) => (100 * greys[Math.round(share * (greys.length - 1))]) / 255;
  return [at(0.01), Math.max(at(0.99), at(0.01) + 4)];
}

export class FilmWindow {
  constructor(root, changed) {
    this.root = root;
    this.changed = changed;
    this.functions = root.querySelectorAll("#pw-window feFuncR, #pw-window feFuncG, #pw-window feFuncB");
    this.values = { ...STORED, invert: false, preset: "stored" };
    for (const slider of root.querySelectorAll("[data-window]")) {
      slider.addEventListener("input", () => this.set({ [slider.dataset.window]: Number(slider.value), preset: "" }));
    }
    for (const button of root.querySelectorAll("[data-preset]")) {
      button.addEventListener("click", () => this.choose(button.dataset.preset));
    }
  }

  // Restores a window; a preset is computed again, because each film has its own range.
  recall(values) {
    const known = { ...this.values, ...values };
    if (!Number.isFinite(known.centre) || !Number.isFinite(known.width)) return;
    this.set(known, false);
    if (NAMES.includes(known.preset)) this.choose(known.preset, false);
  }

  set(change, byHand = true) {
    Object.assign(this.values, change);
    for (const name of ["centre", "width"]) {
      this.values[name] = Math.round(10 * within(name, Number(this.values[name]))) / 10;
    }
    this.values.invert = Boolean(this.values.invert);
    this.paint();
    this.changed(byHand);
  }

  async choose(name, byHand = true) {
    this.wanted = name;
    let [centre, width] = [STORED.centre, STORED.width];
    if (name in PRESETS) {
      try {
        this.range ||= rangeOf(this.root.dataset.thumbnail);
        const [low, high] = await this.range;
        centre = low + PRESETS[name][0] * (high - low);
        width = PRESETS[name][1] * (high - low);
      } catch {
        this.range = null; // without the thumbnail the whole range is assumed
        [centre, width] = [100 * PRESETS[name][0], 100 * PRESETS[name][1]];
      }
    }
    if (this.wanted === name) this.set({ centre, width, preset: name }, byHand);
  }

  choosePreset(index) {
    if (NAMES[index]) this.choose(NAMES[index]);
  }

  invert() {
    this.set({ invert: !this.values.invert });
  }

  step(brighter, broader) {
    this.shift(-5 * brighter, 10 * broader);
  }

  // A lower centre makes the film brighter.
  shift(centre, width) {
    this.wanted = "";
    this.set({ centre: this.values.centre + centre, width: this.values.width + width, preset: "" });
  }

  drag(delta) {
    this.shift(PER_PIXEL * delta.y, PER_PIXEL * delta.x);
  }

  reset() {
    this.wanted = "stored";
    this.set({ ...STORED, invert: false, preset: "stored" });
  }

  get isStored() {
    return this.values.centre === STORED.centre && this.values.width === STORED.width;
  }

  get isChanged() {
    return !this.isStored || this.values.invert;
  }

  paint() {
    const { centre, width, invert, preset } = this.values;
    const slope = 100 / width;
    const intercept = 0.5 - (slope * centre) / 100;
    for (const part of this.functions) {
      part.setAttribute("slope", invert ? -slope : slope);
      part.setAttribute("intercept", invert ? 1 - intercept : intercept);
    }
    this.root.classList.toggle("pw-viewer--windowed", this.isChanged);
    this.root.querySelector("[data-do=invert]").setAttribute("aria-pressed", String(invert));
    for (const slider of this.root.querySelectorAll("[data-window]")) {
      const value = this.values[slider.dataset.window];
      slider.value = value;
      slider.setAttribute("aria-valuetext", `${Math.round(value)}%`);
      this.root.querySelector(`[data-window-text=${slider.dataset.window}]`).textContent = `${Math.round(value)}%`;
    }
    for (const button of this.root.querySelectorAll("[data-preset]")) {
      button.setAttribute("aria-pressed", String(button.dataset.preset === preset));
    }
  }

  // Dragging over a viewport sets the window: with the right button always, with any pointer while `active()`.
  attach(viewport, active) {
    for (const gesture of ["canvas-drag", "canvas-drag-end"]) {
      viewport.osd.addHandler(gesture, (event) => {
        if (!active()) return;
        event.preventDefaultAction = true;
        if (gesture === "canvas-drag") this.drag(event.delta);
      });
    }
    this.attachRightButton(viewport.stage);
  }

  attachRightButton(stage) {
    let last = null;
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("pointerdown", (event) => (last = event.button === 2 ? event : null), true);
    window.addEventListener("pointerup", () => (last = null));
    window.addEventListener("pointermove", (event) => {
      if (!last || !(event.buttons & 2)) return;
      this.drag({ x: event.clientX - last.clientX, y: event.clientY - last.clientY });
      last = event;
    });
  }
}
