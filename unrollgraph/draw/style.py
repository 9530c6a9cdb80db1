"""Style of a picture: labels, colors of vertices, and sizes for the width at which it is printed.

A label is set inside its disc if letters of 9 points fit there at the natural size. Otherwise the
disc is stretched to a pill, and the label is broken into at most 3 lines after ``_``, ``.`` and
spaces and before capitals. No letters are smaller than 6 points at the printed width. `fitted`
chooses the largest scale for which a picture has that width. If a picture is too wide at every
scale, `fitted` omits copies outside the window, then time steps; then it puts fewer vertices side
by side, and then it replaces names by short keys.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import Any, Literal, TypeAlias

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.mathtext import MathTextParser
from matplotlib.textpath import TextPath

from unrollgraph.draw.scene import (
    INCH,
    INK,
    PAPER,
    Color,
    Disc,
    Formula,
    Scene,
    Text,
    extent,
    text_width,
)
from unrollgraph.errors import show_kind, show_vertex

Width: TypeAlias = Literal["column", "text", "slide"] | float

RADIUS = 0.27  # of a disc; the unit of length is the distance of rows
COLUMN = 1.6  # natural distance of columns
WIDTHS = {"column": (3.35, 6.0), "text": (7.0, 6.0), "slide": (10.0, 10.0)}  # inches, least letters
_WIDEST = 10.0  # inches; the default width is at most this
_LETTER = 6.0  # least size of letters in points
_BIG, _SMALL = 0.3, 0.2  # largest and preferred least size of letters in units
_INDEX = 0.7  # size of an index, as a share of the size of its label
_GAP = 0.14  # between label and index, as a multiple of the size of the label
_LINE = 1.22  # distance of lines, as a multiple of the size of letters
_MARK = re.compile(r"_(\{[^{}]*\}|\\?\w+)$")  # subscript at the end of a formula
_LOW = "₀₁₂₃₄₅₆₇₈₉"


@dataclass(frozen=True)
class Style:
    """Labels, palette and sizes of a picture."""

    labels: Mapping[Any, str] = field(default_factory=dict)
    palette: Any = None
    unit: float = INCH  # inches per unit of length
    letter: float = _LETTER  # least size of letters in points
    column: float = COLUMN  # least distance of columns
    abreast: int = 5  # most vertices side by side in a time step
    steps: int | None = None  # most columns of a window; None if the picture has no columns
    keys: Mapping[Any, str] = field(default_factory=dict)  # short keys in place of labels
    ghosts: bool = True  # whether copies outside a window may be shown
    pills: bool = True
    at_rows: bool = False  # all names at their rows, and none in discs

    @property
    def least(self) -> float:
        """Least size of letters in units."""
        return self.letter / (72 * self.unit)

    def label(self, vertex: Any) -> str:
        """Label of a vertex."""
        return self.keys.get(vertex) or self.labels.get(vertex, plain(vertex))

    def disc(
        self,
        key: Any,
        at: tuple[float, float],
        fill: Color,
        label: str = "",
        index: str = "",
    ) -> Disc:
        """Disc or pill in which a label fits; without pills, letters may be small."""
        if not self.pills:
            size = min(_BIG, 1.48 * RADIUS / max(_line_width(label, index, (1.0, 0.66)), 0.1))
            return Disc(key, at, RADIUS, fill, label, index, sizes=(size, 0.66 * size))
        if self.keys:
            index = "" if label else index  # the columns and spokes are numbered
        fit = fit_label(label, index.replace("-", "\N{MINUS SIGN}"), self.least)
        if fit.index and self.steps is not None and fit.sizes[1] > 0.85 * fit.sizes[0]:
            fit = fit_label(label, "", self.least)  # an index so large would read as part of it
        return Disc(key, at, RADIUS, fill, fit.label, fit.index, False, fit.wide, fit.sizes)

    def shows(self, label: str, index: str) -> bool:
        """Whether a disc with this label shows this index."""
        both = self.disc(None, (0.0, 0.0), PAPER, label, index)
        alone = self.disc(None, (0.0, 0.0), PAPER, label)
        return (both.label, both.index) != (alone.label, alone.index)


def plain(vertex: Any) -> str:
    """Text of a vertex; a tuple has commas between its entries and no quotes."""
    if not isinstance(vertex, tuple) or not vertex:
        return show_vertex(vertex)
    parts = (f"({plain(v)})" if isinstance(v, tuple) else plain(v) for v in vertex)
    return ",".join(parts)


# -- labels in discs --------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """How a label and an index are set in a disc."""

    label: str
    index: str
    wide: float
    sizes: tuple[float, float]


def fit_label(label: str, index: str, least: float) -> Fit:
    """Set a label and an index in a disc or, with letters of at least ``least``, in a pill."""
    if index and isinstance(label, Formula):
        label, index = _subscripted(label, index), ""
    elif index and label and label[-1] in _LOW:
        index = "," + index
    if not label:
        label, index = index, ""
    # digits have one width, so numbers of the same length are set in the same way
    number = not isinstance(label, Formula) and label.isdigit()
    fit = _fit(_zeros(label) if number else label, _zeros(index), least, _fonts())
    return Fit(label if number else fit.label, index, fit.wide, fit.sizes)


def _zeros(words: str) -> str:
    return re.sub(r"\d", "0", words)


def _fonts() -> tuple[str, ...]:
    """Settings of matplotlib on which the width of a text depends."""
    return (*rcParams["font.family"], rcParams["mathtext.fontset"])


@lru_cache(maxsize=4096, typed=True)  # a Formula is not the same text
def _fit(label: str, index: str, least: float, fonts: tuple[str, ...]) -> Fit:  # noqa: ARG001
    if not label:
        return Fit("", "", 0.0, (_BIG, _BIG))
    small = max(_SMALL, least)
    high = isinstance(label, Formula) and re.search(r"\^|\\(tilde|hat|bar)", label)
    big = max(small, 0.25) if high else _BIG  # space for superscripts and accents
    steps = 8 if small < big else 0
    deep = 0.45 if re.search("[gjpqy,()]", label) else 0.37  # letters below the line
    for k in range(steps + 1):
        size = big + (small - big) * k / steps if steps else small
        sizes = size, max(_INDEX * size, least)
        if _line_width(label, index, sizes) <= 1.64 * math.sqrt(
            max(RADIUS**2 - (deep * size) ** 2, 0.0)
        ):
            return Fit(label, index, 0.0, sizes)
    sizes = small, max(_INDEX * small, least)
    most = max(1, min(3, int(2.06 * RADIUS / (small * _LINE))))
    lines = broken(label, most)
    half = max((len(lines) - 0.3) * _LINE / 2, deep) * small
    chord = math.sqrt(max(RADIUS**2 - half**2, 0.0))
    width = max(
        _line_width(line, index if k == len(lines) - 1 else "", sizes)
        for k, line in enumerate(lines)
    )
    words = label if len(lines) == 1 else "\n".join(lines)
    return Fit(words, index, float(max(0.0, width / 2 + 0.04 - chord)), sizes)


def _subscripted(label: Formula, index: str) -> Formula:
    """Formula with one more subscript, under a superscript at its end."""
    index = index.replace("\N{MINUS SIGN}", "-")
    if mark := _MARK.search(label):
        own = mark[1].strip("{}")
        return Formula(f"{label[: mark.start()]}_{{{own},{index}}}")
    return Formula(f"{label}_{{{index}}}")


def _line_width(label: str, index: str, sizes: tuple[float, float]) -> float:
    gap = _GAP * sizes[0] if index else 0.0
    return sizes[0] * measured(label, "bold") + gap + sizes[1] * measured(index, "normal")


def broken(name: str, most: int) -> list[str]:
    """Break a name into at most ``most`` lines, with the longest line as short as possible."""
    if isinstance(name, Formula):
        return [name]
    parts = [part for part in re.findall(r".+?(?:[_.\s]+|(?<=[a-z])(?=[A-Z])|$)", name) if part]
    best = [name]
    for k in range(2, min(most, len(parts)) + 1):
        for lines in _splits(parts, k):
            if max(map(len, lines)) < max(map(len, best)):
                best = lines
    return [line.strip() or line for line in best]


def _splits(parts: Sequence[str], lines: int) -> Iterator[list[str]]:
    if lines == 1:
        yield ["".join(parts)]
        return
    for k in range(1, len(parts) - lines + 2):
        yield from (["".join(parts[:k]), *rest] for rest in _splits(parts[k:], lines - 1))


def lettering(disc: Disc) -> Iterator[tuple[tuple[float, float], str, float, str]]:
    """Position, text, size and weight of the lines of a label and of its index."""
    if not disc.label:
        return
    size, low = disc.sizes
    lines = [disc.label] if isinstance(disc.label, Formula) else disc.label.split("\n")
    x, y = disc.at
    for k, line in enumerate(lines):
        index = disc.index if k == len(lines) - 1 else ""
        base = y - 0.36 * size + ((len(lines) - 1) / 2 - k) * _LINE * size
        start = x - _line_width(line, index, disc.sizes) / 2
        own, under = size * measured(line, "bold"), low * measured(index, "normal")
        yield (start + own / 2, base), line, size, "bold"
        if index:
            at = start + own + _GAP * size + under / 2
            yield (at, base - 0.16 * size), index, low, "normal"


def written(words: str) -> str:
    """Text for matplotlib: a formula between dollar signs, other text with dollar signs escaped."""
    return f"${words}$" if isinstance(words, Formula) else words.replace("$", r"\$")


def no_formula(words: str) -> str:
    """Reason why matplotlib cannot set a formula; empty if it can."""
    try:
        MathTextParser("path").parse(words)
    except ValueError as error:
        return str(error).strip().splitlines()[-1].removeprefix("ParseFatalException: ")
    return ""


def measured(words: str, weight: str) -> float:
    """Width of a text of size 1."""
    if not words.strip():
        return 0.2 * bool(words)  # blanks have no outlines
    return _measured(written(words), weight, font_families(words), _fonts())


@lru_cache(maxsize=4096)
def _measured(
    words: str,
    weight: str,
    families: tuple[str, ...],
    fonts: tuple[str, ...],  # noqa: ARG001  (a key of the cache)
) -> float:
    font = FontProperties(family=list(families), weight=weight)
    return max(TextPath((0, 0), words, size=100, prop=font).get_extents().width / 100, 0.2)


def font_families(words: str) -> tuple[str, ...]:
    """Families of the fonts for a text: the current one, and one with the characters it lacks."""
    own = tuple(rcParams["font.family"])
    return own if words.isascii() else own + _fallback(words, own)


@lru_cache(maxsize=1024)
def _fallback(words: str, families: tuple[str, ...]) -> tuple[str, ...]:
    known = get_font(findfont(FontProperties(family=list(families)))).get_charmap()
    lacking = {ord(letter) for letter in words if letter.isprintable()} - known.keys()
    if not lacking:
        return ()
    for font in sorted(fontManager.ttflist, key=lambda font: (font.style != "normal", font.name)):
        if "Last Resort" in font.name:
            continue  # shows the code of a character
        if lacking <= get_font(font.fname).get_charmap().keys():
            return (font.name,)
    letters = "".join(sorted(map(chr, lacking)))
    warnings.warn(
        f"no installed font has the characters {letters!r}, so they are drawn as boxes; install "
        "one, such as Noto Sans CJK, or pass other labels",
        stacklevel=2,
    )
    return ()


def as_labels(labels: Any) -> Mapping[Any, str]:
    """Check labels, and make a Formula of each one between dollar signs."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise TypeError(
            f"labels must be a mapping from vertices to strings, not {show_kind(labels)}; "
            "write for example labels={'A': 'input'}"
        )
    for vertex, words in labels.items():
        if not isinstance(words, str):
            raise TypeError(
                f"invalid label {words!r} for {vertex!r}: labels must be strings; write "
                f"{str(words)!r}"
            )
        if not words.isprintable():
            raise ValueError(
                f"invalid label {words!r} for {vertex!r}: labels must be one line of printable text"
            )
    return {vertex: _set(vertex, words) for vertex, words in labels.items()}


