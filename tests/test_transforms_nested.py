"""Random nestings of transforms, up to four deep, against torch.func in float64, and in batches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import wengert
from nested_programs import OURS_WITH_CONTROL, PIECES, Unrolled, program
from nestings import BASES, NESTINGS, OURS, Library, V, W, X, built, close, nested

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
THEIRS = Library(torch, torch.func, torch.tensor)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sampled_from(sorted(BASES)), NESTINGS)
def test_against_torch_func(base: str, nesting: list[str]) -> None:
    if "linearize" in nesting[:-1]:  # torch.func.linearize is not differentiable itself
        nesting = [name for name in nesting if name != "linearize"] or ["jvp"]
    elif nesting[-1] == "linearize":
        nesting = [*nesting[:-1], "jvp"]
    close(built(OURS, base, nesting)(OURS.array(X)), built(THEIRS, base, nesting)(THEIRS.array(X)).detach())


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.sampled_from(sorted(BASES)), NESTINGS)
def test_batches_of_nestings(base: str, nesting: list[str]) -> None:
    f = built(OURS, base, nesting)
    points = OURS.array(np.stack([X, V, W, X]))
    looped = np.stack([f(points[k]).numpy() for k in range(4)])
    close(wengert.vmap(f)(points), looped)
    close(wengert.vmap(f, chunk_size=3)(points), looped)


# PyTorch's jvp of its own jvp is wrong for linalg.solve and slogdet: it differs from PyTorch's reverse mode.
BY_REVERSE_MODE = {"solved", "determinant"}


class InReverse(Unrolled):
    """A library whose forward mode is made of its reverse mode."""

    def jvp(self, f: Any, x: Any, t: Any) -> Any:
        return self.two_vjps(f, x, t)


IN_REVERSE = InReverse(
    torch,
    SimpleNamespace(
        grad=torch.func.grad,
        vjp=torch.func.vjp,
        vmap=torch.func.vmap,
        jacrev=torch.func.jacrev,
        jacfwd=torch.func.jacrev,
    ),
    torch.tensor,
)
UNROLLED = Unrolled(torch, torch.func, torch.tensor)
UNSUPPORTED = ("not implemented", "not possible because", "modified by an inplace", "not supported")


def _check_program(pieces: list[str], nesting: list[str]) -> None:
    nesting = [name for name in nesting if name != "linearize"] or ["jvp"]
    ours = nested(OURS_WITH_CONTROL, program(OURS_WITH_CONTROL, pieces), nesting)(OURS.array(X))
    lib = IN_REVERSE if BY_REVERSE_MODE.intersection(pieces) else UNROLLED
    try:
        theirs = nested(lib, program(lib, pieces), nesting)(torch.tensor(X)).detach()
    except RuntimeError as error:
        if not any(words in str(error) for words in UNSUPPORTED):
            raise
        return  # PyTorch cannot; that ours did is something
    close(ours, theirs)


ROWS_OF_PIECES = st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=3)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(ROWS_OF_PIECES, NESTINGS)
def test_programs_against_torch_func(pieces: list[str], nesting: list[str]) -> None:
    _check_program(pieces, nesting)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=150)
@given(ROWS_OF_PIECES, NESTINGS)
def test_many_programs_against_torch_func(pieces: list[str], nesting: list[str]) -> None:
    _check_program(pieces, nesting)


@pytest.mark.parametrize("name", PIECES)
def test_each_piece_in_each_pair_of_modes(name: str) -> None:
    for nesting in ("jvp, jacfwd", "vjp of itself, jvp", "jvp along x, grad", "grad, two vjps", "vmap, jvp"):
        _check_program([name], nesting.split(", "))
