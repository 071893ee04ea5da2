"""What no graph tells of a tensor's past: where it was cut from its graph, which passes were added up in a gradient.

The graph records what was tracked. A cut leaves nothing there, so it is noted here: in the slot ``_past`` of the tensor
that came of it, and in a short list of the latest cuts for results that are no tensors (``float(t)``, ``t.numpy()``).
Where tracking was switched off for a block is noted in that list too: once for the block, not for what runs in it.
A note holds words, a code position and a weak reference: it keeps neither a graph nor an array alive.
"""

from __future__ import annotations

import weakref
from collections import deque
from sys import _getframe
from types import CodeType
from typing import Any, Final, NamedTuple

from wengert._source import is_passed_over, user_code
from wengert.engine.base import TensorBase

_KEPT = 256


class Cut(NamedTuple):
    """One place where a tracked tensor was turned into something that no gradient flows through."""

    how: str  # as the user would write it: `detach()`, `float()`
    code: CodeType
    lasti: int
    source: weakref.ref[Any] | None  # the tracked tensor


class Passes(NamedTuple):
    """How many backward passes were added up in one gradient since it last was new or written to by the user."""

    number: int
    code: CodeType | None  # where the last of them was asked for
    lasti: int
    version: int  # of the gradient after the last of them
    leaf_version: int  # of the tensor that it is the gradient of, at that time
    updates: int  # how many times that tensor was written to between these passes


_LENGTH: Final = len(Passes._fields)
_recent: Final[deque[tuple[str, CodeType, int, weakref.ref[Any] | None]]] = deque(maxlen=_KEPT)
_note = _recent.append
_ref = weakref.ref
SWITCHES: Final = ("no_grad()", "inference_mode()", "set_grad_enabled(False)")
_FRAMES = 3  # from `user_code` over `note_cut` and the public function to the user's call


def note_cut(how: str, source: TensorBase | None, result: TensorBase | None = None) -> None:
    """Note that ``source``, a tracked tensor, was cut; called by the public function that the user called."""
    code, lasti = user_code(_FRAMES)
    cut = (how, code, lasti, _ref(source) if source is not None else None)  # half the time of a `Cut`
    if result is not None:
        result._past = cut
    _note(cut)


def note_switch(how: str) -> None:
    """Note that the user's code that called the caller of this function switched tracking off there.

    Where the package itself does so, for its own purposes, nothing is noted.
    """
    frame = _getframe(2)
    code = frame.f_code
    if not is_passed_over(code.co_filename):
        _note((how, code, frame.f_lasti, None))


def note_pass(leaf: Any, grad: Any, where: tuple[CodeType | None, int]) -> None:
    """Note that a further backward pass was added into ``grad``, the gradient of ``leaf``."""
    version = grad._cell[0]
    leaf_version = leaf._cell[0] if leaf._cell else 0
    past = getattr(grad, "_past", None)
    if past.__class__ is tuple and len(past) == _LENGTH and past[3] == version - 1:
        number, _, _, _, before, updates = past
        number, updates = number + 1, updates + leaf_version - before
    else:  # the first pass that was added to another, or the user wrote into the gradient before it
        number, updates = (2 if version == 1 else 1), 0
    grad._past = (number, *where, version, leaf_version, updates)


def cut_of(t: TensorBase) -> Cut | None:
    """Where this very tensor was cut from its graph; None if it was not."""
    past = getattr(t, "_past", None)
    return Cut(*past) if past.__class__ is tuple and len(past) == len(Cut._fields) else None


def passes_of(grad: TensorBase) -> Passes | None:
    """Which backward passes were added up in a gradient, if it was more than one and nobody wrote into it since."""
    past = getattr(grad, "_past", None)
    if past.__class__ is not tuple or len(past) != len(Passes._fields):
        return None
    passes = Passes(*past)
    return passes if passes.number > 1 and grad._cell and grad._cell[0] == passes.version else None


def recent_cuts() -> list[Cut]:
    """The latest cuts, the latest last."""
    return [Cut(*cut) for cut in _recent]
