// Texts of the page about places and walks.

const MINUS = "\u2212";

/** Name of a place: (A, 2), or in a tree with its walk from the root. */
function called(base, place) {
  const name = base.names[place.over];
  return place.word ? `(${name}, ${place.word.length ? wordWords(base, place.word) : "the root"})` : `(${name}, ${sheetWords(place.sheet)})`;
}

/** The last steps of a reduced walk, with the numbers of parallel edges. */
function wordWords(base, word) {
  const steps = word.slice(-4).map(([edge, sign]) => {
    const { tail, head } = base.arcs[edge];
    const parallel = base.arcs.filter((arc) => arc.tail === tail && arc.head === head).length > 1;
    return `${sign > 0 ? "\u2192" : "\u2190"}${parallel ? `[${edge}]` : ""}${base.names[sign > 0 ? head : tail]}`;
  });
  const [edge, sign] = word.at(-steps.length);
  const first = base.names[sign > 0 ? base.arcs[edge].tail : base.arcs[edge].head];
  return word.length > 4 ? `${counted(word.length, "edge")}, \u2026${steps.join("")}` : first + steps.join("");
}

/** A sheet: a number, a vector, or a long vector as a sum of unit vectors such as e3 - 2 e7. */
function sheetWords(sheet) {
  if (sheet.length === 1) return String(sheet[0]).replace("-", MINUS);
  if (sheet.length <= 3) return `(${sheet.join(", ").replaceAll("-", MINUS)})`;
  const terms = sheet.flatMap((x, axis) => {
    const times = Math.abs(x) > 1 ? `${Math.abs(x)} ` : "";
    return x ? [`${x < 0 ? `${MINUS} ` : "+ "}${times}e${axis + 1}`] : [];
  });
  return terms.join(" ").replace(/^\+ /, "").replace(/^\u2212 /, MINUS) || "0";
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** A step: its direction, its end, and the delay of its edge if nonzero. */
function stepWords(base, delays, [edge, sign]) {
  const delay = /^[(0, )]*$/.test(delays[edge]) ? "" : `, delay ${delays[edge].replaceAll("-", MINUS)}`;
  const { tail, head } = base.arcs[edge];
  const alike = base.arcs.filter((arc, k) => arc.tail === tail && arc.head === head && delays[k] === delays[edge]);
  const number = alike.length > 1 ? `[${edge}]` : "";
  return `${sign > 0 ? "\u2192" : "\u2190"} ${number}${base.names[endOf(base, [edge, sign])]}${delay}`;
}

/** The length and the last vertices of a walk. */
function walkWords(base, { begin, walk }) {
  const stops = [begin, ...walk.map((step) => endOf(base, step))].map((k) => base.names[k]);
  const trail = `${stops.length > 8 ? "\u2026 \u2192 " : ""}${stops.slice(-8).join(" \u2192 ")}`;
  return `${counted(walk.length, "step")}: ${trail}.`;
}

/** Whether a walk and its lift are closed, and the ends of the lift. */
function liftWords(closedBelow, passed, name) {
  const [first, last] = [passed[0], passed.at(-1)];
  const gone = last.vertex < 0 ? " The end of the lift is not drawn." : "";
  if (same(first.place, last.place)) return `The walk is closed, and its lift is closed at ${name(last)}.${gone}`;
  return `${closedBelow ? "The walk is closed, and its lift is open:" : "The lift goes"} from ${name(first)} to ${name(last)}.${gone}`;
}
