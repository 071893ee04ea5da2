"""Element types and promotion: literal facts, and every combination of operands against PyTorch."""

import copy
import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import _dtypes as dt
from wengert import _promotion
from wengert._promotion import can_cast, combine_categories, promote_types, result_type_of, weak_type_of

NAMES = [d.name for d in dt.ALL_DTYPES]
FLOATS = [dt.float16, dt.float32, dt.float64]
COMPLEX = [dt.complex64, dt.complex128]
INTEGERS = [dt.int8, dt.int16, dt.int32, dt.int64, dt.uint8, dt.uint16, dt.uint32, dt.uint64]
WIDE_UNSIGNED = [dt.uint16, dt.uint32, dt.uint64]
PAIRS = list(itertools.product(dt.ALL_DTYPES, repeat=2))
ids: Any = {"ids": str}


@pytest.fixture(autouse=True)
def default_dtype_is_restored() -> Iterator[None]:
    assert dt.get_default_dtype() is dt.float32
    yield
    dt.set_default_dtype(dt.float32)


@pytest.fixture
def torch() -> Iterator[Any]:
    module = pytest.importorskip("torch")
    yield module
    module.set_default_dtype(module.float32)


def outcome(f: Callable[..., Any], *args: Any) -> Any:
    """What `f(*args)` returns, or the builtin class of what it raises: the part that must agree with PyTorch."""
    try:
        return f(*args)
    except (TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        return type(error)


# --- the singletons ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", dt.ALL_DTYPES, **ids)
def test_a_dtype_is_one_object_through_every_round_trip(d: dt.dtype) -> None:
    assert copy.copy(d) is d
    assert copy.deepcopy([d])[0] is d
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(d, protocol)) is d
    assert dt.from_numpy_dtype(np.dtype(d.name)) is d
    assert np.dtype(d) is d.np is d.dtype is np.dtype(d.name)
    assert np.zeros(2, dtype=d).dtype == d.np


@pytest.mark.parametrize("d", dt.ALL_DTYPES, **ids)
def test_a_dtype_is_a_constant(d: dt.dtype) -> None:
    with pytest.raises(AttributeError, match="is a constant"):
        d.name = "other"
    with pytest.raises(AttributeError, match="is a constant"):
        d.colour = "red"
    with pytest.raises(AttributeError, match="is a constant"):
        del d.name
    assert d.name in NAMES


def test_dtypes_cannot_be_made_or_subclassed() -> None:
    with pytest.raises(TypeError, match=r"cannot create 'torch.dtype' instances"):
        dt.dtype()
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("mine", (dt.dtype,), {})


@pytest.mark.parametrize(("a", "b"), PAIRS, **ids)
def test_equality_with_numpy_and_hash(a: dt.dtype, b: dt.dtype) -> None:
    same = a is b
    assert (a == b) is (a == b.np) is (b.np == a) is (a == b.np.type) is same
    assert (a != b) is (a != b.np) is (a != b.np.type) is not same
    if same:
        assert hash(a) == hash(b.np)
        assert {a: 1}[b] == {a: 1}[b.np] == {a.np: 1}[b] == 1  # type: ignore[index]


@pytest.mark.parametrize("other", ["float32", "torch.float32", float, 3, None, np.floating, object()])
def test_a_dtype_equals_nothing_else(other: object) -> None:
    assert dt.float32 != other
    assert (dt.float32 == other) is False


def test_printed_form_and_properties_of_one_dtype_of_each_kind() -> None:
    def facts(d: dt.dtype) -> tuple[Any, ...]:
        return str(d), repr(d), d.itemsize, d.is_floating_point, d.is_complex, d.is_signed, d.kind, d.abbr

    assert facts(dt.bool_) == ("torch.bool", "torch.bool", 1, False, False, False, "b", "b8")
    assert facts(dt.uint16) == ("torch.uint16", "torch.uint16", 2, False, False, False, "u", "u16")
    assert facts(dt.int64) == ("torch.int64", "torch.int64", 8, False, False, True, "i", "i64")
    assert facts(dt.float32) == ("torch.float32", "torch.float32", 4, True, False, True, "f", "f32")
    assert facts(dt.complex128) == ("torch.complex128", "torch.complex128", 16, False, True, True, "c", "c128")
    assert f"{dt.float16}" == "torch.float16"


