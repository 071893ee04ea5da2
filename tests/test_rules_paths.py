"""The engine's short paths against the long one, for every operation: values, nodes, what is saved, versions, views."""

import contextlib
import itertools

import numpy as np
import pytest

import wengert
from op_cases import DIFFERENTIABLE, ELEMENTWISE, NAMES, cases
from wengert.engine import apply as apply_module
from wengert.engine import sweep
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.moving import view_function, views_function
from wengert.engine.node import Metadata, Node, Port, save_plan
from wengert.engine.pointwise import binary, operator, unary
from wengert.engine.tiles import LARGE, tiled
from wengert.ops.reads import Read
from wengert.ops.record import MISSING, TABLE, Op
from wengert.testing._op_checks import same_bits
from wengert.testing._trial import Trial, is_array

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def _is_float(x) -> bool:
    return is_array(x) and x.dtype == F64


def _one_input_cases():
    """Every operation of one float input that keeps the dtype, with and without metadata."""
    for name in NAMES:
        op = TABLE[name]
        for case in cases(name):
            if op.outputs != 1 or op.view or len(case.inputs) != 1 or not _is_float(case.inputs[0]):
                continue
            if Trial(op, case.inputs, case.meta).results[0].dtype == F64:
                yield name, case
                break


ONE_INPUT = dict(_one_input_cases())
TWO_INPUTS = [
    name
    for name in ELEMENTWISE
    if isinstance(TABLE[name].vjp, tuple)
    and len(TABLE[name].vjp) == 2
    and cases(name)
    and not cases(name)[0].meta
    and all(_is_float(x) for x in cases(name)[-1].inputs)
    and name not in ("complex", "polar", "rrelu")  # their results have another dtype; its second input is a mask
]
TENSORS_ONLY = ("heaviside", "prelu", "igamma", "igammac")
STATES = (
    "leaf",
    "inner",
    "untracked",
    "written",
    "view",
    "no_grad",
    "inference mode",
    "inference tensor",
    "subclass",
    "hooks",
)


class Subclass(wengert.Tensor):
    pass


@contextlib.contextmanager
def _mode(state: str):
    with contextlib.ExitStack() as stack:
        if state == "no_grad":
            stack.enter_context(wengert.no_grad())
        elif state == "inference mode":
            stack.enter_context(wengert.inference_mode())
        elif state == "hooks":
            stack.enter_context(wengert.autograd.graph.saved_tensors_hooks(lambda t: ("packed", t), lambda p: p[1]))
        yield


def _input(x, state: str):
    """A tensor of these values in a state that the engine may have to look after."""
    raw = np.array(x)
    t = wrap(raw if raw.ndim else raw[()])
    if state in ("leaf", "no_grad", "hooks"):
        t.requires_grad_()
    elif state == "inner":
        t = apply(TABLE["clone"], t.requires_grad_())
    elif state == "written":
        t.mul_(1.0)
        t.requires_grad_()
    elif state == "view":
        t = apply(TABLE["alias"], apply(TABLE["clone"], t.requires_grad_()))
        t._view.base.mul_(1.0)
    elif state in ("inference mode", "inference tensor"):
        with wengert.inference_mode():
            t = wrap(t._data)
    elif state == "subclass":
        t = wrap(t._data, Subclass).requires_grad_()
    return t


def _long(op: Op, *inputs, **meta):
    """The long path, called as the function layer calls it: with one frame between the user's and ``apply``."""
    return apply(op, *inputs, **meta)


def _called(function, *args, **kwargs):
    try:
        return function(*args, **kwargs), None
    except (RuntimeError, NotImplementedError, TypeError, ValueError, ZeroDivisionError) as error:
        return None, (type(error), str(error))


def _same(short, long, inputs, what) -> None:
    """Two results of one computation on the same input tensors are alike in everything but identity."""
    (a, failed), (b, error) = short, long
    assert failed == error, what
    if error is None:
        _same_tensor(a, b, inputs, what)


def _same_tensor(a, b, inputs, what) -> None:
    assert type(a) is type(b), what
    assert a._data.__class__ is b._data.__class__, what
    assert same_bits(a._data, b._data), what
    assert a._rg == b._rg, what
    assert (a._view is None) == (b._view is None), what
    assert _cell(a, inputs) == _cell(b, inputs), what
    assert (a._node is None) == (b._node is None), what
    if a._node is not None:
        _same_node(a, b, inputs, what)


def _same_node(a, b, inputs, what) -> None:
    mine, other = a._node.settled(), b._node.settled()
    assert type(mine) is type(other), what
    for facet in ("shape", "dtype", "scalar", "meta", "code"):
        assert getattr(mine, facet) == getattr(other, facet), (what, facet)
    assert (mine.hooks is None) == (other.hooks is None), what
    for link, other_link in zip(_described(a, inputs), _described(b, inputs), strict=True):
        assert link == other_link, what


