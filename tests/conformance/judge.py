"""One entry of PyTorch's database tried on wengert, aspect by aspect, beside PyTorch itself."""

from __future__ import annotations

import functools
import itertools
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from compare import DifferentError, close, same
from translate import (
    UntranslatableError,
    array_of,
    find,
    function_of,
    is_tensor,
    leaves_of,
    rebound,
    to_wengert,
    tracked,
)

import wengert

DTYPES = (torch.float64, torch.float32, torch.complex128, torch.int64)
# Their results are drawn at random, or are memory that nobody has written: shape and dtype are compared.
RANDOM = frozenset(
    [
        "bernoulli",
        "cauchy",
        "exponential",
        "geometric",
        "log_normal",
        "multinomial",
        "normal",
        "uniform",
        "rand",
        "randn",
        "randint",
        "rand_like",
        "randn_like",
        "randint_like",
        "empty",
        "empty_like",
        "new_empty",
        "empty_strided",
        "empty_permuted",
        "new_empty_strided",
        "nn.functional.dropout",
        "nn.functional.dropout2d",
        "nn.functional.dropout3d",
        "nn.functional.alpha_dropout",
        "nn.functional.feature_alpha_dropout",
        "nn.functional.rrelu",
        "nn.functional.fractional_max_pool2d",
        "nn.functional.fractional_max_pool3d",
        "svd_lowrank",
        "pca_lowrank",
    ]
)
# Their results are right in more than one way (signs and order of vectors): compared as the entry itself says.
GAUGED = frozenset(
    [
        "svd",
        "linalg.svd",
        "linalg.eig",
        "linalg.eigh",
        "linalg.eigvals",
        "linalg.qr",
        "qr",
        "geqrf",
        "linalg.lstsq",
        "svd_lowrank",
        "pca_lowrank",
        "linalg.ldl_factor",
        "linalg.ldl_factor_ex",
    ]
)


