// The network that runs: a clock of wavefronts, forward and then backward, and the weights that
// gather the gradients of their copies. The numbers were computed before; this turns pages.

/**
 * Make the controls. `onturn(state)` is told which vertices are computed now, and what is known of
 * values and gradients.
 */
export function running(host, network, names, onturn) {
  const forward = network.fronts.length, turns = 2 * forward;
  let turn = 0, clock = null;
  const slider = html("input", { type: "range", min: 0, max: turns, value: 0, "aria-label": "Step of the run", oninput: () => go(Number(slider.value)) });
  const says = html("p", { className: "says", "aria-live": "polite" });
  const play = html("button", { type: "button", onclick: () => (clock ? halt() : start()) }, "Play");
  const table = html("table");
  table.append(
    html("caption", {}, "Each weight is one, above and below: its copies get gradients of their own, and it gets their sum. |x| is the length of a vector."),
    html("thead", {}, html("tr", {}, ...["weight", "now", "gradients of its copies", "their sum"].map((say) => html("th", { scope: "col" }, say)))),
  );
  const rows = network.weights.map((weight) => {
    const copies = html("td", { className: "copies" }), sum = html("td", { className: "sum" });
    const row = html("tr", {}, html("th", { scope: "row" }, weight.name), html("td", {}, weight.value), copies, sum);
    return { weight, copies, sum, row };
  });
  table.append(html("tbody", {}, ...rows.map(({ row }) => row)));
  host.replaceChildren(
    html("div", { className: "bar" },
      html("button", { type: "button", "aria-label": "One step back", onclick: () => go(turn - 1) }, "\u25c2"), play,
      html("button", { type: "button", "aria-label": "One step on", onclick: () => go(turn + 1) }, "\u25b8"), slider),
    says, html("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Weights" }, table),
  );

  function start() {
    if (turn === turns) go(0);
    play.textContent = "Pause";
    clock = setInterval(() => (turn < turns ? go(turn + 1) : halt()), 700);
  }

  function halt() {
    clearInterval(clock);
    clock = null;
    play.textContent = "Play";
  }

  function go(next) {
    turn = Math.max(0, Math.min(turns, next));
    if (turn === turns) halt();
    slider.value = turn;
    const ahead = Math.min(turn, forward), back = Math.max(0, turn - forward);
    const values = new Map(network.fronts.slice(0, ahead).flat().map((k) => [k, network.values[k]]));
    const reached = new Set(network.fronts.slice(forward - back).flat());
    const slopes = new Map([...reached].map((k) => [k, network.gradients[k]]));
    const now = turn === 0 ? [] : back ? network.fronts[forward - back] : network.fronts[ahead - 1];
    for (const { weight, copies, sum, row } of rows) {
      const there = weight.copies.filter(({ vertex }) => reached.has(vertex));
      copies.replaceChildren(...weight.copies.map(({ vertex, gradient }) =>
        html("span", { className: reached.has(vertex) ? "copy in" : "copy", title: reached.has(vertex) ? gradient : "" }, reached.has(vertex) ? gradient : "\u00b7")));
      sum.textContent = back ? weight.sums[back - 1] : "";
      row.classList.toggle("now", back > 0 && there.some(({ vertex }) => now.includes(vertex)));
    }
    const told = now.length ? names(now) : "";
    says.textContent = turn === 0 ? "Step through the window: forward, then backward. Before the first step everything is zero."
      : back === 0 ? `Forward, ${turn} of ${forward}: ${told} can be computed now.`
      : `Backward, ${back} of ${forward}: the gradient has reached ${told}.`;
    onturn({ turn, values, slopes, now: new Set(now) });
  }

  go(0);
  return { go, halt, get turn() { return turn; } };
}
