// The viewer's keys. Each one stands in the help sheet too (templates/diagnosis/study_keys.html); a test compares them.
(function () {
  "use strict";

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // Key → action of controls.js; a capital letter is the key with Shift.
  const KEYS = {
    "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", "_": "zoom-out", "−": "zoom-out",
    0: "fit", 1: "actual", r: "turn-right", R: "turn-left", f: "full", x: "reset", "?": "help",
    w: "window-drag", g: "adjust", i: "invert",
    "{": "film-fainter", "}": "film-stronger", O: "film-fainter", P: "film-stronger",
    m: "map", "[": "map-fainter", "]": "map-stronger", o: "map-fainter", p: "map-stronger",
    c: "style", v: "colours", s: "compare", ",": "divider-left", ".": "divider-right",
  };
  const PRESETS = ["2", "3", "4", "5", "6", "7"];

  class Keys {
    // `controls` has `actions` by name, `viewer` (a lens), `filmWindow` and `sheet` (the help sheet's dialog).
    constructor(controls) {
      this.controls = controls;
      controls.root.addEventListener("keydown", (event) => this.pressed(event));
    }

    // Some keyboards need AltGr for brackets; it reports itself as Ctrl and Alt.
    pressed(event) {
      const isCommand = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
      if (isCommand || event.target.matches("select") || this.controls.sheet.open) return;
      const action = this.arrow(event) || this.preset(event.key) || this.named(event.key);
      if (!action) return;
      event.preventDefault();
      action();
    }

    arrow({ key, shiftKey, target }) {
      if (!(key in ARROWS) || target.matches("input")) return null;
      const [x, y] = ARROWS[key];
      if (shiftKey) return () => this.controls.filmWindow.step(-y, x);
      return () => this.controls.actions.move(x, y);
    }

    preset(key) {
      const index = PRESETS.indexOf(key);
      return index < 0 ? null : () => this.controls.filmWindow.number(index);
    }

    named(key) {
      const { root, actions } = this.controls;
      if (key === "Escape" && root.classList.contains("pw-viewer--enlarged")) return actions["leave-full"];
      return actions[KEYS[key] || KEYS[key.toLowerCase()]];
    }
  }

  window.pneumoweb = Object.assign(window.pneumoweb || {}, { Keys, VIEWER_KEYS: [...Object.keys(KEYS), ...PRESETS] });
})();
