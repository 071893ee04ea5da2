"""Every operation with troublesome values and memory: NaN, infinities, singular points, strides, empty, 0-d inputs."""

import itertools

import numpy as np
import pytest

import wengert
from op_cases import DIFFERENTIABLE, ELEMENTWISE, NAMES, by_name, cases, trials
from samples import Sample
from special_values import NoCounterpartError, libraries_agree, run, tensor, troubled
from wengert.ops.record import TABLE, Kind
from wengert.testing._op_checks import same_bits
from wengert.testing._trial import Trial, in_precision, is_array, precision

# Functions of the same name that take other arguments than the operation, or draw random numbers.
OTHER_ARGUMENTS = frozenset(
    [
        "igamma",
        "igammac",
        "unfold",
        "zeta",
        "as_strided",
        "batch_norm",
        "bernoulli",
        "binary_cross_entropy_with_logits",
        "block_diag",
        "cat",
        "cdist",
        "celu",
        "count_nonzero",
        "einsum",
        "group_norm",
        "elu",
        "embedding",
        "floor_divide",
        "gather",
        "heaviside",
        "index_add",
        "index_copy",
        "index_fill",
        "index_put",
        "index_select",
        "layer_norm",
        "linear",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "poisson",
        "binomial",
        "polygamma",
        "prod",
        "rms_norm",
        "rrelu",
        "scatter",
        "scatter_add",
        "scatter_reduce",
        "searchsorted",
        "slice_scatter",
        "soft_margin_loss",
        "split",
        "split_with_sizes",
        "squeeze",
        "stack",
        "tensordot",
        "unique",
        "unique_consecutive",
        "unsafe_split",
        "unsafe_split_with_sizes",
    ]
)
PUBLIC = [name for name in NAMES if by_name(wengert, name)]

# Where PyTorch gives something else for special values, and why that is not followed.
DIFFERENT = {
    "acosh": "outside of its domain the function is nan, and so is its gradient here",
    "airy_ai": "PyTorch has no gradient of it, and six digits of the value",
    "bessel_j0": "PyTorch has no gradient of it, and six digits of the value",
    "bessel_j1": "PyTorch has no gradient of it, and six digits of the value",
    "bessel_y0": "PyTorch has no gradient of it, and six digits of the value",
    "bessel_y1": "PyTorch has no gradient of it, and six digits of the value",
    "chebyshev_polynomial_u": "nan stays nan",
    "chebyshev_polynomial_w": "nan stays nan",
    "cumprod": "the derivative by an element that is nan or infinite does not depend on that element",
    "digamma": "PyTorch's poles are large finite numbers",
    "hardshrink": "PyTorch gives 0 or g at nan, depending on where in memory the element lies",
    "hardsigmoid": "PyTorch's 1/6 is a float32, also for float64",
    "hardswish": "as hardshrink",
    "hardtanh": "as hardshrink",
    "i1": "the gradient at nan is nan",
    "i1e": "the gradient at nan is nan",
    "inv": "which elements become nan depends on the LAPACK",
    "laguerre_polynomial_l": "nan stays nan",
    "ldexp": "PyTorch's gradient is 0 for negative integer exponents",
    "legendre_polynomial_p": "nan stays nan",
    "log_ndtr": "the slope at minus infinity is infinite",
    "logit": "PyTorch gives plus infinity at minus zero",
    "mish": "the slope at infinity is 1; PyTorch's is nan",
    "mode": "PyTorch's order of nan among values that occur once",
    "modified_bessel_k0": "PyTorch has no gradient of it, and six digits of the value",
    "modified_bessel_k1": "PyTorch has no gradient of it, and six digits of the value",
    "scaled_modified_bessel_k0": "PyTorch has no gradient of it, and six digits of the value",
    "scaled_modified_bessel_k1": "PyTorch has no gradient of it, and six digits of the value",
    "shifted_chebyshev_polynomial_u": "nan stays nan",
    "shifted_chebyshev_polynomial_w": "nan stays nan",
    "softshrink": "as hardshrink",
    "std_mean": "PyTorch's mean of infinities is nan",
    "var_mean": "PyTorch's mean of infinities is nan",
}


# No factorisation of what is not finite: NumPy and PyTorch refuse it.
REFUSED = frozenset(
    ["cofactors", "linalg_cholesky", "linalg_det", "linalg_eig", "linalg_eigh", "linalg_pinv", "linalg_svd"]
)


