// Lifts of walks, which are the only data that the page computes itself.
//
// A walk is a list of steps [edge, sign]; the sign is -1 if an edge is used against its direction.
// A place is a vertex of a cover, {over, sheet} or in a tree {over, word}, where over is its base
// vertex and the word is a reduced walk from the root. A step adds the delay of its edge to the
// sheet. It is appended to the word, or removes the last step if it is the inverse of that.

/** The key of a place in its cover. */
export function keyOf(place) {
  const own = place.word ? place.word.map(([edge, sign]) => edge * sign + (sign > 0 ? "+" : "-")) : place.sheet;
  return `${place.over}|${own.join(",")}`;
}

/** The place at the end of a step. */
export function moved(base, cover, place, [edge, sign]) {
  const arc = base.arcs[edge];
  const over = sign > 0 ? arc.head : arc.tail;
  if (place.word) {
    const last = place.word.at(-1);
    const undone = last && last[0] === edge && last[1] === -sign;
    return { over, word: undone ? place.word.slice(0, -1) : [...place.word, [edge, sign]] };
  }
  const sheet = place.sheet.map((x, axis) => {
    const sum = x + sign * cover.delays[edge][axis];
    const n = cover.modulus?.[axis];
    return n ? ((sum % n) + n) % n : sum;
  });
  return { over, sheet };
}

/** A cover with an index of its vertices by place, and of its edges by base edge and tail. */
export function indexed(cover) {
  const vertices = new Map(cover.vertices.map((vertex, k) => [keyOf(vertex), k]));
  const arcs = new Map(cover.arcs.map((arc, k) => [`${arc.edge}|${arc.tail}`, k]));
  return { ...cover, at: vertices, along: arcs };
}

/**
 * Lift a walk to an indexed cover, from one of its vertices. Returns the places along the lift, each
 * with the number of its vertex and of the edge to it, or -1 if it is not drawn.
 */
export function lift(base, cover, start, walk) {
  if (start < 0) return [];
  let place = cover.vertices[start];
  const passed = [{ place, vertex: start, arc: -1 }];
  for (const step of walk) {
    const before = passed.at(-1).vertex;
    place = moved(base, cover, place, step);
    const vertex = cover.at.get(keyOf(place)) ?? -1;
    const tail = step[1] > 0 ? before : vertex;
    passed.push({ place, vertex, arc: cover.along.get(`${step[0]}|${tail}`) ?? -1 });
  }
  return passed;
}

/** Whether two places are equal. */
export function same(one, other) {
  return keyOf(one) === keyOf(other);
}

/** The steps from a vertex of the base, first along edges and then against edges. */
export function stepsFrom(base, vertex) {
  const along = base.arcs.filter((arc) => arc.tail === vertex).map((arc) => [arc.edge, 1]);
  const against = base.arcs.filter((arc) => arc.head === vertex).map((arc) => [arc.edge, -1]);
  return [...along, ...against];
}

/** The vertex of the base at which a step ends. */
export function endOf(base, [edge, sign]) {
  return sign > 0 ? base.arcs[edge].head : base.arcs[edge].tail;
}
