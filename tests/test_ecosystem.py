"""SciPy, scikit-learn, einops and xarray on tensors: the same values as on arrays, and gradients that flow."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.autograd import gradcheck

HERE = Path(__file__).parent


def points(*shape: int) -> Any:
    return wengert.from_numpy(np.random.default_rng(0).uniform(0.2, 1.5, shape)).requires_grad_()


def _run(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(path)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_scipy_with_its_switch() -> None:
    pytest.importorskip("scipy", minversion="1.17")
    lines = dict(line.split(": ", 1) for line in _run(HERE / "scipy_programs.py").splitlines())
    assert len(lines) >= 24
    wrong = {name: text for name, text in lines.items() if not text[0].isdigit() or float(text) > 1e-6}
    assert wrong == {}


def test_scipy_specials_without_the_switch() -> None:
    """NEP 13: a universal function of SciPy on a tracked tensor is ours."""
    special = pytest.importorskip("scipy.special")
    if not isinstance(special.erf, np.ufunc):
        pytest.skip("SciPy was imported with its switch")
    for name in ("erf", "gammaln", "ndtr", "i0", "psi", "expit"):
        x = points(4)
        y = getattr(special, name)(x)
        np.testing.assert_allclose(y.detach().numpy(), getattr(special, name)(x.detach().numpy()), rtol=1e-10)
        assert y.requires_grad
    with pytest.raises(RuntimeError, match="no such operation"):
        special.ellipk(points(2))


SKLEARN = """
import warnings
import numpy as np, wengert
from sklearn import config_context
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler

values = np.random.default_rng(0).uniform(0.2, 1.5, (8, 3))
target = values @ [1.0, 2.0, 3.0]
makers = {
    "MinMaxScaler": lambda x: MinMaxScaler().fit_transform(x),
    "MaxAbsScaler": lambda x: MaxAbsScaler().fit_transform(x),
    "Ridge": lambda x: Ridge(solver="svd").fit(x, wengert.from_numpy(target) if hasattr(x, "grad") else target).coef_,
    "rbf_kernel": lambda x: pairwise.rbf_kernel(x),
    "linear_kernel": lambda x: pairwise.linear_kernel(x),
    "polynomial_kernel": lambda x: pairwise.polynomial_kernel(x),
    "paired distances": lambda x: pairwise.paired_euclidean_distances(x, x[::-1, ...] + 0.1),
}
with config_context(array_api_dispatch=True):
    for name, make in makers.items():
        try:
            x = wengert.from_numpy(values.copy()).requires_grad_()
            y = make(x)
            np.testing.assert_allclose(y.detach().numpy(), make(values), rtol=1e-8, atol=1e-10)
            y.sum().backward()
            print(name, bool(np.isfinite(x.grad.numpy()).all()))
        except Exception as error:
            print(name, type(error).__name__, str(error)[:300].replace("\\n", " "))
"""


@pytest.mark.slow
def test_scikit_learn(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    program = tmp_path / "program.py"
    program.write_text(SKLEARN, encoding="utf-8")
    lines = [line for line in _run(program).splitlines() if not line.endswith(" True")]
    assert lines == []


def test_einops() -> None:
    einops = pytest.importorskip("einops")
    array_api = pytest.importorskip("einops.array_api")
    x = points(2, 3, 4)
    assert gradcheck(lambda t: array_api.rearrange(t, "a b c -> (c a) b"), (x,))
    assert gradcheck(lambda t: array_api.reduce(t, "a b c -> a c", "mean"), (x,))
    assert gradcheck(lambda t: array_api.repeat(t, "a b c -> a b (c 2)"), (x,))
    y = array_api.rearrange(x, "a b c -> b (a c)").detach().numpy()
    np.testing.assert_array_equal(y, einops.rearrange(x.detach().numpy(), "a b c -> b (a c)"))


def test_einops_by_the_names_that_people_use() -> None:
    einops = pytest.importorskip("einops")
    importlib.import_module("wengert.interop.einops")
    x = points(2, 3, 4)
    values = x.detach().numpy()
    programs = {
        "rearrange": lambda t: einops.rearrange(t, "a b (c d) -> d (a b) c", d=2),
        "of a list": lambda t: einops.rearrange([t, 2 * t], "n a b c -> a n (b c)"),
        "mean": lambda t: einops.reduce(t, "a (b d) c -> a b", "mean", d=3),
        "max": lambda t: einops.reduce(t, "a b c -> c", "max"),
        "min": lambda t: einops.reduce(t, "a b c -> a 1 c", "min"),
        "prod": lambda t: einops.reduce(t, "a b c -> b", "prod"),
        "sum": lambda t: einops.reduce(t, "a b c -> ", "sum"),
        "repeat": lambda t: einops.repeat(t, "a b c -> a 2 b (c k)", k=3),
        "einsum": lambda t: einops.einsum(t, t, "a b c, a d c -> a b d"),
        "pack": lambda t: einops.pack([t, t[:, :, 0]], "a *")[0],
        "unpack": lambda t: einops.unpack(t, [[1], [2]], "a * c")[1],
    }
    for name, f in programs.items():
        y, want = f(x), f(values)
        assert isinstance(y, wengert.Tensor), name
        np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-12, err_msg=name)
        assert gradcheck(f, (x,)), name
    assert einops.parse_shape(x, "a _ c") == {"a": 2, "c": 4}
    assert einops.reduce(x > 0, "a b c -> a", "any").dtype is wengert.bool
    assert einops.asnumpy(wengert.ones(2)).tolist() == [1.0, 1.0]
    with pytest.raises(einops.EinopsError, match="Shape mismatch"):
        einops.rearrange(x, "(a k) b c -> a k b c", k=5)


def test_xarray() -> None:
    xarray = pytest.importorskip("xarray")
    x = points(3, 4)
    table = xarray.DataArray(x, dims=("time", "place"), coords={"time": [1.0, 2.0, 3.0]})
    assert table.data is x
    other = xarray.DataArray(x.detach().numpy(), dims=("time", "place"), coords={"time": [1.0, 2.0, 3.0]})
    programs = {
        "arithmetic": lambda d: d * 2 + d / (d + 1),
        "mean": lambda d: d.mean("time"),
        "std": lambda d: d.std("place"),
        "sum": lambda d: d.sum(),
        "isel": lambda d: d.isel(time=[0, 2]),
        "sel": lambda d: d.sel(time=2.0),
        "transpose": lambda d: d.transpose("place", "time"),
        "where": lambda d: d.where(d > 0.5, 0.0),
        "dot of two": lambda d: xarray.dot(d, d, dim="place"),
        "exp": np.exp,
        "cumsum": lambda d: d.cumsum("time"),
        "stack": lambda d: d.stack(all=("time", "place")),
        "shift": lambda d: d.clip(0.3, 1.0),
        "dot": lambda d: xarray.concat([d, d], "place"),
    }
    for name, program in programs.items():
        result = program(table)
        assert isinstance(result.data, wengert.Tensor), name
        assert result.data.requires_grad, name
        np.testing.assert_allclose(result.data.detach().numpy(), program(other).values, err_msg=name)
        x.grad = None
        result.data.sum().backward()
        assert np.isfinite(x.grad.numpy()).all()
