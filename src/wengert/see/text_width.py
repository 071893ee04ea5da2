"""How much room a text takes, without a font at hand.

Knows upper bounds of the widths of characters. Knows nothing of what is written.

The bounds are the advance widths of DejaVu Sans, the widest of the common sans-serif fonts (Verdana has the same
ones to a hundredth): a text set in Helvetica, Arial, Roboto or Segoe UI takes less. What is not in the table is taken
as wide as the widest letters of its kind.
"""

from __future__ import annotations

import unicodedata

# In thousandths of the font size, for the characters from the space to the tilde.
_REGULAR = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775,
    752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390,
    337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)  # fmt: skip
_BOLD = (
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821,
    837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457,
    365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687,
    716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
)  # fmt: skip
_WIDE = 1100  # East Asian characters and emoji
_OTHER = 1100  # letters of other alphabets, mathematical signs
_BOLD_OTHER = 1340
_SIGNS = {"−": 838, "×": 838, "÷": 838, "·": 380, "²": 440, "³": 440, "∂": 545, "Σ": 690, "σ": 780, "√": 670}
_FIRST = 32


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The room that a line of text takes at most, in the unit of the font size."""
    table, other = (_BOLD, _BOLD_OTHER) if bold else (_REGULAR, _OTHER)
    return size / 1000 * sum([_advance(character, table, other) for character in text])


def _advance(character: str, table: tuple[int, ...], other: int) -> int:
    position = ord(character) - _FIRST
    if 0 <= position < len(table):
        return table[position]
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else other


def shortened(text: str, most: float, size: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it takes more room than `most`."""
    if text_width(text, size, bold) <= most:
        return text
    room = most - text_width("…", size, bold)
    kept = ""
    for character in text:
        room -= text_width(character, size, bold)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + "…"
