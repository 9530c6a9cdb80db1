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
 * The trip whose lift to a cover begins at another copy; in the covers below at its image, in those
 * above at what lies over it. Over another vertex of the base the walk begins anew.
 */
export function startedAt(spec, covers, trip, key, copy) {
  const { over } = covers.get(key).vertices[copy];
  const next = over === trip.begin ? { ...trip, starts: { ...trip.starts } } : setOut(spec, over);
  next.starts[key] = copy;
  for (const [lower, image] of Object.entries(covers.get(key).onto))
    if (image[copy] >= 0) next.starts[lower] = image[copy];
  for (const upper of covers.values()) {
    const image = upper.onto[key];
    const above = image ? image.indexOf(copy) : -1;
    if (above >= 0 && image[next.starts[upper.key]] !== copy) next.starts[upper.key] = above;
  }
  return next;
}
