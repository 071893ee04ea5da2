"""The text of tensors: literal texts everywhere, and equality with PyTorch's where torch is installed."""

import contextlib
import itertools
import timeit
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from wengert._print_options import get_printoptions, printoptions, set_printoptions
from wengert._printing import format_tensor, tensor_text

FLOAT32 = np.dtype("float32")
DTYPES = [
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
]
DEFAULTS = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}


@pytest.fixture(autouse=True)
def options_stay_as_they_were() -> Iterator[None]:
    assert get_printoptions() == DEFAULTS
    yield
    set_printoptions(profile="default")


def text(data: Any, dtype: str = "float32", **options: Any) -> str:
    return tensor_text(np.asarray(data, dtype), default_float=FLOAT32, **options)


# Literal texts: these run without torch. The last test of this file compares the same cases with torch.

NAN, INF = float("nan"), float("inf")
LITERALS: list[tuple[Any, str, str]] = [
    (9.0, "float32", "tensor(9.)"),
    (0.5, "float64", "tensor(0.5000, dtype=torch.float64)"),
    (-0.0, "float32", "tensor(-0.)"),
    (NAN, "float32", "tensor(nan)"),
    (7, "int64", "tensor(7)"),
    (True, "bool", "tensor(True)"),
    ([True, False], "bool", "tensor([ True, False])"),
    ([1, -20, 300], "int64", "tensor([  1, -20, 300])"),
    ([0, 255], "uint8", "tensor([  0, 255], dtype=torch.uint8)"),
    ([2**64 - 1], "uint64", "tensor([18446744073709551615], dtype=torch.uint64)"),
    ([1.0, -2.0], "float32", "tensor([ 1., -2.])"),
    ([1.5, -2.25], "float16", "tensor([ 1.5000, -2.2500], dtype=torch.float16)"),
    ([INF, 1.0], "float32", "tensor([inf, 1.])"),
    ([INF, -INF, 1.5, NAN], "float32", "tensor([   inf,   -inf, 1.5000,    nan])"),
    ([0.0, 0.0], "float32", "tensor([0., 0.])"),
    ([0.1, 100.0], "float32", "tensor([  0.1000, 100.0000])"),
    ([0.125, 125.0], "float32", "tensor([  0.1250, 125.0000])"),
    ([0.1, 101.0], "float32", "tensor([1.0000e-01, 1.0100e+02])"),
    ([1e-5], "float32", "tensor([1.0000e-05])"),
    ([1e9], "float32", "tensor([1.0000e+09])"),
    ([1e8], "float32", "tensor([100000000.])"),
    ([1e300, 1.5], "float64", "tensor([1.0000e+300,  1.5000e+00], dtype=torch.float64)"),
    ([1 + 2j, -3.5 - 10j], "complex64", "tensor([ 1.0000+2.j, -3.5000-10.j])"),
    (complex(0.5, NAN), "complex128", "tensor(0.5000+nanj, dtype=torch.complex128)"),
    ([[1.0, 2.0], [3.0, 4.0]], "float32", "tensor([[1., 2.],\n        [3., 4.]])"),
    ([[[1], [2]], [[3], [4]]], "int64", "tensor([[[1],\n         [2]],\n\n        [[3],\n         [4]]])"),
    ([], "float32", "tensor([])"),
    ([], "int64", "tensor([], dtype=torch.int64)"),
    (np.zeros((0, 3)), "float32", "tensor([], size=(0, 3))"),
    (np.zeros((2, 0, 3)), "bool", "tensor([], size=(2, 0, 3), dtype=torch.bool)"),
    (np.arange(2000), "int64", "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    (
        np.arange(8000).reshape(2, 4000),
        "int64",
        "tensor([[   0,    1,    2,  ..., 3997, 3998, 3999],\n        [4000, 4001, 4002,  ..., 7997, 7998, 7999]])",
    ),
    (
        np.arange(3000).reshape(1000, 3),
        "int32",
        (
            "tensor([[   0,    1,    2],\n        [   3,    4,    5],\n        [   6,    7,    8],\n        ...,\n"
            "        [2991, 2992, 2993],\n        [2994, 2995, 2996],\n        [2997, 2998, 2999]], dtype=torch.int32)"
        ),
    ),
    (
        np.arange(20) / 4,
        "float32",
        (
            "tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000, 1.2500, 1.5000, 1.7500, 2.0000,\n"
            "        2.2500, 2.5000, 2.7500, 3.0000, 3.2500, 3.5000, 3.7500, 4.0000, 4.2500,\n"
            "        4.5000, 4.7500])"
        ),
    ),
]