@dataclass
class Aspect:
    """How one aspect of one entry went: how many samples were tried, and what the first failure says."""

    tried: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it was tried and nothing failed."""
        return self.tried > 0 and not self.failures


Verdict = dict[str, Aspect]


def judge(info: Any, samples: int) -> Verdict | None:
    """All aspects of one entry, on so many samples of each dtype at most; None where wengert has no such function."""
    function = function_of(info)
    if function is None:
        return None
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    trial = _Trial(info, function, samples)
    for dtype in DTYPES:
        if dtype in info.dtypes:
            trial.forward(dtype)
    trial.variants()
    if info.supports_autograd and info.name not in RANDOM:
        for dtype in (torch.float64, torch.complex128):
            if dtype in info.supported_backward_dtypes("cpu"):
                trial.gradients(dtype)
    trial.errors()
    return trial.verdict


class _Trial:
    def __init__(self, info: Any, function: Callable[..., Any], most: int) -> None:
        self.info = info
        self.most = most
        self.function = function
        self.verdict: Verdict = {}
        self.has_values = info.name not in RANDOM

    # --- aspects ---------------------------------------------------------------------------------------------------

    def forward(self, dtype: torch.dtype) -> None:
        """Results as PyTorch has them, for one dtype."""
        aspect = f"forward {str(dtype).removeprefix('torch.')}"
        for sample in self._samples(dtype, requires_grad=False):
            theirs = _call(self.info.op, sample)
            if theirs is _FAILED:
                continue
            theirs = self._shown(theirs, sample)
            scale = self.scale(dtype)
            if dtype is torch.float32 and self.info.name.startswith("nn.functional.conv"):
                scale = max(scale, _error(self.info.op, sample, theirs) / 1e-5)
            self._attempt(aspect, sample, lambda s, t=theirs, k=scale: self._compare(self.function, s, t, k))

    def variants(self) -> None:
        """The method and the in-place method give what the function gives."""
        dtype = torch.float64 if torch.float64 in self.info.dtypes else torch.int64
        if dtype not in self.info.dtypes:
            return
        for name in ("method_variant", "inplace_variant"):
            variant = getattr(self.info, name)
            label = getattr(variant, "__name__", None)
            if variant is None or label is None or not callable(variant) or not hasattr(torch.Tensor, label):
                continue
            method = find(label) if hasattr(wengert.Tensor, label) else None
            for sample in itertools.islice(self._samples(dtype, requires_grad=False), 5):
                theirs = _call(variant, _copied(sample))
                if theirs is _FAILED or not is_tensor(sample.input):
                    continue
                if method is None:
                    self._fail(name.replace("_", " "), f"no method {label}")
                    break
                method = getattr(wengert.Tensor, label)
                shown = self._shown(theirs, sample)
                self._attempt(name.replace("_", " "), sample, lambda s, m=method, t=shown: self._compare(m, s, t))

    def gradients(self, dtype: torch.dtype) -> None:
        """First and second derivatives with one fixed cotangent, and tangents."""
        wants, scale = bool(self.info.supports_gradgrad), self.scale(dtype)
        for sample in self._samples(dtype, requires_grad=True):
            theirs = _Derivatives(torch, self._wrapped(self.info.op), sample, sample.output_process_fn_grad)
            try:
                expected = theirs.first(self.info.supports_gradgrad)
            except Exception:  # noqa: BLE001 - what PyTorch itself cannot do is no case
                continue
            if not expected:
                continue
            ours = self._translated(sample)
            if ours is None:
                continue
            mine = _Derivatives(wengert, self._wrapped(self.function), ours, sample.output_process_fn_grad)
            if not self._pair("gradient", sample, lambda e=expected, m=mine, k=scale: m.check(m.first(wants), e, k)):
                continue
            if self.info.supports_gradgrad:
                try:
                    again = theirs.second()
                except Exception:  # noqa: BLE001 - as above
                    continue
                self._pair("second order", sample, lambda e=again, m=mine, k=scale: m.check(m.second(), e, k))
        if self.info.supports_forward_ad and hasattr(wengert.autograd, "forward_ad"):
            self._tangents(dtype)

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function on inputs of the kind that it takes (symmetric, triangular), as the entry itself makes them."""
        wrapper = self.info.gradcheck_wrapper
        if self.info.name.startswith("masked."):  # it hides results, by what is private to PyTorch
            return function
        return functools.partial(rebound(wrapper) if function is self.function else wrapper, function)

    def scale(self, dtype: torch.dtype) -> float:
        """By how much the entry's own tolerance for a dtype exceeds the usual one."""
        return max([1.0, *[_excess(d, dtype) for d in self.info.decorators]])

    def _tangents(self, dtype: torch.dtype) -> None:
        for sample in self._samples(dtype, requires_grad=True):
            try:
                expected = _tangents_of(torch, self._wrapped(self.info.op), sample, sample.output_process_fn_grad)
            except Exception:  # noqa: BLE001 - as above
                continue
            ours = self._translated(sample)
            if ours is None or not any([t is not None for t in expected]):
                continue
            mine = self._wrapped(self.function)
            self._pair(
                "forward mode",
                sample,
                lambda s=ours, e=expected, p=sample, f=mine: _check(
                    _tangents_of(wengert, f, s, p.output_process_fn_grad), e, self.scale(dtype)
                ),
            )

    def errors(self) -> None:
        """What PyTorch refuses is refused, with an error of the same type."""
        if self.info.error_inputs_func is None:
            return
        try:
            cases = list(self.info.error_inputs("cpu"))
        except Exception:  # noqa: BLE001 - some need what is not installed
            return
        for case in cases:
            sample = case.sample_input
            expected = case.error_type
            try:
                self.info.op(sample.input, *sample.args, **sample.kwargs)
            except Exception:  # noqa: BLE001 - as it should
                if _shares_out(sample):
                    continue
                self._attempt("error inputs", sample, lambda s, e=expected: self._refused(s, e))

    def _refused(self, sample: Any, expected: Any) -> None:
        try:
            self.function(sample.input, *sample.args, **sample.kwargs)
        except expected:
            return
        except Exception as error:  # noqa: BLE001 - named in the verdict
            raise DifferentError(f"{type(error).__name__} instead of {expected}: {error}") from None
        raise DifferentError(f"accepted, where PyTorch raises {expected}")

    # --- one sample ------------------------------------------------------------------------------------------------

    def _samples(self, dtype: torch.dtype, requires_grad: bool) -> Iterator[Any]:
        torch.manual_seed(0)
        try:
            samples = self.info.sample_inputs("cpu", dtype, requires_grad=requires_grad)
            samples = (sample for sample in samples if not self._is_drawn(sample))
            yield from itertools.islice(samples, self.most)
        except Exception:  # noqa: BLE001 - some entries have no samples for some dtypes
            return

    def _is_drawn(self, sample: Any) -> bool:
        """Whether elements of the result are dropped at random."""
        if self.info.name == "nn.functional.multi_head_attention_forward":
            return bool(sample.args[9])
        return bool(sample.kwargs.get("dropout_p"))

    def _shown(self, result: Any, sample: Any) -> Any:
        return sample.output_process_fn_grad(result) if self.info.name in GAUGED else result

    def _compare(self, function: Callable[..., Any], sample: Any, theirs: Any, scale: float = 1.0) -> None:
        ours = function(sample.input, *sample.args, **sample.kwargs)
        ours = self._shown(ours, sample)
        same(ours, theirs, values=self.has_values, scale=scale)

    def _translated(self, sample: Any) -> Any:
        try:
            return _Sample(sample)
        except UntranslatableError:
            return None

    def _attempt(self, aspect: str, sample: Any, act: Callable[[Any], None]) -> None:
        ours = self._translated(sample)
        if ours is not None:
            self._pair(aspect, sample, lambda: act(ours))

    def _pair(self, aspect: str, sample: Any, act: Callable[[], None]) -> bool:
        entry = self.verdict.setdefault(aspect, Aspect())
        entry.tried += 1
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever is raised is the verdict
            entry.failures.append(f"{_text(error)} [{_described(sample)}]")
            return False
        return True

    def _fail(self, aspect: str, text: str) -> None:
        entry = self.verdict.setdefault(aspect, Aspect())
        entry.tried += 1
        entry.failures.append(text)