def _cell(t, inputs):
    for i, x in enumerate(inputs):
        if t._cell is not None and t._cell != () and t._cell is getattr(x, "_cell", None):
            return f"cell of input {i}"
    return None if t._cell is None else list(t._cell)


def _described(t, inputs):
    form, *links = t._node.links
    return [None if form is None else (*form[:-2], form[-1]), *[_link(link, t, inputs) for link in links]]


def _link(link, t, inputs):
    """What a node holds in one slot, in words that do not depend on which of two like nodes it is."""
    if link is None or isinstance(link, (bool, int, float, complex)):
        return link
    if isinstance(link, Node):
        return ("node", id(link))
    if link is t._data:
        return "result"
    for i, x in enumerate(inputs):
        if hasattr(x, "_data") and link is x._data:
            return f"input {i}"
        if hasattr(x, "_data") and link is x._cell:
            return f"cell of input {i}"
    if link is t._cell:
        return "cell of the result"
    if isinstance(link, Metadata):
        return ("metadata", link.shape, link.dtype)
    return type(link).__name__ if type(link).__name__ == "Packed" else repr(link)


# --- one input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ONE_INPUT)
def test_unary(name: str, state: str) -> None:
    op, case = TABLE[name], ONE_INPUT[name]
    for dtype, shape in itertools.product((F32, F64), ("sample", "0-d", "empty", "0-d array")):
        x = np.asarray(case.inputs[0])
        if shape != "sample":
            if op.name not in ELEMENTWISE or case.meta:
                continue
            x = x.reshape(-1)[0] if shape.startswith("0-d") else x.reshape(-1)[:0]
        t = _input(np.asarray(x, dtype), state)
        if shape == "0-d array":
            t._data = np.asarray(t._data)
        with _mode(state):
            short = _called(unary(op), t, meta=case.meta or None)
            long = _called(apply, op, t, **case.meta)
        _same(short, long, [t], f"{name} of {dtype} {shape}, {state}")


@pytest.mark.parametrize("name", [name for name in ONE_INPUT if name in DIFFERENTIABLE])
def test_apply_to_one_is_apply(name: str) -> None:
    """`apply` has its own path for one input; it records what the path for any number of inputs records."""
    op, case = TABLE[name], ONE_INPUT[name]
    for state in ("leaf", "inner", "written", "hooks"):
        t = _input(np.asarray(case.inputs[0]), state)
        with _mode(state):
            a = apply(op, t, **case.meta)
            b = wrap(a._data)
            b._node, b._rg = apply_module.record(op, (t,), b._data, (b,), case.meta), True
        if a._node is None:
            continue
        plan = save_plan(op, 1, 1)
        assert a._node.code is b._node.code or b._node.code is not None
        for facet in ("shape", "dtype", "scalar", "meta"):
            assert getattr(a._node, facet) == getattr(b._node, facet), (name, state, facet)
        mine, other = _described(a, [t]), _described(b, [t])
        if plan[1] is Read.METADATA:  # one keeps the input's node, which knows its shape
            following = a._node.links[3]
            assert isinstance(following, Node)
            mine[3] = ("metadata", following.shape, following.dtype)
        assert mine == other, (name, state)


# --- two inputs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TWO_INPUTS)
def test_binary(name: str, state: str) -> None:
    op = TABLE[name]
    a, b = (np.asarray(x) for x in cases(name)[-1].inputs)
    shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((), (3,)), ((), ()), ((0,), (0,)), ((2,), (3,))]
    for shape_a, shape_b in shapes:
        x, y = np.resize(a, shape_a), np.resize(b, shape_b)
        for dtypes in ((F32, F32), (F64, F64), (F32, F64)):
            for other in ("leaf", "untracked", "written", "inference tensor"):
                s, t = _input(x.astype(dtypes[0]), state), _input(y.astype(dtypes[1]), other)
                _check_binary(op, state, s, t, f"{name} of {x.shape} {state} and {y.shape} {other}, {dtypes}")
                _check_binary(op, state, t, s, f"{name} of {y.shape} {other} and {x.shape} {state}, {dtypes}")
    s = _input(np.resize(a, (2, 3)), state)
    _check_binary(op, state, s, s, f"{name} of the same {state} twice")


def _check_binary(op: Op, state: str, s, t, what: str) -> None:
    with _mode(state):
        for path in (binary, operator):
            _same(_called(path(op), s, t), _called(_long, op, s, t), [s, t], f"{path.__name__}: {what}")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", [name for name in TWO_INPUTS if name not in TENSORS_ONLY])
def test_numbers(name: str, state: str) -> None:
    """A Python number on either side."""
    op = TABLE[name]
    a = np.asarray(cases(name)[-1].inputs[0])
    for dtype, shape, number in itertools.product((F32, F64), ((2, 3), ()), (2, 0.5, True, 1j)):
        t = _input(np.resize(a, shape).astype(dtype), state)
        what = f"{name} of {dtype} {shape} {state} and {number}"
        with _mode(state):
            for path in (binary, operator):
                _same(
                    _called(path(op), t, number), _called(_long, op, t, number), [t, number], f"{path.__name__}: {what}"
                )