@pytest.mark.parametrize(("values", "dtype", "expected"), LITERALS)
def test_literal(values: Any, dtype: str, expected: str) -> None:
    assert text(values, dtype) == expected


def test_suffixes_come_in_order() -> None:
    assert text(9.0, grad_fn_name="PowBackward0") == "tensor(9., grad_fn=<PowBackward0>)"
    assert text(9.0, requires_grad=True) == "tensor(9., requires_grad=True)"
    assert text(9.0, requires_grad=True, grad_fn_name="PowBackward0") == "tensor(9., grad_fn=<PowBackward0>)"
    assert text(9.0, "float64", device="cuda:0", requires_grad=True) == (
        "tensor(9., device='cuda:0', dtype=torch.float64, requires_grad=True)"
    )
    assert text(9.0, tangent_text="1.0") == "tensor(9., tangent=1.0)"


def test_long_suffix_moves_to_the_next_line() -> None:
    assert text(np.arange(8) / 4, "float64", grad_fn_name="MulBackward0") == (
        "tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000, 1.2500, 1.5000, 1.7500],\n"
        "       dtype=torch.float64, grad_fn=<MulBackward0>)"
    )


def test_class_names() -> None:
    assert text([1.0, 2.0], class_name="Parameter", requires_grad=True) == (
        "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    )
    assert text([[1.0], [2.0]], class_name="Mine") == "Mine([[1.],\n      [2.]])"


def test_default_float_decides_which_dtypes_are_named() -> None:
    double = np.dtype("float64")
    assert tensor_text(np.array(1.5), default_float=double) == "tensor(1.5000)"
    assert tensor_text(np.array(1.5, "f4"), default_float=double) == "tensor(1.5000, dtype=torch.float32)"
    assert tensor_text(np.array(1j), default_float=double) == "tensor(0.+1.j)"
    assert tensor_text(np.array(1j, "c8"), default_float=double) == "tensor(0.+1.j, dtype=torch.complex64)"
    assert tensor_text(np.zeros(0), default_float=double) == "tensor([])"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"precision": 2}, "tensor([0.33, 1.25])"),
        ({"precision": 0}, "tensor([0, 1])"),
        ({"sci_mode": True}, "tensor([3.3333e-01, 1.2500e+00])"),
        ({"linewidth": 20}, "tensor([0.3333,\n        1.2500])"),
        ({"linewidth": float("inf")}, "tensor([0.3333, 1.2500])"),
        ({"edgeitems": 0}, "tensor([0.3333, 1.2500], size=(2,))"),
        ({"edgeitems": 0, "threshold": 1}, "tensor([...], size=(2,))"),
        ({"profile": "short"}, "tensor([0.33, 1.25])"),
        ({"profile": "short", "precision": 1}, "tensor([0.3, 1.2])"),
    ],
)
def test_options(options: dict[str, Any], expected: str) -> None:
    with printoptions(**options):
        assert text([1 / 3, 1.25]) == expected


def test_options_accumulate_but_sci_mode_is_set_by_every_call() -> None:
    set_printoptions(precision=7, sci_mode=False)
    set_printoptions(edgeitems=5)
    assert get_printoptions() == DEFAULTS | {"precision": 7, "edgeitems": 5}
    set_printoptions(profile="full")
    assert get_printoptions() == DEFAULTS | {"threshold": float("inf")}


