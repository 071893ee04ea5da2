"""finfo and iinfo: literal limits, agreement with NumPy, and every field against PyTorch."""

import copy
import math
import pickle
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from wengert import _dtypes as dt
from wengert._finfo import finfo, iinfo

FLOATS = [dt.float16, dt.float32, dt.float64]


@pytest.fixture(autouse=True)
def default_dtype_is_restored() -> Iterator[None]:
    yield
    dt.set_default_dtype(dt.float32)


def test_finfo_and_iinfo_literally() -> None:
    f = finfo(dt.float32)
    assert (
        repr(f)
        == str(f)
        == (
            "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, "
            "smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=float32)"
        )
    )
    assert (f.bits, f.eps, f.max, f.min) == (32, 2.0**-23, float(np.finfo("f4").max), float(np.finfo("f4").min))
    assert finfo(dt.float16).max == 65504.0
    assert finfo(dt.float64).max == sys.float_info.max
    assert math.ulp(1.0) == finfo(dt.float64).eps
    assert repr(iinfo(dt.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert (iinfo(dt.uint64).max, iinfo(dt.int8).min, iinfo(dt.uint8).bits) == (2**64 - 1, -128, 8)


@pytest.mark.parametrize("d", FLOATS, ids=str)
def test_finfo_agrees_with_numpy(d: dt.dtype) -> None:
    mine, numpy = finfo(d), np.finfo(d.np)
    for name in ("bits", "eps", "max", "min", "tiny", "smallest_normal"):
        assert getattr(mine, name) == getattr(numpy, name), name
    assert np.isclose(mine.resolution, float(numpy.resolution), rtol=1e-3)


def test_finfo_of_the_default_type_follows_it() -> None:
    assert finfo() == finfo(dt.float32)
    dt.set_default_dtype(dt.float64)
    assert finfo() == finfo(dt.float64) == finfo(type=dt.complex128)
    assert finfo() != finfo(dt.float32)
    assert finfo() != iinfo(dt.int64)


def test_limits_are_constants_that_can_be_copied_but_not_hashed() -> None:
    for limits in (finfo(dt.float16), iinfo(dt.uint8)):
        assert copy.deepcopy(limits) == pickle.loads(pickle.dumps(limits)) == limits
        with pytest.raises(AttributeError, match="not writable"):
            limits.max = 3
        with pytest.raises(TypeError, match="unhashable"):
            hash(limits)


def test_finfo_and_iinfo_send_the_user_to_each_other() -> None:
    with pytest.raises(TypeError, match=r"requires a floating point input type, got torch.int8. Use torch.iinfo"):
        finfo(dt.int8)
    with pytest.raises(TypeError, match=r"requires an integer input type, got torch.float16. Use torch.finfo"):
        iinfo(dt.float16)
    with pytest.raises(TypeError, match=r"finfo\(\): argument 'type' \(position 1\) must be torch.dtype, not int"):
        finfo(3)  # type: ignore[arg-type]


@pytest.mark.conformance
def test_finfo_and_iinfo_as_in_torch_for_every_type() -> None:
    torch = pytest.importorskip("torch")
    fields: dict[str, tuple[str, ...]] = {}
    fields["finfo"] = ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype")
    fields["iinfo"] = ("bits", "max", "min", "dtype")
    for d in dt.ALL_DTYPES:
        for kind, mine in (("finfo", finfo), ("iinfo", iinfo)):
            try:
                expected = getattr(torch, kind)(getattr(torch, d.name))
            except TypeError:
                with pytest.raises(TypeError):
                    mine(d)
                continue
            found = mine(d)
            assert (repr(found), str(found)) == (repr(expected), str(expected))
            for name in fields[kind]:
                value, wanted = getattr(found, name), getattr(expected, name)
                assert (value, type(value)) == (wanted, type(wanted)), (d, name)
