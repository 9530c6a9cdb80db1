"""The explorer as a widget of Jupyter, by anywidget: its walk is shared with Python."""

from __future__ import annotations

from typing import Any

__all__ = ["widget_of"]


def widget_of(data: dict[str, Any], module: str, style: str) -> Any:
    """Make a widget of what a page shows, of its script and its style."""
    try:
        import anywidget  # noqa: PLC0415  (an extra)
        import traitlets  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            "a widget needs anywidget; install it with pip install 'unrollgraph[notebook]'"
        ) from error

    class ExplorerWidget(anywidget.AnyWidget):
        """A walk on the base, by the numbers of its first vertex and of its edges."""

        _esm = module
        _css = style
        spec = traitlets.Dict().tag(sync=True)
        start = traitlets.Int().tag(sync=True)
        walk: Any = traitlets.List().tag(sync=True)

    return ExplorerWidget(spec=data, start=data["root"])