def test_printoptions_restores_after_an_exception() -> None:
    set_printoptions(sci_mode=True)
    with contextlib.suppress(KeyError), printoptions(precision=1):
        assert get_printoptions() == DEFAULTS | {"precision": 1}
        raise KeyError
    assert get_printoptions() == DEFAULTS | {"sci_mode": True}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"precision": -1}, ValueError),
        ({"precision": 2.0}, TypeError),
        ({"precision": True}, TypeError),
        ({"edgeitems": -1}, ValueError),
        ({"edgeitems": "3"}, TypeError),
        ({"threshold": "many"}, TypeError),
        ({"linewidth": float("nan")}, ValueError),
        ({"linewidth": []}, TypeError),
    ],
)
def test_impossible_options_are_refused_and_change_nothing(options: dict[str, Any], error: type[Exception]) -> None:
    (name,) = options
    with pytest.raises(error, match=f"got {name}="):
        set_printoptions(profile="short", sci_mode=True, **options)
    assert get_printoptions() == DEFAULTS


def test_unknown_profile_is_ignored_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="unknown profile 'brief'") as caught:
        set_printoptions(profile="brief")
    assert caught[0].filename == __file__
    assert get_printoptions() == DEFAULTS


def test_format_of_a_scalar_is_that_of_the_python_number() -> None:
    def formatted(value: Any, dtype: str, spec: str) -> str:
        return format_tensor(np.array(value, dtype), spec, text=lambda: pytest.fail("the full text is not needed"))

    assert formatted(2.5, "float32", ".4f") == "2.5000"
    assert formatted(0.1, "float32", "") == "0.10000000149011612"
    assert formatted(7, "int64", ">4d") == "   7"
    assert formatted(True, "bool", "") == "True"
    assert formatted(1 + 2j, "complex64", ".1f") == "1.0+2.0j"
    with pytest.raises(ValueError, match="Unknown format code 'd'"):
        formatted(2.5, "float32", "d")


def test_format_of_other_tensors() -> None:
    assert format_tensor(np.ones(3), "", text=lambda: "the text") == "the text"
    assert format_tensor(np.array(1.0), "", text=lambda: "the text", type_name="Parameter") == "the text"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__.*shape \(3,\)"):
        format_tensor(np.ones(3), ".4f", text=str)
    with pytest.raises(TypeError, match=r"unsupported format string passed to Parameter.__format__.*t.item\(\):.4f"):
        format_tensor(np.array(1.0), ".4f", text=str, type_name="Parameter")


def test_a_summary_reads_only_what_it_shows() -> None:
    trillion = np.broadcast_to(np.float32(0.5), (10**6, 10**6))
    assert text(trillion).count("0.5000") == 36


def test_a_scalar_prints_within_100_microseconds() -> None:
    scalar = np.array(9.0, "float32")
    seconds = timeit.repeat(lambda: text(scalar, grad_fn_name="PowBackward0"), number=100, repeat=20)
    assert min(seconds) / 100 < 100e-6


# Against torch

