"""A page on which one walks below and sees the lift climb above.

`explore` gathers what the page shows: the base, four storeys of covers over it and the maps between
them, other clocks for the same cover, and a small network run through the window. The script draws
that and answers clicks, touches and keys. Of mathematics it computes one thing, the lift of a walk;
every other number on the page was computed here.

The page is one file that loads nothing. In a notebook it is shown in a frame of its own, or, as an
anywidget, shares its walk with Python.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from unrollgraph.cover._unroll import cyclic_cover, unroll
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw.layout import fibre_colours
from unrollgraph.draw.render import MOST_EDGES, as_labels, check_few
from unrollgraph.draw.scene import Formula, on
from unrollgraph.errors import show_vertex
from unrollgraph.explorer.data import (
    Data,
    as_hex,
    base_panel,
    edge_colours,
    homes,
    network_over,
    other_clocks,
    session,
    told,
)
from unrollgraph.explorer.levels import images, storeys_of
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.digraph import strong_components
from unrollgraph.io.files import check_suffix, write_whole
from unrollgraph.nn import Network


def widget_of(data: dict[str, Any], module: str, style: str) -> Any:
    """Make a widget of what a page shows, of its script and its style."""
    try:
        import anywidget  # noqa: PLC0415  (an extra)
        import traitlets  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            "a widget needs anywidget; install it with pip install 'unrollgraph[notebook]'"
        ) from error

    class ExplorerWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """A walk on the base, by the numbers of its first vertex and of its edges."""

        _esm = module
        _css = style
        spec = traitlets.Dict().tag(sync=True)
        start = traitlets.Int().tag(sync=True)
        walk: Any = traitlets.List().tag(sync=True)

        @traitlets.validate("start")  # type: ignore[untyped-decorator, unused-ignore]
        def _is_vertex(self, proposal: Any) -> Any:
            if not 0 <= proposal.value < len(data["base"]["names"]):
                raise traitlets.TraitError(f"start is {proposal.value}, which numbers no vertex")
            return proposal.value

        @traitlets.validate("walk")  # type: ignore[untyped-decorator, unused-ignore]
        def _joins(self, proposal: Any) -> Any:
            arcs, here = data["base"]["arcs"], None
            for step in proposal.value:
                edge, sign = step if len(step) == 2 else (None, 0)
                if edge not in range(len(arcs)) or sign not in (1, -1):
                    raise traitlets.TraitError(
                        f"{step!r} is no step; write the number of an edge, and 1 or -1"
                    )
                ends = [arcs[edge]["tail"], arcs[edge]["head"]][::sign]
                if here is not None and ends[0] != here:
                    raise traitlets.TraitError(f"the walk does not join at {step!r}")
                here = ends[1]
            if proposal.value:
                first, sign = proposal.value[0]
                self.start = arcs[first]["tail" if sign > 0 else "head"]
            return proposal.value

    return ExplorerWidget(spec=data, start=data["root"])


_SCRIPTS = ("lift.js", "trip.js", "words.js", "panel.js", "running.js", "explorer.js")


@dataclass(frozen=True)
class Explorer:
    """An interactive page: save it, or show it in a notebook.

    Attributes
    ----------
    title : str
        What stands above it.
    data : dict
        All that the page shows, as JSON has it.
    """

    title: str
    data: Data = field(repr=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one file that needs no other and no network.

        Parameters
        ----------
        path : path
            A file whose suffix is ``.html``.

        Raises
        ------
        FormatError
            If the suffix is another.
        OSError
            If the file cannot be written; what stood there before still does.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> import unrollgraph as ug
        >>> page = Path(mkdtemp()) / "seed.html"
        >>> ug.explorer.explore(ug.gallery.seed_network()).save(page)
        >>> page.read_text(encoding="utf-8").startswith("<!doctype html>")
        True
        """
        check_suffix(path, ".html", "an explorer's page")
        write_whole(path, self.to_html().encode("utf-8"))

    def to_html(self) -> str:
        """Return the page as text."""
        style = _asset("page.css") + _asset("explorer.css")
        script = f"{_module()}\nmount(document.querySelector('main > div'), {self._json()});\n"
        rule = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
        title = html.escape(self.title)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{rule}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
            f"<main>\n<h1>{title}</h1>\n<div></div>\n</main>\n"
            f'<script type="module">{script}</script>\n</body>\n</html>\n'
        )

    def _repr_html_(self) -> str:
        page = html.escape(self.to_html(), quote=True)
        return (
            f'<iframe title="{html.escape(self.title, quote=True)}" sandbox="allow-scripts" '
            f'style="width: 100%; height: 860px; border: 0" srcdoc="{page}"></iframe>'
        )

    def widget(self) -> Any:
        """Return a widget whose ``walk`` and ``start`` can be read and set from Python.

        Returns
        -------
        anywidget.AnyWidget
            Its trait ``walk`` is a list of pairs of the number of an edge, in the order of
            ``G.edges``, and of 1 or -1, where it was taken against its direction; ``start`` is
            the number of the vertex at which the walk begins, in the order of ``G``.

        Raises
        ------
        ImportError
            If anywidget is not installed; it comes with the extra ``notebook``.
        """
        return widget_of(self.data, _module(), _asset("explorer.css"))

    def _json(self) -> str:
        """The data, such that no vertex can end the script that holds it."""
        text = json.dumps(self.data, ensure_ascii=True, separators=(",", ":"))
        return text.replace("<", "\\u003c")


