"""Python functions of single elements, in place, compared with PyTorch."""

from __future__ import annotations

import pytest

import wengert

torch = pytest.importorskip("torch")

CALLS = {
    "squares": lambda lib: lib.tensor([1.0, -2.0]).apply_(lambda x: x * x),
    "integers are cut": lambda lib: lib.tensor([1, -2]).apply_(lambda x: x - 0.5),
    "truth values": lambda lib: lib.tensor([True, False]).apply_(lambda x: not x),
    "complex numbers": lambda lib: lib.tensor([1 + 1j, 2.0]).apply_(lambda x: x * x),
    "a number": lambda lib: lib.tensor(2.0).apply_(lambda x: x + 1),
    "nothing": lambda lib: lib.zeros(0, 2).apply_(lambda x: x + 1),
    "a part": lambda lib: lib.arange(6.0).reshape(2, 3)[:, 1].apply_(lambda x: -x),
    "tensors from the function": lambda lib: lib.tensor([1, 2]).apply_(lambda x: lib.tensor(3)),
    "two": lambda lib: lib.tensor([1.0, 2.0]).map_(lib.tensor([3.0, 4.0]), lambda a, b: a * b),
    "two, broadcast": lambda lib: lib.ones(2, 2).map_(lib.tensor([3.0, 4.0]), lambda a, b: a * b),
    "three": lambda lib: lib.ones(2).map2_(lib.tensor([3.0, 4.0]), lib.tensor(2.0), lambda a, b, c: a + b * c),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_those_of_pytorch(name):
    ours, theirs = CALLS[name](wengert), CALLS[name](torch)
    assert (ours.tolist(), str(ours.dtype)) == (theirs.tolist(), str(theirs.dtype))


REFUSED = {
    "text": lambda lib: lib.tensor([1.0]).apply_(lambda x: "a"),
    "a number for another tensor": lambda lib: lib.tensor([1.0]).map_(3, lambda a, b: a),
    "another dtype": lambda lib: lib.tensor([1.0]).map_(lib.tensor([1]), lambda a, b: a),
    "other sizes": lambda lib: lib.ones(2).map_(lib.ones(3), lambda a, b: a),
    "tracked": lambda lib: lib.ones(2, requires_grad=True).apply_(lambda x: x),
    "another tracked": lambda lib: lib.ones(2).map_(lib.ones(2, requires_grad=True), lambda a, b: a),
    "no function": lambda lib: lib.ones(2).apply_(3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_are_those_of_pytorch(name):
    with pytest.raises((TypeError, RuntimeError)) as theirs:
        REFUSED[name](torch)
    with pytest.raises(theirs.type):
        REFUSED[name](wengert)


def test_the_write_reaches_the_base_and_is_seen_by_the_graph():
    base = wengert.arange(4.0)
    base[2:].apply_(lambda x: 10 * x)
    assert base.tolist() == [0, 1, 20, 30]
    w = wengert.ones(2, requires_grad=True)
    x = wengert.ones(2)
    y = (w * x).sum()
    x.apply_(lambda value: value + 1)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()
