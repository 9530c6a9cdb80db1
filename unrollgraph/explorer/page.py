"""An interactive page that shows a walk on a graph and its lifts to covers.

`explore` computes the data of the page: the base graph, four covers and the maps between them,
retimings of the graph, and a run of a small network over the window. The script of the page draws
them and computes only the lifts of walks. The page is one file that loads no other; in a notebook
it is shown in a frame, or as a widget that shares its walk with Python.
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
from unrollgraph.cover.windows import WindowLike
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw.layout import fibre_colors
from unrollgraph.draw.render import MOST_EDGES, check_few
from unrollgraph.draw.scene import Formula, on
from unrollgraph.draw.style import Style, as_labels
from unrollgraph.explorer.data import (
    Data,
    as_hex,
    base_panel,
    edge_colors,
    homes,
    level_data,
    network_over,
    other_clocks,
    session,
)
from unrollgraph.explorer.levels import images, storeys_of
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, known
from unrollgraph.graph.digraph import strong_components
from unrollgraph.io.files import check_suffix, write_whole
from unrollgraph.nn import Network


def widget_of(data: dict[str, Any], module: str, style: str) -> Any:
    """Make a widget from the data, the script and the style of a page."""
    try:
        import anywidget  # noqa: PLC0415  (an extra)
        import traitlets  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            "a widget needs anywidget; install it with pip install 'unrollgraph[notebook]'"
        ) from error

    class ExplorerWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """Widget with a walk, as the number of its first vertex and pairs of edge and sign."""

        _esm = module
        _css = style
        spec = traitlets.Dict().tag(sync=True)
        start = traitlets.Int().tag(sync=True)
        walk: Any = traitlets.List().tag(sync=True)

        @traitlets.validate("start")  # type: ignore[untyped-decorator, unused-ignore]
        def _is_vertex(self, proposal: Any) -> Any:
            if not 0 <= proposal.value < len(data["base"]["names"]):
                raise traitlets.TraitError(
                    f"invalid start={proposal.value}: must be the number of a vertex"
                )
            return proposal.value

        @traitlets.validate("walk")  # type: ignore[untyped-decorator, unused-ignore]
        def _joins(self, proposal: Any) -> Any:
            arcs, here = data["base"]["arcs"], None
            for step in proposal.value:
                edge, sign = step if len(step) == 2 else (None, 0)
                if edge not in range(len(arcs)) or sign not in (1, -1):
                    raise traitlets.TraitError(
                        f"invalid step {step!r}: give the number of an edge, and 1 or -1"
                    )
                ends = [arcs[edge]["tail"], arcs[edge]["head"]][::sign]
                if here is not None and ends[0] != here:
                    raise traitlets.TraitError(
                        f"the walk is not connected: step {step!r} does not start where the step "
                        "before it ends"
                    )
                here = ends[1]
            if proposal.value:
                first, sign = proposal.value[0]
                self.start = arcs[first]["tail" if sign > 0 else "head"]
            return proposal.value

    return ExplorerWidget(spec=data, start=data["root"])


_SCRIPTS = ("lift.js", "trip.js", "words.js", "panel.js", "running.js", "explorer.js")


@dataclass(frozen=True)
class Explorer:
    """An interactive page, to be saved or shown in a notebook.

    It has the attributes ``title`` (str) and ``data`` (dict in JSON form).
    """

    title: str
    data: Data = field(repr=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to one HTML file that loads no other file.

        Parameters
        ----------
        path : path
            File with the suffix ``.html``.

        Raises
        ------
        FormatError
            If the suffix is not ``.html``.
        OSError
            If the file cannot be written; an existing file is then unchanged.

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
        """Return the page as a string."""
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
            The trait ``walk`` is a list of pairs of the number of an edge in ``G.edges`` and 1, or
            -1 against its direction; ``start`` is the number in ``G`` of the first vertex.

        Raises
        ------
        ImportError
            If anywidget is not installed; install the extra ``notebook``.
        """
        return widget_of(self.data, _module(), _asset("explorer.css"))

    def _json(self) -> str:
        """JSON of the data, with escapes so that no name can end the script element."""
        text = json.dumps(self.data, ensure_ascii=True, separators=(",", ":"))
        return text.replace("<", "\\u003c")


