"""Reductions: named results, `out=`, the forms of max and min, and errors as PyTorch raises them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


Reduction = Callable[..., Any]


def test_named_results() -> None:
    x = wengert.tensor([[1.0, 5.0], [7.0, 2.0]])
    found = x.max(1)
    assert repr(found) == "torch.return_types.max(\nvalues=tensor([5., 7.]),\nindices=tensor([1, 0]))"
    assert repr(x.aminmax()) == repr(torch.tensor([[1.0, 5.0], [7.0, 2.0]]).aminmax())
    assert isinstance(found, tuple)
    assert found[0] is found.values
    assert type(found).__name__ == "max"
    values, indices = found
    assert values is found.values
    assert indices is found.indices
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert type(again) is type(found)
        assert again.indices.tolist() == [1, 0]
    with pytest.raises(TypeError, match=r"takes a 2-sequence \(1-sequence given\)"):
        type(found)([1])


def test_two_tensor_forms_of_max_and_min() -> None:
    for name in ("max", "min"):
        compare(lambda lib, x, y, name=name: getattr(lib, name)(x, y), r(3), r(3, seed=1))
        compare(lambda lib, x, y, name=name: getattr(x, name)(other=y), r(3), r(3, seed=1))


def test_out() -> None:
    x = wengert.tensor([[1.0, 2.0], [3.0, 5.0]])
    out = wengert.empty(2)
    assert wengert.sum(x, 0, out=out) is out
    assert out.tolist() == [4, 7]
    wide, wanted = wengert.empty(2, dtype=wengert.float64), torch.empty(2, dtype=torch.float64)
    wengert.mean(x / 3, 1, out=wide)
    torch.mean(torch.from_numpy(x.numpy()) / 3, 1, out=wanted)
    assert wide.tolist() == wanted.tolist()
    values, indices = wengert.empty(2), wengert.empty(2, dtype=wengert.int64)
    found = wengert.max(x, 0, out=(values, indices))
    assert found.values is values
    assert indices.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match=r"out=\.\.\. arguments don't support automatic differentiation"):
        wengert.sum(x.requires_grad_(), 0, out=out)


ERRORS: dict[str, tuple[Reduction, int | None]] = {
    "no such axis": (lambda lib, x: x.sum(5), None),
    "no such axis among several": (lambda lib, x: x.mean((0, 5)), None),
    "axis twice": (lambda lib, x: x.sum((0, 0)), None),
    "axis twice, once negative": (lambda lib, x: x.var((1, -1)), None),
    "axis by name": (lambda lib, x: x.nansum("a"), 0),
    "axis as float": (lambda lib, x: x.amax(1.5), 0),
    "several axes where one is meant": (lambda lib, x: x.max((0, 1)), 0),
    "prod over several axes": (lambda lib, x: x.prod((0, 1)), 0),
    "keepdim no bool": (lambda lib, x: x.sum(0, 1), 0),
    "mean of integers": (lambda lib, x: x.long().mean(), None),
    "mean of bools": (lambda lib, x: (x > 0).mean(0), None),
    "mean as integer": (lambda lib, x: x.mean(dtype=lib.int64), None),
    "nanmean of integers": (lambda lib, x: x.long().nanmean(), None),
    "nansum of complex": (lambda lib, x: (x + 1j).nansum(), None),
    "var of integers": (lambda lib, x: x.long().var(), None),
    "var twice told": (lambda lib, x: x.var(0, unbiased=False, correction=1), 0),
    "logsumexp without dim": (lambda lib, x: lib.logsumexp(x), None),
    "amax of complex": (lambda lib, x: (x + 1j).amax(), None),
    "amin of complex": (lambda lib, x: (x + 1j).amin(), None),
    "max of complex": (lambda lib, x: (x + 1j).max(), None),
    "max of complex along": (lambda lib, x: (x + 1j).max(0), None),
    "aminmax of complex": (lambda lib, x: (x + 1j).aminmax(), None),
    "aminmax of nothing": (lambda lib, x: x[:0].aminmax(), None),
    "argmax of bools": (lambda lib, x: (x > 0).argmax(), None),
    "argmin of complex": (lambda lib, x: (x + 1j).argmin(), None),
    "argmax of nothing": (lambda lib, x: x[:0].argmax(), None),
    "amin of nothing": (lambda lib, x: x[:0].amin(), None),
    "min along nothing": (lambda lib, x: x[:0].min(0), None),
    "mode along nothing": (lambda lib, x: x[:0].mode(0), None),
    "median of bools": (lambda lib, x: (x > 0).median(), None),
    "median of complex": (lambda lib, x: (x + 1j).median(0), None),
    "norm of integers": (lambda lib, x: x.long().norm(), None),
    "norm of unknown order": (lambda lib, x: x.norm("foo"), 40),
    "norm as integer": (lambda lib, x: x.norm(dtype=lib.int64), None),
    "narrowing norm": (lambda lib, x: x.norm(dtype=lib.float32), None),
    "infinite norm of nothing": (lambda lib, x: x[:0].norm(inf), None),
    "negative norm of nothing": (lambda lib, x: x[:0].norm(-1), None),
    "infinite norm along nothing": (lambda lib, x: x[:0].norm(inf, 0), 60),
    "renorm of a vector": (lambda lib, x: x[0].renorm(2, 0, 1.0), 50),
    "renorm of order 0": (lambda lib, x: x.renorm(0, 0, 1.0), 40),
    "renorm to a negative norm": (lambda lib, x: x.renorm(2, 0, -1.0), None),
    "no tensor": (lambda lib, x: lib.sum(1.0), None),
    "no tensor in max": (lambda lib, x: lib.max([1.0]), None),
    "out of another dtype": (lambda lib, x: lib.amax(x.detach(), 0, out=lib.zeros(3).half()), None),
    "out that is no tuple": (lambda lib, x: lib.mode(x.detach(), 0, out=lib.zeros(3)), None),
    "truth into floats": (lambda lib, x: lib.all(x.detach(), 0, out=lib.zeros(3)), 40),
}


@pytest.mark.parametrize(("run", "beginning"), ERRORS.values(), ids=ERRORS)
def test_errors(run: Reduction, beginning: int | None) -> None:
    assert len(same_error(run, r(2, 3), beginning=beginning)) > 20


def test_both_names_of_an_argument() -> None:
    with pytest.raises(TypeError, match="'dim' and 'axis', which mean the same"):
        wengert.ones(2).sum(0, axis=0)