def test_operators_leave_other_types_to_others() -> None:
    t = wengert.ones(2)
    assert operator(TABLE["add"])(t, "two") is NotImplemented


# --- views -----------------------------------------------------------------------------------------------------------

# Parts of complex numbers are left to the long path: their nodes have a complex input and a real result.
VIEWS = [
    name for name in NAMES if TABLE[name].view and name in DIFFERENTIABLE and "real" not in name and name != "imag"
]


@pytest.mark.parametrize(
    "state", ["leaf", "inner", "untracked", "written", "view", "no_grad", "inference mode", "subclass"]
)
@pytest.mark.parametrize("name", VIEWS)
def test_views(name: str, state: str) -> None:
    op = TABLE[name]
    try:
        path = view_function(op) if op.outputs == 1 else views_function(op)
    except ValueError:
        pytest.skip("its rule needs more than shapes")
    compared = 0
    for case in cases(name):
        x = case.inputs[0]
        try:
            with np.errstate(all="ignore"):
                is_view = op.outputs != 1 or np.shares_memory(op.impl(np.asarray(x), **case.meta), x)
        except (ValueError, TypeError):
            continue
        if not is_view or (np.asarray(x).dtype.kind == "c" and state == "view"):
            continue
        t = _input(x, state)
        with _mode(state):
            short, long = path(t, dict(case.meta)), apply(op, t, **case.meta)
        pairs = [(short, long)] if op.outputs == 1 else zip(short, long, strict=True)
        for a, b in pairs:
            _same_view(a, b, t, f"{case} {state}")
            compared += 1
    assert compared or name == "view_dtype"


def _same_view(a, b, t, what) -> None:
    assert type(a) is type(b), what
    assert a._data.strides == b._data.strides, what
    assert a._data.__array_interface__["data"] == b._data.__array_interface__["data"], what
    assert same_bits(a._data, b._data), what
    assert a._cell is b._cell is t._cell, what
    assert a._rg == b._rg, what
    for facet in ("base", "steps", "seen", "origin"):
        mine, other = getattr(a._view, facet), getattr(b._view, facet)
        assert mine is other if facet == "base" else mine == other, (what, facet)
    assert (a._node is None) == (b._node is None), what
    if a._node is not None:
        for mine, other in zip(_with_parent(a._node), _with_parent(b._node), strict=True):
            assert type(mine.settled()) is type(other.settled()), what
            for facet in ("shape", "dtype", "meta"):
                assert getattr(mine, facet) == getattr(other, facet), (what, facet)


def _with_parent(node: Node) -> list[Node]:
    """A node; for one of several results also the node of the operation."""
    return [node, node.next[0]] if isinstance(node, Port) else [node]


# --- large arrays ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    before = wengert.get_num_threads()
    wengert.set_num_threads(request.param)
    with wengert.backends.kernels.flags(enabled=False):
        yield
    wengert.set_num_threads(before)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ELEMENTWISE
        if name in DIFFERENTIABLE and (name in ONE_INPUT or name in TWO_INPUTS) and MISSING not in TABLE[name].vjp
    ],
)
def test_tiles_are_the_whole(name: str, threads) -> None:
    """A large array, done in tiles and by threads, gives the very bits of one piece; so does its gradient."""
    op, case = TABLE[name], ONE_INPUT[name] if name in ONE_INPUT else cases(name)[-1]
    n = LARGE + 5
    for dtype in (F32, F64):
        inputs = [np.resize(np.asarray(x), n).astype(dtype) for x in case.inputs]
        g = np.resize(np.linspace(-1, 1, 17), n).astype(dtype)
        tensors = [wrap(x).requires_grad_() for x in inputs]
        with np.errstate(all="ignore"):
            y = unary(op)(*tensors, meta=case.meta or None) if len(inputs) == 1 else binary(op)(*tensors)
            want = op.impl(*inputs, **case.meta)
        assert same_bits(y._data, want), (name, dtype)
        y.backward(wrap(g))
        for rule, t in zip(op.vjp, tensors, strict=True):
            with np.errstate(all="ignore"):
                whole = np.broadcast_to(
                    rule(y._node.space if y._node else None, g, want, *inputs, **case.meta), (n,)
                ).astype(dtype)
            assert same_bits(t.grad._data, whole), (name, dtype)


def test_large_gradients_are_done_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above would compare nothing."""
    seen = []
    monkeypatch.setattr(sweep, "tiled", lambda function, *rest: seen.append(function) or tiled(function, *rest))
    x = wrap(np.ones(LARGE)).requires_grad_()
    with wengert.backends.kernels.flags(enabled=False):
        x.tanh().sum().backward()
    assert seen == [TABLE["tanh"].vjp[0]]