# --- NaN and infinities ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_special_values_do_not_break_rules(name: str) -> None:
    """Nothing raises or warns where the engine silences NumPy, shapes and dtypes stay."""
    if name in REFUSED:
        with pytest.raises(np.linalg.LinAlgError):
            [Trial(TABLE[name], case.inputs, case.meta).gradient(0) for case in troubled(name)]
        return
    for case in troubled(name):
        trial = Trial(TABLE[name], case.inputs, case.meta)
        if not all(g is None or g.shape == y.shape for g, y in zip(trial.cotangents, trial.results, strict=True)):
            raise AssertionError(trial)
        for i in trial.tracked if trial.given else ():
            assert trial.gradient(i).shape == trial.inputs[i].shape


@pytest.mark.conformance
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in OTHER_ARGUMENTS])
def test_special_values_give_what_pytorch_gives(name: str) -> None:
    torch = pytest.importorskip("torch")
    found = _disagreements(torch, name, [*troubled(name), *cases(name)])
    assert found is not None, f"{name} takes other arguments: enter it in OTHER_ARGUMENTS"
    if name in DIFFERENT:
        assert found, f"{name} agrees with PyTorch now: take it out of DIFFERENT"
        return
    assert not found, "\n".join(found)


def _disagreements(torch, name: str, rows: list[Sample]) -> list[str] | None:
    """None where the libraries have no common function."""
    found, ran = [], False
    for case in rows:
        try:
            found += libraries_agree(torch, name, case)
            ran = True
        except NoCounterpartError:
            continue
        except (RuntimeError, ValueError, IndexError) as error:  # then PyTorch must raise as well
            try:
                run(torch, name, case)
            except (RuntimeError, ValueError, IndexError):
                continue
            found.append(f"{case}: {type(error).__name__}: {error}")
    return found if ran else None


@pytest.mark.conformance
def test_most_operations_are_compared_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    assert len([name for name in PUBLIC if by_name(torch, name)]) > 180


POINTS = [name for name in ELEMENTWISE if TABLE[name].points]


def _has_metadata(name: str) -> bool:
    return any(case.meta for case in cases(name))


def _at_points(name: str) -> Sample:
    op = TABLE[name]
    if len(op.vjp) == 1:
        return Sample(np.array(op.points))
    # ties: all pairs of the points and of something else
    values = np.array([*op.points, 0.5, -1.5])
    return Sample(*[grid.reshape(-1) for grid in np.meshgrid(values, values)])


@pytest.mark.conformance
@pytest.mark.parametrize("name", [name for name in POINTS if name in PUBLIC and not _has_metadata(name)])
def test_singular_points_have_pytorchs_gradient(name: str) -> None:
    torch = pytest.importorskip("torch")
    case = _at_points(name)
    if name == "prelu":
        case = Sample(case.inputs[0], np.array([0.25]))
    assert libraries_agree(torch, name, case) == []


@pytest.mark.parametrize("name", [name for name in POINTS if not _has_metadata(name)])
def test_gradients_at_singular_points_are_finite(name: str) -> None:
    case = _at_points(name)
    trial = Trial(TABLE[name], case.inputs, {})
    for i in trial.tracked:
        assert np.isfinite(trial.gradient(i)).all()


# --- memory ----------------------------------------------------------------------------------------------------------


def _transposed(x):
    return np.asarray(x).T.copy().T


def _backwards(x):
    flipped = np.flip(np.asarray(x)).copy()
    return np.flip(flipped)


def _strided(x):
    x = np.asarray(x)
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., 1::2] = x
    return wide[..., 1::2]


def _read_only(x):
    x = np.array(x)
    x.flags.writeable = False
    return x


LAYOUTS = (_transposed, _backwards, _strided, _read_only)


