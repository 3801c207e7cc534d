// The viewer of the study page: joins state, view, viewports, grey window, map, comparison and keys.
import { announce, showMessage } from "../../shared/announce.js";
import { makeActions } from "./actions.js";
import { Compare } from "./compare.js";
import { FilmWindow } from "./film_window.js";
import { listenToKeys, VIEWER_KEYS } from "./keys.js";
import { MapLayer } from "./map_layer.js";
import { State } from "./state.js";
import { View } from "./view.js";
import { FilmViewport } from "./viewport.js";

export class Viewer {
  constructor(root) {
    this.root = root;
    for (const item of root.querySelectorAll("[data-needs-script]")) item.hidden = false;
    this.state = new State(root);
    this.view = new View(root, this.state);
    this.helpSheet = this.view.find("[data-keys]");
    this.viewport = this.openViewport("[data-stage]");
    this.filmWindow = new FilmWindow(root, (byHand) => this.filmChanged(byHand));
    this.compare = new Compare(root, this.viewport, () => this.openSecond());
    this.map = null; // until there is a result
    this.dragsWindow = false;
    this.filmWindow.attach(this.viewport, () => this.dragsWindow);
    this.watchViewport();
    this.restore();
    this.actions = makeActions(this);
    this.listen();
    listenToKeys(this);
    this.keys = VIEWER_KEYS;
    this.takeResult();
  }

  openViewport(stage) {
    const { film, width, height, sayFilm } = this.root.dataset;
    return new FilmViewport(this.view.find(stage), { film, ratio: Number(height) / Number(width), label: sayFilm });
  }

  openSecond() {
    const second = this.openViewport("[data-stage-second]");
    this.filmWindow.attach(second, () => this.dragsWindow);
    return second;
  }

  watchViewport() {
    const { osd } = this.viewport;
    osd.addHandler("open", () => this.view.filmOpened());
    osd.addHandler("open-failed", () => this.view.filmFailed());
    osd.addHandler("update-viewport", () => {
      if (this.viewport.film?.getFullyLoaded()) this.view.filmDrawn();
      this.view.showMagnification(this.viewport.magnification);
    });
  }

  restore() {
    const lastWindow = this.state.restore();
    this.showAlphas();
    this.filmWindow.recall(lastWindow);
  }

  listen() {
    const { root, state } = this;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.actions[button.dataset.do]();
    });
    state.alphaSlider.addEventListener("input", () => this.alphaChanged());
    state.filmAlphaSlider.addEventListener("input", () => {
      this.view.showFilmAlpha();
      this.filmChanged(true);
    });
    state.colourMapList.addEventListener("change", () => this.lookChanged());
    state.mapSwitch.addEventListener("change", () => this.map?.set({ on: state.mapIsOn }));
    root.addEventListener("change", ({ target }) => {
      if (target.matches("[data-style]")) this.lookChanged();
      if (target.matches("[data-compare]")) this.compareChanged();
    });
    document.addEventListener("fullscreenchange", () => this.view.setEnlarged(document.fullscreenElement === root));
    document.body.addEventListener("study-finished", () => this.takeResult(true));
  }

  // --- The map ----------------------------------------------------------------------------------------

  // The result is part of the page, or arrives later with the status.
  takeResult(announced) {
    const result = document.querySelector("[data-result]");
    this.view.showMapControls(Boolean(result));
    if (!result) return;
    this.heatLayer = result.dataset.heatLayer;
    this.map ||= new MapLayer(this.viewport, () => showMessage(this.root.dataset.sayMapFailed));
    this.map.set({ alpha: this.state.alpha, on: this.state.mapIsOn });
    this.showMap();
    this.compare.show(this.state.compare, this.map);
    this.showChanges();
    if (announced) announce(result.dataset.summary);
  }

  showMap() {
    const { colourMap, style } = this.state;
    const suffix = style === "contour" ? "&style=contour" : "";
    this.view.showLegend();
    this.view.updateDownloads();
    this.map?.show(`${this.heatLayer}&colour_map=${encodeURIComponent(colourMap)}${suffix}`, style);
  }

  lookChanged() {
    this.state.keep("colourMap", "style");
    this.showMap();
    this.showChanges();
  }

  compareChanged() {
    this.state.keep("compare");
    this.compare.show(this.state.compare, this.map);
    this.showChanges();
  }

  alphaChanged() {
    this.showAlphas();
    this.view.updateDownloads();
    this.state.keep("alpha");
    this.showChanges();
  }

  showAlphas() {
    this.view.showFilmAlpha();
    this.view.showAlpha();
    this.map?.set({ alpha: this.state.alpha });
  }

  // --- The film ---------------------------------------------------------------------------------------

  filmChanged(byHand) {
    if (byHand) this.state.keepWindow(this.filmWindow.values);
    this.showChanges();
  }

  turn(degrees) {
    this.viewport.turn(degrees);
    this.showChanges();
    this.view.announceTurn(this.viewport.turned);
  }

  setDragsWindow(on) {
    this.dragsWindow = on;
    this.view.setDragsWindow(on);
  }

  showChanges() {
    this.view.showChanges(this.filmWindow, this.viewport.film ? this.viewport.turned : 0);
  }

  reset() {
    this.filmWindow.reset();
    this.state.reset();
    this.state.forget();
    this.showAlphas();
    this.setDragsWindow(false);
    this.compare.share = 0.5;
    this.compare.show("over", this.map);
    if (this.map) this.showMap();
    if (this.viewport.film) this.viewport.turn(-this.viewport.turned);
    this.viewport.fit();
    this.showChanges();
    this.view.announceReset();
  }
}
