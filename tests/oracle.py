"""Brute force and re-verification that share nothing with the package.

A delay graph is here a list of wires ``(tail, head, key, delay)`` with the delay as a
tuple of ints, read straight from networkx by `wires`. Everything else works on those.
"""

from fractions import Fraction
from itertools import combinations, pairwise, product

import networkx as nx
import numpy as np
from scipy import optimize


def wires(G, delay="delay", dimension=1):
    """The wires of a networkx graph, in the order of its edges."""
    zero = (0,) * dimension
    found = []
    for edge in G.edges(keys=True) if G.is_multigraph() else G.edges():
        d = G.edges[edge].get(delay, zero)
        found.append((edge[0], edge[1], edge[2:], d if isinstance(d, tuple) else (d,)))
    return found


def plain(time):
    """A time as the package writes it: an int for one coordinate."""
    return time[0] if len(time) == 1 else time


def moved(time, delay):
    return tuple(t + d for t, d in zip(time, delay, strict=True))


def window_arcs(G, ranges):
    """All arcs of the delay cover inside a box, by trying every edge at every time."""
    inside = set(product(*ranges))
    return [
        ((u, plain(t)), (v, plain(moved(t, d))), *key)
        for t in sorted(inside)
        for u, v, key, d in wires(G, dimension=len(ranges))
        if moved(t, d) in inside
    ]


def boundary_arcs(G, ranges):
    """Arcs of the delay cover with one end in a box, as (entering, leaving)."""
    inside = set(product(*ranges))
    entering, leaving = set(), set()
    for u, v, key, d in wires(G, dimension=len(ranges)):
        for t in inside:
            if moved(t, d) not in inside:
                leaving.add(((u, plain(t)), (v, plain(moved(t, d))), *key))
            before = moved(t, tuple(-x for x in d))
            if before not in inside:
                entering.add(((u, plain(before)), (v, plain(t)), *key))
    return entering, leaving


def has_cycle(arcs):
    """Whether a set of arcs holds a directed cycle, by peeling off sources."""
    heads = {}
    count = {}
    for arc in arcs:
        heads.setdefault(arc[0], []).append(arc[1])
        count[arc[1]] = count.get(arc[1], 0) + 1
    ready = [node for node in heads if not count.get(node)]
    left = len(arcs)
    while ready:
        for head in heads.get(ready.pop(), []):
            left -= 1
            count[head] -= 1
            if not count[head]:
                ready.append(head)
    return left > 0


def proves_acyclic(G, stages, dimension=1):
    """Whether affine forms prove the infinite cover acyclic.

    ``stages`` is a list of dicts: vertex -> (slope, offset). Along each edge the first
    stage whose form changes must grow, by an amount that does not depend on the time.
    """
    for u, v, _, d in wires(G, dimension=dimension):
        for stage in stages:
            (slope_u, offset_u), (slope_v, offset_v) = stage[u], stage[v]
            if slope_u != slope_v:
                return False
            gain = sum(x * y for x, y in zip(slope_u, d, strict=True)) + offset_v - offset_u
            if gain < 0:
                return False
            if gain > 0:
                break
        else:
            return False
    return True


def proves_cyclic(G, segments, dimension=1):
    """Whether segments of (walk, count) are one closed walk of total delay zero."""
    delays = {(u, v, *key): d for u, v, key, d in wires(G, dimension=dimension)}
    if not segments:
        return False
    total = [0] * dimension
    here = segments[0][0][0][0]
    begin = here
    for walk, count in segments:
        if count < 1 or not walk:
            return False
        first = here
        for edge in walk:
            if edge not in delays or edge[0] != here:
                return False
            here = edge[1]
            for axis, part in enumerate(delays[edge]):
                total[axis] += count * part
        if count > 1 and here != first:
            return False
    return here == begin and not any(total)


