// A panel: an SVG drawing of the base graph or of a cover, with marks.
//
// It does not depend on walks: its methods mark vertices and edges, and it calls hooks when a vertex
// is pointed at or chosen by mouse, touch or keyboard.

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 0.27;
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
let panels = 0;

/** Make an SVG element. */
function drawn(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Make an HTML element; properties that begin with "on" are event listeners. */
function html(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Move an element to a position. */
function stand(element, [x, y]) {
  element.style.transform = `translate(${x}px, ${y}px)`;
}

export class Panel {
  #groups; #lines; #hits; #places; #hooks; #colors; #host;
  #id = `ug${++panels}`;
  #roving = -1;
  #dragged = false;
  #layers = {};

  /**
   * Draw a graph into a host. Hooks: point(k), forget(), choose(k), edge(e), drag(k, l), which returns
   * whether it was a step, and describe(k), which returns the accessible name of a vertex.
   */
  constructor(host, data, colors, label, hooks) {
    [this.#host, this.#colors, this.#hooks] = [host, colors, hooks];
    this.svg = drawn("svg", { role: "group", "aria-label": label });
    for (const name of ["floor", "bands", "words", "halos", "lines", "badges", "hits", "discs", "tags"])
      this.#layers[name] = drawn("g", { class: name });
    this.origin = drawn("circle", { class: "origin", r: RADIUS + 0.07 });
    this.token = drawn("circle", { class: "token", r: RADIUS + 0.1 });
    const { floor, bands, words, halos, lines, badges, hits, discs, tags } = this.#layers;
    this.svg.append(this.#arrowheads(), floor, bands, words, halos, lines, badges, hits, this.origin, discs, this.token, tags);
    this.#floor(data);
    this.#lines = data.arcs.map((arc) => this.#line(arc));
    this.#hits = hooks.edge ? data.arcs.map((arc) => this.#hit(arc)) : [];
    for (const stub of data.stubs ?? []) this.#line(stub, "stub");
    this.#places = data.vertices.map(({ x, y }) => [x, y]);
    this.#groups = data.vertices.map((vertex, k) => this.#vertex(vertex, k, Boolean(data.cells?.length)));
    this.#rove(0);
    this.redraw(data);
    if (hooks.drag) this.#followDrags();
    host.replaceChildren(this.svg);
  }

  // -- elements ---------------------------------------------------------------------------------

  #arrowheads() {
    const heads = this.#colors.edges.map((_, edge) => {
      const marker = drawn("marker", {
        id: `${this.#id}e${edge}`, viewBox: "0 0 10 10", refX: 9, refY: 5, orient: "auto",
        markerUnits: "userSpaceOnUse", markerWidth: 0.19, markerHeight: 0.19,
      }, drawn("path", { d: "M0 1L10 5L0 9z" }));
      marker.firstChild.style.fill = `var(--edge-${edge})`;
      return marker;
    });
    return drawn("defs", {}, ...heads);
  }

  #floor({ rings = [], cells = [] }) {
    for (const { over, radius } of rings)
      this.#layers.floor.append(drawn("circle", { class: "ring", r: radius, stroke: this.#colors.vertices[over][0] }));
    for (const { x, y, size } of cells)
      this.#layers.floor.append(drawn("rect", { class: "cell", x, y, width: size, height: size, rx: 0.2 }));
  }

  #line({ edge, path, pale }, kind = pale ? "pale" : "") {
    const line = drawn("path", { class: `arc ${kind}`, d: path });
    if (kind !== "stub") line.setAttribute("marker-end", `url(#${this.#id}e${edge})`);
    line.style.stroke = `var(--edge-${edge})`;
    this.#layers.lines.append(line);
    return line;
  }

  /** A wide invisible line to click. */
  #hit({ edge, path }) {
    const hit = drawn("path", { class: "hit", d: path });
    hit.addEventListener("click", () => this.#hooks.edge(edge));
    this.#layers.hits.append(hit);
    return hit;
  }

  #vertex(vertex, k, inPlane) {
    const [fill, ink] = this.#colors.vertices[vertex.over];
    const group = drawn("g", { class: `vertex ${vertex.ghost ? "ghost" : ""}`, role: "button", tabindex: -1, "data-k": k });
    // numbers are to the right of a disc; in the plane, where other discs may be there, under it
    const [x, value, slope] = inPlane ? [0, 0.4, 0.59] : [RADIUS + 0.06, -0.03, 0.17];
    group.append(
      drawn("title", {}, vertex.label), drawn("circle", { r: RADIUS, fill }), this.#lettering(vertex, ink),
      drawn("text", { class: inPlane ? "value under" : "value", x, y: value }),
      drawn("text", { class: inPlane ? "slope under" : "slope", x, y: slope }),
    );
    group.addEventListener("pointerenter", () => this.#hooks.point(k));
    group.addEventListener("pointerleave", () => this.#hooks.forget());
    group.addEventListener("focus", () => { this.#rove(k); this.#hooks.point(k); });
    group.addEventListener("blur", () => this.#hooks.forget());
    group.addEventListener("click", () => { if (!this.#dragged) this.#hooks.choose(k); });
    group.addEventListener("keydown", (event) => this.#keyed(event, k));
    this.#layers.discs.append(group);
    return group;
  }

  /** Text that fits into a disc, with the index of the copy as a subscript. */
  #lettering({ label, index }, ink) {
    const short = label.length > 9 ? `${label.slice(0, 8)}\u2026` : label;
    const long = short.length + 0.75 * (index ?? "").length;
    const size = Math.min(0.27, 0.46 / (0.58 * Math.max(1, long)));
    const text = drawn("text", { class: "name", "font-size": size, dy: "0.35em", fill: ink }, short);
    if (index) text.append(drawn("tspan", { "font-size": 0.75 * size, dy: "0.28em" }));
    return text;
  }

  // -- input ------------------------------------------------------------------------------------

  /** Make a vertex the only one in the tab order. */
  #rove(k) {
    this.#groups[this.#roving]?.setAttribute("tabindex", -1);
    this.#groups[k]?.setAttribute("tabindex", 0);
    this.#roving = k;
  }

  /** Arrow keys move to the nearest vertex in their direction; Enter and Space choose. */
  #keyed(event, k) {
    if (event.key === "Enter" || event.key === " ") this.#hooks.choose(k);
    else if (event.key in WAYS) this.#groups[this.#beside(k, WAYS[event.key])].focus();
    else return;
    event.preventDefault();
  }

  #beside(k, [right, down]) {
    const [x, y] = this.#places[k];
    const far = this.#places.map(([u, v]) => {
      const ahead = (u - x) * right + (v - y) * down;
      const aside = Math.abs((u - x) * down) + Math.abs((v - y) * right);
      return ahead > 1e-6 && aside <= 2 * ahead ? ahead + 2 * aside : Infinity;
    });
    const least = Math.min(...far);
    return least < Infinity ? far.indexOf(least) : k;
  }

  /** Call hooks.drag when the pointer is dragged from disc to disc. */
  #followDrags() {
    let from = -1, held = false;
    const under = ({ clientX, clientY }) => {
      const met = this.svg.getRootNode().elementFromPoint(clientX, clientY)?.closest("[data-k]");
      return met && this.svg.contains(met) ? Number(met.dataset.k) : -1;
    };
    const listen = (names, call) => names.forEach((name) => this.svg.addEventListener(name, call));
    listen(["pointerdown"], (event) => {
      [from, this.#dragged] = [under(event), false];
      held = from >= 0;  // a touch elsewhere scrolls the page
      event.target.releasePointerCapture?.(event.pointerId);  // touch captures the first target
    });
    listen(["pointermove"], (event) => {
      const met = from < 0 ? from : under(event);
      if (met < 0 || met === from || !this.#hooks.drag(from, met)) return;
      [from, this.#dragged] = [met, true];  // the click at the end of a drag is ignored
    });
    listen(["pointerup", "pointercancel", "pointerleave"], () => { from = -1; });
    this.svg.addEventListener("touchmove", (event) => { if (held) event.preventDefault(); }, { passive: false });
  }

  // -- marks ------------------------------------------------------------------------------------

  /** Highlight edges, and mark the first and the last vertex of a walk (-1: not drawn). */
  light(arcs, start, end) {
    this.#layers.halos.replaceChildren(...arcs.filter((k) => k >= 0).map((k) => drawn("path", { class: "halo", d: this.#lines[k].getAttribute("d") })));
    this.#layers.halos.lastChild?.classList.add("last");
    for (const [ring, k] of [[this.origin, start], [this.token, end]]) {
      ring.classList.toggle("away", k < 0);
      if (k >= 0) stand(ring, this.#places[k]);
    }
    if (!this.svg.contains(this.svg.getRootNode().activeElement)) this.#rove(Math.max(0, end));
  }

  /** Give a class to exactly these vertices. */
  mark(kind, chosen) {
    this.#groups.forEach((group, k) => group.classList.toggle(kind, chosen.has(k)));
  }

  /** Write texts on edges; `far` is the position along an edge, from 0 to 1. */
  tag(tags) {
    this.#layers.tags.replaceChildren(...tags.map(({ arc, words, far }) => {
      const line = this.#lines[arc];
      const { x, y } = line.getPointAtLength(line.getTotalLength() * far);
      return drawn("g", { transform: `translate(${x} ${y})` }, drawn("circle", { r: 0.15 }), drawn("text", { dy: "0.35em", "font-size": 0.2 }, words));
    }));
  }

  /** Write values and gradients next to the vertices. */
  number(values, slopes) {
    this.#groups.forEach((group, k) => {
      group.querySelector(".value").textContent = values.get(k) ?? "";
      group.querySelector(".slope").textContent = slopes.get(k) ?? "";
    });
  }

  /** Update the accessible names of the vertices. */
  describe() {
    this.#groups.forEach((group, k) => group.setAttribute("aria-label", this.#hooks.describe(k)));
  }

  /** Move everything to the places in the data. */
  redraw({ box, vertices, arcs, bands = [], texts = [], badges = [] }) {
    this.#resize(box);
    vertices.forEach(({ x, y, index }, k) => {
      this.#places[k] = [x, y];
      stand(this.#groups[k], this.#places[k]);
      const low = this.#groups[k].querySelector("tspan");
      if (low) low.textContent = index.replaceAll("-", "\u2212");
    });
    arcs.forEach(({ path }, k) => {
      for (const line of [this.#lines[k], this.#hits[k]]) line?.setAttribute("d", path);
    });
    this.#layers.bands.replaceChildren(...bands.map(({ over, x, y, width, height }) =>
      drawn("rect", { class: "band", x, y, width, height, rx: 0.31, fill: this.#colors.vertices[over][0] })));
    this.#layers.words.replaceChildren(...texts.map(({ x, y, words, align }) =>
      drawn("text", { x, y, "font-size": 0.26, "text-anchor": align === "right" ? "end" : "middle" }, words)));
    this.#layers.badges.replaceChildren(...badges.map((badge) => this.#badge(badge)));
  }

  #badge({ x, y, words, edge }) {
    const width = 0.2 + 0.145 * words.length;
    const box = drawn("rect", { x: x - width / 2, y: y - 0.17, width, height: 0.34, rx: 0.1 });
    box.style.stroke = `var(--edge-${edge})`;
    return drawn("g", {}, box, drawn("text", { x, y, dy: "0.35em", "font-size": 0.24 }, words.replaceAll("-", "\u2212")));
  }

  /** Fill the available space, within limits that keep texts legible and discs large enough to touch. */
  #resize(box) {
    const [, , width, height] = box;
    this.svg.setAttribute("viewBox", box.join(" "));
    this.svg.style.minWidth = `${width * 34}px`;
    this.svg.style.maxWidth = `${width * 62}px`;
    this.svg.style.minHeight = `${Math.min(height, 30 * (height / width)) * 26}px`;
  }

  /** Scroll the panel to show a vertex. */
  show(k) {
    if (k < 0) return;
    const box = this.#groups[k].getBoundingClientRect(), frame = this.#host.getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right)
      this.#host.scrollBy({ left: (box.left + box.right - frame.left - frame.right) / 2 });
  }

  /** Focus the vertex in the tab order. */
  focus() {
    this.#groups[this.#roving]?.focus();
  }
}