# What the two that are left out give is a matter of layout.
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("as_strided", "view_dtype")])
def test_memory_layout_makes_no_difference(name: str) -> None:
    """Transposed, reversed, strided and read-only inputs and cotangents give what contiguous ones give."""
    for trial in trials(name):
        for layout in LAYOUTS:
            inputs = [layout(x) if isinstance(x, np.ndarray) and x.ndim else x for x in trial.inputs]
            if any(
                is_array(x) and not np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
                for x, y in zip(inputs, trial.inputs, strict=True)
            ):
                raise AssertionError(layout)
            ys = trial.value(inputs)
            for y, want in zip(ys, trial.results, strict=True):
                _close(y, want, f"{trial!r} of {layout.__name__} inputs")
            gs = [layout(g) if isinstance(g, np.ndarray) and g.ndim else g for g in trial.cotangents]
            for i in trial.tracked if trial.given else ():
                got = np.asarray(trial.pull(i, gs, ys, inputs))
                _close(
                    got,
                    np.asarray(trial.pull(i)),
                    f"the rule of {trial.name(i)} of {trial!r} on {layout.__name__} values",
                )


def _close(y, want, what: str) -> None:
    assert y.dtype == want.dtype, what
    assert y.shape == want.shape, what
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-13, err_msg=what)


@pytest.mark.parametrize("name", NAMES)
def test_scalars_and_0d_arrays_are_the_same(name: str) -> None:
    """A 0-d value may be a NumPy scalar or a 0-d array."""
    for trial in trials(name):
        if not any(is_array(x) and not np.ndim(x) for x in trial.inputs) or TABLE[name].view:
            continue
        inputs = [np.asarray(x) if is_array(x) else x for x in trial.inputs]
        for y, want in zip(trial.value(inputs), trial.results, strict=True):
            _close(np.asarray(y), np.asarray(want), repr(trial))
        gs = [None if g is None else np.asarray(g) for g in trial.cotangents]
        ys = [np.asarray(y) for y in trial.results]
        for i in trial.tracked if trial.given else ():
            got = trial.pull(i, gs, ys, inputs)
            _close(np.asarray(got), np.asarray(trial.pull(i)), f"the rule of {trial.name(i)} of {trial!r}")


# --- empty, broadcast, precision -------------------------------------------------------------------------------------

PLAIN = [
    name
    for name in ELEMENTWISE
    if isinstance(TABLE[name].vjp, tuple) and cases(name) and not any(case.meta for case in cases(name))
]


@pytest.mark.parametrize("name", PLAIN)
def test_empty_inputs(name: str) -> None:
    """Elementwise operations keep the shapes and dtypes of empty inputs, and so do their rules."""
    first = cases(name)[0].inputs
    for shapes in ((0,), (2, 0), (0, 3)), ((0,), (1,), (1, 1)):
        inputs = [
            np.zeros(shape, x.dtype) if is_array(x) else x
            for x, shape in zip(first, itertools.cycle(shapes), strict=False)
        ]
        try:
            shape = np.broadcast_shapes(*[np.shape(x) for x in inputs])
        except ValueError:
            inputs = [np.zeros((2, 0), x.dtype) if is_array(x) else x for x in first]
            shape = (2, 0)
        trial = Trial(TABLE[name], inputs, {})
        for y, full in zip(trial.results, Trial(TABLE[name], first, {}).results, strict=True):
            assert y.shape == shape
            assert y.dtype == full.dtype
        for i in trial.tracked if trial.given else ():
            assert trial.gradient(i).shape == inputs[i].shape


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].kind is not Kind.ELEMENTWISE])
def test_samples_keep_their_dtype_in_single_precision(name: str) -> None:
    """The values in float32 are those in float64 to its precision; so are the gradients."""
    _single_precision(name)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_single_precision_is_accurate(name: str) -> None:
    _single_precision(name)