SPECIALS = [0.0, -0.0, 1.0, -1.0, NAN, INF, -INF, 1e-4, 1e8, 999.5, 0.99995, 1e-40, 1e38, -1e-45, 65504.0, 123456789.0]
SHAPES = [(), (1,), (0,), (7,), (40,), (0, 3), (2, 0, 3), (1, 1), (3, 5), (9, 2), (2, 3, 4), (1, 8, 3), (2, 1, 2, 3)]


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    module: ModuleType = pytest.importorskip("torch", reason="the comparison needs PyTorch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from what the first repr imports inside PyTorch
        repr(module.ones(1))
    return module


def random_values(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """Floats of one character: near one, of one or many magnitudes, whole, special, or on a rounding edge."""
    character = rng.integers(7)
    magnitude = 10.0 ** rng.uniform(-40, 38)
    normal = rng.normal(size=shape)
    return np.asarray(
        [
            normal,
            normal * magnitude,
            normal * 10.0 ** rng.uniform(-40, 38, size=shape),
            np.round(normal * 10.0 ** rng.integers(0, 9)),
            rng.choice(SPECIALS, size=shape),
            np.where(rng.random(shape) < 0.3, rng.choice(SPECIALS, size=shape), normal),
            np.round(normal * 20) / 20 + rng.choice([0.0, 0.00005, 0.5], size=shape),
        ][character]
    )


def random_array(rng: np.random.Generator, dtype: str) -> NDArray[Any]:
    shape = SHAPES[rng.integers(len(SHAPES))]
    kind = np.dtype(dtype).kind
    if kind == "b":
        data = rng.random(shape) < rng.choice([0.0, 0.5, 1.0])
    elif kind in "iu":
        limits = np.iinfo(dtype)
        bound = min(limits.max, 10 ** int(rng.integers(1, 20)))
        data = rng.integers(max(limits.min, -bound), bound, size=shape, dtype=dtype, endpoint=True)
    else:
        data = random_values(rng, shape)
        if kind == "c":
            data = np.stack([data, random_values(rng, shape)], axis=-1).view("complex128")[..., 0]
    with np.errstate(over="ignore", invalid="ignore"):
        data = np.asarray(data).astype(dtype)
    return random_view(rng, data)


def random_view(rng: np.random.Generator, data: NDArray[Any]) -> NDArray[Any]:
    """The array as it is, or as a transposed, reversed, strided or read-only view."""
    choice = rng.integers(5)
    if choice == 1:
        return data.T
    if choice == 2 and data.ndim:
        return data[::-1]
    if choice == 3 and data.ndim:
        return data[..., ::2]
    if choice == 4:
        data.flags.writeable = False
    return data


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "precision": [0, 1, 2, 4, 7, 12],
        "threshold": [0, 1, 5, 20, 1000, float("inf")],
        "edgeitems": [0, 1, 2, 3, 5],
        "linewidth": [0, 1, 20, 33, 60, 80, 82.5, 200],
        "profile": ["default", "short", "full"],
        "sci_mode": [None, True, False],
    }
    return {name: values[rng.integers(len(values))] for name, values in choices.items() if rng.random() < 0.35}


def text_in_torch(torch: ModuleType, data: NDArray[Any], options: dict[str, Any], state: dict[str, Any]) -> str:
    """The repr of a torch tensor with the same values, options and autograd state."""
    tensor = torch.from_numpy(np.array(data, copy=True, order="C"))
    if state.get("requires_grad"):
        tensor.requires_grad_()
    if name := state.get("grad_fn_name"):
        tensor = named_node(torch, name)(tensor.requires_grad_())
    if state.get("class_name") == "Parameter":
        tensor = torch.nn.Parameter(tensor, requires_grad=bool(state.get("requires_grad")))
    elif "class_name" in state:
        tensor = tensor.detach().as_subclass(type(state["class_name"], (torch.Tensor,), {}))
    try:
        with torch._tensor_str.printoptions(**options):
            torch.set_default_dtype(getattr(torch, state["default_float"].name))
            return repr(tensor)
    finally:
        torch.set_default_dtype(torch.float32)


def named_node(torch: ModuleType, name: str) -> Any:
    """A differentiable copy whose node carries this name (it must end in "Backward", as those of Function do)."""
    body = {
        "forward": staticmethod(lambda ctx, x: x.clone()),
        "backward": staticmethod(lambda ctx, g: g),
    }
    function: Any = type(name.removesuffix("Backward"), (torch.autograd.Function,), body)
    return function.apply


def random_state(rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    default = np.dtype(rng.choice(["float32", "float32", "float64", "float16"]))
    state: dict[str, Any] = {"default_float": default}
    choice = rng.integers(6)
    differentiable = np.dtype(dtype).kind in "fc"
    if choice == 0 and differentiable:
        state["requires_grad"] = True
    elif choice == 1 and differentiable:
        state["grad_fn_name"] = "Step" * rng.integers(1, 12) + "Backward"
    elif choice == 2:
        state |= {"class_name": "Parameter", "requires_grad": bool(differentiable and rng.integers(2))}
    elif choice == 3:
        state["class_name"] = "My" * rng.integers(1, 5) + "Tensor"
    return state


def assert_equal_to_torch(
    torch: ModuleType, data: NDArray[Any], options: dict[str, Any], state: dict[str, Any]
) -> None:
    expected = text_in_torch(torch, data, options, state)
    with printoptions(**options):
        assert tensor_text(data, **state) == expected, (data.dtype, data.tolist(), options, state)


@pytest.mark.conformance
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", DTYPES)
def test_random_arrays(torch: ModuleType, dtype: str, seed: int) -> None:
    rng = np.random.default_rng([seed, DTYPES.index(dtype)])
    for _ in range(12):
        assert_equal_to_torch(torch, random_array(rng, dtype), random_options(rng), random_state(rng, dtype))


@pytest.mark.conformance
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "precision": st.integers(0, 20),
            "threshold": st.integers(0, 30),
            "edgeitems": st.integers(0, 3),
            "linewidth": st.integers(0, 120),
            "profile": st.sampled_from(["default", "short", "full"]),
            "sci_mode": st.sampled_from([None, True, False]),
        },
    ),
)
def test_generated_arrays(torch: ModuleType, data: NDArray[Any], options: dict[str, Any]) -> None:
    assert_equal_to_torch(torch, data, options, {"default_float": FLOAT32})


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1001,), (7, 150), (150, 7), (12, 10, 9), (2, 600, 1), (1, 1, 1001), (7, 7, 7, 7)])
def test_summaries(torch: ModuleType, dtype: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(shape))
    data = (rng.normal(size=shape) * 50).astype("int64").astype(dtype)
    variants: list[dict[str, Any]] = [{}, {"linewidth": 40}, {"profile": "short"}]
    for options, edge in itertools.product(variants, [{}, {"edgeitems": 0}, {"edgeitems": 1}, {"edgeitems": 4}]):
        assert_equal_to_torch(torch, data, options | edge, {"default_float": FLOAT32})