def _set(vertex: Any, words: str) -> str:
    if len(words) < 3 or words[0] != "$" or words[-1] != "$":
        return words
    if reason := no_formula(words):
        raise ValueError(
            f"invalid label {words!r} for {vertex!r}: matplotlib cannot set this formula "
            f"({reason}); correct it, or remove the dollar signs"
        )
    return Formula(words[1:-1])


# -- short keys --------------------------------------------------------------------------------


def short_keys(names: Sequence[str]) -> list[str]:
    """Different keys of a few letters: the initials of the parts of each name."""
    found: list[str] = []
    for name in names:
        parts = re.findall(r"\d+|[^\W\d_](?:[^\W\d_A-Z]|(?<=[A-Z])[A-Z])*", name) or [name]
        key = name if len(name) <= 3 else "".join(part[0] for part in parts)[:3]
        if key in found or (key in names and key != name):
            key = next(k for n in range(2, len(names) + 3) if (k := key[:2] + str(n)) not in found)
        found.append(key)
    return found


def with_keys(style: Style, vertices: Iterable[Any]) -> Style:
    """Style with a short key in place of each longer name."""
    named = {v: style.label(v) for v in vertices}
    words = [name for name in named.values() if not isinstance(name, Formula)]
    keys = dict(zip(words, short_keys(words), strict=True))
    return replace(style, keys={v: keys[name] for v, name in named.items() if name in keys})


