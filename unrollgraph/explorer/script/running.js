// The network that runs: wavefront by wavefront, forward and then backward, and the weights that
// gather the gradients of their copies. The numbers were computed before; this turns pages.

const PACE = 700;  // milliseconds to a step

export class Run {
  #network; #hooks; #forward; #slider; #says; #play; #rows;
  #clock = null;
  turn = 0;

  /** Make the controls. `hooks.turned(run)` hears of every step, `names(list)` calls vertices, `outputs` the outputs. */
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
    const heads = ["weight", "now", "gradients of its copies", "their sum"];
    return html("table", {},
      html("caption", {}, "Each weight is one, above and below: its copies get gradients of their own, and it gets their sum. |x| is the length of a vector."),
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

  /** Turn to a step: 0 before the run, then the wavefronts forward, then backward. */
  go(turn) {
    this.turn = Math.max(0, Math.min(2 * this.#forward, turn));
    if (this.turn === 2 * this.#forward) this.halt();
    this.#slider.value = this.turn;
    for (const row of this.#rows) row.show(this.reached, this.#back, this.now);
    this.tell();
    this.#hooks.turned(this);
  }

  /** Say what is computed now. */
  tell() {
    const there = this.#hooks.names([...this.now]);
    this.#says.textContent = !this.turn ? `Step through the window: forward, then backward. What lies outside is zero, and the loss is half the sum of the squares of ${this.#hooks.outputs} at all times.`
      : !this.#back ? `Forward, ${this.turn} of ${this.#forward}: ${there} can be computed now.`
      : `Backward, ${this.#back} of ${this.#forward}: the gradient is known at ${there}.`;
  }

  get #back() {
    return Math.max(0, this.turn - this.#forward);
  }

  /** The vertices of the wavefront that is computed now. */
  get now() {
    const front = this.#back ? this.#forward - this.#back : this.turn - 1;
    return new Set(this.#network.fronts[front] ?? []);
  }

  /** The vertices that the gradient has reached. */
  get reached() {
    return new Set(this.#network.fronts.slice(this.#forward - this.#back).flat());
  }

  /** The values computed so far, by vertex. */
  get values() {
    return new Map(this.#network.fronts.slice(0, this.turn).flat().map((k) => [k, this.#network.values[k]]));
  }

  /** The gradients known so far, by vertex. */
  get slopes() {
    return new Map([...this.reached].map((k) => [k, this.#network.gradients[k]]));
  }
}

/** A weight: its value, a cell for the gradient of each copy, and their sum as it grows. */
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
