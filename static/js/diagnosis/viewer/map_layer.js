// The map as a layer over the film: heat (a picture) or contours (lines), with its own opacity.

const BASE = 512; // pixels across before the transform; any number does
const LINE = 2; // contours are thin: twice the opacity, at most 1; pneumoml/explain/contours.py draws them alike

function svgElement(name, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

export class MapLayer {
  constructor(viewport, failed) {
    this.failed = failed;
    this.layer = document.createElement("div");
    this.layer.className = "pw-map";
    this.alpha = 0.4;
    this.on = true;
    this.divider = 0; // the map shows from this share of the width on
    this.picture = null;
    this.address = "";
    this.onViewportUpdate = () => this.lay();
    this.follow(viewport);
  }

  // Lies over another viewport from now on.
  follow(viewport) {
    this.viewport?.osd.removeHandler("update-viewport", this.onViewportUpdate);
    this.viewport = viewport;
    viewport.osd.overlaysContainer.before(this.layer);
    viewport.osd.addHandler("update-viewport", this.onViewportUpdate);
    if (viewport.film) this.lay();
  }

  // Shows the map at `address`; the old one stays until the new one is loaded.
  async show(address, style) {
    this.address = address;
    try {
      const picture = style === "contour" ? await this.fetchLines(address) : await this.fetchPicture(address);
      if (this.address !== address) return;
      if (this.picture) this.picture.remove();
      this.picture = picture;
      this.layer.append(picture);
      this.layer.dataset.shown = style;
      if (this.viewport.film) this.lay();
    } catch {
      if (this.address === address) this.failed();
    }
  }

  async fetchPicture(address) {
    const picture = new Image(BASE, BASE * this.viewport.ratio);
    picture.alt = "";
    picture.className = "pw-heat";
    picture.src = address;
    await picture.decode();
    return picture;
  }

  // Takes only paths and numbers from the answer, each into an element made here.
  async fetchLines(address) {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error("no contours");
    const sent = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    const box = sent.getAttribute("viewBox");
    const attributes = { viewBox: box, class: "pw-contours", preserveAspectRatio: "none", "aria-hidden": "true" };
    const lines = svgElement("svg", attributes);
    for (const group of sent.querySelectorAll("g[data-level]")) {
      const level = group.dataset.level;
      const [path, text] = [group.querySelector("path"), group.querySelector("text")];
      const copy = svgElement("g", { "data-level": level, stroke: group.getAttribute("stroke") }, lines);
      svgElement("path", { d: path.getAttribute("d"), class: "pw-contour-seam" }, copy);
      svgElement("path", { d: path.getAttribute("d"), class: "pw-contour-line" }, copy);
      const transform = `translate(${text.getAttribute("x")} ${text.getAttribute("y")})`;
      const place = svgElement("g", { transform }, copy);
      svgElement("text", { class: "pw-contour-number" }, place).textContent = text.textContent;
    }
    this.across = Number(box.split(" ")[2]);
    return lines;
  }

  // Moves the layer to where the film is now.
  lay() {
    if (!this.picture) return;
    const [first, right, below] = this.viewport.corners();
    const width = Math.hypot(right.x - first.x, right.y - first.y);
    const angle = Math.atan2(right.y - first.y, right.x - first.x);
    if (this.layer.dataset.shown === "contour") this.layLines(first, width, angle);
    else {
      const across = [(right.x - first.x) / BASE, (right.y - first.y) / BASE];
      const down = [(below.x - first.x) / (BASE * this.viewport.ratio), (below.y - first.y) / (BASE * this.viewport.ratio)];
      this.picture.style.transform = `matrix(${[...across, ...down, first.x, first.y].join(", ")})`;
    }
    this.paint();
  }

  // Lines are resized instead of magnified, so that they stay thin and legible.
  layLines(first, width, angle) {
    const style = this.picture.style;
    style.transform = `translate(${first.x}px, ${first.y}px) rotate(${angle}rad)`;
    if (width === this.width && angle === this.angle && this.laid === this.picture) return;
    [this.width, this.angle, this.laid] = [width, angle, this.picture];
    style.width = `${width}px`;
    style.height = `${width * this.viewport.ratio}px`;
    const upright = `rotate(${(-angle * 180) / Math.PI}) scale(${this.across / width})`;
    for (const number of this.picture.querySelectorAll("text")) number.setAttribute("transform", upright);
  }

  paint() {
    const alpha = this.layer.dataset.shown === "contour" ? Math.min(1, LINE * this.alpha) : this.alpha;
    if (this.picture) this.picture.style.opacity = this.on ? String(alpha) : "0";
    this.layer.style.clipPath = this.divider ? `inset(0 0 0 ${100 * this.divider}%)` : "";
  }

  set(change) {
    Object.assign(this, change);
    this.paint();
  }
}
