// A panel: one graph drawn in SVG, the base or a cover, and what is lit up in it.
//
// It knows nothing of walks. It is told which vertices and arcs to mark, and tells which vertex was
// entered, left or chosen, by mouse, finger or key.

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 0.27;
let panels = 0;

/** Make an element of SVG. */
function drawn(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Make an element of HTML; what begins with "on" is a listener. */
function html(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "role") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Letters in a disc, small enough to stay inside, and the index of the copy below the line. */
function lettering(vertex) {
  const index = vertex.index ?? "";
  const long = vertex.label.length + 0.75 * index.length;
  const size = Math.min(0.27, 0.46 / (0.58 * Math.max(1, long)));
  const text = drawn("text", { class: "name", "font-size": size, dy: "0.35em" }, vertex.label);
  if (index) {
    const low = index.replaceAll("-", "\u2212");
    text.append(drawn("tspan", { "font-size": 0.75 * size, dy: "0.28em" }, low));
  }
  return text;
}

/** An arrowhead in the colour of an edge, or the ink of marks. */
function arrowhead(id, colour) {
  const marker = drawn("marker", {
    id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerUnits: "userSpaceOnUse",
    markerWidth: 0.19, markerHeight: 0.19, orient: "auto-start-reverse",
  });
  const tip = drawn("path", { d: "M0 1L10 5L0 9z" });
  tip.style.fill = colour;
  marker.append(tip);
  return marker;
}

/**
 * Draw a panel into a host. `hooks` are onenter(k), onleave(), onchoose(k), onedge(k),
 * ondrag(k) and describe(k), the words that are read out for a vertex.
 */
export function panel(host, data, colours, label, hooks) {
  const id = `ug${++panels}`;
  const [left, top, width, height] = data.box;
  const svg = drawn("svg", { viewBox: data.box.join(" "), role: "group", "aria-label": label });
  const resize = (box) => {
    svg.setAttribute("viewBox", box.join(" "));
    svg.style.minWidth = `${box[2] * 34}px`;
    svg.style.maxWidth = `${box[2] * 62}px`;
    svg.style.minHeight = `${Math.min(box[3], (box[3] / box[2]) * 30) * 26}px`;
  };
  resize(data.box);
  svg.append(drawn("defs", {}, ...colours.edges.map((_, e) => arrowhead(`${id}e${e}`, `var(--edge-${e})`))));
  const floor = drawn("g"), words = drawn("g", { class: "words" }), halos = drawn("g", { class: "halos" });
  const lines = drawn("g"), hits = drawn("g"), discs = drawn("g"), tags = drawn("g", { class: "tags" });
  const token = drawn("circle", { class: "token", r: RADIUS + 0.1 });
  const origin = drawn("circle", { class: "origin", r: RADIUS + 0.07 });
  svg.append(floor, words, halos, lines, hits, origin, discs, token, tags);

  const bands = drawn("g");
  const stripe = (list) => bands.replaceChildren(...list.map(({ over, x, y, width: w, height: h }) =>
    drawn("rect", { class: "band", x, y, width: w, height: h, rx: 0.31, fill: colours.vertices[over][0] })));
  stripe(data.bands ?? []);
  floor.append(bands);
  for (const { over, radius } of data.rings ?? [])
    floor.append(drawn("circle", { class: "ring", r: radius, stroke: colours.vertices[over][0] }));
  for (const { x, y, size } of data.cells ?? [])
    floor.append(drawn("rect", { class: "cell", x, y, width: size, height: size, rx: 0.2 }));
  const write = (texts) => words.replaceChildren(...texts.map(({ x, y, words: say, align }) =>
    drawn("text", { x, y, "font-size": 0.26, "text-anchor": align === "right" ? "end" : "middle" }, say)));
  write(data.texts ?? []);

  // numbers stand beside a disc, or below it where something stands beside
  const [aside, low, lower] = data.cells?.length ? [0, 0.4, 0.59] : [RADIUS + 0.06, -0.03, 0.17];
  svg.classList.toggle("plane", aside === 0);
  const paths = data.arcs.map((arc, k) => {
    const line = drawn("path", { class: arc.pale ? "arc pale" : "arc", d: arc.path, "marker-end": `url(#${id}e${arc.edge})` });
    line.style.stroke = `var(--edge-${arc.edge})`;
    lines.append(line);
    if (hooks.onedge) {
      const hit = drawn("path", { class: "hit", d: arc.path });
      hit.addEventListener("click", () => hooks.onedge(k));
      hits.append(hit);
    }
    return line;
  });
  for (const { edge, path } of data.stubs ?? []) {
    const stub = drawn("path", { class: "arc stub", d: path });
    stub.style.stroke = `var(--edge-${edge})`;
    lines.append(stub);
  }
  const badgeGroup = drawn("g", { class: "badges" });
  lines.after(badgeGroup);
  const writeBadges = (list) => badgeGroup.replaceChildren(...list.map(({ x, y, words: say, edge }) => {
    const wide = 0.2 + 0.145 * say.length;
    const box = drawn("rect", { x: x - wide / 2, y: y - 0.17, width: wide, height: 0.34, rx: 0.1 });
    box.style.stroke = `var(--edge-${edge})`;
    return drawn("g", {}, box, drawn("text", { x, y, dy: "0.35em", "font-size": 0.24 }, say.replaceAll("-", "\u2212")));
  }));
  writeBadges(data.badges ?? []);

  const places = data.vertices.map(({ x, y }) => [x, y]);
  const groups = data.vertices.map((vertex, k) => {
    const [fill, ink] = colours.vertices[vertex.over];
    const disc = drawn("circle", { r: RADIUS, fill });
    const name = lettering(vertex);
    name.setAttribute("fill", ink);
    const group = drawn("g", { class: vertex.ghost ? "vertex ghost" : "vertex", role: "button", tabindex: -1, "data-k": k });
    group.append(disc, name, drawn("text", { class: "value", x: aside, y: low }), drawn("text", { class: "slope", x: aside, y: lower }));
    stand(group, places[k]);
    group.addEventListener("pointerenter", () => hooks.onenter?.(k));
    group.addEventListener("pointerleave", () => hooks.onleave?.());
    group.addEventListener("focus", () => { rove(k); hooks.onenter?.(k); });
    group.addEventListener("blur", () => hooks.onleave?.());
    group.addEventListener("click", () => hooks.onchoose(k));
    group.addEventListener("keydown", (event) => keyed(event, k));
    discs.append(group);
    return group;
  });
  let roving = -1;
  rove(0);

  /** Put a group where its vertex stands. */
  function stand(group, [x, y]) {
    group.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Of all vertices one at a time is reached by the tabulator. */
  function rove(k) {
    groups[roving]?.setAttribute("tabindex", -1);
    roving = k;
    groups[k]?.setAttribute("tabindex", 0);
  }

  /** Arrows go to the nearest vertex on that side; enter and space choose. */
  function keyed(event, k) {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.key === "Enter" || event.key === " ") hooks.onchoose(k);
    else if (!way) return;
    else {
      const [x, y] = places[k];
      let best = -1, least = Infinity;
      places.forEach(([u, v], other) => {
        const ahead = (u - x) * way[0] + (v - y) * way[1];
        const aside = Math.abs((u - x) * way[1]) + Math.abs((v - y) * way[0]);
        if (ahead > 1e-6 && aside <= 2 * ahead && ahead + 2 * aside < least) [best, least] = [other, ahead + 2 * aside];
      });
      if (best >= 0) groups[best].focus();
    }
    event.preventDefault();
  }

  /** A finger or the mouse that goes from disc to disc without being lifted. */
  if (hooks.ondrag) {
    let from = -1;
    const under = (event) => {
      const met = svg.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-k]");
      return met && svg.contains(met) ? Number(met.dataset.k) : -1;
    };
    svg.addEventListener("pointerdown", (event) => {
      from = under(event);
      if (from >= 0 && event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (from < 0) return;
      const met = under(event);
      if (met >= 0 && met !== from) { hooks.ondrag(from, met); from = met; }
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) svg.addEventListener(end, () => { from = -1; });
  }

  const mark = (kind, chosen) => groups.forEach((group, k) => group.classList.toggle(kind, chosen.has(k)));
  const circle = (element, k) => {
    element.toggleAttribute("hidden", k < 0);
    element.classList.toggle("away", k < 0);
    if (k >= 0) stand(element, places[k]);
  };

  host.replaceChildren(svg);
  return {
    svg, groups, paths,
    /** Light up arcs, and say where the walk begins and where it has come to. */
    light(arcs, start, end) {
      halos.replaceChildren(...arcs.filter((k) => k >= 0).map((k) => drawn("path", { class: "halo", d: paths[k].getAttribute("d") })));
      halos.lastChild?.classList.add("last");
      circle(origin, start);
      circle(token, end);
    },
    /** Mark vertices: as copies of one, as images, or as those that are computed now. */
    mark,
    /** Number the ends of arcs at a vertex. */
    tag(list) {
      tags.replaceChildren(...list.map(({ arc, words: say, far }) => {
        const line = paths[arc];
        const { x, y } = line.getPointAtLength(line.getTotalLength() * far);
        return drawn("g", { transform: `translate(${x} ${y})` }, drawn("circle", { r: 0.15 }), drawn("text", { dy: "0.35em", "font-size": 0.2 }, say));
      }));
    },
    /** Write numbers beside the vertices. */
    number(values, slopes) {
      groups.forEach((group, k) => {
        group.querySelector(".value").textContent = values.get(k) ?? "";
        group.querySelector(".slope").textContent = slopes.get(k) ?? "";
      });
    },
    /** Say what a vertex is to those who hear the page. */
    describe() {
      groups.forEach((group, k) => group.setAttribute("aria-label", hooks.describe(k)));
    },
    /** Move all vertices, and bend all arcs, to other places. */
    redraw({ box, vertices, paths: ways, bands: stripes, texts, badges }) {
      if (box) resize(box);
      if (stripes) stripe(stripes);
      vertices?.forEach(([x, y, index], k) => {
        places[k] = [x, y];
        stand(groups[k], places[k]);
        const low = groups[k].querySelector("tspan");
        if (low) low.textContent = index.replaceAll("-", "\u2212");
      });
      ways?.forEach((way, k) => {
        paths[k].setAttribute("d", way || "M0 0");
        if (hits.children[k]) hits.children[k].setAttribute("d", way || "M0 0");
        paths[k].toggleAttribute("hidden", !way);
      });
      if (texts) write(texts);
      if (badges) writeBadges(badges);
    },
    /** Bring a vertex into view where the panel is wider than the page. */
    show(k) {
      if (k < 0) return;
      const box = groups[k].getBoundingClientRect(), frame = host.getBoundingClientRect();
      if (box.left < frame.left || box.right > frame.right) host.scrollBy({ left: (box.left + box.right - frame.left - frame.right) / 2 });
    },
    /** Go to the vertex that has the tabulator. */
    focus: () => groups[roving]?.focus(),
  };
}
