"""Colours that mean the same everywhere: one for each Cell Ontology term, and a ramp for scores.

A term's lineage (its broad type) gives the hue; the term itself varies lightness and, a little, hue.  A colour
follows from the term id alone, so that a type looks the same in every data set, table and picture.
Lineages that occur together differ in lightness too, for readers who tell hues apart badly.
Colours are made in OKLCH, whose lightness and distances agree with the eye (Ottosson 2020,
https://bottosson.github.io/posts/oklab/), and are bright enough for black ground and dark enough for white.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology

GREY = "#9a9a9a"
"""Colour of ``unknown``."""

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

SALT = "spoticell 1859"
"""Of two thousand, the one that sets types that are met together furthest apart."""

RAMP = ((250, 0.86, 0.05), (235, 0.66, 0.11), (225, 0.44, 0.09))
"""Scores from 0 to 1: hue, lightness and chroma at the ends and in the middle."""


@cache
def term_color(term: str) -> str:
    """Give the colour of a Cell Ontology term, ``#rrggbb``; grey for anything else.

    Examples
    --------
    >>> term_color("unknown")
    '#9a9a9a'
    >>> term_color("CL:0000084") == term_color("CL:0000084") != term_color("CL:0000625")
    True
    """
    ontology = load_ontology()
    if term not in ontology:
        return GREY
    broad = ontology.broad(term)
    hue, lightness, chroma = LINEAGES.get(broad, OTHER)
    if term != broad:
        digest = hashlib.blake2b(f"{SALT} {term}".encode(), digest_size=3).digest()
        turned, brighter, paler = (byte / 255 for byte in digest)
        hue += (turned - 0.5) * (64 if broad in CROWDED else 36)
        lightness = min(max(lightness + (brighter - 0.5) * 0.32, 0.48), 0.84)
        chroma *= 1.1 - 0.6 * paler
    return oklch(hue, lightness, chroma)


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
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear: NDArray[np.float64] = to_rgb @ (to_lms @ lab) ** 3
    return linear
