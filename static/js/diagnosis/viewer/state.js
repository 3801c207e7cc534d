// How film and map are shown: the values of the viewer's sliders, radios and lists, kept for the next film.
import { forget, remember, remembered } from "./session_settings.js";

export class State {
  constructor(root) {
    this.root = root;
    this.alphaSlider = root.querySelector("[data-alpha]");
    this.filmAlphaSlider = root.querySelector("[data-film-alpha]");
    this.colourMapList = root.querySelector("[data-colour-map]");
    this.mapSwitch = root.querySelector("[data-map-switch]");
    this.legends = JSON.parse(root.dataset.legends); // colour map → its colours from low to high
    this.standard = { alpha: this.alphaSlider.value, colourMap: this.colourMapList.value };
  }

  // The address of the page has priority over the session, the session over the person's preference, which
  // the page was rendered with.
  restore() {
    const asked = new URLSearchParams(window.location.search);
    const last = remembered();
    const wanted = { ...this.standard };
    if (last.alpha >= 0 && last.alpha <= 1 && !asked.has("alpha")) wanted.alpha = last.alpha;
    if (last.colourMap in this.legends && !asked.has("colour_map")) wanted.colourMap = last.colourMap;
    this.put({ ...wanted, filmAlpha: last.filmAlpha, style: last.style, compare: last.compare });
    return last.window;
  }

  reset() {
    this.put(this.standard);
    if (!this.mapSwitch.checked) this.mapSwitch.click();
  }

  put({ alpha, colourMap, filmAlpha = 1, style = "heat", compare = "over" }) {
    this.alphaSlider.value = alpha;
    this.colourMapList.value = colourMap;
    this.filmAlphaSlider.value = filmAlpha;
    this.check("style", style);
    this.check("compare", compare);
  }

  get alpha() {
    return Number(this.alphaSlider.value);
  }

  get filmAlpha() {
    return Number(this.filmAlphaSlider.value);
  }

  get colourMap() {
    return this.colourMapList.value;
  }

  get style() {
    return this.checked("style");
  }

  get compare() {
    return this.checked("compare");
  }

  get mapIsOn() {
    return this.mapSwitch.checked;
  }

  get isKept() {
    return Object.keys(remembered()).length > 0;
  }

  keep(...names) {
    remember(Object.fromEntries(names.map((name) => [name, this[name]])));
  }

  keepWindow(window) {
    remember({ window, filmAlpha: this.filmAlpha });
  }

  forget() {
    forget();
  }

  checked(name) {
    return this.root.querySelector(`input[name=${name}]:checked`)?.value;
  }

  check(name, value) {
    for (const radio of this.root.querySelectorAll(`input[name=${name}]`)) radio.checked = radio.value === value;
    if (!this.checked(name)) this.root.querySelector(`input[name=${name}]`).checked = true;
  }

  // --- By key: change the control and tell its listeners ----------------------------------------------

  step(slider, by) {
    slider.value = Number(slider.value) + by;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }

  next(name) {
    const radios = [...this.root.querySelectorAll(`input[name=${name}]`)];
    const radio = radios[(radios.findIndex((one) => one.checked) + 1) % radios.length];
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }

  nextColourMap() {
    const list = this.colourMapList;
    list.selectedIndex = (list.selectedIndex + 1) % list.length;
    list.dispatchEvent(new Event("change"));
  }
}
