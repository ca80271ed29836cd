"""Colours of types of cell, and a ramp for scores.

Every colour of a type is one of `SLOTS`: any two of them can be told apart, and each is seen on white and on the
page's dark ground.  A term would like a certain colour: its lineage (its broad type) gives the hue, the term itself
varies it.  The types of a file choose in turn, those of most cells first: each takes the slot that is nearest to what
it would like, still free, and not too near to what is taken for readers who tell hues apart badly.  So the types of a
lineage have neighbouring colours as long as there are some; a common type has the same colour in nearly every file; and
the same answers always have the same colours.

What a term would like is made in OKLCH, whose lightness and distances agree with the eye (Ottosson 2020,
https://bottosson.github.io/posts/oklab/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology

GREY = "#9a9a9a"
"""Colour of ``unknown``."""

# fmt: off
SLOTS = (
    "#ea7111", "#bb3f00", "#e25b3a", "#bf3536", "#8e5a47", "#b9846c", "#9d5d03", "#c38300", "#9b7a4c",
    "#7c6705", "#a6930b", "#959760", "#769c03", "#667809", "#32a640", "#00801f", "#62855b", "#007654",
    "#0ba480", "#0a8681", "#569fac", "#00758f", "#009edb", "#e66d71", "#bb3361", "#a86e72", "#e7639e",
    "#b34194", "#af81a5", "#cd6dd3", "#82608a", "#874cbe", "#9671e9", "#918bbd", "#6a88fc", "#6467a8",
    "#066cd1",
)
# fmt: on
"""Colours of types: any two differ by a CIEDE2000 of 12 or more, and each has a contrast of 3:1 on both grounds."""

LINEAGES: dict[str, tuple[float, float, float]] = {
    "CL:0000084": (255, 0.62, 0.15),  # T cell
    "CL:0000786": (30, 0.52, 0.15),  # plasma cell
    "CL:0000236": (55, 0.70, 0.16),  # B cell
    "CL:0000623": (200, 0.77, 0.12),  # natural killer cell
    "CL:0001065": (225, 0.55, 0.10),  # innate lymphoid cell
    "CL:0000576": (150, 0.60, 0.15),  # monocyte
    "CL:0000129": (120, 0.72, 0.15),  # microglial cell
    "CL:0000235": (125, 0.76, 0.16),  # macrophage
    "CL:0000451": (95, 0.82, 0.16),  # dendritic cell
    "CL:0000775": (175, 0.70, 0.12),  # neutrophil
    "CL:0000094": (185, 0.56, 0.10),  # granulocyte
    "CL:0000097": (330, 0.58, 0.18),  # mast cell
    "CL:0000556": (0, 0.70, 0.12),  # megakaryocyte
    "CL:0000233": (350, 0.76, 0.12),  # platelet
    "CL:0000764": (25, 0.56, 0.19),  # erythroid lineage cell
    "CL:0008001": (310, 0.66, 0.15),  # hematopoietic precursor cell
    "CL:0000738": (265, 0.66, 0.06),  # leukocyte
    "CL:0000115": (305, 0.52, 0.16),  # endothelial cell
    "CL:0000192": (85, 0.62, 0.10),  # smooth muscle cell
    "CL:0000669": (100, 0.68, 0.08),  # pericyte
    "CL:0000746": (15, 0.60, 0.15),  # cardiac muscle cell
    "CL:0000057": (70, 0.52, 0.09),  # fibroblast
    "CL:0000188": (40, 0.66, 0.12),  # cell of skeletal muscle
    "CL:0000136": (90, 0.80, 0.10),  # adipocyte
    "CL:0002320": (75, 0.66, 0.07),  # connective tissue cell
    "CL:0008019": (65, 0.72, 0.08),  # mesenchymal cell
    "CL:0000182": (45, 0.60, 0.13),  # hepatocyte
    "CL:0000148": (320, 0.52, 0.10),  # melanocyte
    "CL:0000351": (345, 0.66, 0.15),  # trophoblast cell
    "CL:0000039": (300, 0.72, 0.12),  # germ line cell
    "CL:0000127": (140, 0.76, 0.15),  # astrocyte
    "CL:0000128": (255, 0.56, 0.14),  # oligodendrocyte
    "CL:0002453": (235, 0.82, 0.09),  # oligodendrocyte precursor cell
    "CL:0002573": (195, 0.64, 0.10),  # Schwann cell
    "CL:0011020": (315, 0.66, 0.14),  # neural progenitor cell
    "CL:0000163": (205, 0.68, 0.11),  # endocrine cell
    "CL:0000540": (20, 0.60, 0.17),  # neuron
    "CL:0000066": (5, 0.64, 0.18),  # epithelial cell
    "CL:0000125": (160, 0.68, 0.11),  # glial cell
}
"""Hue in degrees, lightness and chroma of each broad type."""

OTHER: tuple[float, float, float] = (110, 0.60, 0.03)
"""The same for terms below no broad type."""

CROWDED = frozenset(("CL:0000084", "CL:0000163", "CL:0000540"))
"""Lineages of which many types are met together: T cells, endocrine cells, neurons."""

FROM_LAB = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
"""OKLab to the cube roots of what the three kinds of cones see."""

FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
"""What the cones see to linear red, green and blue."""

WITHOUT_GREEN = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""What deuteranopes see of linear red, green and blue, after Machado 2009."""

