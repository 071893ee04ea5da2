"""Samples for the operations that put drawn or given numbers in the place of their input."""

from __future__ import annotations

import numpy as np

from samples import Sample

_rng = np.random.default_rng(11)
_X, _VALUES = _rng.standard_normal((2, 3)), _rng.standard_normal((2, 3))
_DRAWS = (
    "bernoulli",
    "poisson",
    "binomial",
    "normal_around",
    "normal_spread",
    "fill_uniform",
    "fill_normal",
    "fill_log_normal",
    "fill_exponential",
    "fill_cauchy",
    "fill_geometric",
    "fill_bernoulli",
    "fill_bernoulli_each",
    "fill_integers",
    "fill_integers_below",
    "fill_integers_between",
)

SAMPLES: dict[str, list[Sample]] = {name: [Sample(_X, _VALUES)] for name in _DRAWS} | {
    "normal_both": [Sample(_X, _X[0], _VALUES), Sample(_X[:, :1], _X[0], _VALUES)],
    "fill": [Sample(_X, np.float64(3)), Sample(np.float64(2), np.float64(3))],
    "fill_in_place": [Sample(_X, np.float64(3))],
    "fill_with": [Sample(_X, np.float64(3)), Sample(np.float64(2), np.float64(3))],
    "fill_with_in_place": [Sample(_X, np.float64(3))],
    "zero": [Sample(_X), Sample(np.float64(2))],
}