def explore(  # noqa: PLR0913  (options of a picture)
    G: GraphLike,
    *,
    window: WindowLike | None = None,
    sheets: int = 3,
    root: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    title: str = "Walk the graph, watch it unroll",
    delay: str = "delay",
) -> Explorer:
    """Make an interactive page that shows walks on a delay graph and their lifts.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph. The page runs it as a network (default operation: one unit per vertex).
    window : range, int or tuple, optional
        Times of the delay cover to show (default: 5; for delays in Z^d, 3 or 4 on each axis).
    sheets : int
        Number of sheets of the cyclic cover on each axis.
    root : vertex, optional
        Start of the walk, and root of the universal cover (default: a vertex on a cycle, if any).
    labels, palette, delay
        See `rolled`; labels without formulas.
    title : str
        Title of the page.

    Returns
    -------
    Explorer
        Save it with ``.save("page.html")``, show it in a notebook, or make a ``.widget()``.

    Raises
    ------
    ValueError
        If there are no vertices, ``root`` is not a vertex, or a picture has over 2000 edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> page = ug.explorer.explore(ug.gallery.seed_network(), window=4)
    >>> [cover["name"] for cover in page.data["covers"]]
    ['Universal cover', 'Maximal abelian cover', 'Delay cover', 'Cyclic cover, 3 sheets']
    """
    net = G if isinstance(G, Network) else None
    graph = net.delay_graph if net is not None else as_delay_graph(G, delay)
    check_few(graph.base, MOST_EDGES, mend="explore a smaller graph")
    style = Style(_in_words(as_labels(labels)), palette, abreast=1, pills=False)
    start = _root(graph, root)
    axes = _window(graph, window)
    U = unroll(graph, axes)
    flat = graph.dimension <= 2  # otherwise a ball is shown instead of the window
    if flat:
        check_few(U, MOST_EDGES, mend="explore a smaller window")
    count = (sheets,) * graph.dimension
    around = cyclic_cover(graph, count if graph.dimension > 1 else sheets)
    check_few(around, MOST_EDGES, mend="explore fewer sheets")
    levels = storeys_of(graph, axes, count, start, style)
    onto = images(graph, levels)
    number = {node: k for k, node in enumerate(levels[2].vertices)}
    run = (net or network_over(graph)) if flat else None
    below = rolled_scene(graph, style)
    data = {
        "base": {
            **base_panel(graph, below),
            "names": [style.label(v) for v in graph.vertices],
        },
        "covers": [level_data(graph, level, onto) for level in levels],
        "home": homes(graph, levels, onto),
        "root": graph.number[start],
        "delays": [str(d) for d in graph.times],
        "colors": _colors(graph, palette),
        "clocks": list(other_clocks(graph, axes, levels[2], style)),
        "network": session(run, U, number) if run is not None else None,
    }
    return Explorer(title, data)


def _in_words(labels: Mapping[Any, str]) -> Mapping[Any, str]:
    for vertex, words in labels.items():
        if isinstance(words, Formula):
            raise ValueError(
                f"invalid label '${words}$' for {vertex!r}: the explorer cannot set formulas; "
                "write it as text, for example 'α₁'"
            )
    return labels


def _root(graph: DelayGraph, root: Any) -> Any:
    """Return the root (default: the first vertex on a cycle, or else the first vertex)."""
    if root is not None:
        if not known(root, graph.number):
            raise ValueError(f"root={root!r} is not a vertex of the graph")
        return root
    part = strong_components(len(graph.vertices), graph.tails, graph.heads)
    inside = graph.tails[part[graph.tails] == part[graph.heads]]
    return graph.vertices[int(inside.min(initial=len(graph.vertices))) if len(inside) else 0]


def _window(graph: DelayGraph, window: Any) -> Any:
    if window is None:
        steps = 5 if graph.dimension == 1 else 4 if len(graph.vertices) < 3 else 3
        window = steps if graph.dimension == 1 else (steps,) * graph.dimension
    return unroll(graph, window).window


# -- colors ------------------------------------------------------------------------------------


def _colors(graph: DelayGraph, palette: Any) -> Data:
    fill = fibre_colors(graph, palette)
    return {
        "vertices": [[as_hex(fill[v]), as_hex(on(fill[v]))] for v in graph.vertices],
        "edges": edge_colors(graph),
    }


# -- files --------------------------------------------------------------------------------------


def _asset(name: str) -> str:
    return (files("unrollgraph.explorer") / "script" / name).read_text(encoding="utf-8")


def _module() -> str:
    return "\n".join(map(_asset, _SCRIPTS))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
