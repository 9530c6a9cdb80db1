"""Causal time-series graphs in the forms of other programs, as plain data.

A causal graph of stationary time series has an edge from variable u at lag d to variable v for all
times: a delay graph with an edge u -> v of delay d. Forms:

* edges ``((u, -d), (v, 0))``, as in pywhy-graphs; edges of equal difference in time are one edge;
* links ``{v: [(u, -d), ...]}``, as in tigramite, also ``{v: [((u, -d), coefficient, function)]}``;
* arrays of shape (n, n, 1 + largest lag), as in tigramite, with ``"-->"`` at ``[u, v, d]``.

References
----------
J. Runge, Discovering contemporaneous and lagged causal relations in autocorrelated nonlinear time
series datasets, UAI (2020), for tigramite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import FormatError, check_size, show_kind
from unrollgraph.graph.delay_graph import GraphLike, as_delay_graph
from unrollgraph.graph.times import integer
from unrollgraph.limits import MOST_NUMBERS

Link = tuple[Any, Any, int]  # tail, head and lag
FORMS = ("edges", "links", "array")


def from_causal(data: Any, *, names: Sequence[Any] | None = None) -> nx.MultiDiGraph[Any]:
    """Make a delay graph from a causal time-series graph of another program.

    Parameters
    ----------
    data : iterable of edges, dict, ndarray, or graph with an attribute ``edges``
        A form of this module. An array may also have booleans or integers, nonzero for an edge.
    names : sequence, optional
        Names of the variables 0, 1, ... of links and arrays (default: these numbers).

    Returns
    -------
    networkx.MultiDiGraph
        The delay graph.

    Raises
    ------
    FormatError
        If the data have another form, or edges that are not directed.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.io.from_causal({0: [(0, -1)], 1: [(1, -1), (0, -2)]}, names=["x", "y"])
    >>> list(G.edges(data="delay"))
    [('x', 'x', 1), ('x', 'y', 2), ('y', 'y', 1)]
    """
    variables: list[Any] = []
    if isinstance(data, np.ndarray):
        links = _array_links(data)
        variables += range(data.shape[0] if data.ndim else 0)
    elif isinstance(data, dict):
        links = _dict_links(data)
        variables += data
    else:
        if not getattr(data, "is_directed", lambda: True)():
            raise FormatError("the graph is undirected, but causal edges must be directed")
        links = _edge_links(getattr(data, "edges", data))
    G: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    found = dict.fromkeys(links)
    for u, v, d in found:
        if d < 0:
            raise FormatError(
                f"the link from {u!r} to {v!r} goes back in time by {-d}; write the lag of a cause "
                "as an integer <= 0"
            )
    every = dict.fromkeys([*variables, *(v for link in found for v in link[:2])])
    if names is not None and (set(every) != set(range(len(names))) or len(set(names)) < len(names)):
        raise FormatError(
            f"names has {len(names)} entries and the variables are {list(every)!r}; there must be "
            "a different name for each of the variables 0, 1, ..."
        )
    name = {v: v if names is None else names[v] for v in every}
    G.add_nodes_from(name[v] for v in (every if names is None else sorted(every)))
    G.add_edges_from((name[u], name[v], {"delay": d}) for u, v, d in found)
    return G


def _edge_links(edges: Any) -> Iterator[Link]:
    if not isinstance(edges, Iterable):
        raise FormatError(f"expected edges ((u, -lag), (v, 0)), links or an array, not {edges!r}")
    for edge in edges:
        try:
            (u, s), (v, t) = edge[:2]
            yield u, v, integer(t) - integer(s)
        except (TypeError, ValueError):
            raise FormatError(
                f"invalid edge {edge!r}: an edge must be ((u, -lag), (v, 0)) with integer lags"
            ) from None


def _dict_links(links: dict[Any, Any]) -> Iterator[Link]:
    for v, parents in links.items():
        if not isinstance(parents, Iterable):
            raise FormatError(f"the links of variable {v!r} are {parents!r}, but must be a list")
        for entry in parents:
            try:
                u, lag = entry if len(entry) == 2 else entry[0]
                yield u, v, -integer(lag)
            except (TypeError, ValueError, IndexError):
                raise FormatError(
                    f"invalid link {entry!r} of variable {v!r}: a link must be (u, -lag), or "
                    "((u, -lag), coefficient, function)"
                ) from None


def _array_links(array: NDArray[Any]) -> Iterator[Link]:
    if array.ndim != 3 or array.shape[0] != array.shape[1] or array.dtype.kind not in "Ubiu":
        raise FormatError(
            f"invalid array of shape {array.shape} and type {array.dtype}: it must have the shape "
            "(n, n, 1 + largest lag) and marks such as '-->'"
        )
    for u, v, d in np.argwhere(array != ("" if array.dtype.kind == "U" else 0)).tolist():
        mark = array[u, v, d].item() if array.dtype.kind == "U" else array[u, v, d]
        if mark == "<--" and d == 0 and array[v, u, 0] == "-->":
            continue  # the same edge from its other end
        if isinstance(mark, str) and mark != "-->":
            raise FormatError(
                f"the entry [{u}, {v}, {d}] is {mark!r}, but a delay graph has directed edges "
                "only, with '-->' at [tail, head, lag]; orient the edge, or add a latent variable "
                "for '<->'"
            )
        yield u, v, d


def to_causal(G: GraphLike, *, form: str = "edges", delay: str = "delay") -> Any:
    """Write a delay graph as a causal time-series graph in the form of another program.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph. Attributes are omitted; parallel edges of equal delay are one edge.
    form : {"edges", "links", "array"}
        A form of this module. In links and arrays, variables are numbered in the order of ``G``;
        variables without edges are not part of ``"edges"``.
    delay : str
        Edge attribute of the delays, integers >= 0.

    Returns
    -------
    list of edges, dict, or ndarray of str
        Plain data, which `from_causal` reads.

    Raises
    ------
    FormatError
        If a delay is negative or a vector, or an array cannot hold a cycle of lag 0.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.io.to_causal(ug.gallery.elman(), form="links")
    {0: [], 1: [(0, 0), (1, -1)], 2: [(1, 0)]}
    """
    graph = as_delay_graph(G, delay)
    _check_form(form)
    for edge, time in zip(graph.edges, graph.times, strict=True):
        if graph.dimension > 1 or time < 0:
            raise FormatError(
                f"the delay of edge {edge!r} is {time!r}, but a lag must be an integer >= 0; "
                "unrollgraph.retime can make delays nonnegative"
            )
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.times, strict=True)
    links = list(dict.fromkeys(ends))
    if form == "edges":
        names = graph.vertices
        return [((names[u], -d), (names[v], 0)) for u, v, d in links]
    n, size = len(graph.vertices), 1 + max((d for *_, d in links), default=0)
    if form == "links":
        return {v: [(u, -d) for u, head, d in links if head == v] for v in range(n)}
    check_size(n * n * size, MOST_NUMBERS, "the array", "write links instead")
    array = np.zeros((n, n, size), dtype="<U3")
    for u, v, d in links:
        if array[u, v, d] or (u == v and not d):
            raise FormatError(
                f"an array cannot hold the edges of lag 0 between {graph.vertices[u]!r} and "
                f"{graph.vertices[v]!r}, which form a cycle; write links instead"
            )
        array[u, v, d] = "-->"
        if not d:
            array[v, u, 0] = "<--"
    return array


def projection_to_causal(P: nx.MultiDiGraph[Any], *, form: str = "edges") -> Any:
    """Write a latent projection in the form of another program.

    Parameters
    ----------
    P : networkx.MultiDiGraph
        A result of `unrollgraph.latent_projection`. The lag of a vertex ``(v, t)`` is the latest
        time in ``P`` minus t.
    form : {"edges", "array"}
        As lists of edges for pywhy-graphs, or as an array for tigramite.

    Returns
    -------
    dict or ndarray of str
        ``{"directed": edges, "bidirected": edges}`` with edges ``((u, -lag), (v, -lag))``; or an
        array of shape (n, n, 1 + largest lag, 1 + largest lag) of the graph type "tsg_admg" of
        tigramite, for variables in the order in which they occur in ``P``. Its mark for both a
        directed and a bidirected edge is "+->".

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("h", "x", 1), ("h", "y", 3), ("x", "y", 1)], weight="delay")
    >>> P = ug.latent_projection(G, [("x", 0), ("y", 1), ("y", 2)])
    >>> ug.io.projection_to_causal(P)
    {'directed': [(('x', -2), ('y', -1))], 'bidirected': [(('x', -2), ('y', 0))]}
    """
    _check_form(form, ("edges", "array"))
    if not isinstance(P, nx.MultiDiGraph):
        raise TypeError(f"P must be a result of latent_projection, not {show_kind(P)}")
    last = max((t for _, t in P), default=0)
    edges: dict[str, list[Any]] = {"directed": [], "bidirected": []}
    for a, b, kind in P.edges(keys=True):
        if kind not in edges:
            raise FormatError(
                f"the edge from {a!r} to {b!r} has the key {kind!r}, not 'directed' or "
                "'bidirected'; give a result of unrollgraph.latent_projection"
            )
        (u, s), (v, t) = a, b
        edges[kind].append(((u, s - last), (v, t - last)))
    if form == "edges":
        return edges
    place = {v: k for k, v in enumerate(dict.fromkeys(v for v, _ in P))}
    size = 1 + max((last - t for _, t in P), default=0)
    check_size((len(place) * size) ** 2, MOST_NUMBERS, "the array", "write edges instead")
    array = np.zeros((len(place), len(place), size, size), dtype="<U3")
    for kind, mark, back in (("bidirected", "<->", "<->"), ("directed", "-->", "<--")):
        for (u, s), (v, t) in edges[kind]:
            both = array[place[u], place[v], -s, -t] == "<->"
            array[place[u], place[v], -s, -t] = "+->" if both else mark
            array[place[v], place[u], -t, -s] = "<-+" if both else back
    return array


def _check_form(form: str, forms: tuple[str, ...] = FORMS) -> None:
    if form not in forms:
        raise ValueError(f"form={form!r} must be one of {', '.join(map(repr, forms))}")
