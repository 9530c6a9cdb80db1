"""Delay graphs as edge lists (CSV, TSV, pandas), SciPy arrays and texts of crystal nets.

An edge list has a header with the columns ``source``, ``target`` and ``delay``, and a row for each
edge. A delay is an integer, also in the form 1.0, or ``1;0`` in Z^d; an empty delay is 0. Vertices
are strings. Rows with the same ends are parallel edges of a multigraph, with the keys 0, 1, ... or
those of a column ``key``. Other columns are edge attributes, as strings; an empty field means no
attribute. The reader also accepts the columns ``from`` and ``to``, in any case, and commas,
semicolons or tabs; it ignores an unnamed first column of row numbers, as pandas writes it.

Isolated vertices and vertex attributes are rejected. Three changes raise no error: the order of
vertices and edges may change, a multigraph without parallel edges and with default keys is read as
a simple graph, and a missing delay becomes 0.

SciPy: one sparse adjacency array for each delay, the coefficients of ``A(z) = sum of A_d z^d``.
PeriodicGraphs.jl and Systre: ``3 1 2 0 0 0 1 2 0 0 1 ...``, the dimension and for each edge its
ends, counted from 1, and its offset.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from unrollgraph.errors import DelayError, FormatError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.io.texts import delay_of, text_of, whole

_SYNONYMS = {"source": ("source", "from"), "target": ("target", "to"), "delay": ("delay",)}


class Columns(NamedTuple):
    """Names of the columns of an edge list; ``delay`` may be None."""

    source: Any
    target: Any
    delay: Any


def find_columns(
    names: Sequence[Any], delay: str = "delay", source: str | None = None, target: str | None = None
) -> Columns:
    """Return the columns of an edge list; `FormatError` if they are missing or ambiguous."""

    def find(role: str, given: str | None) -> Any:
        if given is not None:
            if given not in names:
                raise FormatError(f"there is no column {given!r}; the columns are {shown}")
            return given
        if role in names:
            return role
        near = [name for name in names if str(name).strip().lower() in _SYNONYMS[role]]
        if len(near) > 1:
            raise FormatError(
                f"the columns {near[0]!r} and {near[1]!r} could both be the {role}; rename one"
            )
        return near[0] if near else None

    shown = ", ".join(map(repr, names)) or "none"
    found = Columns(
        find("source", source),
        find("target", target),
        find("delay", None if delay == "delay" else delay),
    )
    for role in ("source", "target"):
        if getattr(found, role) is None:
            raise FormatError(
                f"an edge list needs a column {role!r}, but the columns are {shown}; choose one "
                f"of them with the option {role!r}"
            )
    used = [name for name in found if name is not None]
    if len(set(used)) < len(used):
        raise FormatError(
            "source, target and delay must be different columns, but they are "
            f"{found.source!r}, {found.target!r} and {found.delay!r}"
        )
    return found


def dumps(G: Any, delimiter: str, delay: str = "delay") -> str:
    """Write a delay graph as a string; `FormatError` if an edge list cannot represent it."""
    graph = as_delay_graph(G, delay)
    _check_fits(graph)
    names = list(
        dict.fromkeys(k for data in graph.edge_data for k in data if k != graph.delay_name)
    )
    keyed = graph.multigraph and not _has_default_keys(graph)
    header = ["source", "target", graph.delay_name, *(["key"] if keyed else []), *names]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for edge, delays, data in zip(graph.edges, graph.delays.tolist(), graph.edge_data, strict=True):
        row = [edge[0], edge[1], text_of(tuple(delays)), *(edge[2:] if keyed else [])]
        writer.writerow([*row, *(data.get(name, "") for name in names)])
    return out.getvalue()


def loads(
    text: str,
    delimiter: str,
    delay: str = "delay",
    source: str | None = None,
    target: str | None = None,
) -> nx.DiGraph[Any]:
    """Read a delay graph from a string."""
    rows, columns = _rows_and_columns(text, delimiter, delay, source, target)
    header = rows[0]
    edges = []
    for line, row in enumerate(rows[1:], 2):
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            raise FormatError(
                f"line {line} has {len(row)} fields, but the header has {len(header)}"
            )
        fields = dict(zip(header, row, strict=True))
        ends = (fields.pop(columns.source).strip(), fields.pop(columns.target).strip())
        if not all(ends):
            raise FormatError(f"line {line} lacks a source or a target")
        field = fields.pop(columns.delay, "")
        time = delay_of(field, f"in line {line}") if field.strip() else None
        data: dict[str, Any] = {c: value for c, value in fields.items() if value or c == "key"}
        edges.append((*ends, data if time is None else {**data, delay: time}))
    return _graph_of((), edges, delay, keyed="key" in header)


def _rows_and_columns(
    text: str, delimiter: str, delay: str, source: str | None, target: str | None
) -> tuple[list[list[str]], Columns]:
    """Split a string into rows, by the first delimiter for which the columns are found."""
    problem = None
    for mark in dict.fromkeys([delimiter, ",", ";", "\t"]):
        try:
            rows = list(csv.reader(io.StringIO(text), delimiter=mark, strict=True))
            header = [name.strip() for name in rows[0]] if rows else []
            columns = find_columns(header, delay, source, target)
        except (csv.Error, FormatError) as error:
            problem = problem or error
            continue
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise FormatError(f"the header has the column {twice!r} twice; rename one")
        return _without_index([header, *rows[1:]]), columns
    what = "" if isinstance(problem, FormatError) else "not an edge list: "
    raise FormatError(f"{what}{problem}") from None


def _without_index(rows: list[list[str]]) -> list[list[str]]:
    """Remove an unnamed first column of row numbers."""
    index = [row[0] for row in rows[1:] if row]
    numbers = {field.removesuffix(".0") for field in index}
    numbered = len(numbers) == len(index) and all(map(str.isdecimal, numbers))
    return [row[1:] for row in rows] if rows[0][0] in {"", "Unnamed: 0"} and numbered else rows


def _check_fits(graph: DelayGraph) -> None:
    """Raise `FormatError` if an edge list cannot represent the graph."""
    hint = "; write JSON instead"
    name = graph.delay_name
    if name in {"source", "target", "key"} or not _is_line(name) or name != name.strip():
        raise FormatError(f"an edge list cannot have a delay column named {name!r}{hint}")
    fixed = {"source", "target", "key", name.lower()}
    joined = {*graph.tails.tolist(), *graph.heads.tolist()}
    for k, (vertex, data) in enumerate(zip(graph.vertices, graph.vertex_data, strict=True)):
        if not _is_line(vertex) or vertex.strip() != vertex:
            raise FormatError(
                f"an edge list cannot represent the vertex {vertex!r}: vertices must be single "
                f"lines of text without blanks at the ends{hint}"
            )
        if k not in joined:
            raise FormatError(f"an edge list cannot represent the isolated vertex {vertex!r}{hint}")
        if data:
            raise FormatError(
                f"an edge list cannot represent the attributes of the vertex {vertex!r}{hint}"
            )
    if graph.graph_data:
        raise FormatError(f"an edge list cannot represent attributes of the graph{hint}")
    for edge, data in zip(graph.edges, graph.edge_data, strict=True):
        for name, value in data.items():
            if name == graph.delay_name:
                continue
            taken = _is_line(name) and (name.lower() in fixed or name != name.strip())
            if not _is_line(value) or not _is_line(name) or taken:
                raise FormatError(
                    f"an edge list cannot represent the attribute {name!r} of edge {edge!r}, "
                    f"{_shown(value)}: names and values must be single lines of text, and names "
                    f"must differ from other columns{hint}"
                )
    if graph.multigraph and not _has_default_keys(graph):
        for edge in graph.edges:
            if not _is_line(edge[2]):
                raise FormatError(
                    f"an edge list cannot represent the key of edge {edge!r}: keys must be "
                    f"single lines of text{hint}"
                )


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of thousands of digits
        return show_kind(value)


def _is_line(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.splitlines() == [value]
        and len(value) <= csv.field_size_limit()  # the limit of the reader
    )


def _has_default_keys(graph: DelayGraph) -> bool:
    """Whether the keys are the default keys of networkx for edges added in this order."""
    met: dict[Any, int] = {}
    for u, v, key in graph.edges:
        if type(key) is not int or key != met.get((u, v), 0):
            return False
        met[u, v] = key + 1
    return True


_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")


def to_scipy_sparse_arrays(G: GraphLike, *, delay: str = "delay") -> dict[Any, Any]:
    """Return the adjacency arrays of a delay graph, one for each delay.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    dict from delay to scipy.sparse.csr_array of int64, shape (n, n)
        Delays in increasing order. Entry (u, v) is the number of edges from vertex u to vertex
        v with this delay, in the order of ``G``; computed in O(n + m) for each delay.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> arrays = ug.io.to_scipy_sparse_arrays(ug.gallery.elman())
    >>> {d: a.toarray().tolist() for d, a in arrays.items()}
    {0: [[0, 1, 0], [0, 0, 1], [0, 0, 0]], 1: [[0, 0, 0], [0, 1, 0], [0, 0, 0]]}
    """
    from scipy.sparse import coo_array  # noqa: PLC0415  (heavy: loaded on first use)

    graph = as_delay_graph(G, delay)
    n = len(graph.vertices)
    vectors, number = np.unique(graph.delays, axis=0, return_inverse=True)
    arrays = {}
    for k, vector in enumerate(vectors.tolist()):
        edges = np.flatnonzero(number.ravel() == k)
        ones = np.ones(len(edges), dtype=np.int64)
        coo = coo_array((ones, (graph.tails[edges], graph.heads[edges])), shape=(n, n))
        arrays[vector[0] if graph.dimension == 1 else tuple(vector)] = coo.tocsr()
    return arrays


def from_scipy_sparse_arrays(
    arrays: Mapping[Any, Any], vertices: Sequence[Any] | None = None
) -> nx.DiGraph[Any]:
    """Make a delay graph from adjacency arrays, one for each delay.

    Parameters
    ----------
    arrays : mapping from delay to sparse or dense array of shape (n, n)
        Numbers of edges, integers >= 0 of any numeric type.
    vertices : sequence of hashable, optional
        The vertices; default: ``0, ..., n - 1``.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The delay graph, a multigraph if there are parallel edges.

    Raises
    ------
    FormatError
        If the arrays are not square or differ in shape, an entry is not an integer >= 0,
        ``vertices`` does not have n different entries, or a delay is invalid.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.io.from_scipy_sparse_arrays({0: [[0, 1], [0, 0]], 1: [[1, 0], [1, 0]]}, "ab")
    >>> list(G.edges(data="delay"))
    [('a', 'b', 0), ('a', 'a', 1), ('b', 'a', 1)]
    """
    from scipy.sparse import coo_array  # noqa: PLC0415  (heavy: loaded on first use)

    n, names, rows = None, vertices, []
    for time, array in arrays.items():
        coo = coo_array(array)
        n = coo.shape[0] if n is None else n
        if coo.shape != (n, n):
            raise FormatError(
                f"the array of delay {time!r} has the shape {coo.shape}, but all arrays must be "
                "square and of the same shape"
            )
        counts = coo.data.tolist()
        for u, v, count in zip(*(i.tolist() for i in coo.coords), counts, strict=True):
            if isinstance(count, complex) or not count >= 0 or count % 1:
                raise FormatError(
                    f"the array of delay {time!r} has the entry {count!r}, but entries must be "
                    "integers >= 0"
                )
            rows += [(u, v, time)] * int(count)
    names = range(n or 0) if vertices is None else vertices
    if len(names) != (n or 0) or len(set(names)) != len(names):
        raise FormatError(f"vertices must be {n or 0} different names, but is {names!r:.60}")
    return _graph_of(names, [(names[u], names[v], {"delay": time}) for u, v, time in rows])


def to_pandas_edgelist(G: GraphLike, *, delay: str = "delay") -> Any:
    """Return the edge list of a delay graph as a pandas DataFrame.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    pandas.DataFrame
        One row for each edge: ``source``, ``target``, in a multigraph ``key``, the delay and
        the other edge attributes. Isolated vertices and vertex attributes are not included.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> print(ug.io.to_pandas_edgelist(ug.gallery.elman()))
      source target  delay
    0      x      h      0
    1      h      h      1
    2      h      y      0
    """
    import pandas as pd  # noqa: PLC0415  (optional)

    graph = as_delay_graph(G, delay)
    rows = []
    for edge, time, data in zip(graph.edges, graph.times, graph.edge_data, strict=True):
        ends = dict(zip(("source", "target", "key"), edge, strict=False))
        taken = {"source", "target", "key"} & set(data)
        if taken:
            raise FormatError(
                f"the edge attribute {min(taken)!r} has the same name as a column; rename it"
            )
        rows.append({**ends, **data, graph.delay_name: time})
    columns = ["source", "target", *(["key"] if graph.multigraph else []), graph.delay_name]
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    return pd.DataFrame(
        {name: _exact(pd, [row.get(name, np.nan) for row in rows]) for name in names}
    )


def _exact(pd: Any, values: list[Any]) -> Any:
    """Return a column in which pandas does not convert integers to floats."""
    column = pd.Series(values)
    rounded = column.dtype.kind == "f" and any(isinstance(value, int) for value in values)
    return pd.Series(values, dtype=object) if rounded else column


def from_pandas_edgelist(
    table: Any, *, delay: str = "delay", source: str | None = None, target: str | None = None
) -> nx.DiGraph[Any]:
    """Make a delay graph from an edge list in a pandas DataFrame.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each edge, with columns of its ends and optionally its delay, an integer or a
        tuple of integers (0 if missing), and its ``key``. Other columns are edge attributes,
        except missing values.
    delay : str
        Column of the delays, and edge attribute of the delays.
    source, target : str, optional
        Columns of the ends of edges; default: ``source`` or ``from``, and ``target`` or ``to``,
        in any case.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The delay graph, a multigraph if there are keys or parallel edges.

    Raises
    ------
    FormatError
        If a column or an end is missing, an edge occurs twice, or a delay is invalid.
    TypeError
        If ``table`` is not a pandas DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> import unrollgraph as ug
    >>> table = pd.DataFrame({"from": ["a", "b"], "to": ["b", "a"], "lag": [0, 1]})
    >>> list(ug.io.from_pandas_edgelist(table, delay="lag").edges(data="lag"))
    [('a', 'b', 0), ('b', 'a', 1)]
    """
    import pandas as pd  # noqa: PLC0415  (optional)

    if not isinstance(table, pd.DataFrame):
        kind = f"{type(table).__module__.partition('.')[0]}.{type(table).__qualname__}"
        convert = "; convert it with its method to_pandas()" if hasattr(table, "to_pandas") else ""
        raise TypeError(f"expected a pandas.DataFrame, not {kind}{convert}")
    columns = find_columns(list(table.columns), delay, source, target)
    rows = []
    for k, row in enumerate(table.astype(object).to_dict("records")):
        data = {name: value for name, value in row.items() if pd.isna(value) is not True}
        if columns.source not in data or columns.target not in data:
            raise FormatError(f"row {k} lacks a source or a target")
        ends = data.pop(columns.source), data.pop(columns.target)
        if "key" in table.columns and "key" not in data:
            raise FormatError(f"row {k} lacks a key")
        if columns.delay in data:
            data[delay] = whole(
                data.pop(columns.delay)
            )  # integers are floats in a column with missing values
        rows.append((*ends, data))
    return _graph_of((), rows, delay)


def to_periodic_graph(G: GraphLike, *, delay: str = "delay") -> str:
    """Write a delay graph as the text of a net for PeriodicGraphs.jl and Systre.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; it must contain one direction of each edge of the net.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    str
        The dimension, then for each edge its ends and its delay. Vertices are numbered from 1
        in the order of ``G``; names and attributes are not included.

    Raises
    ------
    FormatError
        If a vertex is isolated, an edge occurs twice, or a loop has delay 0.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.io.to_periodic_graph(ug.gallery.diamond())
    '3 1 2 0 0 0 1 2 1 0 0 1 2 0 1 0 1 2 0 0 1'
    """
    graph = as_delay_graph(G, delay)
    ends = list(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True))
    joined = {end for pair in ends for end in pair}
    for k, vertex in enumerate(graph.vertices):
        if k not in joined:
            raise FormatError(
                f"a net cannot have isolated vertices, but {vertex!r} is isolated; remove it"
            )
    _check_net(graph)
    numbers = [
        (u + 1, v + 1, *time) for (u, v), time in zip(ends, graph.delays.tolist(), strict=True)
    ]
    return " ".join(map(str, [graph.dimension, *(x for row in numbers for x in row)]))


def from_periodic_graph(text: str) -> nx.DiGraph[Any]:
    """Read a delay graph from the text of a net of PeriodicGraphs.jl or Systre.

    Parameters
    ----------
    text : str
        Integers: the dimension, then for each edge its ends, counted from 1, and its offset.

    Returns
    -------
    networkx.MultiDiGraph
        Vertices ``1, ..., n`` and one direction of each edge; `with_reverses` adds the other.

    Raises
    ------
    FormatError
        If the text does not have this form.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.io.from_periodic_graph("2 1 1 1 0 1 1 0 1")
    >>> list(G.edges(data="delay"))
    [(1, 1, (1, 0)), (1, 1, (0, 1))]
    >>> ug.is_acyclic(ug.DelayCover(G)), ug.is_acyclic(ug.DelayCover(ug.with_reverses(G)))
    (True, False)
    """
    parts = text.split()
    if not all(_INTEGER.fullmatch(part) for part in parts):
        raise FormatError("the text of a net must consist of integers, such as 2 1 1 1 0 1 1 0 1")
    numbers = list(map(int, parts))
    if not numbers or numbers[0] < 1:
        raise FormatError("the text of a net must begin with its dimension, a positive integer")
    d, rest = numbers[0], numbers[1:]
    if len(rest) % (d + 2):
        raise FormatError(
            f"in dimension {d} each edge has {d + 2} integers, its ends and {d} of its offset, but "
            f"the number of integers after the dimension, {len(rest)}, is not a multiple of {d + 2}"
        )
    rows = [rest[k : k + d + 2] for k in range(0, len(rest), d + 2)]
    met = {x for row in rows for x in row[:2]}
    if met != set(range(1, len(met) + 1)):
        raise FormatError(
            f"the vertices of a net must be 1 to n without gaps, but are {sorted(met)[:9]}"
        )
    G: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    G.add_nodes_from(range(1, len(met) + 1))
    for u, v, *time in rows:
        G.add_edge(u, v, delay=tuple(time) if d > 1 else time[0])
    _check_net(DelayGraph(_checked(G, "delay")))
    return G


def _check_net(graph: DelayGraph) -> None:
    """Raise `FormatError` if an undirected edge occurs twice or a loop has delay 0."""
    met = set()
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), strict=True)
    for (u, v), time, edge in zip(ends, graph.delays.tolist(), graph.edges, strict=True):
        forth, back = (u, v, *time), (v, u, *(-x for x in time))
        if forth in met or back in met or forth == back:
            raise FormatError(
                "a net must contain each edge once, in one direction, and no loop of delay 0; "
                f"remove the edge {edge!r} of delay {tuple(time)}"
            )
        met.add(forth)


def _graph_of(
    vertices: Sequence[Any], rows: list[Any], delay: str = "delay", *, keyed: bool = False
) -> nx.DiGraph[Any]:
    """Make a graph of rows ``(source, target, data)``, where data may contain a key."""
    parallel = keyed or any("key" in data for *_, data in rows)
    parallel = parallel or len({(u, v) for u, v, _ in rows}) < len(rows)
    G: Any = nx.MultiDiGraph() if parallel else nx.DiGraph()
    G.add_nodes_from(vertices)
    for u, v, row in rows:
        data = dict(row)
        key = [data.pop("key")] if "key" in data else []
        if key and G.has_edge(u, v, *key):
            raise FormatError(f"the edge {(u, v, *key)!r} occurs twice; remove one")
        added = G.add_edge(u, v, *key)
        G.edges[(u, v, added) if parallel else (u, v)].update(data)
    return _checked(G, delay)


def _checked(G: Any, delay: str) -> nx.DiGraph[Any]:
    try:
        as_delay_graph(G, delay)
    except DelayError as error:
        raise FormatError(str(error)) from None
    made: nx.DiGraph[Any] = G
    return made