def list_of_keys(style: Style, box: tuple[float, float, float, float]) -> Scene:
    """Lines of keys and names below a picture."""
    size = max(_SMALL, style.least)
    left, y, right, _ = box
    x, texts = left + 0.1, []
    for v, key in style.keys.items():
        name = style.labels.get(v, plain(v))
        if name == key:
            continue
        entry = Text((x, y), f"{key}  {name}", INK, size, "left")
        step = text_width(entry) + 2 * size
        if x + step > right + 2 * size and x > left + 0.1:
            x, y = left + 0.1, y - 1.3 * size
            entry = replace(entry, at=(x, y))
        texts.append(entry)
        x += step
    return Scene(texts=tuple(texts))


# -- sizes for a printed width --------------------------------------------------------------------

# largest scale first: inches per unit (as a share of the natural one) and distance of columns
_SCALES = [(1.0, 1.6), (0.92, 1.4), (0.84, 1.25), (0.76, 1.15), (0.68, 1.1), (0.6, 1.05)]
_SCALES += [(0.54, 1.05), (0.49, 1.05), (0.45, 1.0), (0.41, 1.0), (0.37, 1.0), (0.34, 1.0)]


@dataclass(frozen=True)
class Room:
    """Space for a picture in inches, and the least size of its letters in points."""

    width: float
    height: float = math.inf
    letter: float = _LETTER
    exact: bool = False  # raise ValueError if the picture does not fit, and have this width


