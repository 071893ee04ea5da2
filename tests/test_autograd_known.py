"""What a node knows of its operation: the numbers, for those who show the graph, also after backward freed it."""

import gc
import weakref

import numpy as np
import pytest

import wengert
from op_cases import DIFFERENTIABLE, ELEMENTWISE, cases
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.node import save_plan
from wengert.engine.pointwise import binary, unary
from wengert.ops.reads import Read
from wengert.ops.record import TABLE
from wengert.testing._op_checks import same_bits
from wengert.testing._trial import is_array

NAMES = [name for name in ELEMENTWISE if name in DIFFERENTIABLE and not TABLE[name].view and TABLE[name].outputs == 1]


def _first(x, *, as_array: bool):
    """The first element of an input, as the raw value of a 0-d tensor."""
    if not is_array(x):
        return x
    value = np.asarray(x).reshape(-1)[0]
    return np.array(value) if as_array else value


def _has_metadata(op) -> bool:
    return any(case.meta for case in cases(op.name))


def _functions(op, inputs):
    yield lambda *xs, **meta: apply(op, *xs, **meta)
    if not hasattr(inputs[0], "_data") or inputs[0]._data.dtype.char not in "fd":
        return
    if len(inputs) == 1:
        yield lambda x, **meta: unary(op)(x, meta=meta or None)
    elif len(inputs) == 2 and not _has_metadata(op):
        yield binary(op)


@pytest.mark.parametrize("as_array", [False, True], ids=["scalars", "0-d arrays"])
@pytest.mark.parametrize("name", NAMES)
def test_scalars_are_known_before_and_after_backward(name: str, as_array: bool) -> None:
    op = TABLE[name]
    for case in cases(name):
        raws = [_first(x, as_array=as_array) for x in case.inputs]
        inputs = [wrap(raw) if is_array(raw) else raw for raw in raws]
        for t in inputs:
            if is_array(t) and t._data.dtype.kind in "fc":
                t.requires_grad_()
        for function in _functions(op, inputs):
            with np.errstate(all="ignore"):
                y = function(*inputs, **case.meta)
            if y._node is None or y._data.__class__ is np.ndarray:
                continue
            for _ in range(2):
                known = y._node.known()
                for value, raw in zip(known, (y._data, *raws), strict=True):
                    assert value.__class__ is not np.ndarray
                    assert same_bits(np.asarray(value), np.asarray(raw)), (name, known)
                y.backward(wrap(y._data))


def test_every_elementwise_operation_gives_a_scalar_of_scalars() -> None:
    for name in NAMES:
        for case in cases(name):
            with np.errstate(all="ignore"):
                y = TABLE[name].impl(*[_first(x, as_array=False) for x in case.inputs], **case.meta)
            assert y.__class__ is not np.ndarray, name


@pytest.mark.parametrize("name", NAMES)
def test_freed_scalars_are_still_freed(name: str) -> None:
    """What is known is not what is saved: a second backward and the saved values are errors as for arrays."""
    op = TABLE[name]
    for case in cases(name):
        at = []
        for shape in ((), (1,)):
            inputs = [
                wrap(np.asarray(_first(x, as_array=False)).reshape(shape)[()]) if is_array(x) else x
                for x in case.inputs
            ]
            for t in inputs:
                if is_array(t) and t._data.dtype.kind in "fc":
                    t.requires_grad_()
            try:
                y = apply(op, *inputs, **case.meta)
            except (RuntimeError, ValueError, TypeError):
                continue
            at.append(_after_backward(y))
        assert at.count(at[0]) == len(at), name


def _after_backward(y):
    if y._node is None:
        return None
    told = [_told(lambda: y._node.saved_tensors)]
    y.backward(wrap(np.asarray(y._data)))
    told.append(_told(lambda: y._node.saved_tensors))
    told.append(_told(lambda: y.backward(wrap(np.asarray(y._data)))))
    return told


def _told(function):
    try:
        result = function()
    except RuntimeError as error:
        return str(error)[:60]
    return None if result is None else len(result)


def test_numbers_of_array_operations_are_known_and_arrays_until_freed() -> None:
    x = wengert.tensor([1.0, 2.0], requires_grad=True)
    made = [1 - x, x + 3, x * 2, x**2, 2**x, x / 4, x.exp()]
    numbers = [t.grad_fn.known() for t in made]
    wanted = [(1, 2), (3, 2), (2, 2), (2, 2), (2, 1), (4, 2), (None, None)]
    for t, known, (number, place) in zip(made, numbers, wanted, strict=True):
        assert number is None or known[place] == number
        t.sum().backward()
        after = t.grad_fn.known()
        assert number is None or after[place] == number
        assert [value for value in after if value is not None] == ([] if number is None else [number])
    square = x * x
    assert [v is None or v.tolist() for v in square.grad_fn.known()] == [True, [1.0, 2.0], [1.0, 2.0]]
    with wengert.no_grad():
        x += 1
    assert square.grad_fn.known() == (None, None, None)


def test_a_scalar_written_in_place_stays_known_as_it_was() -> None:
    w = wengert.tensor(3.0, requires_grad=True)
    x = w * 1
    y = x * x
    x.add_(1)
    assert y.grad_fn.known() == (9.0, 3.0, 3.0)
    assert x.grad_fn.known() == (4.0, 3.0, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_saved_tensor_hooks_keep_what_they_pack() -> None:
    x = wengert.tensor(3.0, requires_grad=True)
    w = wengert.tensor(2.0)
    with wengert.autograd.graph.saved_tensors_hooks(lambda t: t.item(), lambda p: wengert.tensor(p)):
        y = x * w
    assert y.grad_fn.known() == (6.0, 3.0, None)
    y.backward()
    assert y.grad_fn.known() == (6.0, 3.0, None)
    assert x.grad.item() == 2


def test_several_results_and_other_kinds() -> None:
    x = wengert.tensor([3.0, 1.0], requires_grad=True)
    values, _ = x.max(0)
    parent = values.grad_fn.next_functions and values.grad_fn.known
    assert parent is not None
    total = x.sum()
    total.backward()
    assert total.grad_fn.known() == (None, None)


def test_no_array_is_kept_alive() -> None:
    class Big(np.ndarray):
        pass

    memory = np.arange(1000.0).view(Big)
    reference = weakref.ref(memory)
    big = wengert.from_numpy(memory)
    element = big[3]
    w = wengert.tensor(2.0, dtype=wengert.float64, requires_grad=True)
    y = w + element
    z = w * element
    assert y.grad_fn.known() == (5.0, 2.0, 3.0)
    del memory, big, element
    gc.collect()
    assert reference() is None
    z.backward()
    assert z.grad_fn.known() == (6.0, 2.0, 3.0)


def test_what_is_kept_beyond_the_rules_is_scalars() -> None:
    """Every value in a node that its rules do not read is a number."""
    for name in NAMES:
        op = TABLE[name]
        for case in cases(name):
            inputs = [wrap(np.array(x)[()]) if is_array(x) else x for x in case.inputs]
            for t in inputs:
                if is_array(t) and t._data.dtype.kind in "fc":
                    t.requires_grad_()
            try:
                y = apply(op, *inputs, **case.meta)
            except (RuntimeError, ValueError, TypeError):
                continue
            node = y._node
            if node is None:
                continue
            mask = sum(1 << i for i, following in enumerate(node.next) if following is not None)
            for read, value in zip(save_plan(op, mask, node.arity), node.kept, strict=True):
                assert read is Read.VALUES or not isinstance(value, np.ndarray), (name, value)
