// The page: a walk, its lifts to four covers, and controls.
//
// The state has two parts: the trip, which is the walk with the starts of its lifts and can be undone,
// and the view: the cover, the cover it is projected to, the retiming, and whether edges at the end
// of the walk are numbered.

function button(words, onclick, more = {}) {
  return html("button", { type: "button", onclick, ...more }, words);
}

/** A select element with a label. */
function choice(label, onchange) {
  const select = html("select", { onchange: () => onchange(select.value) });
  const element = html("label", {}, `${label} `, select);
  return {
    element,
    /** Set pairs of a value and its text, and the selected value; hide the list if there are fewer than two. */
    offer(options, value) {
      select.replaceChildren(...options.map(([own, words]) => html("option", { value: own }, words)));
      select.value = value;
      element.hidden = options.length < 2;
    },
  };
}

/** Replace the children of a host, and keep the focus at the same position. */
function refill(host, children, elsewhere) {
  const held = [...host.children].indexOf(host.getRootNode().activeElement);
  host.replaceChildren(...children);
  if (held < 0) return;
  const next = children[Math.min(held, children.length - 1)];
  if (next?.matches("button:enabled")) next.focus();
  else elsewhere.focus();
}

class Explorer {
  #spec; #covers; #hooks; #trip; #base; #above; #under; #run;
  #past = [];
  #asked = [];
  #view = { cover: "delay", under: "", clock: -1, star: false };

