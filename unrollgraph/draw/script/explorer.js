// The page: one walk, its lift in four covers, and what can be asked of them.

const SCRIPT_MINUS = "\u2212";

/** How a place is called: (A, 2), or in a tree by how far it is from the root. */
function called(names, place, index) {
  const name = names[place.over];
  if (place.word) return place.word.length ? `(${name}, ${place.word.length} edge${place.word.length > 1 ? "s" : ""} away)` : `(${name}, the root)`;
  const { sheet } = place;
  const told = index ?? (sheet.length > 3 ? terms(sheet) : sheet.length > 1 ? `(${sheet.join(", ")})` : sheet[0]);
  return `(${name}, ${told})`.replaceAll("-", SCRIPT_MINUS);
}

/** A long vector as a sum of unit vectors: e3 - 2 e7. */
function terms(sheet) {
  const parts = sheet.flatMap((x, axis) => (x ? [`${x < 0 ? "- " : "+ "}${Math.abs(x) > 1 ? `${Math.abs(x)} ` : ""}e${axis + 1}`] : []));
  return parts.join(" ").replace(/^\+ /, "").replace(/^- /, "-") || "0";
}

/** A choice among a few, as a list to open. */
function choice(label, options, onchange) {
  const select = html("select", { onchange: () => onchange(select.value) });
  const fill = (list) => select.replaceChildren(...list.map(([value, say]) => html("option", { value }, say)));
  fill(options);
  return { element: html("label", {}, `${label} `, select), select, fill };
}

function button(say, onclick, more = {}) {
  return html("button", { type: "button", onclick, ...more }, say);
}

/** Put other elements into a host; the key that was on one of them stays on one, or goes elsewhere. */
function refill(host, children, elsewhere) {
  const held = [...host.children].indexOf(host.getRootNode().activeElement);
  host.replaceChildren(...children);
  if (held < 0) return;
  const next = host.children[Math.min(held, children.length - 1)];
  if (next?.matches(":enabled")) next.focus();
  else elsewhere();
}

/**
 * Show an explorer in an element. `hooks.onwalk(begin, walk)` hears of every walk; what is returned
 * can set one.
 */