def cycle_totals(G):
    """Total delays (Z) of all simple cycles, by listing them."""
    out = {}
    for u, v, _, (d,) in wires(G):
        out.setdefault(u, []).append((v, d))
    order = {v: k for k, v in enumerate(G)}
    totals = []

    def extend(start, here, total, met):
        for v, d in out.get(here, []):
            if v == start:
                totals.append(total + d)
            elif v not in met and order[v] > order[start]:
                extend(start, v, total + d, met | {v})

    for start in G:
        extend(start, start, 0, {start})
    return totals


def levels(n, arcs):
    """Longest-path levels by relaxing n times; None if they never settle."""
    level = [0] * n
    for _ in range(n + 1):
        new = list(level)
        for u, v in arcs:
            new[v] = max(new[v], level[u] + 1)
        if new == level:
            return level
        level = new
    return None


def cycles(G):
    """All simple cycles, each a list of edges, by listing them."""
    out = {}
    for u, v, key, _ in wires(G, delay=None):
        out.setdefault(u, []).append((u, v, *key))
    order = {v: k for k, v in enumerate(G)}
    found = []

    def extend(start, walk, met):
        for edge in out.get(walk[-1][1] if walk else start, []):
            if edge[1] == start:
                found.append([*walk, edge])
            elif edge[1] not in met and order[edge[1]] > order[start]:
                extend(start, [*walk, edge], met | {edge[1]})

    for start in G:
        extend(start, [], {start})
    return found


def proves_ratio(edges, found, sign):
    """Whether a cycle and two potentials prove an extreme cycle ratio.

    ``edges`` maps each edge to (cost, delay), ``found`` is (ratio, cycle, potential, clock),
    and ``sign`` is 1 for the greatest ratio, -1 for the least.
    """
    ratio, cycle, potential, clock = found
    for edge, (cost, delay) in edges.items():
        u, v = edge[:2]
        if delay + clock[v] - clock[u] <= 0:
            return False
        if sign * (ratio * delay + potential[v] - potential[u] - cost) < 0:
            return False
    joins = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    if any(a[1] != b[0] or a not in edges for a, b in joins):
        return False
    return sum(edges[e][0] for e in cycle) == ratio * sum(edges[e][1] for e in cycle)


def path_lengths(G, source, window, best):
    """Longest or shortest (``best`` is max or min) lengths from (source, 0) in a window."""
    arcs = [arc[:2] for arc in window_arcs(G, [window])]
    lengths = {(source, 0): 0}
    changed = True
    while changed:
        changed = False
        for tail, head in arcs:
            if tail in lengths:
                new = best(lengths.get(head, lengths[tail] + 1), lengths[tail] + 1)
                if lengths.get(head) != new:
                    lengths[head] = new
                    changed = True
    return lengths


def clock_period(G, durations, shifts=None):
    """Longest sum of durations along delays of zero; None if a delay is negative."""
    r = shifts or {}
    still = {}
    for u, v, _, (d,) in wires(G):
        after = d + r.get(v, 0) - r.get(u, 0)
        if after < 0:
            return None
        if not after:
            still.setdefault(u, []).append(v)

    def longest(v):
        return durations[v] + max((longest(w) for w in still.get(v, [])), default=0)

    return max(longest(v) for v in G)


def least_period(G, durations, reach, fixed=()):
    """Least clock period over all shifts up to ``reach``, by trying them."""
    free = [v for v in G if v not in fixed]
    best = None
    for r in product(range(-reach, reach + 1), repeat=len(free)):
        period = clock_period(G, durations, dict(zip(free, r, strict=True)))
        if period is not None and (best is None or period < best):
            best = period
    return best


# -- walks and trees ---------------------------------------------------------------


