// A trip: the first vertex of a walk, its steps, and the first vertex of its lift to each cover.
// Trips are immutable, so earlier ones can be restored.

/** A trip from a vertex, with the default starts of its lifts. */
export function setOut(spec, begin, walk = []) {
  return { begin, walk, starts: { ...spec.home[begin] } };
}

/** The last vertex of the walk. */
export function here(base, { begin, walk }) {
  return walk.length ? endOf(base, walk.at(-1)) : begin;
}

/** The trip with another step. */
export function gone(trip, step) {
  return { ...trip, walk: [...trip.walk, step] };
}

/** The steps from the end of the walk to a vertex: along edges or, if there are none, against edges. */
export function towards(base, trip, vertex) {
  const steps = stepsFrom(base, here(base, trip)).filter((step) => endOf(base, step) === vertex);
  const along = steps.filter(([, sign]) => sign > 0);
  return along.length ? along : steps;
}

/**
 * The trip whose lift to a cover starts at another copy. Lifts to lower covers start at its images,
 * and lifts to higher covers at vertices over it, or -1 if not drawn. If the copy is over another
 * vertex of the base, the walk is cleared.
 */
export function startedAt(covers, trip, key, copy) {
  const { over } = covers.get(key).vertices[copy];
  const starts = { [key]: copy, ...images(covers, key, copy) };
  for (const upper of covers.values()) {  // from the top; the others are images of the first vertex found
    if (upper.key in starts) break;
    starts[upper.key] = upper.onto[key].indexOf(copy);
    if (starts[upper.key] >= 0) Object.assign(starts, images(covers, upper.key, starts[upper.key]));
  }
  return { begin: over, walk: over === trip.begin ? trip.walk : [], starts };
}

/** The images of a copy in the lower covers. */
function images(covers, key, copy) {
  return Object.fromEntries(Object.entries(covers.get(key).onto).map(([lower, image]) => [lower, image[copy]]));
}
