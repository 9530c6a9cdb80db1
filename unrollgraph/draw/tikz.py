"""Export pictures to TikZ.

Axes keep the scenes that were drawn on them, so every picture of this package can be exported. The
texts are in the fonts of the document that includes the picture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex

from unrollgraph.draw.layout import GAP
from unrollgraph.draw.render import MOST_LABELLED, check_axes, painted
from unrollgraph.draw.scene import (
    FADE,
    HALO,
    HEAD,
    INCH,
    INK,
    PAPER,
    QUIET,
    Band,
    Color,
    Disc,
    Formula,
    Scene,
    Stroke,
    Text,
    extent,
    mixed,
    on,
)
from unrollgraph.draw.style import RADIUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_GREEK = (
    " alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega "
)
_GREEK_CAPITALS = " gamma delta theta lambda xi pi sigma upsilon phi psi omega "
_BARE = re.compile(r"(?<!\\)[&%#]")  # literal characters of a formula that TeX needs escaped
# Further characters that pdflatex of TeX Live 2022 sets without packages, found by trying all
# that have a LaTeX definition in some encoding. For letters with accents see _accented.
_SET = frozenset(
    "¡¢£¤¥¦§¨©ª¬®¯°±²³´µ¶·¸¹º¼½¾¿×÷ĲĳƒǄǅǆǇǈǉǊǋǌǍǎǏǐǑǒǓǔǢǣǦǧǨǩǰǴǵȘșȚțȲȳȷˆˇ˘˙˜˝฿ḂḃḍḞḟḠḡ"
    "ḥḰḱḷṃṅṇṛṣṭẎẏẐẑẞỲỳ‐‑‒–—―‖‘’“”†‡•…‰‱※‽⁄⁎⁒₡₤₦₩₫€₱℃№℗℞℠™℧℮←↑→↓␢␣◦◯♪⟨⟩〈〉ﬀﬁﬂﬃﬄﬅﬆ"
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "\u2212": "$-$",
    # braces prevent ligatures with the next character
    "-": "{-}",
    "`": "{`}",
    "'": "{'}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "œ": r"\oe{}",
    "ø": r"\o{}",
    "ł": r"\l{}",
    "\u0131": r"\i{}",
    "Æ": r"\AE{}",
    "Œ": r"\OE{}",
    "Ø": r"\O{}",
    "Ł": r"\L{}",
}


def to_tikz(ax: Axes) -> str:
    r"""Return a picture as a LaTeX document with one TikZ picture.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes of the picture, as returned by a function of `unrollgraph.draw`.

    Returns
    -------
    str
        A document for pdflatex with a page of the size of the picture. It uses the packages
        fix-cm, amsmath, amssymb, geometry and tikz. To include the picture in another document,
        copy its colors and the ``tikzpicture`` environment. Vertices are named nodes, and edges
        lead from node to node, so that a vertex can be moved by hand.

    Raises
    ------
    TypeError, ValueError
        If ``ax`` has no picture of this package, or a label has a character unknown to pdflatex.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> text = ug.draw.to_tikz(ug.draw.rolled(ug.gallery.seed_network()))
    >>> print(*(line for line in text.splitlines() if "--" in line), sep="\n")
    \draw[edge,ink] (in) -- (A);
    \draw[edge,ink] (A) -- (B);
    \draw[edge,ink] (B) -- (C);
    \draw[edge,ink] (C) -- (out);
    """
    scene = painted(check_axes(ax))
    if not any(vars(scene).values()):
        raise ValueError(
            "nothing on these axes was drawn by unrollgraph; draw on them with a function of "
            "unrollgraph.draw"
        )
    left, bottom, right, top = extent(scene)
    unit = _unit(ax)
    picture = _Picture(scene, unit)
    lines = list(picture.commands())
    wide, high = (right - left) * unit * 2.54, (top - bottom) * unit * 2.54
    size = _length(2 * RADIUS, unit)
    scale = f"x={2.54 * unit:.4f}cm,y={2.54 * unit:.4f}cm"
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{fix-cm,amsmath,amssymb,tikz}",
            r"\usetikzlibrary{arrows.meta}",
            rf"\usepackage[paperwidth={wide:.3f}cm,paperheight={high:.3f}cm,margin=0cm]"
            "{geometry}",
            r"\pagestyle{empty}\setlength{\parindent}{0pt}\setlength{\topskip}{0pt}",
            r"\renewcommand{\familydefault}{\sfdefault}",
            *picture.colors.definitions(),
            r"\begin{document}\noindent",
            rf"\begin{{tikzpicture}}[{scale},inner sep=0pt,",
            rf"  vertex/.style={{circle,minimum size={size},{_font(0.3, unit)}}},",
            rf"  pill/.style={{vertex,rectangle,rounded corners={_length(RADIUS, unit)}}},",
            rf"  edge/.style={{line width={_width(1.6, unit)},"
            rf"-{{Stealth[length={_length(HEAD, unit)}]}},"
            rf"shorten <={_length(GAP, unit)},shorten >={_length(GAP, unit)}}}]",
            rf"\useasboundingbox {_at((left, bottom))} rectangle {_at((right, top - 0.02))};",
            *lines,
            r"\end{tikzpicture}",
            r"\end{document}",
            "",
        ]
    )


def _unit(ax: Axes) -> float:
    """Inches per unit of length on axes."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    return float(min(box.width / (right - left), box.height / (top - bottom)) / dpi)


