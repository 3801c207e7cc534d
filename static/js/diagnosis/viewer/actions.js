// What buttons (data-do) and keys can do, by name.

export function makeActions(viewer) {
  return { ...viewportActions(viewer), ...filmActions(viewer), ...pageActions(viewer), ...mapActions(viewer) };
}

// They act on the first viewport, which leads the second one.
function viewportActions(viewer) {
  const { viewport, compare } = viewer;
  const actions = {
    "zoom-in": () => viewport.zoom(true),
    "zoom-out": () => viewport.zoom(false),
    fit: () => viewport.fit(),
    actual: () => viewport.actualSize(),
    move: (x, y) => viewport.move(x, y),
    "turn-left": () => viewer.turn(-90),
    "turn-right": () => viewer.turn(90),
    reset: () => viewer.reset(),
  };
  return around(actions, (act) => (...values) => {
    compare.takeOver();
    act(...values);
  });
}

function filmActions(viewer) {
  const { state, filmWindow } = viewer;
  return {
    invert: () => filmWindow.invert(),
    "window-drag": () => viewer.setDragsWindow(!viewer.dragsWindow),
    "film-fainter": () => state.step(state.filmAlphaSlider, -0.1),
    "film-stronger": () => state.step(state.filmAlphaSlider, 0.1),
  };
}

function pageActions({ view, helpSheet }) {
  return {
    adjust: () => view.toggleAdjustments(),
    full: () => view.toggleFullScreen(),
    "leave-full": () => view.setEnlarged(false),
    help: () => helpSheet.showModal(),
    "close-help": () => helpSheet.close(),
  };
}

// They do nothing while there is no map.
function mapActions(viewer) {
  const { state, compare } = viewer;
  const actions = {
    map: () => state.mapSwitch.click(),
    "map-fainter": () => state.step(state.alphaSlider, -0.1),
    "map-stronger": () => state.step(state.alphaSlider, 0.1),
    style: () => state.next("style"),
    compare: () => state.next("compare"),
    colours: () => state.nextColourMap(),
    "divider-left": () => compare.slide(compare.share - 0.05),
    "divider-right": () => compare.slide(compare.share + 0.05),
  };
  return around(actions, (act) => () => viewer.map && act());
}

function around(actions, wrap) {
  return Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, wrap(act)]));
}
