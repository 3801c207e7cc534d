// The viewer's keys. The help sheet (templates/diagnosis/study_keys.html) lists each one; a test compares them.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Key → action of actions.js; a capital letter is the key with Shift.
const KEYS = {
  "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", "_": "zoom-out", "−": "zoom-out",
  0: "fit", 1: "actual", r: "turn-right", R: "turn-left", f: "full", x: "reset", "?": "help",
  w: "window-drag", g: "adjust", i: "invert",
  "{": "film-fainter", "}": "film-stronger", O: "film-fainter", P: "film-stronger",
  m: "map", "[": "map-fainter", "]": "map-stronger", o: "map-fainter", p: "map-stronger",
  c: "style", v: "colours", s: "compare", ",": "divider-left", ".": "divider-right",
};
const PRESETS = ["2", "3", "4", "5", "6", "7"];

export const VIEWER_KEYS = [...Object.keys(KEYS), ...PRESETS];

// `viewer` has `root`, `actions` by name, `filmWindow` and `helpSheet` (a dialog).
export function listenToKeys(viewer) {
  viewer.root.addEventListener("keydown", function (event) {
    // Some keyboards need AltGr for brackets; it reports itself as Ctrl and Alt.
    const isCommand = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
    if (isCommand || event.target.matches("select") || viewer.helpSheet.open) return;
    const action = arrow(viewer, event) || preset(viewer, event.key) || named(viewer, event.key);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function arrow({ filmWindow, actions }, { key, shiftKey, target }) {
  if (!(key in ARROWS) || target.matches("input")) return null;
  const [x, y] = ARROWS[key];
  return shiftKey ? () => filmWindow.step(-y, x) : () => actions.move(x, y);
}

function preset({ filmWindow }, key) {
  const index = PRESETS.indexOf(key);
  return index < 0 ? null : () => filmWindow.choosePreset(index);
}

function named({ root, actions }, key) {
  if (key === "Escape" && root.classList.contains("pw-viewer--enlarged")) return actions["leave-full"];
  return actions[KEYS[key] || KEYS[key.toLowerCase()]];
}