def _length(units: float, unit: float) -> str:
    return f"{units * unit * 72.27:.2f}pt"


def _width(points: float, unit: float) -> str:
    return f"{points * unit / INCH:.2f}pt"


def _font(units: float, unit: float) -> str:
    points = units * unit * 72.27
    return rf"font=\fontsize{{{points:.1f}}}{{{1.12 * points:.1f}}}\selectfont"


class _Colors:
    """Named colors; tints of them are written as ``name!percent``."""

    def __init__(self, scene: Scene) -> None:
        self.names: dict[Color, str] = {PAPER: "white", (0.0, 0.0, 0.0): "black"}
        self._own: dict[Color, str] = {}
        strokes = [s.color for s in scene.strokes if s.fade == (0.0, 0.0)]
        named = {"vertex": [d.fill for d in scene.discs if not d.ghost], "edge": strokes}
        for color, name in ((INK, "ink"), (QUIET, "quiet")):
            self.names[color] = self._own[color] = name
        for kind, colors in named.items():
            # the strongest first, of which the others may be tints
            for color in sorted(dict.fromkeys(colors), key=min):
                self._add(color, kind)

    def _add(self, color: Color, kind: str) -> str:
        found = self._tint(color)
        if found is None:
            number = 1 + sum(name.startswith(kind) for name in self._own.values())
            found = self.names[color] = self._own[color] = f"{kind}{number}"
        return found

    def _tint(self, color: Color) -> str | None:
        if color in self.names:
            return self.names[color]
        for base, name in self._own.items():
            shares = [(1 - c) / (1 - b) for c, b in zip(color, base, strict=True) if b < 0.97]
            share = round(100 * sum(shares) / len(shares)) / 100 if shares else 0.0
            if (
                0 < share <= 1
                and max(abs(1 - share * (1 - b) - c) for b, c in zip(base, color, strict=True))
                < 0.012
            ):
                return f"{name}!{round(100 * share)}"
        return None

    def __call__(self, color: Color) -> str:
        return self._add(color, "shade")

    def definitions(self) -> list[str]:
        return [
            rf"\definecolor{{{name}}}{{HTML}}{{{to_hex(color)[1:].upper()}}}"
            for color, name in self._own.items()
        ]


