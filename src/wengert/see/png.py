"""A picture in pixels.

Knows how to have an SVG document drawn by the optional package resvg-py. Knows nothing of what is in it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


def png(document: str, scale: float = 2.0) -> bytes:
    """An SVG document as PNG, `scale` pixels for each of its units.

    Raises:
        ImportError: resvg-py, which the extra `[see]` installs, is missing.
        RuntimeError: the system has no fonts.
        ValueError: the document cannot be drawn.
    """
    if not scale > 0:
        raise ValueError(f"expected a scale above 0, but got {scale}")
    if not _has_fonts():
        raise RuntimeError(
            "there is no font on this system to write the texts of the picture with. "
            "Install one (on Debian: apt install fonts-dejavu-core), or save the picture as SVG"
        )
    return _drawn(document, scale)


def _drawn(document: str, scale: float) -> bytes:
    return bytes(_renderer().svg_to_bytes(svg_string=document, zoom=float(scale), sans_serif_family="DejaVu Sans"))


@cache
def _has_fonts() -> bool:
    """Whether a text leaves a trace: without fonts it is left out without a word."""
    words = '<text x="1" y="12" font-family="Helvetica,Arial,\'DejaVu Sans\',sans-serif">W</text>'
    probe = f'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">{words}</svg>'
    return _drawn(probe, 1.0) != _drawn(probe.replace(words, ""), 1.0)


def _renderer() -> Any:
    try:
        return import_module("resvg_py")
    except ImportError as error:
        raise ImportError(
            "a picture in PNG is drawn by the package resvg-py, which is not installed. "
            "Install it with: pip install 'wengert[see]'. SVG, DOT, Mermaid and text need nothing else"
        ) from error