def test_aliases() -> None:
    expected = {"half": dt.float16, "float": dt.float32, "double": dt.float64, "bool": dt.bool_, "short": dt.int16}
    expected |= {"int": dt.int32, "long": dt.int64, "cfloat": dt.complex64, "cdouble": dt.complex128}
    assert expected == dt.ALIASES


def test_to_complex_and_to_real() -> None:
    assert [d.to_complex() for d in FLOATS + COMPLEX] == [*[dt.complex64] * 2, dt.complex128, *COMPLEX]
    assert [d.to_real() for d in COMPLEX] == [dt.float32, dt.float64]
    for d in [dt.bool_, *INTEGERS, *FLOATS]:
        assert d.to_real() is d
    for d in [dt.bool_, *INTEGERS]:
        with pytest.raises(RuntimeError, match=f"{d} has no complex counterpart"):
            d.to_complex()


def test_all_lists_exactly_what_a_module_defines() -> None:
    for module in (dt, _promotion):
        assert len(set(module.__all__)) == len(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)


# --- conversion from what users pass ----------------------------------------------------------------------------


def test_as_numpy_dtype_takes_dtypes_of_both_libraries_and_python_types() -> None:
    for d in dt.ALL_DTYPES:
        assert dt.as_numpy_dtype(d) is dt.as_numpy_dtype(d.np) is dt.as_numpy_dtype(d.np.type) is d.np
    python = {bool: dt.bool_, int: dt.int64, float: dt.float64, complex: dt.complex128}
    assert {t: dt.as_numpy_dtype(t) for t in python} == {t: d.np for t, d in python.items()}
    assert dt.as_numpy_dtype(np.dtype(np.longlong)) is dt.int64.np  # a second NumPy type with the same layout


@pytest.mark.parametrize("bad", [3, 2.0, None, [], object(), str, list, dict])
def test_as_numpy_dtype_names_the_argument_it_rejects(bad: object) -> None:
    with pytest.raises(TypeError, match=rf"^here must be torch.dtype, not {type(bad).__name__}$"):
        dt.as_numpy_dtype(bad, "here")


def test_a_dtype_given_as_a_string_is_answered_with_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"argument 'dtype' must be torch.dtype, not str. Write torch.float32 in place"):
        dt.as_numpy_dtype("float32")
    with pytest.raises(TypeError, match=r"not str$"):
        dt.as_numpy_dtype("floaty")


@pytest.mark.parametrize("bad", ["O", "U1", "S3", "M8[s]", "m8[s]", "V4", "i4,f4"])
def test_numpy_dtypes_without_a_tensor_type_are_named(bad: str) -> None:
    with pytest.raises(TypeError, match=r"can't convert np.ndarray of type numpy\.\w+\. The only supported types are:"):
        dt.from_numpy_dtype(np.dtype(bad))
    with pytest.raises(TypeError, match="float64, float32, float16"):
        dt.as_numpy_dtype(np.dtype(bad))


@pytest.mark.parametrize("name", [name for name in NAMES if np.dtype(name).itemsize > 1])
def test_a_foreign_byte_order_is_refused_with_the_remedy(name: str) -> None:
    swapped = np.dtype(name).newbyteorder()
    for convert in (dt.from_numpy_dtype, dt.as_numpy_dtype):
        with pytest.raises(ValueError, match="byte order") as caught:
            convert(swapped)
        assert "array.astype(array.dtype.newbyteorder('='))" in str(caught.value)
    assert swapped.newbyteorder("=") == np.dtype(name)  # the remedy works
    dt.from_numpy_dtype(swapped.newbyteorder("="))


def test_abstract_numpy_types_are_refused() -> None:
    for abstract in (np.floating, np.generic, np.integer):
        with pytest.raises(TypeError):
            dt.as_numpy_dtype(abstract)