@pytest.mark.conformance
@pytest.mark.parametrize("length", range(1, 12))
def test_line_breaks_at_every_width(torch: ModuleType, length: int) -> None:
    data = np.arange(length) / 4
    for linewidth in range(1, 110):
        for name in ("MulBackward", "MulMulMulMulMulBackward"):
            state = {"default_float": FLOAT32, "grad_fn_name": name}
            assert_equal_to_torch(torch, data, {"linewidth": linewidth}, state)


@pytest.mark.conformance
def test_option_states_follow_torch(torch: ModuleType) -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        options = random_options(rng)
        torch.set_printoptions(**options)
        set_printoptions(**options)
        assert get_printoptions() == torch._tensor_str.get_printoptions()
    torch.set_printoptions(profile="default")


@pytest.mark.conformance
@pytest.mark.filterwarnings("ignore:.torch.jit.script.:DeprecationWarning")
def test_tangent_in_torch(torch: ModuleType) -> None:
    # PyTorch's first dual number imports a module of its own that warns.
    primal, tangent = np.ones((2, 2), "float32"), np.full((2, 2), 0.5, "float32")
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(torch.from_numpy(primal), torch.from_numpy(tangent))
        assert repr(dual) == text(primal, tangent_text=text(tangent))


@pytest.mark.conformance
@pytest.mark.parametrize("spec", ["", ".4f", "d", ">10", "e", ".3g", "x", "s", ",", "010.2f"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_formats_follow_torch(torch: ModuleType, dtype: str, shape: tuple[int, ...], spec: str) -> None:
    data = np.full(shape, 1, dtype)
    tensor = torch.from_numpy(data.copy())

    def outcome(make: Any) -> Any:
        try:
            return make()
        except (TypeError, ValueError) as error:
            return type(error), str(error).partition(": ")[0]

    mine = outcome(lambda: format_tensor(data, spec, text=lambda: text(data, dtype)))
    assert mine == outcome(lambda: format(tensor, spec))


@pytest.mark.conformance
@pytest.mark.parametrize(("values", "dtype", "expected"), LITERALS)
def test_the_literal_texts_are_torchs(torch: ModuleType, values: Any, dtype: str, expected: str) -> None:
    state = {"default_float": FLOAT32}
    assert text_in_torch(torch, np.asarray(values, dtype), {}, state) == expected