class _Sample:
    """A sample of the database as wengert's tensors."""

    def __init__(self, sample: Any) -> None:
        self.input = to_wengert(sample.input)
        self.args = to_wengert(sample.args)
        self.kwargs = to_wengert(sample.kwargs)
        self.output_process_fn_grad = sample.output_process_fn_grad


class _Derivatives:
    """First and second derivatives of one call, in one of the two libraries."""

    def __init__(self, library: Any, function: Callable[..., Any], sample: Any, shown: Callable[..., Any]) -> None:
        self.library = library
        self.inputs = tracked(sample.input, sample.args, sample.kwargs)
        self.call = lambda: shown(function(sample.input, *sample.args, **sample.kwargs))
        self.rng = np.random.default_rng(0)
        self.grads: list[Any] = []

    def first(self, create_graph: bool) -> list[Any]:
        """The gradients of the results, weighted at random, with respect to the tracked inputs."""
        outputs = tracked(self.call())
        self.grads = self._pull(outputs, create_graph)
        return self.grads

    def second(self) -> list[Any]:
        """The gradients of the gradients, weighted at random."""
        return self._pull([g for g in self.grads if g is not None and g.requires_grad], create_graph=False)

    def _pull(self, outputs: list[Any], create_graph: bool) -> list[Any]:
        if not outputs or not self.inputs:
            return []
        weights = [self._weights(t) for t in outputs]
        return list(
            self.library.autograd.grad(outputs, self.inputs, weights, create_graph=create_graph, allow_unused=True)
        )

    def _weights(self, t: Any) -> Any:
        w: Any = self.rng.standard_normal(tuple(t.shape))
        if t.dtype.is_complex:
            w = w + 1j * self.rng.standard_normal(tuple(t.shape))
        return self.library.from_numpy(np.asarray(w)).to(t.dtype)

    def check(self, ours: list[Any], theirs: list[Any], scale: float) -> None:
        """Raise DifferentError unless two lists of derivatives agree."""
        none = [None] * max(len(ours), len(theirs))  # nothing depends on anything: as good as zeros
        _check(ours or none, theirs or none, scale)