# --- the default dtype ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", FLOATS, **ids)
def test_default_dtype(d: dt.dtype) -> None:
    with_complex = dt.complex128 if d is dt.float64 else dt.complex64
    dt.set_default_dtype(d)
    assert dt.get_default_dtype() is d
    assert dt.DEFAULTS.float is d.np
    assert dt.default_complex() is with_complex.np
    assert weak_type_of(1.5) is d.np
    assert weak_type_of(1j) is with_complex.np


@pytest.mark.parametrize("bad", [dt.int64, dt.bool_, dt.complex64, "float32", np.float32, float, None])
def test_only_float_types_can_be_the_default(bad: Any) -> None:
    with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
        dt.set_default_dtype(bad)
    assert dt.get_default_dtype() is dt.float32


# --- promotion: literal facts -----------------------------------------------------------------------------------


def array(d: dt.dtype) -> Any:
    return np.ones(2, d.np)


def zero_dim(d: dt.dtype) -> Any:
    return np.ones((), d.np)


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ((array(dt.float32), array(dt.float64)), dt.float64),
        ((array(dt.float32), zero_dim(dt.float64)), dt.float32),
        ((array(dt.float16), 2.0), dt.float16),
        ((array(dt.int32), 2.0), dt.float32),
        ((array(dt.int32), zero_dim(dt.float64)), dt.float64),
        ((array(dt.int8), 1000), dt.int8),
        ((array(dt.bool_), 1), dt.int64),
        ((array(dt.bool_), True), dt.bool_),
        ((array(dt.uint8), array(dt.int8)), dt.int16),
        ((array(dt.uint8), zero_dim(dt.int8)), dt.uint8),
        ((zero_dim(dt.uint8), zero_dim(dt.int8)), dt.int16),
        ((zero_dim(dt.int8), 1.0), dt.float32),
        ((array(dt.float64), 1j), dt.complex128),
        ((array(dt.float32), zero_dim(dt.complex128)), dt.complex64),
        ((zero_dim(dt.float64), 1j), dt.complex128),
        ((array(dt.float16), 1j), dt.complex64),
        ((array(dt.int64), 1j), dt.complex64),
        ((array(dt.complex64), zero_dim(dt.complex128), 1j), dt.complex64),
        ((array(dt.bool_), zero_dim(dt.int16), 1.0), dt.float32),
        ((array(dt.int32), zero_dim(dt.float16), 1.0), dt.float16),
        ((array(dt.uint16), 1), dt.uint16),
        ((array(dt.uint64), 1.0), dt.float32),
        ((array(dt.uint16), 1j), dt.complex64),
        ((array(dt.uint16), zero_dim(dt.int64)), dt.uint16),
        ((array(dt.int8), zero_dim(dt.uint64)), dt.int8),
        ((np.float64(1), array(dt.float32)), dt.float32),
        ((np.float64(1), 1.0), dt.float64),
        ((1, 2.0), dt.float32),
        ((True, 2), dt.int64),
        ((True,), dt.bool_),
        ((1.0, 1j), dt.complex64),
        ((array(dt.int16),), dt.int16),
        ((zero_dim(dt.int16),), dt.int16),
    ],
)
def test_result_type_literally(operands: tuple[Any, ...], expected: dt.dtype) -> None:
    assert result_type_of(operands) is expected.np
    assert result_type_of(reversed(operands)) is expected.np


def test_flagged_operands_count_as_python_numbers() -> None:
    a = array(dt.float32)
    assert result_type_of((np.float64(1), zero_dim(dt.float32)), weak=(True, False)) is dt.float32.np
    assert result_type_of((np.float64(1), zero_dim(dt.int8)), weak=(True, False)) is dt.float32.np
    assert result_type_of((np.float64(1), zero_dim(dt.int8)), weak=(False, False)) is dt.float64.np
    assert result_type_of((np.int8(1), array(dt.bool_)), weak=(True, False)) is dt.int64.np
    assert result_type_of((np.bool(1), array(dt.bool_)), weak=(True, False)) is dt.bool_.np
    assert result_type_of((np.complex128(1), a), weak=(True, False)) is dt.complex64.np
    assert result_type_of((a, array(dt.float64)), weak=(False, True)) is dt.float32.np


