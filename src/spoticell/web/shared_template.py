"""The page of a shared file without its title and data, and the page of its map, with their scripts and styles."""

from __future__ import annotations

import base64
import html
from functools import lru_cache

from spoticell.web.inlined import filled, hash_of, module, parts_of_page, scripts, static_text, styles

SHEETS = ("base", "job", "result", "cell", "sample", "columns", "desk", "threshold", "ask", "shared", "print")
MAP_SCRIPTS = ("painter", "gestures", "overlay", "frame")


@lru_cache(maxsize=1)
def shared_template() -> str:
    """Give the page, whose policy allows its own script, style and map and nothing else.

    Examples
    --------
    >>> [field in shared_template() for field in ("[[title]]", "[[data]]", "[[script]]")]
    [True, True, False]
    """
    script, style = module("shared", instead={"api": "shared_data", "reach": "shared_data"}), styles(SHEETS)
    map_script, map_style = map_hashes()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {hash_of(script)} {map_script}",
            f"style-src {hash_of(style)} {map_style}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    fields = parts_of_page() | {
        "icon": base64.b64encode(static_text("icon.svg").encode()).decode(),
        "policy": html.escape(policy),
        "style": style,
        "script": script,
        "title": "[[title]]",
        "data": "[[data]]",
    }
    return filled(static_text("shared.html"), fields)


def map_page() -> str:
    """Give the map's own page, for a frame without rights that takes it as ``srcdoc``."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>Map</title><style>{styles(['map'])}</style></head>"
        f'<body><div id="stage"><canvas id="plot"></canvas></div><script>{scripts(MAP_SCRIPTS)}</script></body></html>'
    )


def map_hashes() -> tuple[str, str]:
    """Give the sources by which a policy allows script and style of the map's page."""
    return hash_of(scripts(MAP_SCRIPTS)), hash_of(styles(["map"]))