class _Picture:
    """Commands of a picture, with names for its vertices and colors."""

    def __init__(self, scene: Scene, unit: float) -> None:
        self.scene, self.unit = scene, unit
        self.colors = _Colors(scene)
        self.few = len(scene.discs) <= MOST_LABELLED
        self.names: dict[Any, str] = {}
        for disc in scene.discs:
            name = base = re.sub(r"[^A-Za-z0-9]", "", "".join(map(str, _flat(disc.key)))) or "v"
            while name in self.names.values():
                name = f"{base}x{len(self.names)}"
            self.names[disc.key] = name
        self.discs = {disc.key: disc for disc in scene.discs}

    def commands(self) -> Iterator[str]:
        scene = self.scene
        for band in scene.bands:
            yield from self._band(band)
        for shape in scene.shapes:
            if not shape.above:
                yield rf"\fill[{self.colors(shape.fill)}] {_path(shape.points)} -- cycle;"
        for stroke in scene.strokes:
            if stroke.halo and not self._ends(stroke):
                yield self._line(stroke, stroke.halo, stroke.width + HALO)
        loose = [stroke for stroke in scene.strokes if not self._ends(stroke)]
        for stroke in loose:
            yield self._line(stroke, stroke.color, stroke.width)
        for disc in scene.discs:
            yield self._vertex(disc)
        joined = [stroke for stroke in scene.strokes if self._ends(stroke)]
        for stroke in joined:
            if stroke.halo:
                style = f"edge,-,{self.colors(stroke.halo)},{self._points(stroke.width + HALO)}"
                yield rf"\draw[{style}] {self._between(stroke)};"
        for stroke in joined:
            yield rf"\draw[{self._style(stroke)}] {self._between(stroke)};"
        for shape in scene.shapes:
            if shape.above:
                yield rf"\fill[{self.colors(shape.fill)}] {_path(shape.points)} -- cycle;"
        if self.few:
            for text in scene.texts:
                yield self._words(text)
            for badge in scene.badges:
                yield self._words(Text(badge.at, badge.words, badge.color, badge.size))

    def _points(self, width: float) -> str:
        return f"line width={_width(width, self.unit)}"

    def _ends(self, stroke: Stroke) -> bool:
        """Whether a stroke joins two vertices that are drawn."""
        key = stroke.key
        known = isinstance(key, tuple) and len(key) > 1
        return known and len(stroke.points) > 2 and key[0] in self.names and key[1] in self.names

    def _band(self, band: Band) -> Iterator[str]:
        low, high = band.at - band.height / 2, band.at + band.height / 2
        color, left, right = self.colors(band.color), band.left, band.right
        if band.fades:
            inner = left + FADE, right - FADE
            for a, b, c, d in ((left, inner[0], "white", color), (inner[1], right, color, "white")):
                yield rf"\shade[left color={c},right color={d}] {_box(a, low, b, high)};"
            left, right = inner
        yield rf"\fill[{color}] {_box(left, low, right, high)};"

    def _vertex(self, disc: Disc) -> str:
        options = ["pill" if disc.wide else "vertex", f"fill={self.colors(disc.fill)}"]
        if disc.wide:
            options.append(f"minimum width={_length(2 * (disc.wide + RADIUS), self.unit)}")
        if disc.marked:
            options.append(f"draw,{self._points(2.4)}")
        words = _label(disc) if self.few else ""
        if words and on(disc.fill) == PAPER:
            options.append("text=white")
        if words and disc.sizes[0] < 0.295:
            options.append(_font(disc.sizes[0], self.unit))
        if "\\\\" in words:
            options.append("align=center")
        return (
            rf"\node[{','.join(options)}] ({self.names[disc.key]}) at {_at(disc.at)} {{{words}}};"
        )

    def _style(self, stroke: Stroke) -> str:
        color = mixed(stroke.color, PAPER, max(stroke.fade) * 0.7)
        options = ["edge" if stroke.arrow else "edge,-", self.colors(color)]
        if stroke.width != 1.6:
            options.append(self._points(stroke.width))
        if stroke.dash:
            options.append(self._dash(stroke))
        return ",".join(options)

    def _dash(self, stroke: Stroke) -> str:
        lengths = [_length(length, self.unit) for length in stroke.dash]
        pairs = zip(lengths[::2], lengths[1::2], strict=True)
        return f"dash pattern={' '.join(f'on {on} off {off}' for on, off in pairs)}"

    def _between(self, stroke: Stroke) -> str:
        """Path from vertex to vertex; curves have their control points."""
        tail, head = (self.names[end] for end in stroke.key[:2])
        ends = [np.array(self.discs[end].at) for end in stroke.key[:2]]
        points = stroke.points
        along = ends[1] - ends[0]
        away = points - ends[0]
        off = np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) if tail != head else np.ones(1)
        if float(off.max()) < 1e-6 * float(np.hypot(*along)):
            return f"({tail}) -- ({head})"
        if tail == head or self.discs[stroke.key[0]].wide or self.discs[stroke.key[1]].wide:
            return _curve(points)
        first, *rest = [
            f".. controls {_at(a)} and {_at(b)} .. {_at(c)}" for a, b, c in _pieces(points)
        ]
        path = " ".join([first, *rest])
        return f"({tail}) {path[: path.rindex('.. ')]}.. ({head})"

    def _line(self, stroke: Stroke, color: Color, width: float) -> str:
        """Line without named ends, such as a part of a helix or an edge that leaves a window."""
        share = max(stroke.fade) * 0.7
        tint = self.colors(mixed(color, PAPER, share))
        options = [tint, self._points(width)]
        if stroke.arrow:
            options.insert(0, "edge")
        path = _path(stroke.points) if len(stroke.points) == 2 else _curve(stroke.points)
        if stroke.dash:
            options.append(self._dash(stroke))
        return rf"\draw[{','.join(options)},shorten <=0pt,shorten >=0pt] {path};"

    def _words(self, text: Text) -> str:
        side = {"center": "", "left": ",anchor=west", "right": ",anchor=east"}[text.align]
        lines = [text.words] if isinstance(text.words, Formula) else text.words.split("\n")
        side += ",align=center" if len(lines) > 1 else ""
        style = f"text={self.colors(text.color)},{_font(text.size, self.unit)}{side}"
        words = r"\\".join(map(_set, lines))
        return rf"\node[{style}] at {_at(text.at)} {{{words}}};"


