"""The special functions against mpmath: they are computed with NumPy alone, from polynomials of our own."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert

mp = pytest.importorskip("mpmath")

ROOT = Path(__file__).parent.parent
# Largest relative error; float32 results are float64 results rounded, but for erf and erfc, which run in float32.
LIMIT = {np.float64: 2e-15, np.float32: 1e-7}
LIMIT_ERF = {np.float64: 2e-15, np.float32: 6e-7}


def uniform(low: float, high: float, n: int = 300) -> np.ndarray:
    return np.random.default_rng(5).uniform(low, high, n)


def decades(low: float, high: float, n: int = 300) -> np.ndarray:
    return 10 ** np.random.default_rng(6).uniform(low, high, n)


def polygamma(n: int) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return lambda x: wengert.polygamma(n, x), lambda x: mp.polygamma(n, x)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "erf": (wengert.erf, mp.erf),
    "erfc": (wengert.erfc, mp.erfc),
    "erfinv": (wengert.erfinv, mp.erfinv),
    "lgamma": (wengert.lgamma, lambda x: mp.re(mp.loggamma(x))),
    "digamma": (wengert.digamma, mp.digamma),
    **{f"polygamma {n}": polygamma(n) for n in (1, 2, 3, 6)},
}

ROOT_OF_DIGAMMA = 1.4616321449683623

POINTS = {
    "erf": [uniform(-1e-3, 1e-3), uniform(-1.2, 1.2), uniform(-7, 7), decades(-30, 0)],
    "erfc": [uniform(-7, 9), uniform(0.4, 1.6)],
    "erfinv": [uniform(-1, 1), 1 - decades(-6.5, 0), decades(-30, 0)],
    "lgamma": [uniform(0, 12), 1 + decades(-10, 0), 2 - decades(-10, 0), decades(0, 30), decades(-30, 0)],
    "digamma": [uniform(0, 12), ROOT_OF_DIGAMMA + decades(-9, 0), ROOT_OF_DIGAMMA - decades(-9, 0), decades(0, 30)],
    **{f"polygamma {n}": [uniform(0.01, 30)] for n in (1, 2, 3, 6)},
}


def relative_error(name: str, x: np.ndarray, floor: float = 0.0) -> float:
    """The largest error relative to the exact value (to ``floor`` where that is smaller)."""
    function, exact = FUNCTIONS[name]
    y = function(wengert.from_numpy(x)).numpy()
    assert y.dtype == x.dtype
    worst = 0.0
    with mp.workdps(40):
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            want = exact(mp.mpf(a))
            if abs(want) >= np.finfo(x.dtype).tiny:
                worst = max(worst, float(abs(mp.mpf(b) - want) / max(abs(want), floor)))
            else:
                assert abs(b) <= np.finfo(x.dtype).tiny
    return worst


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(name: str, dtype: Any) -> None:
    limit = (LIMIT_ERF if name in ("erf", "erfc") else LIMIT)[dtype]
    for points in POINTS[name]:
        assert relative_error(name, points.astype(dtype)) < limit


def test_accuracy_of_erfc_far_out() -> None:
    assert relative_error("erfc", uniform(9, 26.5)) < LIMIT[np.float64]


def test_accuracy_of_erfinv_at_the_edge() -> None:
    assert relative_error("erfinv", 1 - decades(-15.9, -6)) < LIMIT[np.float64]


@pytest.mark.parametrize("name", ["lgamma", "digamma", "polygamma 1", "polygamma 2", "polygamma 3"])
def test_accuracy_left_of_zero(name: str) -> None:
    # near their zeros there, only the error relative to 1 can be small
    assert relative_error(name, uniform(-8, 0), floor=1.0) < 2e-14


@pytest.mark.parametrize("name", ["erf", "erfc", "lgamma", "digamma"])
def test_few_elements_agree_with_many(name: str) -> None:
    function, _ = FUNCTIONS[name]
    x = np.array([0.0, 0.3, 0.99, 1.01, 2.5, 5.0])
    many = function(wengert.from_numpy(np.repeat(x, 100))).numpy()[::100]
    few = function(wengert.from_numpy(x)).numpy()
    alone = [function(wengert.tensor(value, dtype=wengert.float64)).item() for value in x.tolist()]
    np.testing.assert_allclose(few, many, rtol=2e-15, atol=0)
    np.testing.assert_allclose(alone, many, rtol=2e-15, atol=0)


INF, NAN = float("inf"), float("nan")
AT_THE_ENDS = {
    "erf": [(INF, 1.0), (-INF, -1.0), (NAN, NAN), (-0.0, -0.0)],
    "erfc": [(INF, 0.0), (-INF, 2.0), (NAN, NAN), (40.0, 0.0), (-40.0, 2.0)],
    "erfinv": [(1.0, INF), (-1.0, -INF), (1.5, NAN), (NAN, NAN), (-0.0, -0.0)],
    "lgamma": [(INF, INF), (-INF, INF), (0.0, INF), (-2.0, INF), (1.0, 0.0), (2.0, 0.0), (1e306, INF), (NAN, NAN)],
    "digamma": [(INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, INF), (-3.0, NAN), (NAN, NAN)],
    "polygamma 1": [(INF, 0.0), (0.0, INF), (-1.0, INF), (NAN, NAN)],
}


@pytest.mark.parametrize("shape", [(), (1,), (300,)], ids=["0-d", "few", "many"])
@pytest.mark.parametrize("name", AT_THE_ENDS)
def test_ends(name: str, shape: tuple[int, ...]) -> None:
    function, _ = FUNCTIONS[name]
    for x, want in AT_THE_ENDS[name]:
        got = function(wengert.full(shape, x, dtype=wengert.float64)).reshape(-1)[0].item()
        np.testing.assert_equal(got, want, err_msg=f"{name}({x})")


def test_blocks_join() -> None:
    x = np.random.default_rng(1).normal(size=10_007)
    whole = wengert.erf(wengert.from_numpy(x)).numpy()
    pieces = [wengert.erf(wengert.from_numpy(part)).numpy() for part in np.array_split(x, 3)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))


@pytest.mark.slow
def test_fits_are_what_the_script_makes(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "fit_special.py"))
    made = tmp_path / "special_fits.py"
    script["write"](made)
    assert made.read_text() == (ROOT / "src" / "wengert" / "ops" / "special_fits.py").read_text()