def directed_walks(G, root, depth, side):
    """All walks of at most so many edges that end (side "in") or begin in a root."""
    found = shell = [()]
    for _ in range(depth):
        longer = []
        for walk in shell:
            for u, v, key, _ in wires(G):
                edge = (u, v, *key)
                if side == "in" and v == (walk[0][0] if walk else root):
                    longer.append((edge, *walk))
                if side == "out" and u == (walk[-1][1] if walk else root):
                    longer.append((*walk, edge))
        shell = longer
        found = found + shell
    return found


def reduced_walks(G, root, radius):
    """All undirected walks from a root that never turn straight back, by trying all steps."""
    found = shell = [((), root)]
    for _ in range(radius):
        longer = []
        for walk, at in shell:
            for u, v, key, _ in wires(G):
                for sign, start, end in ((1, u, v), (-1, v, u)):
                    step = ((u, v, *key), sign)
                    if start == at and (not walk or walk[-1] != (step[0], -sign)):
                        longer.append(((*walk, step), end))
        shell = longer
        found = found + shell
    return found


# -- partitions --------------------------------------------------------------------


def alike(G, color=None):
    """Classes of vertices with isomorphic in-trees, by comparing n levels of them."""
    name = dict.fromkeys(G, 0)
    for _ in range(len(G)):
        seen = {
            v: (
                name[v],
                tuple(
                    sorted(
                        (name[a[0]], repr(G.edges[a].get(color)))
                        for a in (G.edges(keys=True) if G.is_multigraph() else G.edges())
                        if a[1] == v
                    )
                ),
            )
            for v in G
        }
        numbers = {key: k for k, key in enumerate(dict.fromkeys(seen.values()))}
        name = {v: numbers[seen[v]] for v in G}
    classes = {}
    for v in G:
        classes.setdefault(name[v], []).append(v)
    return sorted(classes.values(), key=lambda members: list(G).index(members[0]))


# -- walks in Z^d by integer programmes ------------------------------------------------


def least_flow(arcs, source, target, time, least, costs):
    """Least cost of steps of a total delay and the ends of a walk, each arc `least` times or more.

    The bound is no bound here: an integer program has a solution within (columns x greatest
    minor) of a corner, and for five arcs of delays up to three, or of delays up to one over 50
    steps of time, the sum of both is below 3,000.
    """
    vertices = {source, target}.union(*(arc[:2] for arc in arcs))
    rows = [[(v == x) - (u == x) for u, v, *_ in arcs] for x in vertices]
    rows += zip(*(d for *_, d in arcs), strict=True)
    for presolve in (True, False):  # after it the solver sometimes trips over its own tolerances
        found = optimize.milp(
            costs,
            constraints=(rows, *[[(target == x) - (source == x) for x in vertices] + [*time]] * 2),
            bounds=(least, 10_000),
            integrality=1,
            options={"presolve": presolve},
        )
        if found.status in (0, 2):
            break
    assert found.status in (0, 2), found.message  # best, or there is none
    return round(found.fun) if found.status == 0 else None


def least_cost(arcs, source, target, time, costs):
    """Cost of a cheapest walk with a total delay in Z^d, None if there is none, by Euler.

    Arcs taken so many times make up a walk if they are balanced but at its ends, and connected.
    """
    if source == target and not any(time):
        return 0
    if not arcs or least_flow(arcs, source, target, time, 0, costs) is None:
        return None
    found = []
    for count in range(1, len(arcs) + 1):
        for some in combinations(range(len(arcs)), count):
            taken, prices = ([given[k] for k in some] for given in (arcs, costs))
            part = nx.Graph([arc[:2] for arc in taken])
            part.add_nodes_from([source, target])
            if nx.is_connected(part):
                found.append(least_flow(taken, source, target, time, 1, prices))
    return min((cost for cost in found if cost is not None), default=None)


