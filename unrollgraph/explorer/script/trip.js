// A trip: the vertex at which the walk begins, its steps, and in each cover the copy at which its
// lift begins. Trips are values: whatever is done makes a new one, so the last can be gone back to.

/** A trip from a vertex, its lifts at home. */
export function setOut(spec, begin, walk = []) {
  return { begin, walk, starts: { ...spec.home[begin] } };
}

/** The vertex to which a trip has come. */
export function here(base, { begin, walk }) {
  return walk.length ? endOf(base, walk.at(-1)) : begin;
}

/** The trip with one step more. */
export function gone(trip, step) {
  return { ...trip, walk: [...trip.walk, step] };
}

/** Steps from where the trip is to a vertex: along edges, or, if there are none, against them. */
export function towards(base, trip, vertex) {
  const steps = stepsFrom(base, here(base, trip)).filter((step) => endOf(base, step) === vertex);
  const along = steps.filter(([, sign]) => sign > 0);
  return along.length ? along : steps;
}

/**
 * The trip whose lift to a cover begins at another copy. Those in the covers below begin at its
 * images, and those above at vertices over it, all above each other; -1 is what is not drawn. Over
 * another vertex of the base the walk begins anew.
 */
export function startedAt(covers, trip, key, copy) {
  const { over } = covers.get(key).vertices[copy];
  const starts = { [key]: copy, ...images(covers, key, copy) };
  for (const upper of covers.values()) {  // from the top; below the first that is found lie the others
    if (upper.key in starts) break;
    starts[upper.key] = upper.onto[key].indexOf(copy);
    if (starts[upper.key] >= 0) Object.assign(starts, images(covers, upper.key, starts[upper.key]));
  }
  return { begin: over, walk: over === trip.begin ? trip.walk : [], starts };
}

/** The images of a copy in the covers below. */
function images(covers, key, copy) {
  return Object.fromEntries(Object.entries(covers.get(key).onto).map(([lower, image]) => [lower, image[copy]]));
}
