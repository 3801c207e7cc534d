// What the viewer shows around film and map: percentages, legend, changes, pressed buttons, links to pictures.
import { announce } from "../../shared/announce.js";
import { fill } from "../../shared/words.js";

export class View {
  constructor(root, state) {
    this.root = root;
    this.state = state;
    this.sentences = root.dataset;
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  setPressed(action, on) {
    this.find(`[data-do=${action}]`).setAttribute("aria-pressed", String(on));
  }

  showAlpha() {
    this.showPercent(this.state.alphaSlider, "[data-alpha-text]");
  }

  showFilmAlpha() {
    this.showPercent(this.state.filmAlphaSlider, "[data-film-alpha-text]");
    this.root.style.setProperty("--pw-film-opacity", this.state.filmAlphaSlider.value);
  }

  showPercent(slider, text) {
    const percent = `${Math.round(slider.value * 100)}%`;
    slider.setAttribute("aria-valuetext", percent);
    this.find(text).textContent = percent;
  }

  showMagnification(magnification) {
    const text = magnification ? `${Math.round(magnification * 100)}%` : "";
    const output = this.find("[data-zoom]");
    if (output.textContent !== text) output.textContent = text;
  }

  filmOpened() {
    this.find("[data-viewer-note]").hidden = true;
  }

  filmFailed() {
    const note = this.find("[data-viewer-note]");
    note.hidden = false;
    note.textContent = this.sentences.sayFilmFailed;
  }

  filmDrawn() {
    this.root.dataset.ready = "true";
  }

  showMapControls(on) {
    for (const part of this.root.querySelectorAll("[data-map-controls], [data-legend]")) part.hidden = !on;
  }

  showLegend() {
    const colours = this.state.legends[this.state.colourMap];
    const colourAt = (percent) => colours[Math.round((percent / 100) * (colours.length - 1))];
    this.root.querySelectorAll("[data-stop]").forEach((stop, index) => stop.setAttribute("stop-color", colours[index]));
    for (const line of this.root.querySelectorAll(".pw-legend-line")) {
      line.setAttribute("stroke", colourAt(line.dataset.level));
    }
    this.root.dataset.style = this.state.style;
  }

  // Downloaded pictures look like the one on the screen.
  updateDownloads() {
    const { colourMap, alphaSlider, style } = this.state;
    const query = new URLSearchParams({ colour_map: colourMap, alpha: alphaSlider.value, style });
    for (const link of document.querySelectorAll("[data-picture]")) {
      const address = new URL(link.href);
      address.search = query;
      link.href = address.href;
    }
  }

  // Says how the shown film differs from the stored one, and offers to undo it.
  showChanges(filmWindow, degrees) {
    const { sayWindow, sayInverted, sayTurned, sayKept } = this.sentences;
    const { centre, width, invert } = filmWindow.values;
    const changes = [];
    if (!filmWindow.isStored) changes.push(fill(sayWindow, { centre: Math.round(centre), width: Math.round(width) }));
    if (invert) changes.push(sayInverted);
    if (degrees) changes.push(fill(sayTurned, { degrees }));
    this.find("[data-changed-words]").textContent = changes.join(" ") || sayKept;
    this.find("[data-changed]").hidden = !changes.length && !this.state.isKept;
  }

  announceTurn(degrees) {
    announce(fill(this.sentences.sayTurned, { degrees }));
  }

  announceReset() {
    announce(this.sentences.sayReset);
  }

  toggleAdjustments() {
    const panel = this.find("#pw-adjust");
    panel.hidden = !panel.hidden;
    this.find("[data-do=adjust]").setAttribute("aria-expanded", String(!panel.hidden));
  }

  setDragsWindow(on) {
    this.root.classList.toggle("pw-viewer--drags-window", on);
    this.setPressed("window-drag", on);
  }

  // --- Full screen ------------------------------------------------------------------------------------

  // Phones without full screen for elements get the same by covering the page.
  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.root.classList.contains("pw-viewer--enlarged")) this.setEnlarged(false);
    else if (this.root.requestFullscreen) this.root.requestFullscreen().catch(() => this.setEnlarged(true));
    else this.setEnlarged(true);
  }

  setEnlarged(on) {
    this.root.classList.toggle("pw-viewer--enlarged", on);
    this.setPressed("full", on);
    this.find("[data-stage] .openseadragon-canvas")?.focus({ preventScroll: true });
  }
}