SALT = "spoticell 1859"
"""Of two thousand, the one that sets types that are met together furthest apart."""

RAMP = ((250, 0.86, 0.05), (235, 0.66, 0.11), (225, 0.44, 0.09))
"""Scores from 0 to 1: hue, lightness and chroma at the ends and in the middle."""


LIGHTNESS = 0.5
"""Weight of a difference in lightness beside one in hue or chroma, when a slot is chosen: the hue tells the lineage."""


CROWD, NEAR = 0.08, 0.03
"""How much a slot loses beside one that is taken, to readers who see no green, and how far off in OKLab it is felt."""


def colors_of(terms: Iterable[str], *, held: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the colours of terms that are shown together, all different as long as there are enough.

    Parameters
    ----------
    terms
        Cell Ontology terms, the most important first: they choose in this order.  Anything else is grey.
    held
        Terms that have a colour already, which they keep.

    Returns
    -------
    The colour of each term, ``#rrggbb``.

    Examples
    --------
    >>> few, more = colors_of(["CL:0000084"]), colors_of(["CL:0000084", "CL:0000625"])
    >>> more["CL:0000084"] == few["CL:0000084"] != more["CL:0000625"]
    True
    >>> colors_of(["unknown"])
    {'unknown': '#9a9a9a'}
    """
    ontology, held, terms = load_ontology(), held or {}, list(dict.fromkeys(terms))
    colors = {term: held[term] for term in terms if term in held}
    free = [slot for slot in SLOTS if slot not in colors.values()]
    for term in terms:
        if term in colors:
            continue
        if term not in ontology:
            colors[term] = GREY
            continue
        free = free or list(SLOTS)
        off = _distances(_wish(term), free) + CROWD * _nearness(free, colors.values())
        colors[term] = free.pop(int(np.argmin(off)))
    return {term: colors[term] for term in terms}


def term_color(term: str) -> str:
    """Give the colour of a Cell Ontology term that is shown alone, ``#rrggbb``; grey for anything else.

    Examples
    --------
    >>> term_color("unknown"), term_color("CL:0000084") in SLOTS
    ('#9a9a9a', True)
    """
    return colors_of([term])[term]


@cache
def _wish(term: str) -> tuple[float, float, float]:
    """Give the colour that a term would like, in OKLab."""
    broad = load_ontology().broad(term)
    hue, lightness, chroma = LINEAGES.get(broad, OTHER)
    if term != broad:
        digest = hashlib.blake2b(f"{SALT} {term}".encode(), digest_size=3).digest()
        turned, brighter, paler = (byte / 255 for byte in digest)
        hue += (turned - 0.5) * (64 if broad in CROWDED else 36)
        lightness = min(max(lightness + (brighter - 0.5) * 0.32, 0.48), 0.84)
        chroma *= 1.1 - 0.3 * paler
    angle = np.deg2rad(hue)
    return lightness, float(chroma * np.cos(angle)), float(chroma * np.sin(angle))


def _nearness(slots: Sequence[str], taken: Iterable[str]) -> NDArray[np.float64]:
    """Say how near each slot is to what is taken, from 0 to 1, in the eyes of readers who see no green."""
    there = [seen_without_green(color) for color in taken if color != GREY]
    if not there:
        return np.zeros(len(slots))
    apart = np.array([seen_without_green(slot) for slot in slots])[:, None] - np.array(there)
    nearness: NDArray[np.float64] = np.exp(-np.linalg.norm(apart, axis=2).min(axis=1) / NEAR)
    return nearness


def _distances(wish: tuple[float, float, float], slots: Sequence[str]) -> NDArray[np.float64]:
    off = np.array([oklab(slot) for slot in slots]) - wish
    squared: NDArray[np.float64] = off**2 @ np.array([LIGHTNESS, 1, 1])
    return squared


def score_color(score: float) -> str:
    """Give the colour of a score from 0 (pale) to 1 (deep).

    Examples
    --------
    >>> len({score_color(0), score_color(0.5), score_color(1)})
    3
    """
    hue, lightness, chroma = (np.interp(score, (0, 0.5, 1), stops) for stops in zip(*RAMP, strict=True))
    return oklch(float(hue), float(lightness), float(chroma))


def ink_on(color: str) -> str:
    """Give black or white, whichever is better read on a ``#rrggbb``.

    Examples
    --------
    >>> ink_on("#ffee88"), ink_on("#203060")
    ('#000000', '#ffffff')
    """
    encoded = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    luminance = float(np.array([0.2126, 0.7152, 0.0722]) @ encoded**2.2)
    # where the contrast with black, (l + .05) / .05, is that with white, 1.05 / (l + .05)
    return "#000000" if luminance > 0.18 else "#ffffff"


@cache
def oklab(color: str) -> tuple[float, float, float]:
    """Give the place of a ``#rrggbb`` in OKLab: lightness, green to red, blue to yellow.

    Examples
    --------
    >>> [round(part, 2) + 0 for part in oklab("#ffffff")]
    [1.0, 0.0, 0.0]
    """
    return _to_oklab(_decoded(color))


@cache
def seen_without_green(color: str) -> tuple[float, float, float]:
    """Give the same as deuteranopes see it: red and green of one lightness are alike to them.

    Examples
    --------
    >>> [round(part, 2) + 0 for part in seen_without_green("#ffffff")]
    [1.0, 0.0, 0.0]
    """
    return _to_oklab(np.clip(WITHOUT_GREEN @ _decoded(color), 0, 1))


def _decoded(color: str) -> NDArray[np.float64]:
    encoded = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear: NDArray[np.float64] = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear


def _to_oklab(linear: NDArray[np.float64]) -> tuple[float, float, float]:
    lightness, a, b = np.linalg.solve(FROM_LAB, np.cbrt(np.linalg.solve(FROM_LMS, linear))).tolist()
    return lightness, a, b


def oklch(hue: float, lightness: float, chroma: float) -> str:
    """Give a colour of the OKLCH space as ``#rrggbb``; paler where the screen can't show so much chroma.

    Examples
    --------
    >>> oklch(0, 1, 0), oklch(0, 0, 0)
    ('#ffffff', '#000000')
    """
    while True:
        rgb = _linear_rgb(hue, lightness, chroma)
        if chroma < 0.005 or (rgb.min() > -0.002 and rgb.max() < 1.002):
            break
        chroma -= 0.005
    rgb = np.clip(rgb, 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in encoded)


def _linear_rgb(hue: float, lightness: float, chroma: float) -> NDArray[np.float64]:
    angle = np.deg2rad(hue)
    lab = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    linear: NDArray[np.float64] = FROM_LMS @ (FROM_LAB @ lab) ** 3
    return linear
