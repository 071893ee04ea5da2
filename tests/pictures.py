"""What must hold of a placed picture: nothing overlaps, no line crosses a text."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from wengert.see.cards import TITLE_SIZE, size_of
from wengert.see.placed import Placed
from wengert.see.text_width import text_width

Box = tuple[float, float, float, float]  # left, top, right, bottom
_SAMPLES = 24


def faults(placed: Placed) -> list[str]:
    """Everything that is wrong with a picture, in words."""
    return [*_overlaps(placed), *_words_outside(placed), *_crossed(placed), *_outside_frames(placed)]


def card_boxes(placed: Placed) -> dict[str, Box]:
    return {c.card.item.key: (c.x, c.y, c.x + c.card.width, c.y + c.card.height) for c in placed.cards}


def overlap(a: Box, b: Box, by: float = 0.01) -> bool:
    return a[0] < b[2] - by and b[0] < a[2] - by and a[1] < b[3] - by and b[1] < a[3] - by


def _inside(a: Box, b: Box) -> bool:
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


def _overlaps(placed: Placed) -> Iterator[str]:
    boxes = sorted(card_boxes(placed).items(), key=lambda pair: pair[1][1])
    open_boxes: list[tuple[str, Box]] = []
    for key, box in boxes:
        open_boxes = [(other, b) for other, b in open_boxes if b[3] > box[1]]
        yield from (f"cards {other} and {key} overlap" for other, b in open_boxes if overlap(b, box))
        open_boxes.append((key, box))
        if not _inside(box, (-0.1, -0.1, placed.width + 0.1, placed.height + 0.1)):
            yield f"card {key} is outside of the picture"


def word_boxes(placed: Placed) -> list[tuple[str, str, Box]]:
    """The texts in cards and titles with the room that they take at most."""
    found = []
    for c in placed.cards:
        for word in c.card.words:
            size = size_of(word.style)
            x, y = c.x + word.x - word.width / 2, c.y + word.y
            found.append((c.card.item.key, word.text, (x, y - 0.76 * size, x + word.width, y + 0.24 * size)))
    return found


def _words_outside(placed: Placed) -> Iterator[str]:
    boxes = card_boxes(placed)
    of_card: dict[str, list[tuple[str, Box]]] = {}
    for key, text, box in word_boxes(placed):
        of_card.setdefault(key, []).append((text, box))
        if not _inside(box, boxes[key]):
            yield f"the text {text!r} leaves card {key}"
    for key, words in of_card.items():
        for (a, box_a), (b, box_b) in combinations(words, 2):
            if overlap(box_a, box_b):
                yield f"the texts {a!r} and {b!r} overlap in card {key}"


def points_on(points: list[tuple[float, float]], right: bool) -> Iterator[tuple[float, float]]:
    """Points on a line as the SVG draws it: straight, or a cubic curve with its tangents in the picture's direction."""
    for (x0, y0), (x1, y1) in pairwise(points):
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        controls = [(middle_x, y0), (middle_x, y1)] if right else [(x0, middle_y), (x1, middle_y)]
        for step in range(_SAMPLES + 1):
            t = step / _SAMPLES
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            along = [(x0, y0), *controls, (x1, y1)]
            yield (
                sum(w * p[0] for w, p in zip(weights, along, strict=True)),
                sum(w * p[1] for w, p in zip(weights, along, strict=True)),
            )


def _crossed(placed: Placed) -> Iterator[str]:
    """Lines through cards, or through titles of boxes."""
    boxes = [(key, box) for key, box in card_boxes(placed).items()]
    boxes += [
        (
            f"title of {f.frame.key}",
            (
                f.title_at[0],
                f.title_at[1] - 10,
                f.title_at[0] + text_width(f.title, TITLE_SIZE, bold=True),
                f.title_at[1] + 3,
            ),
        )
        for f in placed.frames
    ]
    cells: dict[tuple[int, int], list[tuple[str, Box]]] = {}
    for key, box in boxes:
        for column in range(int(box[0] // 100), int(box[2] // 100) + 1):
            for row in range(int(box[1] // 100), int(box[3] // 100) + 1):
                cells.setdefault((column, row), []).append((key, box))
    for line in placed.lines:
        hit = set()
        for x, y in points_on(line.points, placed.right):
            for key, (left, top, right, bottom) in cells.get((int(x // 100), int(y // 100)), ()):
                if left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5:
                    hit.add(key)
        yield from (f"the line {line.source} -> {line.target} crosses {key}" for key in sorted(hit))


def _outside_frames(placed: Placed) -> Iterator[str]:
    frames = {f.frame.key: (f.x, f.y, f.x + f.width, f.y + f.height) for f in placed.frames}
    cards = card_boxes(placed)
    of_frame = {f.frame.key: {one.key for one in f.frame.items} for f in placed.frames}
    for key, inside in of_frame.items():
        for other in inside:
            box = cards.get(other) or frames[other]
            if not _inside(box, frames[key]):
                yield f"{other} leaves its box {key}"
    everything = {key: set(inside) for key, inside in of_frame.items()}
    for _ in frames:
        for inside in everything.values():
            inside.update(*[everything[k] for k in list(inside) if k in everything])
    for key, box in frames.items():
        for other, card in cards.items():
            if other not in everything[key] and overlap(box, card):
                yield f"card {other} lies in box {key}"
        for other, frame in frames.items():
            if other != key and other not in everything[key] and key not in everything[other] and overlap(box, frame):
                yield f"boxes {key} and {other} overlap"