def _check(ours: list[Any], theirs: list[Any], scale: float) -> None:
    """Raise DifferentError unless two lists of derivatives agree; no gradient is as good as zero.

    Where PyTorch's is NaN it has no answer to compare with.
    """
    if len(ours) != len(theirs):
        raise DifferentError(f"{len(ours)} derivatives, not {len(theirs)}")
    for position, (x, y) in enumerate(zip(ours, theirs, strict=True)):
        if x is None and y is None:
            continue
        a = None if x is None else array_of(x)
        b = None if y is None else array_of(y)
        a = np.zeros_like(b) if a is None else a
        b = np.zeros_like(a) if b is None else b
        if a.shape != b.shape or a.dtype != b.dtype:
            raise DifferentError(f"derivative {position}: {a.dtype}{a.shape}, not {b.dtype}{b.shape}")
        close(np.where(np.isnan(b), b, a), b, f"derivative {position}: ", 10.0 * scale)


def _error(op: Callable[..., Any], sample: Any, result: Any) -> float:
    """How far two sums in different order may differ: twice as far as PyTorch's lies from its own in float64.

    The samples of convolutions add up some hundred numbers of a hundred times the result.
    """
    exact = _call(op, sample.transform(lambda x: x.double() if isinstance(x, torch.Tensor) else x))
    return 2.0 * float(np.max(np.abs(array_of(result) - array_of(exact)), initial=0.0))


def _excess(decorator: Any, dtype: torch.dtype) -> float:
    for override in getattr(decorator, "decorators", ()):
        tolerances = getattr(override, "overrides", {})
        if dtype in tolerances:
            usual = 1e-7 if dtype in (torch.float64, torch.complex128) else 1e-5
            return float(max(tolerances[dtype].atol, tolerances[dtype].rtol)) / usual
    return 1.0


def _tangents_of(library: Any, function: Callable[..., Any], sample: Any, shown: Callable[..., Any]) -> list[Any]:
    """The tangents of the results for one fixed tangent of the tracked inputs."""
    ad = library.autograd.forward_ad
    rng = np.random.default_rng(1)

    def dual(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: dual(part) for key, part in x.items()}
        if isinstance(x, (tuple, list)):
            return type(x)([dual(part) for part in x])
        if not is_tensor(x) or not x.requires_grad:
            return x
        t: Any = rng.standard_normal(tuple(x.shape))
        if x.dtype.is_complex:
            t = t + 1j * rng.standard_normal(tuple(x.shape))
        return ad.make_dual(x.detach(), library.from_numpy(np.asarray(t)).to(x.dtype))

    with ad.dual_level():
        result = shown(function(dual(sample.input), *dual(sample.args), **dual(sample.kwargs)))
        return [ad.unpack_dual(x).tangent for x in leaves_of(result) if is_tensor(x)]


def _shares_out(sample: Any) -> bool:
    """Whether a tensor to be written is the memory of another: which wengert allows, as if it were a copy."""
    written = leaves_of(sample.kwargs.get("out"))
    read = leaves_of(sample.input, *sample.args)
    places = {t.untyped_storage().data_ptr() for t in read if is_tensor(t)}
    return any([is_tensor(t) and t.untyped_storage().data_ptr() in places for t in written])


_FAILED = object()


def _call(function: Callable[..., Any], sample: Any) -> Any:
    torch.manual_seed(0)
    try:
        return function(sample.input, *sample.args, **sample.kwargs)
    except Exception:  # noqa: BLE001 - what PyTorch itself refuses is no case
        return _FAILED


def _copied(sample: Any) -> Any:
    return sample.transform(lambda x: x.clone() if isinstance(x, torch.Tensor) else x)


def _text(error: Exception) -> str:
    if isinstance(error, DifferentError):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f" ({where.filename.rpartition('/')[2]}:{where.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}{place}"


def _described(sample: Any) -> str:
    def text(x: Any) -> str:
        if is_tensor(x):
            return f"{str(x.dtype).removeprefix('torch.')}{list(x.shape)}"
        if isinstance(x, (tuple, list)):
            return f"({', '.join(text(part) for part in x)})"
        return repr(x)

    parts = [text(sample.input), *[text(x) for x in sample.args]]
    parts += [f"{key}={text(x)}" for key, x in sample.kwargs.items()]
    return ", ".join(parts)[:200]