def _single_precision(name: str) -> None:
    for trial in trials(name):
        floats = [np.asarray(x) for x in trial.inputs if is_array(x) and x.dtype.kind in "fc"]
        if "dtype" in trial.meta or not floats or not all(np.isfinite(x).all() for x in floats):
            continue
        small = trial.as_precision(32)
        exact = small.as_precision(64)  # the same rounded inputs
        scale = 1 + max(
            [
                float(np.abs(x[np.isfinite(x)]).max(initial=0))
                for x in map(np.asarray, exact.inputs)
                if x.dtype.kind in "fc"
            ]
        )
        for y, want in zip(small.results, exact.results, strict=True):
            if y.dtype.kind in "fc":
                np.testing.assert_allclose(y, want.astype(y.dtype), rtol=2e-5, atol=2e-6 * scale, err_msg=repr(trial))
        gs = [in_precision(g, 32) for g in exact.cotangents]
        wide = [in_precision(g, 64) if g is not None else None for g in gs]
        for i in small.tracked if small.given else ():
            got = np.asarray(small.pull(i, gs))
            assert precision(got) == 32 or got.dtype.kind not in "fc"
            want = np.asarray(exact.pull(i, wide))
            np.testing.assert_allclose(
                got, want.astype(got.dtype), rtol=1e-4, atol=1e-5 * scale**2, err_msg=f"{trial!r}, input {i}"
            )


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in DIFFERENTIABLE
        if name in PLAIN and len(TABLE[name].vjp) > 1 and name != "masked_fill_tensor"  # its value is one number
    ],
)
def test_broadcasting_is_repeating(name: str) -> None:
    """A broadcast input gives what a repeated one gives, and the sum of its gradients."""
    for trial in trials(name):
        shape = trial.results[0].shape
        full = [np.broadcast_to(x, shape).copy() if is_array(x) else x for x in trial.inputs]
        repeated = trial.with_inputs(full)
        for y, want in zip(trial.results, repeated.results, strict=True):
            assert same_bits(np.asarray(y), np.asarray(want)), trial
        for i in trial.tracked:
            want = repeated.gradient(i, trial.cotangents)
            shape_of_x = trial.inputs[i].shape
            lead = want.ndim - len(shape_of_x)
            axes = (*range(lead), *[lead + k for k, n in enumerate(shape_of_x) if n == 1])
            want = want.sum(axis=axes).reshape(shape_of_x)
            np.testing.assert_allclose(trial.gradient(i), want, rtol=1e-12, err_msg=repr(trial))


# --- what may be written in place afterwards -------------------------------------------------------------------------


# Where wengert keeps what PyTorch does not.
KEEPS = {
    "erfinv": "the result, which would be costly to compute again",
    "ndtr": "the input; PyTorch puts it together from operations that keep other values",
    "kron": "the inputs, of which PyTorch makes copies",
    "matmul": "the inputs, of which PyTorch makes copies when it broadcasts",
}


@pytest.mark.conformance
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if name in PUBLIC and name not in OTHER_ARGUMENTS])
def test_what_pytorch_lets_one_write_may_be_written(name: str) -> None:
    """A value that PyTorch does not need for backward is not needed here: it may be written to."""
    torch = pytest.importorskip("torch")
    refused = [
        f"{case}: {'the result' if slot < 0 else f'input {slot}'}"
        for case in cases(name)
        for slot in range(-1, len(case.inputs))
        if _may_be_written(torch, name, case, slot) is True and _may_be_written(wengert, name, case, slot) is False
    ]
    assert bool(refused) == (name in KEEPS), "\n".join(refused) or f"take {name} out of KEEPS"


def _may_be_written(lib, name: str, case: Sample, slot: int) -> bool | None:
    """Whether backward works after a write to the first result (slot -1) or an input; None where there is none."""
    tensors = [tensor(lib, x) for x in case.inputs]
    try:
        for t in tensors:
            if hasattr(t, "requires_grad_") and (t.is_floating_point() or t.is_complex()):
                t.requires_grad_()
        tensors = [t * 1 if getattr(t, "requires_grad", False) else t for t in tensors]
        results = by_name(lib, name)(*tensors, **case.meta)
        results = [results] if hasattr(results, "requires_grad") else list(results)
        written = results[0] if slot < 0 else tensors[slot]
        if not hasattr(written, "requires_grad") or not results[0].requires_grad:
            return None
        written.mul_(1)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
        return None
    try:
        total = sum([(y.abs() if y.is_complex() else y).sum() for y in results if y.requires_grad])
        total.backward()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize(
    "function",
    [
        lambda x: wengert.nn.functional.batch_norm(x, None, None, training=True),
        lambda x: wengert.nn.functional.layer_norm(x, (3,)),
        lambda x: wengert.nn.functional.rms_norm(x, (3,)),
        lambda x: x.sort(0).values,
        lambda x: x.max(0).values,
        lambda x: wengert.var_mean(x, 0)[1],
    ],
)
def test_results_that_no_rule_reads_may_be_written(function) -> None:
    """As in networks, where a ReLU in place follows a normalisation."""
    x = wengert.arange(12.0, dtype=wengert.float64).reshape(4, 3).sin().requires_grad_()
    function(x).relu_().square().sum().backward()
    got = x.grad.clone()
    x.grad = None
    function(x).relu().square().sum().backward()
    assert wengert.equal(got, x.grad)