def test_combine_categories_of_nothing_is_none_and_result_type_of_nothing_an_error() -> None:
    assert combine_categories(None, None, None) is None
    with pytest.raises(RuntimeError, match="no result type without operands"):
        result_type_of(())


@pytest.mark.parametrize("wide", WIDE_UNSIGNED, **ids)
def test_a_bool_tensor_and_a_wide_unsigned_number_have_no_result_type(wide: dt.dtype) -> None:
    with pytest.raises(RuntimeError, match=f"attempted to promote torch.bool and {wide}"):
        result_type_of((array(dt.bool_), zero_dim(wide)))


@pytest.mark.parametrize("bad", [None, "1", [1.0], object()])
def test_result_type_names_the_operand_without_a_type(bad: object) -> None:
    assert weak_type_of(bad) is None
    with pytest.raises(TypeError, match=f"operand 1 is {type(bad).__name__}, which has no element type"):
        result_type_of((1.0, bad))


@pytest.mark.parametrize("wide", WIDE_UNSIGNED, **ids)
def test_wide_unsigned_types_promote_only_with_themselves_and_floats(wide: dt.dtype) -> None:
    assert promote_types(wide, wide) is wide
    for d in FLOATS:
        assert promote_types(wide, d) is promote_types(d, wide) is d
    for d in {dt.bool_, *INTEGERS, *COMPLEX} - {wide}:
        for pair in ((wide, d), (d, wide)):
            with pytest.raises(RuntimeError, match=f"attempted to promote {pair[0]} and {pair[1]}"):
                promote_types(*pair)


@pytest.mark.parametrize(("a", "b"), PAIRS, **ids)
def test_promotion_is_commutative_and_an_upper_bound(a: dt.dtype, b: dt.dtype) -> None:
    found = outcome(promote_types, a, b)
    assert found is outcome(promote_types, b, a)
    if isinstance(found, dt.dtype):
        assert can_cast(a, found)
        assert can_cast(b, found)
        assert promote_types(found, a) is found


def test_promotion_arguments_are_checked() -> None:
    with pytest.raises(
        TypeError, match=r"promote_types\(\): argument 'type2' \(position 2\) must be torch.dtype, not int"
    ):
        promote_types(dt.int8, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"can_cast\(\): argument 'from_' \(position 1\) must be torch.dtype, not str"):
        can_cast("int8", dt.int8)  # type: ignore[arg-type]
    assert promote_types(type1=dt.int8, type2=dt.int16) is dt.int16
    assert can_cast(from_=dt.int8, to=dt.uint8)


# --- against PyTorch --------------------------------------------------------------------------------------------


def theirs(torch: Any, d: dt.dtype) -> Any:
    return getattr(torch, d.name)


def ours(answer: Any) -> Any:
    """PyTorch's dtype as ours; complex32, which NumPy lacks, as complex64. Exception classes stay."""
    if isinstance(answer, type):
        return answer
    name = str(answer).removeprefix("torch.")
    return dt.from_numpy_dtype(np.dtype("complex64" if name == "complex32" else name))


@pytest.mark.conformance
def test_every_property_as_in_torch(torch: Any) -> None:
    for d in dt.ALL_DTYPES:
        t = theirs(torch, d)
        assert (repr(d), str(d), d.itemsize, d.abbr) == (repr(t), str(t), t.itemsize, t.abbr)
        assert (d.is_floating_point, d.is_complex, d.is_signed) == (t.is_floating_point, t.is_complex, t.is_signed)
        assert d.to_real() is ours(t.to_real())
        assert outcome(d.to_complex) is ours(outcome(t.to_complex))
    for alias, d in dt.ALIASES.items():
        assert ours(getattr(torch, alias)) is d


@pytest.mark.conformance
def test_promote_types_and_can_cast_as_in_torch_for_every_pair(torch: Any) -> None:
    for a, b in PAIRS:
        ta, tb = theirs(torch, a), theirs(torch, b)
        assert outcome(promote_types, a, b) is ours(outcome(torch.promote_types, ta, tb)), (a, b)
        assert can_cast(a, b) is torch.can_cast(ta, tb), (a, b)


