"""Random nestings of transforms, up to four deep, against JAX in float64 where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestings import BASES, NESTINGS, OURS, Library, X, built, close

jax = pytest.importorskip("jax")


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.sampled_from(sorted(BASES)), NESTINGS)
def test_against_jax(base: str, nesting: list[str]) -> None:
    with jax.enable_x64(True):
        wanted = np.asarray(built(Library(jax.numpy, jax, jax.numpy.asarray), base, nesting)(jax.numpy.asarray(X)))
    close(built(OURS, base, nesting)(OURS.array(X)), wanted)