def _flat(key: Any) -> Iterator[Any]:
    if isinstance(key, tuple):
        for part in key:
            yield from _flat(part)
    else:
        yield "m" + str(-key) if isinstance(key, int) and key < 0 else key


def _pieces(points: Any) -> Iterator[tuple[Any, Any, Any]]:
    for k in range(1, len(points), 3):
        yield points[k], points[k + 1], points[k + 2]


def _curve(points: Any) -> str:
    pieces = (f".. controls {_at(a)} and {_at(b)} .. {_at(c)}" for a, b, c in _pieces(points))
    return f"{_at(points[0])} {' '.join(pieces)}"


def _path(points: Any) -> str:
    return " -- ".join(map(_at, points.tolist()))


def _box(left: float, low: float, right: float, high: float) -> str:
    return f"{_at((left, low))} rectangle {_at((right, high))}"


def _at(point: Any) -> str:
    return (
        "("
        + ",".join(
            f"{x:.3f}".rstrip("0").rstrip(".").replace("-0", "0", x == 0) for x in map(float, point)
        )
        + ")"
    )


def _label(disc: Disc) -> str:
    lines = [disc.label] if isinstance(disc.label, Formula) else disc.label.split("\n")
    words = r"\\".join(rf"\textbf{{{_set(line)}}}" if line else "" for line in lines)
    return words + (rf"$_{{\text{{{_set(disc.index)}}}}}$" if disc.index else "")


def _set(words: str) -> str:
    if not isinstance(words, Formula):
        # combine letters with separate accents into one character where Unicode has it
        return "".join(map(_character, unicodedata.normalize("NFC", words)))
    escaped = _BARE.sub(lambda bare: "\\" + bare[0], words)
    return f"${''.join(map(_symbol, escaped))}$"


def _symbol(character: str) -> str:
    if character.isascii():
        return character
    found = _character(character)
    if found.startswith("$"):
        return f"{{{found.strip('$')}}}"
    raise ValueError(
        f"pdflatex cannot set {character!r} in a formula; pass labels without this character"
    )


def _accented(character: str) -> bool:
    """Whether a Latin letter is an ASCII letter with an accent that TeX's OT1 fonts have."""
    parts = unicodedata.normalize("NFD", character)
    return parts[0].isascii() and len(parts) > 1 and "\u0328" not in parts  # no ogonek


def _character(character: str) -> str:
    """TeX code of a character of text; Greek letters become formulas."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~":
        return character
    name = unicodedata.name(character, "")
    alphabet, _, letter = name.rpartition(" LETTER ")
    letter = letter.lower().replace("lamda", "lambda")  # Unicode names have LAMDA
    if alphabet == "GREEK SMALL" and f" {letter} " in _GREEK:
        return rf"$\{letter}$"
    if alphabet == "GREEK CAPITAL" and f" {letter} " in _GREEK_CAPITALS:
        return rf"$\{letter.capitalize()}$"
    if character in _SET or ("\u00c0" <= character <= "\u017f" and _accented(character)):
        return character
    raise ValueError(
        f"pdflatex cannot set the character {character!r} ({name or 'unnamed'}); pass labels "
        "without this character"
    )
