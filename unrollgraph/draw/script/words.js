// What the page says of places and walks.

const MINUS = "\u2212";

/** How a place is called: (A, 2), or in a tree by how far it is from the root. */
function called(names, place, index) {
  const name = names[place.over];
  if (place.word) return `(${name}, ${place.word.length ? `${counted(place.word.length, "edge")} away` : "the root"})`;
  return `(${name}, ${index ?? sheetWords(place.sheet)})`.replaceAll("-", MINUS);
}

/** A sheet: a number, a vector, or a long vector as a sum of unit vectors, e3 - 2 e7. */
function sheetWords(sheet) {
  if (sheet.length === 1) return String(sheet[0]);
  if (sheet.length <= 3) return `(${sheet.join(", ")})`;
  const terms = sheet.flatMap((x, axis) => {
    const times = Math.abs(x) > 1 ? `${Math.abs(x)} ` : "";
    return x ? [`${x < 0 ? "- " : "+ "}${times}e${axis + 1}`] : [];
  });
  return terms.join(" ").replace(/^\+ /, "").replace(/^- /, "-") || "0";
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** A step: its direction, where it leads, and the delay of its edge unless that is zero. */
function stepWords(base, delays, [edge, sign]) {
  const delay = /^[(0, )]*$/.test(delays[edge]) ? "" : `, delay ${delays[edge].replaceAll("-", MINUS)}`;
  return `${sign > 0 ? "\u2192" : "\u2190"} ${base.names[endOf(base, [edge, sign])]}${delay}`;
}

/** A walk below, its last stops. */
function walkWords(base, { begin, walk }) {
  const stops = [begin, ...walk.map((step) => endOf(base, step))].map((k) => base.names[k]);
  const trail = `${stops.length > 8 ? "\u2026 \u2192 " : ""}${stops.slice(-8).join(" \u2192 ")}`;
  return `${counted(walk.length, "step")}: ${trail}.`;
}

/** A lift above a walk, which may be closed below: the ends of both, and whether they meet. */
function liftWords(closedBelow, passed, name) {
  const [first, last] = [passed[0], passed.at(-1)];
  const gone = last.vertex < 0 ? " The lift has left what is drawn." : "";
  if (closedBelow && same(first.place, last.place)) return `Closed below, and closed above too, at ${name(last)}.${gone}`;
  return `${closedBelow ? "Closed below, open above:" : "The lift leads"} from ${name(first)} to ${name(last)}.${gone}`;
}
