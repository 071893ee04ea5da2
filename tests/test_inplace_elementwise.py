"""In-place forms of elementwise functions, and how elementwise functions refuse arguments, against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

A = np.array([[0.3, 0.8, 0.5], [0.9, 0.2, 0.7]])
B = np.array([0.6, 0.4, 0.1])
INTEGERS = np.array([[1, 2, 3], [4, 5, 6]])

# Every in-place method that takes no argument.
ALONE = [
    "abs",
    "absolute",
    "acos",
    "arccos",
    "asin",
    "arcsin",
    "arcsinh",
    "asinh",
    "atan",
    "arctan",
    "atanh",
    "arctanh",
    "bitwise_not",
    "ceil",
    "conj_physical",
    "cos",
    "cosh",
    "deg2rad",
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "floor",
    "frac",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_not",
    "logit",
    "nan_to_num",
    "neg",
    "negative",
    "rad2deg",
    "reciprocal",
    "round",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]

# Calls on a float tensor `a` (2, 3) and a float tensor `b` (3,).
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "add_": lambda a, b: a.add_(b),
    "add_ alpha": lambda a, b: a.add_(b, alpha=2),
    "add_ number": lambda a, b: a.add_(2),
    "sub_": lambda a, b: a.sub_(b),
    "sub_ alpha": lambda a, b: a.sub_(b, alpha=2),
    "subtract_": lambda a, b: a.subtract_(b),
    "mul_": lambda a, b: a.mul_(b),
    "multiply_": lambda a, b: a.multiply_(2),
    "div_": lambda a, b: a.div_(b),
    "div_ floor": lambda a, b: a.div_(b, rounding_mode="floor"),
    "divide_": lambda a, b: a.divide_(2),
    "true_divide_": lambda a, b: a.true_divide_(b),
    "fmod_": lambda a, b: a.fmod_(b),
    "remainder_": lambda a, b: a.remainder_(0.25),
    "pow_": lambda a, b: a.pow_(b),
    "pow_ number": lambda a, b: a.pow_(3),
    "addcmul_": lambda a, b: a.addcmul_(b, b, value=2),
    "addcdiv_": lambda a, b: a.addcdiv_(b, b + 1),
    "lerp_": lambda a, b: a.lerp_(b.expand(2, 3), 0.3),
    "lerp_ tensor": lambda a, b: a.lerp_(b, b),
    "hypot_": lambda a, b: a.hypot_(b),
    "atan2_": lambda a, b: a.atan2_(b),
    "arctan2_": lambda a, b: a.arctan2_(b),
    "copysign_": lambda a, b: a.copysign_(-b),
    "copysign_ number": lambda a, b: a.copysign_(-1),
    "xlogy_": lambda a, b: a.xlogy_(b),
    "xlogy_ number": lambda a, b: a.xlogy_(2),
    "ldexp_": lambda a, b: a.ldexp_(b),
    "nextafter_": lambda a, b: a.nextafter_(b),
    "round_": lambda a, b: a.round_(decimals=1),
    "logit_": lambda a, b: a.logit_(eps=0.4),
    "polygamma_": lambda a, b: a.polygamma_(2),
    "nan_to_num_": lambda a, b: a.nan_to_num_(1.0),
    "clamp_": lambda a, b: a.clamp_(0.3, 0.6),
    "clamp_ min": lambda a, b: a.clamp_(min=0.3),
    "clamp_ tensors": lambda a, b: a.clamp_(b, b + 0.1),
    "clamp_ from": lambda a, b: a.clamp_(min=b),
    "clip_": lambda a, b: a.clip_(max=0.4),
    "clamp_min_": lambda a, b: a.clamp_min_(0.4),
    "clamp_max_": lambda a, b: a.clamp_max_(b),
    "gt_": lambda a, b: a.gt_(b),
    "greater_": lambda a, b: a.greater_(0.5),
    "ge_": lambda a, b: a.ge_(b),
    "greater_equal_": lambda a, b: a.greater_equal_(b),
    "lt_": lambda a, b: a.lt_(b),
    "less_": lambda a, b: a.less_(b),
    "le_": lambda a, b: a.le_(b),
    "less_equal_": lambda a, b: a.less_equal_(b),
    "eq_": lambda a, b: a.eq_(b),
    "ne_": lambda a, b: a.ne_(b),
    "not_equal_": lambda a, b: a.not_equal_(b),
    "logical_and_": lambda a, b: a.logical_and_(b),
    "logical_or_": lambda a, b: a.logical_or_(b),
    "logical_xor_": lambda a, b: a.logical_xor_(b),
    "heaviside_": lambda a, b: a.heaviside_(b),
    "floor_divide_": lambda a, b: a.floor_divide_(b),
    "float_power_": lambda a, b: a.float_power_(2),
    "bitwise_and_": lambda a, b: a.bitwise_and_(2),
    "bitwise_or_": lambda a, b: a.bitwise_or_(2),
    "bitwise_xor_": lambda a, b: a.bitwise_xor_(2),
    "bitwise_left_shift_": lambda a, b: a.bitwise_left_shift_(2),
    "bitwise_right_shift_": lambda a, b: a.bitwise_right_shift_(1),
    "gcd_": lambda a, b: a.gcd_(a + 1),
    "lcm_": lambda a, b: a.lcm_(a + 1),
    **{f"{name}_": lambda a, b, name=name: getattr(a, f"{name}_")() for name in ALONE},
    "acosh_": lambda a, b: a.add_(1).acosh_(),
    "arccosh_": lambda a, b: a.add_(1).arccosh_(),
}


def augmented(lib: Any, a: Any, b: Any, operator: str) -> Any:
    names = {"a": a, "b": b, "lib": lib}
    exec(f"a {operator} b", names)
    return names["a"]


OPERATORS = ["+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>="]


def outcome(lib: Any, call: Callable[[Any, Any], Any], a: np.ndarray, b: np.ndarray) -> Any:
    """The result, whether it is the tensor itself, its node, its version, and the gradients."""
    x, y = (lib.tensor(array.tolist(), dtype=getattr(lib, array.dtype.name)) for array in (a, b))
    leaves = [t.requires_grad_() for t in (x, y) if t.is_floating_point()]
    work = x.clone()
    try:
        result = call(work, y)
    except Exception as error:  # noqa: BLE001 - what it is is compared
        return type(error)
    assert result is work
    facts: list[Any] = [work._version, str(work.dtype).split(".")[-1], work.requires_grad]
    facts.append(None if work.grad_fn is None else type(work.grad_fn).__name__)
    numbers = [work.detach().numpy()]
    if work.requires_grad and "NotImplemented" not in str(facts[-1]):
        try:
            grads = lib.autograd.grad((work * work.detach()).sum(), leaves, allow_unused=True)
        except NotImplementedError as error:
            return facts, [*numbers, type(error)]
        numbers += [None if g is None else (g + 0).numpy() for g in grads]
    return facts, numbers


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, type):
        assert isinstance(ours, type), f"torch raises {theirs.__name__}, we give {ours}"
        assert issubclass(ours, theirs), f"torch raises {theirs.__name__}, we raise {ours.__name__}"
        return
    assert not isinstance(ours, type), f"we raise {ours}, torch gives {theirs[0]}"
    assert ours[0] == theirs[0]
    if isinstance(theirs[1][-1], type):  # PyTorch has no derivative here
        return
    for a, b in zip(ours[1], theirs[1], strict=True):
        if a is None or b is None:
            assert not np.any(a if b is None else b)
        else:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)


# PyTorch counts the node's name up for these in place.
COUNTED_UP = {"polygamma_", "conj_physical_", "asinh_", "arcsinh_", "atanh_", "arctanh_", "acosh_", "arccosh_"}


@pytest.mark.parametrize("name", CALLS)
def test_inplace_on_floats(name: str) -> None:
    ours, theirs = (outcome(lib, CALLS[name], A, B) for lib in (wengert, torch))
    if name in COUNTED_UP:
        theirs[0][-1] = theirs[0][-1].removesuffix("1") + "0"
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", CALLS)
def test_inplace_on_integers(name: str) -> None:
    assert_same(*(outcome(lib, CALLS[name], INTEGERS, np.array([1, 2, 3])) for lib in (wengert, torch)))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("kind", ["float", "int"])
def test_augmented_assignment(operator: str, kind: str) -> None:
    a, b = (A, B) if kind == "float" else (INTEGERS, np.array([1, 2, 3]))
    assert_same(*(outcome(lib, lambda x, y, lib=lib: augmented(lib, x, y, operator), a, b) for lib in (wengert, torch)))


# Calls that PyTorch refuses; each is checked for the type of its exception, and for words of the message.
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "sin of a number": (lambda lib: lib.sin(2.0), "must be Tensor, not float"),
    "sin of a list": (lambda lib: lib.sin([1.0]), "must be Tensor, not list"),
    "add a string": (lambda lib: lib.add(lib.ones(2), "a"), "must be Tensor, not str"),
    "shapes": (lambda lib: lib.ones(2) + lib.ones(3), "must match the size of tensor b"),
    "maximum of a number": (lambda lib: lib.maximum(lib.ones(2), 2), "must be Tensor, not int"),
    "atan2 of a number": (lambda lib: lib.atan2(lib.ones(2), 2.0), "must be Tensor, not float"),
    "bool minus bool": (lambda lib: lib.tensor([True]) - lib.tensor([True]), "logical_xor"),
    "bool minus number": (lambda lib: lib.tensor([True]) - 1, "logical_not"),
    "minus bool": (lambda lib: -lib.tensor([True]), "logical_not"),
    "plus bool": (lambda lib: +lib.tensor([True]), "bool tensor is not supported"),
    "integer to a negative power": (lambda lib: lib.tensor([2]) ** -1, "negative integer powers"),
    "integer by zero": (lambda lib: lib.tensor([2]) // 0, "ZeroDivisionError"),
    "integer modulo zero": (lambda lib: lib.tensor([2]) % 0, "ZeroDivisionError"),
    "integer fmod zero": (lambda lib: lib.fmod(lib.tensor([2]), 0), "ZeroDivisionError"),
    "rounding mode": (lambda lib: lib.div(lib.ones(2), 2, rounding_mode="up"), "'trunc', or 'floor' but found 'up'"),
    "float alpha": (lambda lib: lib.add(lib.tensor([1]), lib.tensor([1]), alpha=0.5), "floating point number"),
    "bool alpha": (lambda lib: lib.add(lib.tensor([1]), 1, alpha=True), "Boolean alpha"),
    "complex alpha": (lambda lib: lib.add(lib.ones(1), 1, alpha=1j), "complex number"),
    "string alpha": (lambda lib: lib.add(lib.ones(1), 1, alpha="a"), "must be Number, not str"),
    "clamp without bounds": (lambda lib: lib.clamp(lib.ones(1)), "At least one of 'min' or 'max'"),
    "clamp mixed": (lambda lib: lib.clamp(lib.ones(2), lib.ones(2), 2.0), "invalid combination"),
    "clamp a string": (lambda lib: lib.clamp(lib.ones(2), "a"), "invalid combination"),
    "clamp bytes": (lambda lib: lib.clamp(lib.tensor([1], dtype=lib.uint8), -1, 300), "without overflow"),
    "clamp integers in place": (lambda lib: lib.tensor([1]).clamp_(0.5), "can't be cast"),
    "where without bool": (lambda lib: lib.where(lib.tensor([1]), lib.ones(1), 2.0), "boolean tensor"),
    "where of a list": (lambda lib: lib.where([True], lib.ones(1), 2.0), "list"),
    "where with None": (lambda lib: lib.where(lib.tensor([True]), lib.ones(1), None), "NoneType"),
    "lerp dtypes": (lambda lib: lib.lerp(lib.ones(1), lib.ones(1).double(), 0.5), "expected dtype float"),
    "lerp integers": (lambda lib: lib.lerp(lib.tensor([1]), lib.tensor([2]), 0.5), "not implemented for 'Long'"),
    "addcdiv integers": (lambda lib: lib.addcdiv(lib.ones(1), lib.tensor([1]), lib.tensor([1])), "Integer division"),
    "isclose dtypes": (lambda lib: lib.isclose(lib.ones(1), lib.tensor([1])), "Float did not match Long"),
    "isclose rtol": (lambda lib: lib.isclose(lib.ones(1), lib.ones(1), rtol=-1), "rtol must be greater"),
    "allclose dtypes": (lambda lib: lib.allclose(lib.ones(1), lib.ones(1).double()), "Float did not match Double"),
    "equal a number": (lambda lib: lib.equal(lib.ones(1), 1), "must be Tensor, not int"),
    "complex dtypes": (lambda lib: lib.complex(lib.ones(1), lib.ones(1).double()), "Expected object of scalar type"),
    "complex of integers": (lambda lib: lib.complex(lib.tensor([1]), lib.tensor([1])), "Long and Long"),
    "polar dtypes": (lambda lib: lib.polar(lib.ones(1), lib.ones(1).double()), "Expected object of scalar type"),
    "view_as_real of real": (lambda lib: lib.view_as_real(lib.ones(1)), "only supported for complex"),
    "view_as_complex size": (lambda lib: lib.view_as_complex(lib.ones(3)), "last dimension of size 2"),
    "view_as_complex stride": (lambda lib: lib.view_as_complex(lib.ones(3, 4)[:, ::2]), "stride 1"),
    "view_as_complex rows": (lambda lib: lib.view_as_complex(lib.ones(3, 3)[:, :2]), "divisible by 2"),
    "view_as_complex integers": (lambda lib: lib.view_as_complex(lib.tensor([[1, 2]])), "Long"),
    "imag of real": (lambda lib: lib.imag(lib.ones(1)), "non-complex"),
    "sign of complex": (lambda lib: lib.sign(lib.tensor([1j])), "torch.sgn"),
    "gt of complex": (lambda lib: lib.tensor([1j]) > 1, "not implemented for 'ComplexFloat'"),
    "invert floats": (lambda lib: ~lib.ones(1), "integer and Boolean"),
    "and of floats": (lambda lib: lib.ones(1) & lib.ones(1), "not implemented for 'Float'"),
    "gcd of floats": (lambda lib: lib.gcd(lib.ones(1), lib.ones(1)), "not implemented for 'Float'"),
    "heaviside dtypes": (lambda lib: lib.heaviside(lib.ones(1), lib.tensor([1])), "different dtypes"),
    "frexp of integers": (lambda lib: lib.frexp(lib.tensor([1])), "floating-point"),
    "polygamma negative": (lambda lib: lib.polygamma(-1, lib.ones(1)), "negative n"),
    "polygamma float": (lambda lib: lib.polygamma(1.5, lib.ones(1)), "must be int, not float"),
    "float_power_": (lambda lib: lib.ones(1).float_power_(2), "dtype Float"),
    "pow of numbers": (lambda lib: lib.pow(2, 3), ""),
    "xlogy of numbers": (lambda lib: lib.xlogy(2, 3), ""),
    "less than None": (lambda lib: lib.ones(1) < None, "not supported between"),
    "round()": (lambda lib: round(lib.ones(1)), "__round__"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, words = REFUSED[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - its type is compared
        call(torch)
    with pytest.raises(theirs.type) as ours:
        call(wengert)
    assert words in str(theirs.value)
    assert words in str(ours.value)


def test_equality_with_foreign_objects() -> None:
    for lib in (wengert, torch):
        t = lib.ones(2)
        assert (t == None) is False  # noqa: E711
        assert (t != None) is True  # noqa: E711
        assert (t == "a") is False
        assert len({t, t, lib.ones(2)}) == 2
        assert t.eq(1).tolist() == [True, True]


def test_where_alone_gives_indices() -> None:
    for values in ([[0, 2], [3, 0]], [0.0, 1.0], [], 5, 0):
        ours, theirs = (lib.where(lib.tensor(values)) for lib in (wengert, torch))
        assert [t.tolist() for t in ours] == [t.tolist() for t in theirs]
        assert all(t.dtype == wengert.int64 for t in ours)


def test_real_and_imag_are_views() -> None:
    for lib in (wengert, torch):
        z = lib.tensor([1 + 2j, 3 + 4j])
        z.real.mul_(10)
        z.imag.add_(1)
        assert z.tolist() == [10 + 3j, 30 + 5j]
        z.real = lib.tensor([7.0, 8.0])
        z.imag = lib.tensor([0.0, 1.0])
        assert z.tolist() == [7 + 0j, 8 + 1j]
        pairs = lib.view_as_real(z)
        pairs[0, 1] = 5.0
        assert z.tolist() == [7 + 5j, 8 + 1j]
        back = lib.view_as_complex(pairs)
        back.mul_(2)
        assert z.tolist() == [14 + 10j, 16 + 2j]


def test_numpy_numbers_leave_the_operation_to_the_tensor() -> None:
    x = wengert.tensor([1.0, 2.0], requires_grad=True)
    for y in (np.float64(2) * x, x * np.float64(2), np.float32(2) * x, x / np.int64(2), np.float64(2) - x):
        assert isinstance(y, wengert.Tensor)
        assert y.dtype is wengert.float32
        assert y.requires_grad


ELEMENTWISE_CALLS: dict[str, Callable[[Any], Any]] = {
    "x + x": lambda x: x + x,
    "x ** 2": lambda x: x**2,
    "x ** x": lambda x: x**x,
    "2 ** x": lambda x: 2**x,
    "2 - x": lambda x: 2 - x,
    "2 / x": lambda x: 2 / x,
    "x % 2": lambda x: x % 2,
    "x // 2": lambda x: x // 2,
    "-x": lambda x: -x,
    "add": lambda x: wengert.add(x, x),
    "add alpha": lambda x: wengert.add(x, x, alpha=2),
    "x.add": lambda x: x.add(1),
    "sub": lambda x: wengert.sub(x, 1),
    "mul": lambda x: wengert.mul(x, 2),
    "div": lambda x: wengert.div(x, 2),
    "true_divide": lambda x: wengert.true_divide(x, 2),
    "pow": lambda x: wengert.pow(x, 2),
    "x.pow": lambda x: x.pow(x),
    "float_power": lambda x: wengert.float_power(x, 2),
    "square": wengert.square,
    "sin": wengert.sin,
    "x.exp": lambda x: x.exp(),
    "maximum": lambda x: wengert.maximum(x, x),
    "atan2": lambda x: wengert.atan2(x, x),
    "clamp": lambda x: x.clamp(0, 1),
    "where": lambda x: wengert.where(x > 0, x, 0.0),
    "round": wengert.round,
    "lerp": lambda x: wengert.lerp(x, x, 0.5),
    "sin_": lambda x: x.clone().sin_(),
}


@pytest.mark.parametrize("name", ELEMENTWISE_CALLS)
def test_source_line(name: str) -> None:
    node = ELEMENTWISE_CALLS[name](wengert.tensor([0.5, 0.7], requires_grad=True)).grad_fn
    assert node.code.co_filename == __file__
