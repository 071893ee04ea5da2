"""``testing.assert_close``: what it lets pass, and its messages, which are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

NAN, INF = float("nan"), float("inf")
PAIRS: dict[str, Any] = {
    "vectors": lambda t: (t.tensor([1.0, 2, 3]), t.tensor([1.0, 2.1, 3])),
    "equal": lambda t: (t.tensor([1.0, 2, 3]), t.tensor([1.0, 2, 3])),
    "within the tolerance": lambda t: (t.tensor([1.0]), t.tensor([1.000001])),
    "beyond it in double precision": lambda t: (t.tensor([1.0]).double(), t.tensor([1.000001]).double()),
    "half": lambda t: (t.tensor([1.0]).half(), t.tensor([1.0009]).half()),
    "matrices": lambda t: (t.tensor([[1.0, 2], [3, 4]]), t.tensor([[1.0, 2.1], [3, 5]])),
    "scalars": lambda t: (t.tensor(1.0), t.tensor(2.0)),
    "numbers": lambda _: (1.0, 2.0),
    "integers": lambda _: (1, 2),
    "to zero": lambda _: (1, 0),
    "types of numbers": lambda _: (1, 1.0),
    "booleans": lambda _: (True, False),
    "complex numbers": lambda _: (1 + 1j, 2 + 1j),
    "integer tensors": lambda t: (t.tensor([1, 2]), t.tensor([1, 3])),
    "bytes": lambda t: (t.tensor([1, 2], dtype=t.uint8), t.tensor([3, 2], dtype=t.uint8)),
    "dtypes": lambda t: (t.tensor([1.0]), t.tensor([1.0]).double()),
    "shapes": lambda t: (t.tensor([1.0]), t.tensor([1.0, 2])),
    "in a list": lambda t: ([1.0, t.tensor(2.0)], [1.0, t.tensor(3.0)]),
    "in a dict": lambda t: ({"a": [1.0, {"b": t.tensor([1.0, 2])}]}, {"a": [1.0, {"b": t.tensor([1.0, 3])}]}),
    "keys": lambda _: ({"a": 1}, {"b": 1}),
    "lengths": lambda _: ([1], [1, 2]),
    "tuple and list": lambda _: ((1, 2), [1, 2]),
    "NaN": lambda t: (t.tensor([NAN, 1.0]), t.tensor([NAN, 1.0])),
    "infinities": lambda t: (t.tensor([1.0, INF]), t.tensor([1.0, -INF])),
    "equal infinities": lambda t: (t.tensor([-INF, INF]), t.tensor([-INF, INF])),
    "near zero": lambda t: (t.tensor([1e-3]), t.tensor([0.0])),
    "complex tensors": lambda t: (t.tensor([1.0 + 1j]), t.tensor([1.0 + 2j])),
    "bools": lambda t: (t.tensor([True, False]), t.tensor([True, True])),
    "nothing": lambda _: (None, None),
    "nothing and a number": lambda _: (None, 1.0),
    "empty": lambda t: (t.tensor([]), t.tensor([])),
    "arrays": lambda _: (np.array([1.0]), np.array([2.0])),
    "tracked": lambda t: (t.tensor([1.0], requires_grad=True), t.tensor([1.5], requires_grad=True)),
}
SETTINGS: dict[str, Any] = {
    "as they are": {},
    "loose": {"rtol": 0, "atol": 0.5},
    "equal_nan": {"equal_nan": True},
    "any dtype": {"check_dtype": False},
    "another message": {"msg": lambda text: "here: " + text},
}


def _outcome(library: Any, pair: str, settings: str) -> str | None:
    try:
        library.testing.assert_close(*PAIRS[pair](library), **SETTINGS[settings])
    except AssertionError as error:
        return str(error)
    return None


# Where structures differ, PyTorch leaves its own message.
CASES = [(p, s) for p in PAIRS for s in SETTINGS if p not in ("keys", "lengths") or s != "another message"]


@pytest.mark.parametrize(("pair", "settings"), CASES)
def test_the_verdict_and_the_message_are_pytorchs(pair: str, settings: str) -> None:
    assert _outcome(wengert, pair, settings) == _outcome(torch, pair, settings)


def test_some_pass_and_some_do_not() -> None:
    outcomes = [_outcome(wengert, pair, "as they are") for pair in PAIRS]
    assert 5 < outcomes.count(None) < len(outcomes) - 5


def test_strides_are_compared_on_request() -> None:
    a, b = wengert.zeros(2, 3), wengert.zeros(3, 2).t()
    wengert.testing.assert_close(a, b)
    with pytest.raises(AssertionError, match=r"'stride\(\)' do not match: \(3, 1\) != \(1, 2\)"):
        wengert.testing.assert_close(a, b, check_stride=True)


def test_what_cannot_be_compared_is_refused() -> None:
    one = wengert.tensor([1.0])
    for other in (1.0, "x", [1.0], np.array([1.0])):
        with pytest.raises(TypeError, match="No comparison pair was able to handle inputs of type"):
            wengert.testing.assert_close(one, other)
    with pytest.raises(ValueError, match="either specified or omitted, but got no atol"):
        wengert.testing.assert_close(one, one, rtol=0.1)
    with pytest.raises(AssertionError, match=r"\Ano\Z"):
        wengert.testing.assert_close(one, one + 1, msg="no")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool", "complex64"])
def test_made_tensors_are_of_what_is_asked_for(torch, dtype):
    for lib in (wengert, torch):
        make, kind = lib.testing.make_tensor, getattr(lib, dtype)
        x = make((40, 5), dtype=kind, device="cpu")
        assert (tuple(x.shape), x.dtype) == ((40, 5), kind)
        values = np.asarray(x)
        parts = np.stack([values.real, values.imag]) if dtype.startswith("complex") else values.astype(float)
        least, most = {"bool": (0, 1), "uint8": (0, 9)}.get(dtype, (-9, 9))
        assert least <= parts.min() <= least + 4
        assert most - 4 <= parts.max() <= most
        y = make(3, 2, dtype=kind, device="cpu", low=0, high=2, exclude_zero=True, noncontiguous=True)
        assert not (np.asarray(y) == 0).any()
        assert not y.is_contiguous()
    assert wengert.testing.make_tensor(3, dtype=wengert.float32, device="cpu", requires_grad=True).requires_grad
    for settings in ({"low": 3, "high": 3}, {"requires_grad": True}):
        with pytest.raises(ValueError, match="make_tensor"):
            wengert.testing.make_tensor(3, dtype=wengert.int64, device="cpu", **settings)
