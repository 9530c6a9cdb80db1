"""The explorer as a widget of Jupyter, by anywidget: its walk is shared with Python."""

from __future__ import annotations

from typing import Any


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