def room_of(width: Any, ax: Any) -> Room:
    """Space for a picture of a given width, on given axes or else in a new figure."""
    if width is None:
        if ax is None:
            return Room(_WIDEST)
        box, dpi = ax.get_window_extent(), ax.figure.dpi
        return Room(box.width / dpi, box.height / dpi)
    if isinstance(width, str) and width in WIDTHS:
        return Room(WIDTHS[width][0], letter=WIDTHS[width][1], exact=True)
    if isinstance(width, str) or not isinstance(width, int | float) or not 0 < width < math.inf:
        names = ", ".join(map(repr, WIDTHS))
        raise ValueError(f"invalid width={width!r}: must be {names}, or a number of inches > 0")
    return Room(float(width), exact=True)


def fitted(
    build: Callable[[Style], Scene], style: Style, room: Room, vertices: Sequence[Any]
) -> tuple[Scene, Style]:
    """Build a picture with the largest letters that fit in a space, and return its style."""
    style = replace(style, letter=room.letter)
    natural = build(style)
    if _fits(natural, style, room):
        return natural, style
    needed = math.inf
    smallest = replace(style, unit=_SCALES[-1][0] * INCH, column=_SCALES[-1][1])
    for attempts in _attempts(smallest, vertices):
        # if the one of least width does not fit, the others do not either
        scene = _keyed(build(attempts[-1]), attempts[-1])
        if not _fits(scene, attempts[-1], room):
            left, _, right, _ = extent(scene)
            needed = min(needed, (right - left) * smallest.unit)
            continue
        for attempt in attempts:
            scene = _keyed(build(attempt), attempt)
            if _fits(scene, attempt, room):
                return _largest(build, attempt, room)
    if room.exact:
        raise ValueError(
            f"this picture needs a width of {needed:.1f} inches for letters of {room.letter:g} "
            f"points, but width is {room.width:g}; make it wider, or draw a smaller graph or "
            "fewer time steps"
        )
    return natural, style


def _largest(build: Callable[[Style], Scene], style: Style, room: Room) -> tuple[Scene, Style]:
    """Build a picture at the largest scale at which it fits; it does at the smallest."""
    low, high = 0, len(_SCALES) - 1
    found: tuple[Scene, Style] | None = None
    while low < high or found is None:
        middle = (low + high) // 2
        share, column = _SCALES[middle]
        larger = replace(style, unit=share * INCH, column=column)
        scene = _keyed(build(larger), larger)
        if _fits(scene, larger, room) or middle == len(_SCALES) - 1:
            high, found = middle, (scene, larger)
        else:
            low = middle + 1
    return found


def _attempts(style: Style, vertices: Sequence[Any]) -> Iterator[list[Style]]:
    """Styles without ghosts, with fewer steps, fewer vertices side by side, and short keys.

    In each list, the styles are in the order in which they are tried, and the last is narrowest.
    """
    styles = [style, with_keys(style, vertices)] if vertices else [style]
    for own in styles:
        if style.steps is None:
            yield [own]
            continue
        counts = dict.fromkeys(min(style.steps, most) for most in (style.steps, 10, 6, 4, 3))
        for k in (5, 3, 2, 1):
            yield [
                replace(own, abreast=k, ghosts=ghosts, steps=steps)
                for steps, ghosts in product(counts, (True, False))
            ]


def _keyed(scene: Scene, style: Style) -> Scene:
    return scene + list_of_keys(style, extent(scene)) if style.keys else scene


def _fits(scene: Scene, style: Style, room: Room) -> bool:
    left, bottom, right, top = extent(scene)
    fits = (right - left) * style.unit <= room.width
    return fits and (top - bottom) * style.unit <= room.height