  constructor(host, spec, hooks) {
    [this.#spec, this.#hooks] = [spec, hooks];
    this.#covers = new Map(spec.covers.map((cover) => [cover.key, indexed(cover)]));
    this.#trip = setOut(spec, spec.root);
    this.#build(host);
    this.#base = new Panel(this.baseHost, spec.base, spec.colors, "The base graph", {
      point: (k) => this.#point("", k), forget: () => this.#forget(), describe: (k) => this.#describe(k),
      choose: (k) => this.#chooseBelow(k), edge: (e) => this.#chooseEdge(e), drag: (from, to) => this.#drag(from, to),
    });
    this.#openCover();
    this.#openUnder();
    this.#retime();
    this.#show();
    if (spec.network) this.#run = new Run(this.runHost, spec.network, {
      names: (list) => this.#few(list), turned: (run) => this.#turned(run),
      outputs: spec.network.outputs.map((k) => spec.base.names[k]).join(", "),
    });
  }

  // -- layout -----------------------------------------------------------------------------------

  #build(host) {
    const spec = this.#spec, covers = [...this.#covers.values()];
    this.status = html("p", { className: "status", "aria-live": "polite" });
    [this.baseHost, this.coverHost, this.underHost] = ["scroll", "scroll", "scroll under"].map((className) => html("div", { className }));
    [this.says, this.starSays] = ["says", "says"].map((className) => html("p", { className }));
    this.steps = html("div", { className: "steps", role: "group", "aria-label": "Next step" });
    this.undo = button("Undo", () => this.#back());
    this.clear = button("Clear", () => this.#go({ ...this.#trip, walk: [] }));
    this.tabs = html("div", { className: "tabs", role: "group", "aria-label": "Which cover" },
      ...covers.map(({ key, name }) => button(name, () => this.#look({ cover: key }), { "data-cover": key })));
    this.starts = choice("Start at", (copy) => copy && this.#startAt(this.#view.cover, Number(copy)));
    this.shifts = html("span", { className: "shifts" });
    this.lower = choice("Project to", (under) => this.#look({ under }));
    this.clocks = choice("Retiming", (clock) => this.#look({ clock: Number(clock) }));
    const star = html("input", { type: "checkbox", onchange: () => this.#look({ star: star.checked }) });
    this.tower = html("tbody");
    this.runHost = html("div");
    const heads = ["cover", "end of the lift", "the lift is"].map((head) => html("th", { scope: "col" }, head));
    this.root = html("div", { className: "ug" }, this.status,
      html("div", { className: "stage" },
        html("section", { className: "below" }, html("h2", {}, "The base graph"), this.baseHost,
          this.steps, html("div", { className: "bar" }, this.undo, this.clear)),
        html("section", { className: "above" }, html("h2", {}, "Its covers"), this.tabs, this.says, this.coverHost,
          html("div", { className: "bar tools" }, this.starts.element, this.shifts, this.lower.element, this.clocks.element,
            html("label", {}, star, " number the edges at the end")),
          this.starSays, this.underHost)),
      html("section", {}, html("h2", {}, "Lifts of the walk to all covers"),
        html("table", { className: "tower" }, html("thead", {}, html("tr", {}, ...heads)), this.tower)),
      ...(spec.network ? [html("section", {}, html("h2", {}, "A network over the window"), this.runHost)] : []));
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Backspace") return;
      this.#back();
      event.preventDefault();
    });
    host.replaceChildren(this.root);
  }

  #openCover() {
    const cover = this.#covers.get(this.#view.cover);
    this.#above = this.#open(this.coverHost, cover);
    this.says.textContent = cover.says;
    for (const tab of this.tabs.children) tab.setAttribute("aria-pressed", tab.dataset.cover === cover.key);
    this.tabs.scrollLeft = this.tabs.querySelector("[aria-pressed=true]").offsetLeft - this.tabs.offsetLeft - 8;
  }

  #openUnder() {
    const { cover, under } = this.#view;
    this.underHost.replaceChildren();
    this.#under = under ? this.#open(this.underHost, this.#covers.get(under)) : null;
    const lower = this.#clock ? [] : Object.keys(this.#covers.get(cover).onto);
    this.lower.offer([["", "the graph"], ...lower.map((key) => [key, this.#covers.get(key).name.toLowerCase()])], under);
  }

  #open(host, cover) {
    return new Panel(host, cover, this.#spec.colors, cover.name, {
      point: (k) => this.#point(cover.key, k), forget: () => this.#forget(),
      choose: (k) => this.#chooseAbove(cover.key, k),
      describe: (k) => this.#name(cover.key, cover.vertices[k]),
    });
  }

  // -- state ------------------------------------------------------------------------------------

  #lifted(key) {
    return lift(this.#spec.base, this.#covers.get(key), this.#trip.starts[key], this.#trip.walk);
  }

  get #here() {
    return here(this.#spec.base, this.#trip);
  }

  get #clock() {
    return this.#spec.clocks[this.#view.clock];
  }

  /** Pairs of the key and the panel of each cover on display. */
  get #panels() {
    return [[this.#view.cover, this.#above], [this.#view.under, this.#under]].filter(([, panel]) => panel);
  }

  /** The name of a place, with its time after the retiming. */
  #name(key, place) {
    const cover = this.#covers.get(key), ahead = this.#clock?.ahead[place.over];
    const timed = ahead && (key === "delay" || cover.modulus);
    const time = timed ? place.sheet[0] + ahead : 0;
    return called(this.#spec.base, timed ? { ...place, sheet: [cover.modulus ? time % cover.modulus[0] : time] } : place);
  }

  // -- input ------------------------------------------------------------------------------------

  #go(trip) {
    this.#past.push(this.#trip);
    this.#arrive(trip);
  }

  #back() {
    if (this.#past.length) this.#arrive(this.#past.pop());
  }

  #arrive(trip) {
    this.#trip = trip;
    this.#asked = [];
    this.#show();
    this.#hooks.onwalk?.(trip.begin, trip.walk);
  }

  #step(step) {
    this.#go(gone(this.#trip, step));
  }

  #chooseBelow(k) {
    const steps = towards(this.#spec.base, this.#trip, k);
    if (steps.length === 1) this.#step(steps[0]);
    else if (steps.length) this.#ask(steps);
    else if (k !== this.#here) this.#go(setOut(this.#spec, k));
  }

  #ask(steps) {
    this.#asked = steps.map(String);
    this.#tell();
    this.steps.querySelector(".asked").focus();
  }

  /** Take an edge at the end of the walk in either direction; any other edge starts a new walk. */
  #chooseEdge(edge) {
    const { tail, head } = this.#spec.base.arcs[edge];
    if (tail === this.#here) this.#step([edge, 1]);
    else if (head === this.#here) this.#step([edge, -1]);
    else this.#go(setOut(this.#spec, tail, [[edge, 1]]));
  }

  /** Take a step between two vertices, if there is one; start a new walk if it is not at the end. */
  #drag(from, to) {
    const trip = from === this.#here ? this.#trip : setOut(this.#spec, from);
    if (!towards(this.#spec.base, trip, to).length) return false;
    if (trip !== this.#trip) this.#go(trip);
    this.#chooseBelow(to);
    return !this.#asked.length;
  }

  /** Take a step to a neighbor of the end of the lift; at any other vertex start a new lift. */
  #chooseAbove(key, k) {
    const end = this.#lifted(key).at(-1)?.vertex ?? -1;
    const steps = this.#covers.get(key).arcs.flatMap(({ edge, tail, head }) =>
      tail === end && head === k ? [[edge, 1]] : head === end && tail === k ? [[edge, -1]] : []);
    if (steps.length === 1) this.#step(steps[0]);
    else if (steps.length) this.#ask(steps);
    else if (k !== end && k !== this.#trip.starts[key]) this.#startAt(key, k);
  }

  #startAt(key, copy) {
    this.#go(startedAt(this.#covers, this.#trip, key, copy));
  }

  /** Change the view. A retiming is for the delay cover only. */
  #look(change) {
    const before = this.#view;
    this.#view = { ...before, ...change };
    if (before.cover !== this.#view.cover) {
      Object.assign(this.#view, { under: "", clock: -1 });
      this.#openCover();
      if (this.#view.cover !== "delay") this.#run?.halt();
    }
    if (this.#view.clock >= 0) this.#view.under = "";
    this.#openUnder();
    this.#retime();
    this.#show();
    this.#run?.tell();
  }

  // -- output -----------------------------------------------------------------------------------

  /** Draw the base graph and the delay cover with the chosen retiming. */
  #retime() {
    const { base, clocks, colors } = this.#spec;
    const offered = this.#view.cover === "delay" ? clocks.map(({ name }, k) => [k, name]) : [];
    this.clocks.offer(offered.length ? [[-1, "none"], ...offered] : [], this.#view.clock);
    (this.#clock?.base.colors ?? colors.edges).forEach(([day, night], edge) =>
      this.root.style.setProperty(`--edge-${edge}`, `light-dark(${day}, ${night})`));
    this.#base.redraw(this.#clock?.base ?? base);
    if (this.#view.cover === "delay") this.#above.redraw(this.#clock?.cover ?? this.#covers.get("delay"));
  }

  /** Highlight the trip in all panels, and update texts and controls. */
  #show() {
    this.#base.light(this.#trip.walk.map(([edge]) => edge), this.#trip.begin, this.#here);
    this.#base.describe();
    for (const [key, panel] of this.#panels) {
      const passed = this.#lifted(key);
      panel.light(passed.map(({ arc }) => arc), passed[0]?.vertex ?? -1, passed.at(-1)?.vertex ?? -1);
      panel.describe();
      panel.show(passed.at(-1)?.vertex ?? -1);
    }
    this.#star();
    this.#tell();
    this.#numbers();
  }

  /** Number the edges at the end of the walk, and their lifts at the end of the lift. */
  #star() {
    const { base } = this.#spec, [key, panel] = this.#panels[0], end = this.#lifted(key).at(-1);
    const into = base.arcs.filter(({ head }) => head === this.#here);
    const out = base.arcs.filter(({ tail }) => tail === this.#here);
    const tags = [...into.map(({ edge }) => ({ edge, side: "head", far: 0.8 })), ...out.map(({ edge }) => ({ edge, side: "tail", far: 0.2 }))]
      .map((tag, k) => ({ ...tag, arc: tag.edge, words: String(k + 1) }));
    const lifted = tags.flatMap((tag) => {
      const arc = this.#covers.get(key).arcs.findIndex((own) => own.edge === tag.edge && own[tag.side] === (end?.vertex ?? -1));
      return arc < 0 ? [] : [{ ...tag, arc }];
    });
    this.#base.tag(this.#view.star ? tags : []);
    panel.tag(this.#view.star ? lifted : []);
    const missing = tags.length - lifted.length;
    this.starSays.textContent = !this.#view.star || !end ? ""
      : `${base.names[this.#here]} has in-degree ${into.length} and out-degree ${out.length}. Each of these edges has exactly one lift at `
        + `${this.#name(key, end.place)}${missing ? ` (${missing} not drawn)` : ""}, as in every covering.`;
  }

  #tell() {
    const { base } = this.#spec, delays = this.#clock?.base.delays ?? this.#spec.delays;
    refill(this.steps, stepsFrom(base, this.#here).map((step) => button(stepWords(base, delays, step), () => this.#step(step), {
      className: `${step[1] > 0 ? "along" : "against"}${this.#asked.includes(String(step)) ? " asked" : ""}`,
      title: step[1] > 0 ? "along the edge" : "against the edge",
    })), this.#base);
    for (const [own, useless] of [[this.undo, !this.#past.length], [this.clear, !this.#trip.walk.length]]) {
      if (useless && own === this.root.getRootNode().activeElement) this.#base.focus();
      own.disabled = useless;
    }
    this.#offerStarts();
    this.tower.replaceChildren(...this.#rows());
    this.status.textContent = this.#sentence();
  }

  #offerStarts() {
    const { key, vertices, shifts } = this.#covers.get(this.#view.cover), start = this.#trip.starts[key];
    const copies = vertices.flatMap((vertex, k) =>
      vertex.over === this.#trip.begin && (!vertex.ghost || k === start) ? [[k, this.#name(key, vertex)]] : []);
    this.starts.offer(start < 0 && copies.length ? [["", "a copy"], ...copies] : copies, start < 0 ? "" : start);
    const possible = shifts.filter(({ to, back }) => start >= 0 && (to[start] >= 0 || back[start] >= 0));
    const move = (image, sign, words) => button(sign, () => this.#startAt(key, image[start]),
      { "aria-label": `Shift the lift ${words}`, title: words, disabled: image[start] < 0 });
    refill(this.shifts, possible.flatMap(({ name, inverse, to, back }) =>
      [move(back, "\u25c2", inverse), html("span", {}, shifts.length > 1 ? name.split(" ").slice(-2).join(" ") : "shift"), move(to, "\u25b8", name)]), this.#above);
  }

  /** Table of the end of the lift in each cover, and whether the lift is closed. */
  #rows() {
    const { base } = this.#spec;
    const row = (name, end, closed, now) => html("tr", { className: now ? "now" : "" }, html("th", { scope: "row" }, name),
      ...[end, !this.#trip.walk.length ? "no walk yet" : closed ? "closed" : "open"].map((words) => html("td", {}, words)));
    const covers = [...this.#covers.values()].map(({ key, name }) => {
      const passed = this.#lifted(key), now = key === this.#view.cover;
      return passed.length ? row(name, this.#name(key, passed.at(-1).place), same(passed[0].place, passed.at(-1).place), now)
        : html("tr", { className: now ? "now" : "" }, html("th", { scope: "row" }, name), html("td", { colSpan: 2 }, "its start is not drawn"));
    });
    return [...covers, row("The graph", base.names[this.#here], this.#here === this.#trip.begin, false)];
  }

  #sentence() {
    const { base } = this.#spec, { cover } = this.#view, begin = base.names[this.#trip.begin];
    if (this.#asked.length) return `More than one edge leads there: choose a step from ${base.names[this.#here]}.`;
    if (!this.#trip.walk.length) return `The walk begins at ${begin}. Click a neighbor, drag along edges, or choose a step.`;
    const passed = this.#lifted(cover);
    const above = passed.length ? liftWords(this.#here === this.#trip.begin, passed, ({ place }) => this.#name(cover, place))
      : "The start of its lift is not drawn.";
    return `${walkWords(base, this.#trip)} ${above}`;
  }

  /** Accessible name of a vertex of the base. */
  #describe(k) {
    const [step] = towards(this.#spec.base, this.#trip, k);
    const way = !step ? "" : step[1] > 0 ? ", a step along an edge" : ", a step against an edge";
    return `${this.#spec.base.names[k]}${k === this.#here ? ", end of the walk" : ""}${way}`;
  }

  /** Mark a vertex of one panel ("" for the base), its fibre or its images and preimages in the others. */
  #point(from, k) {
    const over = from ? this.#covers.get(from).vertices[k].over : k;
    this.#base.mark("same", new Set([over]));
    for (const [key, panel] of this.#panels) {
      const { vertices, onto } = this.#covers.get(key);
      const down = from ? this.#covers.get(from).onto[key] : undefined;
      const is = !from ? (vertex) => vertex.over === k : key === from ? (_, own) => own === k
        : down ? (_, own) => own === down[k] : (_, own) => onto[from]?.[own] === k;
      panel.mark("same", new Set(vertices.flatMap((vertex, own) => (is(vertex, own) ? [own] : []))));
    }
  }

  #forget() {
    this.#base.mark("same", new Set());
    for (const [, panel] of this.#panels) panel.mark("same", new Set());
  }

  // -- the network ------------------------------------------------------------------------------

  /** Switch to the delay cover for a step of the run. */
  #turned(run) {
    this.#run = run;
    if (run.turn && this.#view.cover !== "delay") this.#look({ cover: "delay" });
    this.#numbers();
  }

  #numbers() {
    const panel = this.#panels.find(([key]) => key === "delay")?.[1];
    if (!this.#run || !panel) return;
    panel.number(this.#run.values, this.#run.slopes);
    panel.mark("now", this.#run.now);
  }

  #few(list) {
    const { vertices } = this.#covers.get("delay");
    const names = list.map((k) => this.#name("delay", vertices[k]));
    return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  }

  // -- public methods ---------------------------------------------------------------------------

  /** Replace the walk by one from a vertex of the base; ignore it if it is not connected. */
  walk(begin, walk) {
    const joins = walk.every((step, k) => (k ? endOf(this.#spec.base, walk[k - 1]) : begin) === endOf(this.#spec.base, [step[0], -step[1]]));
    if (!joins || JSON.stringify([begin, walk]) === JSON.stringify([this.#trip.begin, this.#trip.walk])) return;
    this.#go(begin === this.#trip.begin ? { ...this.#trip, walk } : setOut(this.#spec, begin, walk));
  }

  /** Stop the run of the network. */
  close() {
    this.#run?.halt();
  }
}

/** Show an explorer in an element. `hooks.onwalk(begin, walk)` is called for every new walk. */
export function mount(host, spec, hooks = {}) {
  return new Explorer(host, spec, hooks);
}

/** Render a widget that shares its walk with the model. */
function render({ model, el }) {
  let telling = false;  // changes of the model meanwhile are our own
  const view = mount(el, model.get("spec"), {
    onwalk(begin, walk) {
      telling = true;
      model.set("start", begin);
      model.set("walk", walk);
      telling = false;
      model.save_changes();
    },
  });
  const follow = () => { if (!telling) view.walk(model.get("start"), model.get("walk")); };
  for (const name of ["change:walk", "change:start"]) model.on(name, follow);
  follow();
  return () => {
    for (const name of ["change:walk", "change:start"]) model.off(name, follow);
    view.close();
  };
}

export default { render };
