// Compares the film with film and map: overlaid, with a divider to swipe, or side by side moving together.

const WAYS = ["over", "swipe", "beside"];

export class Compare {
  // `openSecond` makes the second viewport when it is first needed.
  constructor(root, viewport, openSecond) {
    this.root = root;
    this.viewport = viewport;
    this.openSecond = openSecond;
    this.second = null;
    this.leader = viewport;
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
    this.lead(this.viewport);
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

  // Without a map the film is shown alone, whatever was chosen.
  show(way, map) {
    this.map = map;
    this.way = map && WAYS.includes(way) ? way : "over";
    const beside = this.way === "beside";
    this.root.dataset.way = this.way;
    this.divider.hidden = this.way !== "swipe";
    this.root.querySelector("[data-second]").hidden = !beside;
    for (const tag of this.root.querySelectorAll("[data-tag-film], [data-tag-map]")) tag.hidden = this.way === "over";
    if (beside) this.openBeside();
    if (map) map.follow(beside ? this.second : this.viewport);
    this.slide(this.share);
  }

  openBeside() {
    if (this.second) return;
    this.second = this.openSecond();
    this.lead(this.second);
    this.second.whenOpen(() => this.second.copy(this.viewport));
  }

  // The viewport that is used leads; the other one follows in the same frame.
  lead(viewport) {
    for (const input of ["pointerdown", "wheel"]) {
      viewport.stage.addEventListener(input, () => (this.leader = viewport), { capture: true, passive: true });
    }
    viewport.osd.addHandler("viewport-change", () => this.followed(viewport));
    viewport.osd.addHandler("rotate", () => this.followed(viewport));
  }

  followed(viewport) {
    if (!this.second || this.way !== "beside" || this.leader !== viewport) return;
    (viewport === this.viewport ? this.second : this.viewport).copy(viewport);
  }

  // Buttons and keys act on the first viewport.
  takeOver() {
    this.leader = this.viewport;
  }

  get viewports() {
    return this.second ? [this.viewport, this.second] : [this.viewport];
  }
}