def least_steps(steps, goal):
    """Fewest steps from the origin of the plane to a goal, layer by layer.

    Steps can be taken in any order, so that the way stays near the segment to the goal.
    """
    margin = 2 * max(abs(x) for step in steps for x in step)
    shape = np.array(goal) + 2 * margin + 1
    seen = np.zeros(shape, bool)
    layer, end, count = np.full((1, 2), margin), tuple(np.array(goal) + margin), 0
    while not seen[end]:
        places = (layer[:, None] + np.array(steps)).reshape(-1, 2)
        places = places[((places >= 0) & (places < shape)).all(axis=1)]
        places = np.unique(places[~seen[tuple(places.T)]] @ (shape[1], 1))
        layer = np.stack(np.divmod(places, shape[1]), axis=1)
        seen[tuple(layer.T)] = True
        count += 1
    return count


# -- lattices ----------------------------------------------------------------------


def determinant(rows):
    """Determinant in fractions, by elimination."""
    work = [[Fraction(x) for x in row] for row in rows]
    result = Fraction(1)
    for k in range(len(work)):
        at = next((i for i in range(k, len(work)) if work[i][k]), None)
        if at is None:
            return Fraction(0)
        if at != k:
            work[k], work[at] = work[at], work[k]
            result = -result
        result *= work[k][k]
        for i in range(k + 1, len(work)):
            factor = work[i][k] / work[k][k]
            work[i] = [x - factor * y for x, y in zip(work[i], work[k], strict=True)]
    return result


