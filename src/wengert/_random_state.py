"""The state of a stream of random numbers as bytes, in the form of PyTorch's CPU generators. Knows no stream."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

__all__ = ["packed", "unpacked"]

_SIZE: Final = 624  # words of a Mersenne twister

# The seed; words left until new ones are made, plus one; 1 for a generator that was seeded; the place of the next word.
_HEAD: Final = struct.Struct("<QiiQ")
# Three numbers of which the second is a normal number kept for later; 1 if it is; a kept number in single precision and
# whether there is one, which there never is.
_TAIL: Final = struct.Struct("<dddi4xf?3x")

STATE_BYTES: Final = _HEAD.size + 8 * _SIZE + _TAIL.size


def packed(seed: int, words: dict[str, Any], spare: float | None) -> bytes:
    """The state of a twister (its ``key`` and ``pos``), its seed, and a normal number kept for later."""
    place = int(words["pos"])
    head = _HEAD.pack(seed, _SIZE + 1 - place, 1, place)
    tail = _TAIL.pack(0.0, spare or 0.0, 0.0, spare is not None, 0.0, False)
    return head + np.asarray(words["key"], "<u8").tobytes() + tail


def unpacked(state: bytes) -> tuple[int, dict[str, Any], float | None]:
    """What :func:`packed` was given.

    Raises:
        ValueError: something else.
    """
    if len(state) != STATE_BYTES:
        raise ValueError(f"the state of a generator has {STATE_BYTES} bytes, but got {len(state)}")
    seed, left, seeded, place = _HEAD.unpack_from(state)
    key = np.frombuffer(state, "<u8", _SIZE, _HEAD.size)
    if not seeded or not 1 <= left <= _SIZE or place > _SIZE or (key >= 2**32).any():
        raise ValueError("the bytes are not the state of a Mersenne twister")
    _, spare, _, is_kept, _, _ = _TAIL.unpack_from(state, STATE_BYTES - _TAIL.size)
    words = {"key": key.astype(np.uint32), "pos": _SIZE if left == 1 else place}
    return seed, words, spare if is_kept else None
