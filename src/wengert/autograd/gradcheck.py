"""`gradcheck` and `gradgradcheck`: gradients held against finite differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.autograd._gradchecks import Settings, check_all
from wengert.autograd._jacobians import Function, as_tuple, is_tracked, random_like
from wengert.autograd._mismatch import GradcheckError
from wengert.autograd.api import grad
from wengert.engine.base import array_of, wrap


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,  # noqa: ARG001 - PyTorch's argument: there are no sparse tensors
) -> bool:
    """Check the gradients of ``func`` against the central differences ``(f(x + eps) - f(x - eps)) / (2 eps)``.

    Every float or complex result is checked for every input that requires grad: ``|analytical - numerical| <= atol +
    rtol |numerical|`` for each element of the Jacobian. Use float64 inputs: in float32 the differences are mostly
    rounding errors.

    Args:
        func: a function of tensors, which returns a tensor or several.
        inputs: its arguments, a tensor or a sequence; those that require grad are checked.
        eps: the step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        raise_exception: raise what is found; otherwise return False.
        nondet_tol: by how much two backward passes over the same graph may differ.
        check_undefined_grad: also run backward with no gradient for each of several results.
        check_grad_dtypes: also check that gradients have the dtype of their input.
        check_batched_grad: also check ``is_grads_batched``.
        check_batched_forward_grad: also check that a batch of tangents gives what single ones give.
        check_forward_ad: also check forward mode.
        check_backward_ad: check backward.
        fast_mode: compare one random combination of each Jacobian instead of every element.
        masked: has no meaning without sparse tensors.

    Returns:
        True, or False if a check failed and ``raise_exception`` is False.

    Raises:
        GradcheckError: a check failed; the message names result, input and element, and shows the difference quotient
            for several steps.
        ValueError: no input requires grad, or a batch is to be checked of a mode that is not.

    >>> import wengert as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x.sin() * x, x, check_forward_ad=True)
    True
    """
    if not (check_backward_ad or check_forward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    _check_batched_settings(check_batched_grad, check_backward_ad, check_batched_forward_grad, check_forward_ad)
    given = as_tuple(inputs)
    _check_inputs(given)
    settings = Settings(
        eps,
        atol,
        rtol,
        nondet_tol,
        fast_mode,
        undefined=check_undefined_grad,
        dtypes=check_grad_dtypes,
        batched=check_batched_grad,
        forward=check_forward_ad,
        batched_forward=check_batched_forward_grad,
        backward=check_backward_ad,
    )
    return _run(func, given, settings, raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,  # noqa: ARG001 - PyTorch's argument: there are no sparse tensors
) -> bool:
    """Check the gradients of the gradients of ``func``: :func:`gradcheck` on the function that computes them.

    That function takes ``inputs`` and ``grad_outputs``, so the derivative with respect to both is checked.

    Args:
        func: a function of tensors, which returns a tensor or several.
        inputs: its arguments, a tensor or a sequence.
        grad_outputs: cotangents of the results, which require grad; random ones by default.
        eps: see :func:`gradcheck`, as for all arguments that are not listed here.
        atol: absolute tolerance.
        rtol: relative tolerance.
        gen_non_contig_grad_outputs: make the random cotangents non-contiguous.
        raise_exception: raise what is found; otherwise return False.
        nondet_tol: by how much two backward passes over the same graph may differ.
        check_undefined_grad: also run backward with no gradient for each of several results.
        check_grad_dtypes: also check that gradients have the dtype of their input.
        check_batched_grad: also check ``is_grads_batched``.
        check_fwd_over_rev: also check forward mode over backward.
        check_rev_over_rev: check backward over backward.
        fast_mode: compare one random combination of each Jacobian instead of every element.
        masked: has no meaning without sparse tensors.

    Returns:
        True, or False if a check failed and ``raise_exception`` is False.

    Raises:
        GradcheckError: a check failed.
        ValueError: no input requires grad.

    >>> import wengert as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x.sin() * x, x)
    True
    """
    if not (check_rev_over_rev or check_fwd_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    given = as_tuple(inputs)
    _check_inputs(given)
    if grad_outputs is None:
        cotangents = _random_cotangents(Function(func, given).outputs, gen_non_contig_grad_outputs)
    else:
        cotangents = as_tuple(grad_outputs)

    def gradients(*args: Any) -> tuple[Any, ...]:
        xs, gs = args[: len(given)], args[len(given) :]
        outputs = [y for y in as_tuple(func(*xs)) if is_tracked(y)]
        found = grad(outputs, [x for x in xs if is_tracked(x)], gs, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    settings = Settings(
        eps,
        atol,
        rtol,
        nondet_tol,
        fast_mode,
        undefined=check_undefined_grad,
        dtypes=check_grad_dtypes,
        batched=check_batched_grad,
        forward=check_fwd_over_rev,
        batched_forward=False,
        backward=check_rev_over_rev,
    )
    return _run(gradients, (*given, *cotangents), settings, raise_exception)


def _run(func: Callable[..., Any], inputs: Sequence[Any], settings: Settings, raise_exception: bool) -> bool:
    try:
        check_all(Function(func, inputs), settings)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check_batched_settings(batched: bool, backward: bool, batched_forward: bool, forward: bool) -> None:
    for name, asked, needs, there in (
        ("check_batched_grad", batched, "check_backward_ad", backward),
        ("check_batched_forward_grad", batched_forward, "check_forward_ad", forward),
    ):
        if asked and not there:
            raise ValueError(f"Setting {name}=True requires {needs} to be True")


def _check_inputs(inputs: Sequence[Any]) -> None:
    tracked = [(i, x) for i, x in enumerate(inputs) if is_tracked(x)]
    if not tracked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, x in tracked:
        if x._data.dtype.char not in "dD":
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                f"will likely fail, because differences in {x.dtype} are mostly rounding errors: pass x.double() "
                "instead.",
                UserWarning,
                stacklevel=3,
            )


def _random_cotangents(outputs: Sequence[Any], strided: bool) -> tuple[Any, ...]:
    made = []
    for k, y in enumerate(outputs):
        g = random_like(array_of(y), seed=k)
        if strided and g.ndim:
            g = np.repeat(g, 2, axis=-1)[..., ::2]
        made.append(wrap(g).requires_grad_())
    return tuple(made)


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