def in_lattice(vector, basis):
    """Whether a vector is an integer combination of rows in echelon form."""
    rest = list(vector)
    for row in basis:
        c = next(k for k, x in enumerate(row) if x)
        if any(rest[:c]) or rest[c] % row[c]:
            return False
        rest = [x - rest[c] // row[c] * y for x, y in zip(rest, row, strict=True)]
    return not any(rest)


def times(left, right):
    return [
        [sum(a * b for a, b in zip(row, col, strict=True)) for col in zip(*right, strict=True)]
        for row in left
    ]


def proves_components(G, family, dimension):
    """Whether a family of components carries a proof of its numbers."""
    here = [w for w in wires(G, dimension=dimension) if w[0] in family.vertices]

    def vector(time):
        return time if dimension > 1 else (time,)

    rest = {
        (u, v, *key): tuple(
            x + a - b
            for x, a, b in zip(d, vector(family.offsets[u]), vector(family.offsets[v]), strict=True)
        )
        for u, v, key, d in here
    }
    reached = {family.vertices[0]}
    for _ in family.vertices:  # through edges of remaining delay zero everything is reached
        for edge, total in rest.items():
            if not any(total) and {edge[0], edge[1]} & reached:
                reached |= {edge[0], edge[1]}
    basis, generators = family.basis, [rest[edge] for edge in family.generators]
    smith = times(times(family.left, basis), family.right) if basis else []
    diagonal = [row[k] for k, row in enumerate(smith)]
    factors = [*diagonal, *[0] * (dimension - len(diagonal))]
    index = 1
    for a in factors:
        index *= a
    return (
        reached == set(family.vertices)
        and all(in_lattice(total, basis) for total in rest.values())
        and times(family.combination, generators) == [list(row) for row in basis]
        and all(x == 0 for k, row in enumerate(smith) for j, x in enumerate(row) if j != k)
        and all(abs(determinant(m)) == 1 for m in (family.left, family.right))
        and all(a > 0 for a in diagonal)
        and all(b % a == 0 for a, b in pairwise(diagonal))
        and family.rank == len(basis)
        and family.invariants == tuple(a for a in factors if a != 1)
        and family.copies == (index or float("inf"))
    )


def separated(arcs, x, y, given):
    """Whether a set d-separates two others in a finite acyclic graph, by Bayes ball."""
    parents, children = {}, {}
    for a, b, *_ in arcs:
        parents.setdefault(b, []).append(a)
        children.setdefault(a, []).append(b)
    above = set(given)
    todo = list(given)
    while todo:
        for a in parents.get(todo.pop(), ()):
            if a not in above:
                above.add(a)
                todo.append(a)
    seen = set()
    todo = [(a, "up") for a in x]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        a, way = state
        if a in y:
            return False
        if a not in given:
            todo += [(b, "down") for b in children.get(a, ())]
        if (way == "up" and a not in given) or (way == "down" and a in above):
            todo += [(b, "up") for b in parents.get(a, ())]
    return True


def m_separated(edges, x, y, given):
    """Whether a set m-separates two others in a graph of (tail, head, kind)."""
    arcs = []
    for k, (a, b, kind) in enumerate(edges):
        arcs += [(a, b)] if kind == "directed" else [(("hidden", k), a), (("hidden", k), b)]
    return separated(arcs, x, y, given)


def proves_connection(G, nodes, x, y, given):
    """Whether a walk of the delay cover is active and leads from x to y."""
    steps = {(u, v, d) for u, v, _, (d,) in wires(G)}

    def forward(a, b):
        return (a[0], b[0], b[1] - a[1]) in steps

    turns = zip(nodes, nodes[1:], nodes[2:], strict=False)
    return (
        nodes[0] in x
        and nodes[-1] in y
        and not {nodes[0], nodes[-1]} & set(given)
        and all(forward(a, b) != forward(b, a) for a, b in pairwise(nodes))
        and all((b in given) == (forward(a, b) and forward(c, b)) for a, b, c in turns)
    )


def proves_separation(G, x, y, given, proof):
    """Whether a closed list of reached vertices proves that no walk from x to y is active.

    ``proof`` has the attributes sign, shifts, first, reached and apart of a `Separation`. Walks
    are followed copy by copy from ``first`` on. Before it, a walk can only climb and descend.
    """
    into, out = {}, {}
    for u, v, _, (d,) in wires(G):
        into.setdefault(v, set()).add((u, d))
        out.setdefault(u, set()).add((v, d))

    def time(a):
        return proof.sign * a[1] + proof.shifts[a[0]]

    def parents(a):
        found = {(u, a[1] - d) for u, d in into.get(a[0], ())}
        return None if any(p[0] not in proof.shifts or time(p) > time(a) for p in found) else found

    sets = {*x, *y, *given}
    numbers = [proof.first, *proof.shifts.values(), *(gap for *_, gap in proof.apart)]
    if proof.sign not in (1, -1) or not all(type(number) is int for number in numbers):
        return False
    inside, early = set(sets), set()
    todo = list(sets)
    while todo:
        found = parents(todo.pop())
        if found is None:
            return False
        for a in found - inside:
            if time(a) < proof.first:
                early.add(a)
            else:
                inside.add(a)
                todo.append(a)
    if any(time(a) < proof.first for a in sets) or any((a, "up") not in proof.reached for a in x):
        return False

    def pair(a, b):
        gap = time(a) - time(b)
        return (
            {(a[0], b[0], gap), *([(b[0], a[0], 0)] if not gap else [])} if gap >= 0 else pair(b, a)
        )

    for a, way in proof.reached:
        if a in y:
            return False
        onward = set()
        if time(a) >= proof.first and (way == "up") == (a not in given):
            onward |= {(p, "up") for p in parents(a)}
        if time(a) < proof.first and way == "up":
            onward |= {(b, "down") for b in early if not pair(a, b) & proof.apart}
        if a not in given:
            copies = {(v, a[1] + d) for v, d in out.get(a[0], ())}
            onward |= {(c, "down") for c in copies & inside}
        if not onward <= proof.reached:
            return False
    for v, w, gap in proof.apart:
        if (v == w and not gap) or gap < 0:
            return False
        a = (v, proof.sign * (gap - proof.shifts[v]))
        b = (w, proof.sign * (0 - proof.shifts[w]))
        before = parents(a), (parents(b) if not gap else set())
        if None in before:
            return False
        moves = [(p, b) for p in before[0]] + [(a, p) for p in before[1]]
        if any(not pair(*move) & proof.apart for move in moves):
            return False
    return True