def explore(  # noqa: PLR0913  (options of a picture)
    G: Any,
    *,
    window: Any = None,
    sheets: int = 3,
    root: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    title: str = "Walk the graph, watch it unroll",
    delay: str = "delay",
) -> Explorer:
    """Make an interactive page: walk on a delay graph and see the lift climb in its covers.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph, DelayGraph or nn.Network
        What to walk on. If all its vertices carry operations, or it is a network, that network is
        run on the page; else one in which each vertex is a single unit.
    window : int, range or tuple of them, optional
        The window of the delay cover that is shown; five steps unless given, and in Z^d three
        or four along each axis.
    sheets : int
        The number of sheets of the cyclic cover, along each axis.
    root : vertex, optional
        Where the walk begins at first, and the universal cover grows from: unless given a vertex
        on a cycle, if there is one.
    labels, palette
        As for `rolled`.
    title : str
        What stands above the page.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Explorer
        Save it with ``.save("page.html")``; in a notebook it shows itself, and ``.widget()``
        shares the walk with Python.

    Raises
    ------
    ValueError
        If there are no vertices, more edges than can be told apart, or ``root`` is no vertex.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> page = ug.explorer.explore(ug.gallery.seed_network(), window=4)
    >>> [cover["name"] for cover in page.data["covers"]]
    ['Universal cover', 'Maximal abelian cover', 'Delay cover', 'Cyclic cover, 3 sheets']
    """
    net = G if isinstance(G, Network) else None
    graph = net.graph if net is not None else as_delay_graph(G, delay)
    check_few(graph.base, MOST_EDGES, mend="explore a smaller graph")
    style = _in_words(as_labels(labels)), palette
    start = _root(graph, root)
    axes = _window(graph, window)
    U = unroll(graph, axes)
    flat = graph.dimension <= 2  # else a ball is shown, and no window
    if flat:
        check_few(U, MOST_EDGES, mend="explore a smaller window")
    count = (sheets,) * graph.dimension
    around = cyclic_cover(graph, count if graph.dimension > 1 else sheets)
    check_few(around, MOST_EDGES, mend="explore fewer sheets")
    storeys = storeys_of(graph, axes, count, start, style)
    onto = images(graph, storeys)
    number = {node: k for k, node in enumerate(storeys[2].vertices)}
    run = (net or network_over(graph)) if flat else None
    below = rolled_scene(graph, *style)
    data = {
        "base": {
            **base_panel(graph, below),
            "names": [style[0].get(v, show_vertex(v)) for v in graph.vertices],
        },
        "covers": [told(graph, storey, onto) for storey in storeys],
        "home": homes(graph, storeys, onto),
        "root": graph.number[start],
        "delays": [str(d) for d in graph.times],
        "colours": _colours(graph, palette),
        "clocks": list(other_clocks(graph, axes, storeys[2], style)),
        "network": session(run, U, number) if run is not None else None,
    }
    return Explorer(title, data)


def _in_words(labels: Mapping[Any, str]) -> Mapping[Any, str]:
    """Refuse formulas, which a page does not set."""
    for vertex, words in labels.items():
        if isinstance(words, Formula):
            raise ValueError(
                f"labels= gives {vertex!r} the formula '${words}$', but a page sets none; write it "
                "as a word, for example 'α₁'"
            )
    return labels


def _root(graph: DelayGraph, root: Any) -> Any:
    """The vertex given, or the first on a cycle, or the first."""
    if root is not None:
        if not known(root, graph.number):
            raise ValueError(f"the root {show_vertex(root)} is no vertex of the graph")
        return root
    part = strong_components(len(graph.vertices), graph.tails, graph.heads)
    inside = graph.tails[part[graph.tails] == part[graph.heads]]
    return graph.vertices[int(inside.min(initial=len(graph.vertices))) if len(inside) else 0]


def _window(graph: DelayGraph, window: Any) -> Any:
    """The window given, or one that fits on a page, as ranges."""
    if window is None:
        steps = 5 if graph.dimension == 1 else 4 if len(graph.vertices) < 3 else 3
        window = steps if graph.dimension == 1 else (steps,) * graph.dimension
    return unroll(graph, window).window


# -- colours ------------------------------------------------------------------------------------


def _colours(graph: DelayGraph, palette: Any) -> Data:
    """Of each vertex the fill and the letters on it; of each edge the line, by day and by night."""
    fill = fibre_colours(graph, palette)
    return {
        "vertices": [[as_hex(fill[v]), as_hex(on(fill[v]))] for v in graph.vertices],
        "edges": edge_colours(graph),
    }


# -- files --------------------------------------------------------------------------------------


def _asset(name: str) -> str:
    return (files("unrollgraph.explorer") / "script" / name).read_text(encoding="utf-8")


def _module() -> str:
    """The script: its parts in order, one module."""
    return "\n".join(map(_asset, _SCRIPTS))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
