"""Pictures for papers set by TeX: what was drawn on axes, as TikZ.

Every picture of this package is a scene of discs, strokes, bands and texts, and axes remember
the scenes that were drawn on them. So any of them can be written down as TikZ, in the fonts of
the paper that includes it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from unrollgraph.draw.render import (
    INCH,
    MOST_LABELLED,
    check_axes,
    extent,
    lettering,
    painted,
)
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    Colour,
    Disc,
    Formula,
    Scene,
    Text,
    badge_width,
    mixed,
    on,
    resolved,
)

_CM = INCH * 2.54  # a unit in centimetres
_POINTS = INCH * 72.27  # and in points of TeX
_GREEK = (
    " alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega "
)
_GREEK_CAPITALS = " gamma delta theta lambda xi pi sigma upsilon phi psi omega "
_BARE = re.compile(r"(?<!\\)[&%#]")  # of a formula, where they stand for themselves
# Further characters that pdflatex, of TeX Live 2022, sets without packages, found by trying all
# for which LaTeX has a definition in some encoding; letters with accents are recognized below.
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
    # braces keep these from being joined to what follows
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


def to_tikz(ax: Any) -> str:
    r"""Write down what was drawn on axes as a document of LaTeX with one TikZ picture.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.

    Returns
    -------
    str
        A document that pdflatex compiles, its page of the size of the picture, with no packages
        but geometry, fix-cm and tikz. The picture itself, from ``\begin{tikzpicture}`` to
        ``\end{tikzpicture}``, can be taken into a paper.

    Raises
    ------
    TypeError
        If ``ax`` are no axes.
    ValueError
        If nothing of this package is drawn on the axes, or a label has a character that pdflatex
        does not know.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> text = ug.draw.to_tikz(ug.draw.rolled(ug.gallery.seed_network()))
    >>> print(text.splitlines()[0], text.count("circle["))
    \documentclass{article} 5
    """
    scene = painted(check_axes(ax))
    if not any(vars(scene).values()):
        raise ValueError(
            "nothing is drawn on these axes that could be written as TikZ; draw on them with a "
            "function of unrollgraph.draw"
        )
    left, bottom, right, top = extent(scene)
    colours: dict[Colour, str] = {}
    lines = list(_commands(scene, colours))
    defined = [
        rf"\definecolor{{{name}}}{{rgb}}{{{','.join(f'{part:.3f}' for part in colour)}}}"
        for colour, name in colours.items()
    ]
    wide, high = (right - left) * _CM, (top - bottom) * _CM
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{fix-cm}",
            r"\usepackage{amsmath,amssymb}",
            rf"\usepackage[paperwidth={wide:.3f}cm,paperheight={high:.3f}cm,margin=0cm]{{geometry}}",
            r"\usepackage{tikz}",
            r"\pagestyle{empty}\setlength{\parindent}{0pt}\setlength{\topskip}{0pt}",
            r"\renewcommand{\familydefault}{\sfdefault}",
            *defined,
            r"\begin{document}\noindent",
            rf"\begin{{tikzpicture}}[x={_CM:.4f}cm,y={_CM:.4f}cm,inner sep=0pt,outer sep=0pt]",
            rf"\useasboundingbox {_at((left, bottom))} rectangle {_at((right, top - 0.02))};",
            *lines,
            r"\end{tikzpicture}",
            r"\end{document}",
            "",
        ]
    )


def _commands(scene: Scene, colours: dict[Colour, str]) -> Iterator[str]:
    """Commands of TikZ, from what lies below to what lies above."""

    def name(colour: Colour) -> str:
        return colours.setdefault(colour, f"u{len(colours)}")

    few = len(scene.discs) <= MOST_LABELLED
    drawing = resolved(scene)
    for polygon in drawing.floor:
        yield rf"\fill[{name(polygon.fill)}] {_path(polygon.points)} -- cycle;"
    dashes = ",dash pattern=on 4pt off 4pt"
    for lines, how in ((drawing.dashed, dashes), (drawing.halos, ""), (drawing.lines, "")):
        for line in lines:
            style = f"{name(line.colour)},line width={line.width:.2f}pt{how}"
            yield rf"\draw[{style}] {_path(line.points)};"
    for polygon in drawing.above:
        yield rf"\fill[{name(polygon.fill)}] {_path(polygon.points)} -- cycle;"
    for disc in scene.discs:
        rim = name(mixed(disc.fill, INK, 0.08) if disc.ghost else PAPER)
        circle = f"{_at(disc.at)} circle[radius={disc.radius}]"
        yield rf"\filldraw[fill={name(disc.fill)},draw={rim},line width=1.4pt] {circle};"
        if disc.label and few:
            yield from _label(disc, name(on(disc.fill)))
    for text in scene.texts if few else ():
        yield _words(text, name(text.colour))
    for badge in scene.badges if few else ():
        half = badge_width(badge.words) / 2
        x, y = badge.at
        ends = f"{_at((x - half, y - 0.2))} rectangle {_at((x + half, y + 0.2))}"
        own = name(badge.colour)
        yield (
            rf"\filldraw[fill={name(PAPER)},draw={own},line width=1.2pt,"
            rf"rounded corners=2pt] {ends};"
        )
        yield _words(Text(badge.at, badge.words, badge.colour, 0.26), own)


def _path(points: Any) -> str:
    return " -- ".join(map(_at, points.tolist()))


def _at(point: Any) -> str:
    return f"({point[0]:.3f},{point[1]:.3f})"


def _label(disc: Disc, colour: str) -> Iterator[str]:
    for at, words, size, weight in lettering(disc):
        font = r"\textbf" if weight == "bold" else ""
        yield _node(at, f"{font}{{{_set(words)}}}", colour, size, ",anchor=base")


def _words(text: Text, colour: str) -> str:
    side = {"center": "", "left": ",anchor=west", "right": ",anchor=east"}[text.align]
    return _node(text.at, _set(text.words), colour, text.size, side)


def _node(at: Any, words: str, colour: str, size: float, side: str) -> str:
    points = size * _POINTS
    font = rf"\fontsize{{{points:.2f}}}{{{points:.2f}}}\selectfont"
    return rf"\node[text={colour},font={font}{side}] at {_at(at)} {{{words}}};"


def _set(words: str) -> str:
    """Words as TeX takes them."""
    if not isinstance(words, Formula):
        # a letter and an accent that stands alone make one character where there is one
        return "".join(map(_character, unicodedata.normalize("NFC", words)))
    escaped = _BARE.sub(lambda bare: "\\" + bare[0], words)
    return f"${''.join(map(_symbol, escaped))}$"


def _symbol(character: str) -> str:
    """What TeX sets as a character of a formula."""
    if character.isascii():
        return character
    found = _character(character)
    if found.startswith("$"):
        return f"{{{found.strip('$')}}}"
    raise ValueError(
        f"pdflatex has no {character!r} in formulas; draw with labels= that do without it"
    )


def _accented(character: str) -> bool:
    """Whether a Latin letter is one of ASCII with an accent that TeX's first fonts have."""
    parts = unicodedata.normalize("NFD", character)
    return parts[0].isascii() and len(parts) > 1 and "\u0328" not in parts  # no ogonek


def _character(character: str) -> str:
    """What TeX sets as a character; Greek letters are formulas to it."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~":
        return character
    name = unicodedata.name(character, "")
    alphabet, _, letter = name.rpartition(" LETTER ")
    letter = letter.lower().replace("lamda", "lambda")  # as Unicode spells it
    if alphabet == "GREEK SMALL" and f" {letter} " in _GREEK:
        return rf"$\{letter}$"
    if alphabet == "GREEK CAPITAL" and f" {letter} " in _GREEK_CAPITALS:
        return rf"$\{letter.capitalize()}$"
    if character in _SET or ("\u00c0" <= character <= "\u017f" and _accented(character)):
        return character
    raise ValueError(
        f"pdflatex knows no character {character!r} ({name or 'without a name'}); draw with "
        "labels= that do without it"
    )
