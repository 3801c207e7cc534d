// Film against film with map: laid over each other, swiped by a divider, or side by side with one movement for both.
(function () {
  "use strict";

  const WAYS = ["over", "swipe", "beside"];

  class Compare {
    // `openSecond` makes the second lens the first time it is needed.
    constructor(root, lens, openSecond) {
      this.root = root;
      this.lens = lens;
      this.openSecond = openSecond;
      this.second = null;
      this.leader = lens;
      this.map = null;
      this.way = "over";
      this.share = 0.5;
      this.panes = root.querySelector("[data-panes]");
      this.divider = root.querySelector("[data-divider]");
      this.listen();
    }

    listen() {
      this.divider.addEventListener("keydown", (event) => this.pressed(event));
      this.divider.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.divider.setPointerCapture(event.pointerId);
        this.divider.focus({ preventScroll: true });
      });
      this.divider.addEventListener("pointermove", (event) => {
        if (!this.divider.hasPointerCapture(event.pointerId)) return;
        const box = this.panes.getBoundingClientRect();
        this.slide((event.clientX - box.left) / box.width);
      });
      this.divider.addEventListener("dblclick", () => this.slide(0.5));
      this.lead(this.lens);
    }

    pressed(event) {
      const places = { ArrowLeft: -0.02, ArrowRight: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 };
      if (!(event.key in places) || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.slide(this.share + places[event.key]);
    }

    slide(share) {
      this.share = Math.min(1, Math.max(0, share));
      const percent = Math.round(100 * this.share);
      this.divider.style.left = `${100 * this.share}%`;
      this.divider.setAttribute("aria-valuenow", String(percent));
      this.divider.setAttribute("aria-valuetext", this.root.dataset.sayDivider.replace("{percent}", percent));
      if (this.map) this.map.set({ divider: this.way === "swipe" ? this.share : 0 });
    }

    // Show the film alone, whatever was chosen, until there is a map.
    show(way, map) {
      this.map = map;
      this.way = map && WAYS.includes(way) ? way : "over";
      const beside = this.way === "beside";
      this.root.dataset.way = this.way;
      this.divider.hidden = this.way !== "swipe";
      this.root.querySelector("[data-second]").hidden = !beside;
      for (const tag of this.root.querySelectorAll("[data-tag-film], [data-tag-map]")) tag.hidden = this.way === "over";
      if (beside) this.openBeside();
      if (map) map.follow(beside ? this.second : this.lens);
      this.slide(this.share);
    }

    openBeside() {
      if (this.second) return;
      this.second = this.openSecond();
      this.lead(this.second);
      this.second.whenOpen(() => this.second.copy(this.lens));
    }

    // The lens under the hand leads, the other one follows in the same frame.
    lead(lens) {
      for (const sign of ["pointerdown", "wheel"]) {
        lens.stage.addEventListener(sign, () => (this.leader = lens), { capture: true, passive: true });
      }
      lens.lens.addHandler("viewport-change", () => this.followed(lens));
      lens.lens.addHandler("rotate", () => this.followed(lens));
    }

    followed(lens) {
      if (!this.second || this.way !== "beside" || this.leader !== lens) return;
      (lens === this.lens ? this.second : this.lens).copy(lens);
    }

    // Buttons and keys act on the first lens.
    takeOver() {
      this.leader = this.lens;
    }

    get lenses() {
      return this.second ? [this.lens, this.second] : [this.lens];
    }
  }

  window.pneumoweb = Object.assign(window.pneumoweb || {}, { Compare });
})();
