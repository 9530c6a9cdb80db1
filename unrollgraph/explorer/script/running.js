// A run of a network, one wavefront after the other, forward and then backward, with the sums of the
// gradients of the copies of each weight. All numbers are in the data; this file only shows them.

const PACE = 700;  // milliseconds per step

export class Run {
  #network; #hooks; #forward; #slider; #says; #play; #rows;
  #clock = null;
  turn = 0;

  /** Make the controls. Hooks: turned(run) is called at each step, names(list) names vertices, outputs is a text. */
  constructor(host, network, hooks) {
    [this.#network, this.#hooks, this.#forward] = [network, hooks, network.fronts.length];
    this.#slider = html("input", {
      type: "range", min: 0, max: 2 * this.#forward, value: 0, "aria-label": "Step of the run",
      oninput: () => this.go(Number(this.#slider.value)),
    });
    this.#says = html("p", { className: "says", "aria-live": "polite" });
    this.#play = html("button", { type: "button", onclick: () => (this.#clock ? this.halt() : this.#start()) }, "Play");
    this.#rows = network.weights.map((weight) => new WeightRow(weight, hooks.names));
    host.replaceChildren(
      html("div", { className: "bar" }, this.#step("\u25c2", "One step back", -1), this.#play, this.#step("\u25b8", "One step on", 1), this.#slider),
      this.#says,
      html("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Weights" }, this.#table()),
    );
    this.go(0);
  }

  #step(sign, label, by) {
    return html("button", { type: "button", "aria-label": label, onclick: () => { this.halt(); this.go(this.turn + by); } }, sign);
  }

  #table() {
    const heads = ["weight", "value", "gradients of its copies", "their sum"];
    return html("table", {},
      html("caption", {}, "All copies of a vertex share its weights. The gradient of a weight is the sum over its copies. |x| is the norm of an array."),
      html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
      html("tbody", {}, ...this.#rows.map(({ row }) => row)));
  }

  #start() {
    if (this.turn === 2 * this.#forward) this.go(0);
    this.#play.textContent = "Pause";
    this.#clock = setInterval(() => this.go(this.turn + 1), PACE);
  }

  /** Stop playing. */
  halt() {
    clearInterval(this.#clock);
    this.#clock = null;
    this.#play.textContent = "Play";
  }

  /** Go to a step: 0 is before the run, then the wavefronts forward, then backward. */
  go(turn) {
    this.turn = Math.max(0, Math.min(2 * this.#forward, turn));
    if (this.turn === 2 * this.#forward) this.halt();
    this.#slider.value = this.turn;
    for (const row of this.#rows) row.show(this.reached, this.#back, this.now);
    this.tell();
    this.#hooks.turned(this);
  }

  /** Describe the current step. */
  tell() {
    const there = this.#hooks.names([...this.now]);
    this.#says.textContent = !this.turn ? `Step through the window, forward and then backward. Values outside the window are zero. The loss is half the sum of the squares of ${this.#hooks.outputs} at all times.`
      : !this.#back ? `Forward, ${this.turn} of ${this.#forward}: the values of ${there} are computed.`
      : `Backward, ${this.#back} of ${this.#forward}: the gradients of ${there} are computed.`;
  }

  get #back() {
    return Math.max(0, this.turn - this.#forward);
  }

  /** The vertices of the current wavefront. */
  get now() {
    const front = this.#back ? this.#forward - this.#back : this.turn - 1;
    return new Set(this.#network.fronts[front] ?? []);
  }

  /** The vertices whose gradients are computed. */
  get reached() {
    return new Set(this.#network.fronts.slice(this.#forward - this.#back).flat());
  }

  /** The values computed so far, by vertex. */
  get values() {
    return new Map(this.#network.fronts.slice(0, this.turn).flat().map((k) => [k, this.#network.values[k]]));
  }

  /** The gradients computed so far, by vertex. */
  get slopes() {
    return new Map([...this.reached].map((k) => [k, this.#network.gradients[k]]));
  }
}

/** A row with a weight: its value, the gradients of its copies, and their partial sum. */
class WeightRow {
  constructor(weight, names) {
    [this.weight, this.names] = [weight, names];
    this.copies = html("td", { className: "copies" });
    this.sum = html("td", { className: "sum" });
    this.row = html("tr", {}, html("th", { scope: "row" }, weight.name), html("td", {}, weight.value), this.copies, this.sum);
  }

  show(reached, back, now) {
    this.copies.replaceChildren(...this.weight.copies.map(({ vertex, gradient }) =>
      html("span", { className: reached.has(vertex) ? "copy in" : "copy", title: this.names([vertex]) }, reached.has(vertex) ? gradient : "\u00b7")));
    this.sum.textContent = back ? this.weight.sums[back - 1] : "";
    this.row.classList.toggle("now", back > 0 && this.weight.copies.some(({ vertex }) => now.has(vertex)));
  }
}