@pytest.mark.conformance
@pytest.mark.parametrize("default", FLOATS, **ids)
def test_result_type_as_in_torch_for_every_pair_of_operands(torch: Any, default: dt.dtype) -> None:
    dt.set_default_dtype(default)
    torch.set_default_dtype(theirs(torch, default))
    forms: list[tuple[Any, Any]] = [(number, number) for number in (True, 3, 2.5, 1j)]
    forms += [(array(d), torch.ones(2, dtype=theirs(torch, d))) for d in dt.ALL_DTYPES]
    forms += [(zero_dim(d), torch.ones((), dtype=theirs(torch, d))) for d in dt.ALL_DTYPES]
    for (a, ta), (b, tb) in itertools.product(forms, repeat=2):
        mine = outcome(lambda *operands: dt.from_numpy_dtype(result_type_of(operands)), a, b)
        expected = ours(outcome(torch.result_type, ta, tb))
        assert mine is expected, (a, b)
    assert len(forms) == 32


@pytest.mark.conformance
def test_result_type_as_in_torch_for_three_tensors(torch: Any) -> None:
    """torch.result_type takes two operands; addcmul promotes three tensors."""
    compared = 0
    forms: list[tuple[Any, Any]] = []
    for d in [dt.uint8, dt.int8, dt.int32, *FLOATS, *COMPLEX]:
        t = theirs(torch, d)
        forms += [(array(d), torch.ones(2, dtype=t)), (zero_dim(d), torch.ones((), dtype=t))]
    for triple in itertools.product(forms, repeat=3):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "ComplexHalf support is experimental")
            expected = outcome(lambda *tensors: torch.addcmul(*tensors).dtype, *[t for _, t in triple])
        if isinstance(expected, type):  # addcmul is not defined for complex32
            continue
        assert dt.from_numpy_dtype(result_type_of([a for a, _ in triple])) is ours(expected), [a for a, _ in triple]
        compared += 1
    assert compared > 3500


@pytest.mark.conformance
def test_numpy_scalars_are_python_numbers_in_torch(torch: Any) -> None:
    for scalar in (np.float64(2), np.float32(2), np.int8(2), np.int64(2)):
        for d in [dt.bool_, dt.uint8, dt.int32, *FLOATS, *COMPLEX]:
            for mine, t in (
                (array(d), torch.ones(2, dtype=theirs(torch, d))),
                (zero_dim(d), torch.ones((), dtype=theirs(torch, d))),
            ):
                expected = ours(torch.result_type(t, scalar))
                assert result_type_of((mine, scalar), weak=(False, True)) is expected.np


def test_bfloat16_is_a_name_that_cannot_be_used() -> None:
    name = wengert.bfloat16
    assert isinstance(name, wengert.dtype)
    assert (repr(name), name.itemsize, name.is_floating_point, name.is_complex) == ("torch.bfloat16", 2, True, False)
    assert pickle.loads(pickle.dumps(name)) is name is copy.deepcopy(name)
    assert {name: 1}[wengert.bfloat16] == 1
    for other in (*dt.ALL_DTYPES, np.dtype("float32"), np.float16, None):
        assert name != other
        assert other != name
    assert wengert.get_autocast_dtype("cpu") is name
    with wengert.autocast("cpu", dtype=name, enabled=False):
        pass
    for use in (
        lambda: wengert.ones(2, dtype=name),
        lambda: wengert.ones(2).to(name),
        lambda: wengert.tensor([1.0], dtype=name),
        lambda: wengert.ones(2).view(name),
        lambda: wengert.ones(2).sum(dtype=name),
        lambda: wengert.nn.Linear(1, 1, dtype=name),
        lambda: wengert.nn.Linear(1, 1).bfloat16(),
        lambda: wengert.promote_types(name, wengert.float32),
        lambda: wengert.finfo(name),
        lambda: wengert.set_default_dtype(name),
        lambda: np.dtype(name),
        name.to_complex,
    ):
        with pytest.raises(TypeError, match="torch.bfloat16 is only a name here"):
            use()
    assert wengert.get_default_dtype() is wengert.float32