export function mount(host, spec, hooks = {}) {
  const { base, clocks, colours, network } = spec;
  const covers = new Map(spec.covers.map((cover) => [cover.key, indexed(cover)]));
  const state = { begin: spec.root, walk: [], starts: { ...spec.home[spec.root] }, cover: "delay", below: "", star: false, clock: -1, run: null };
  const past = [];
  let above = null, under = null, asked = null;

  // -- what stands where ------------------------------------------------------------------------

  const root = html("div", { className: "ug" });
  const baseHost = html("div", { className: "scroll" });
  const coverHost = html("div", { className: "scroll" }), underHost = html("div", { className: "scroll under" });
  const says = html("p", { className: "says" }), star = html("p", { className: "says" }), status = html("p", { className: "status", "aria-live": "polite" });
  const steps = html("div", { className: "steps", role: "group", "aria-label": "Next step" });
  const undo = button("Undo", back), clear = button("Clear", () => become({ walk: [] }));
  const tabs = html("div", { className: "tabs", role: "group", "aria-label": "Which cover" },
    ...[...covers.values()].map(({ key, name }) => button(name, () => become({ cover: key, below: "" }), { "data-cover": key })));
  const starts = choice("Start at", [], (k) => startAt(state.cover, Number(k)));
  const shifts = html("span", { className: "shifts" });
  const below = choice("Map it down to", [], (key) => become({ below: key }));
  const clock = choice("Clocks", [["-1", "as given"], ...clocks.map(({ name }, k) => [k, name])], (k) => become({ clock: Number(k) }));
  const starBox = html("input", { type: "checkbox", onchange: () => become({ star: starBox.checked }) });
  const tower = html("tbody");
  const runHost = html("div");
  root.append(
    status,
    html("div", { className: "stage" },
      html("section", { className: "below" }, html("h2", {}, "Below: the graph"), baseHost,
        steps, html("div", { className: "bar" }, undo, clear)),
      html("section", { className: "above" }, html("h2", {}, "Above: its covers"), tabs, says, coverHost,
        html("div", { className: "bar tools" }, starts.element, shifts, below.element, clock.element,
          html("label", {}, starBox, " number the arcs at the end")),
        star, underHost)),
    html("section", {}, html("h2", {}, "The same walk in every cover"),
      html("table", { className: "tower" },
        html("thead", {}, html("tr", {}, ...["cover", "its lift leads to", "and is"].map((say) => html("th", { scope: "col" }, say)))), tower)),
  );
  if (network) root.append(html("section", {}, html("h2", {}, "A network in the window"), runHost));
  colours.edges.forEach(tint);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && !event.target.matches("input")) { back(); event.preventDefault(); }
  });
  host.replaceChildren(root);

  // -- what is known ----------------------------------------------------------------------------

  const cover = () => covers.get(state.cover);
  const lifted = (key) => lift(base, covers.get(key), state.starts[key], state.walk);
  const end = () => (state.walk.length ? endOf(base, state.walk.at(-1)) : state.begin);
  const shown = (key, k) => (key === "delay" && state.clock >= 0 && k >= 0 ? clocks[state.clock].cover.vertices[k][2] : undefined);
  const named = (key, { place, vertex }) => called(base.names, place, shown(key, vertex));

  /** The colours of an edge, by day and by night. */
  function tint([day, night], e) {
    root.style.setProperty(`--edge-${e}`, `light-dark(${day}, ${night})`);
  }

  // -- what can be done -------------------------------------------------------------------------

  /** Change what is shown. */
  function become(change) {
    const before = { ...state };
    if (change.cover && change.cover !== "delay") change.clock = -1;
    if ("walk" in change || "starts" in change || "begin" in change) past.push({ begin: state.begin, walk: state.walk, starts: state.starts });
    Object.assign(state, change);
    if (before.begin !== state.begin && !("starts" in change)) state.starts = { ...spec.home[state.begin] };
    asked = null;
    redraw(before);
    if (before.walk !== state.walk || before.begin !== state.begin) hooks.onwalk?.(state.begin, state.walk);
  }

  function back() {
    const last = past.pop();
    if (!last) return;
    become(last);
    past.pop();
  }

  function step(way) {
    become({ walk: [...state.walk, way] });
    if (state.walk.length) above.show(lifted(state.cover).at(-1)?.vertex ?? -1);
  }

  /** Steps to a vertex of the base: along edges, else against them. */
  function towards(k) {
    const ways = stepsFrom(base, end()).filter((way) => endOf(base, way) === k);
    const along = ways.filter(([, sign]) => sign > 0);
    return along.length ? along : ways;
  }

  function chooseBelow(k) {
    const ways = towards(k);
    if (ways.length === 1) step(ways[0]);
    else if (ways.length) {
      asked = ways;
      steps.querySelector(`[data-step="${ways[0]}"]`)?.focus();
      tell();
    } else if (k !== end()) become({ begin: k, walk: [] });
  }

  function dragBelow(from, to) {
    if (from !== end()) become({ begin: from, walk: [] });
    const [way] = towards(to);
    if (way) step(way);
  }

  /** An edge that is clicked is walked along, or against. */
  function chooseEdge(e) {
    const { tail, head } = base.arcs[e];
    if (tail === end()) step([e, 1]);
    else if (head === end()) step([e, -1]);
    else become({ begin: tail, walk: [[e, 1]] });
  }

  function chooseAbove(key, k) {
    const here = lifted(key).at(-1)?.vertex ?? -1;
    const along = covers.get(key).arcs.find((arc) => arc.tail === here && arc.head === k);
    const against = covers.get(key).arcs.find((arc) => arc.head === here && arc.tail === k);
    if (here >= 0 && along) step([along.edge, 1]);
    else if (here >= 0 && against) step([against.edge, -1]);
    else startAt(key, k);
  }

  /** Begin the lift at another copy; in the covers above and below, where that lies. */
  function startAt(key, k) {
    const over = covers.get(key).vertices[k].over;
    const found = over === state.begin ? { ...state.starts } : { ...spec.home[over] };
    found[key] = k;
    for (const [other, image] of Object.entries(covers.get(key).onto)) if (image[k] >= 0) found[other] = image[k];
    for (const upper of covers.values()) {
      const image = upper.onto[key]?.indexOf(k) ?? -1;
      if (image >= 0 && upper.onto[key][found[upper.key]] !== k) found[upper.key] = image;
    }
    become({ begin: over, starts: found, ...(over === state.begin ? {} : { walk: [] }) });
  }

  // -- what is drawn ----------------------------------------------------------------------------

  /** Mark the copies of what is pointed at, its images below and what lies above it. */
  function point(panelOf, k) {
    const over = panelOf === "base" ? k : covers.get(panelOf).vertices[k].over;
    below_.mark("same", new Set([over]));
    for (const [key, own] of [[state.cover, above], [state.below, under]]) {
      if (!own) continue;
      const list = covers.get(key).vertices;
      own.mark("same", new Set(panelOf === "base" ? list.flatMap((v, i) => (v.over === over ? [i] : [])) : key === panelOf ? [k] : related(panelOf, key, k)));
    }
  }

  function related(from, to, k) {
    const down = covers.get(from).onto[to];
    if (down) return [down[k]];
    return (covers.get(to).onto[from] ?? []).flatMap((image, i) => (image === k ? [i] : []));
  }

  function forget() {
    for (const own of [below_, above, under]) own?.mark("same", new Set());
  }

  function panelOf(hostOf, key) {
    const own = covers.get(key);
    return panel(hostOf, own, colours, own.name, {
      onenter: (k) => point(key, k), onleave: forget, onchoose: (k) => chooseAbove(key, k),
      describe: (k) => named(key, { place: own.vertices[k], vertex: k }),
    });
  }

  const below_ = panel(baseHost, base, colours, "The graph below", {
    onenter: (k) => point("base", k), onleave: forget, onchoose: chooseBelow, onedge: (k) => chooseEdge(base.arcs[k].edge), ondrag: dragBelow,
    describe: (k) => {
      const ways = towards(k);
      return `${base.names[k]}${k === end() ? ", here" : ""}${ways.length ? `, ${ways[0][1] > 0 ? "a step along an edge" : "a step against an edge"}` : ""}`;
    },
  });

  /** Draw anew what has changed. */
  function redraw(before) {
    if (!before || before.cover !== state.cover) {
      above = panelOf(coverHost, state.cover);
      says.textContent = cover().says;
      for (const tab of tabs.children) tab.setAttribute("aria-pressed", tab.dataset.cover === state.cover);
      const pressed = tabs.querySelector("[aria-pressed=true]");
      tabs.scrollLeft = pressed.offsetLeft - tabs.offsetLeft - 8;
      const lower = Object.keys(cover().onto);
      below.fill([["", "the graph"], ...lower.map((key) => [key, covers.get(key).name.toLowerCase()])]);
      below.element.toggleAttribute("hidden", !lower.length);
      clock.element.toggleAttribute("hidden", state.cover !== "delay" || !clocks.length);
    }
    if (!before || before.cover !== state.cover || before.below !== state.below) {
      below.select.value = state.below;
      underHost.replaceChildren();
      under = state.below ? panelOf(underHost, state.below) : null;
    }
    if (before && (before.clock !== state.clock || before.cover !== state.cover || before.below !== state.below)) retime();
    light();
    tell();
    turned();
  }

  /** The same cover by other clocks. */
  function retime() {
    const own = covers.get("delay"), set = clocks[state.clock];
    clock.select.value = state.clock;
    (set?.base.colours ?? colours.edges).forEach(tint);
    below_.redraw(set ? set.base : { box: base.box, paths: base.arcs.map(({ path }) => path), badges: base.badges });
    const given = () => ({
      box: own.box, paths: own.arcs.map(({ path }) => path), texts: own.texts, bands: own.bands,
      vertices: own.vertices.map(({ x, y, index }) => [x, y, index ?? ""]),
    });
    for (const [key, drawnAs] of [[state.cover, above], [state.below, under]])
      if (key === "delay" && drawnAs) drawnAs.redraw(set ? set.cover : given());
  }

  /** Light up the walk and its lifts. */
  function light() {
    below_.light(state.walk.map(([edge]) => edge), state.begin, end());
    for (const [key, own] of [[state.cover, above], [state.below, under]]) {
      const passed = own ? lifted(key) : [];
      own?.light(passed.map(({ arc }) => arc), passed[0]?.vertex ?? -1, passed.at(-1)?.vertex ?? -1);
      own?.describe();
    }
    below_.describe();
    tags();
  }

  /** Number the arcs at the end of the walk, below and above alike. */
  function tags() {
    const here = end(), there = lifted(state.cover).at(-1);
    const into = base.arcs.filter(({ head }) => head === here), out = base.arcs.filter(({ tail }) => tail === here);
    const listed = [...into.map(({ edge }) => [edge, 0.8]), ...out.map(({ edge }) => [edge, 0.2])];
    const met = state.star ? listed.map(([edge, far], k) => ({ edge, far, words: String(k + 1) })) : [];
    below_.tag(met.map((tag) => ({ ...tag, arc: tag.edge })));
    const found = there && there.vertex >= 0 ? met.flatMap((tag) => {
      const arc = cover().arcs.findIndex((own) => own.edge === tag.edge && (tag.far > 0.5 ? own.head : own.tail) === there.vertex);
      return arc >= 0 ? [{ ...tag, arc }] : [];
    }) : [];
    above.tag(found);
    const missing = met.length - found.length;
    star.textContent = !state.star ? ""
      : `${into.length} in and ${out.length} out at ${base.names[here]}, and each of them once at ${there ? named(state.cover, there) : "its copy"}`
        + (missing ? `; ${missing} of them beyond what is drawn.` : ".") + " That is what makes it a covering.";
  }

  /** Say where the walk is, and offer what comes next. */
  function tell() {
    const ways = stepsFrom(base, end());
    refill(steps, ways.map((way) => {
      const [edge, sign] = way, delay = (clocks[state.clock]?.base.delays ?? spec.delays)[edge].replaceAll("-", SCRIPT_MINUS);
      const label = `${sign > 0 ? "\u2192" : "\u2190"} ${base.names[endOf(base, way)]}`;
      const more = { "data-step": String(way), className: `${sign > 0 ? "along" : "against"}${asked?.some((one) => String(one) === String(way)) ? " asked" : ""}` };
      return button(`${label}${/^\(?0(, 0)*\)?$/.test(delay) ? "" : `, delay ${delay}`}`, () => step(way), { ...more, title: sign > 0 ? "along the edge" : "against the edge" });
    }), below_.focus);
    for (const [one, useless] of [[undo, !past.length], [clear, !state.walk.length]]) {
      if (useless && one === root.getRootNode().activeElement) below_.focus();
      one.disabled = useless;
    }
    const own = cover(), passed = lifted(state.cover);
    starts.fill(own.vertices.flatMap((vertex, k) => (vertex.over === state.begin && (!vertex.ghost || k === state.starts[own.key]) ? [[k, named(own.key, { place: vertex, vertex: k })]] : [])));
    starts.select.value = state.starts[own.key];
    starts.element.toggleAttribute("hidden", state.starts[own.key] < 0);
    const start = state.starts[own.key];
    const possible = own.shifts.filter(({ to, back: fro }) => start >= 0 && (to[start] >= 0 || fro[start] >= 0));
    refill(shifts, possible.flatMap(({ name, inverse, to, back: fro }) => {
      const move = (map, say, label) => button(say, () => startAt(own.key, map[start]), { "aria-label": label, title: label, disabled: map[start] < 0 });
      return [move(fro, "\u25c2", `Shift the lift ${inverse}`), html("span", {}, own.shifts.length > 1 ? name.replace(/^one step along |^once more round /, "") : "shift"), move(to, "\u25b8", `Shift the lift ${name}`)];
    }), above.focus);
    tower.replaceChildren(...[...covers.values()].map(({ key, name }) => {
      const trail = lifted(key);
      const closed = trail.length > 1 && same(trail[0].place, trail.at(-1).place);
      const cells = trail.length ? [named(key, trail.at(-1)), state.walk.length ? (closed ? "closed" : "open") : "no walk yet"] : ["not in this piece", ""];
      return html("tr", { className: key === state.cover ? "now" : "" }, html("th", { scope: "row" }, name), ...cells.map((say) => html("td", {}, say)));
    }), html("tr", {}, html("th", { scope: "row" }, "The graph"), html("td", {}, base.names[end()]), html("td", {}, !state.walk.length ? "no walk yet" : end() === state.begin ? "closed" : "open")));
    status.textContent = sentence(passed);
  }

  function sentence(passed) {
    if (asked) return `More than one edge leads there: choose a step from ${base.names[end()]}.`;
    if (!state.walk.length) return `The walk begins at ${base.names[state.begin]}. Click a neighbour, draw along the arrows, or choose a step.`;
    const stops = [state.begin, ...state.walk.map((way) => endOf(base, way))].map((k) => base.names[k]);
    const trail = `${stops.length > 8 ? "\u2026 \u2192 " : ""}${stops.slice(-8).join(" \u2192 ")}`;
    const count = `${state.walk.length} step${state.walk.length > 1 ? "s" : ""}: ${trail}. `;
    if (!passed.length) return `${count}This piece of the cover does not reach ${base.names[state.begin]}.`;
    const [first, last] = [passed[0], passed.at(-1)];
    const closed = same(first.place, last.place);
    const way = `from ${named(state.cover, first)} to ${named(state.cover, last)}`;
    const gone = last.vertex < 0 ? " The lift has left what is drawn." : "";
    if (end() !== state.begin) return `${count}The lift leads ${way}.${gone}`;
    return count + (closed ? `Closed below, and closed above too, at ${named(state.cover, last)}.` : `Closed below, open above: ${way}.`) + gone;
  }

  // -- the network ------------------------------------------------------------------------------

  function turned() {
    const { turn, values, slopes, now } = state.run ?? { turn: 0, values: new Map(), slopes: new Map(), now: new Set() };
    if (state.cover !== "delay") return;
    above.number(values, slopes);
    above.mark("now", now);
    root.classList.toggle("runs", turn > 0);
  }

  redraw(null);
  if (network) running(runHost, network, (list) => {
    const told = list.map((k) => named("delay", { place: covers.get("delay").vertices[k], vertex: k }));
    return told.length > 4 ? `${told.slice(0, 3).join(", ")} and ${told.length - 3} more` : told.join(", ");
  }, (run) => {
    const before = { ...state };
    state.run = run;
    if (run.turn && state.cover !== "delay") { state.cover = "delay"; state.below = ""; redraw(before); }
    turned();
  });

  return {
    /** Walk as told, from a vertex of the base. */
    set(begin, walk) {
      if (begin === state.begin && JSON.stringify(walk) === JSON.stringify(state.walk)) return;
      become({ begin, walk, starts: { ...spec.home[begin] } });
    },
    /** The lift that is shown, for those who test it. */
    lifted: (key) => lifted(key).map(({ place, vertex }) => ({ ...place, vertex })),
  };
}

/** As a widget: the walk is shared with the model. */
function render({ model, el }) {
  const view = mount(el, model.get("spec"), {
    onwalk(begin, walk) {
      model.set("start", begin);
      model.set("walk", walk);
      model.save_changes();
    },
  });
  const follow = () => view.set(model.get("start"), model.get("walk"));
  model.on("change:walk", follow);
  model.on("change:start", follow);
  follow();
  return () => { model.off("change:walk", follow); model.off("change:start", follow); };
}

export default { render };
