"""Random nestings of transforms, up to four deep, against torch.func in float64, and in batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import wengert
from nestings import BASES, NESTINGS, OURS, Library, V, W, X, built, close

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
