"""Covariance and correlation, numerical gradients of samples, membership, histograms of several variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert._traced import Traced
from wengert.engine.base import TensorBase, wrap
from wengert.functions.dims import wrap_dim
from wengert.functions.options import require_tensor
from wengert.spaces.tensors import TENSOR

__all__ = ["StatisticsMethods", "corrcoef", "cov", "gradient", "histogram", "histogramdd", "isin"]


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariance matrix of variables (rows) from observations (columns).

    ``sum_k w_k (x_k - mean) (x_k - mean)* / (sum_k w_k - correction)``; ``fweights`` say how often an observation was
    made, ``aweights`` how much it weighs, for which the divisor is ``sum w - correction sum(w a) / sum w``.

    Raises:
        RuntimeError: more than two dimensions, a bool tensor, or weights that do not fit.

    >>> import wengert as torch
    >>> torch.cov(torch.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    raw = require_tensor("cov", input)._data
    if raw.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {raw.ndim} dimensions"
        )
    if raw.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = TENSOR.reshape(input, shape=(1, raw.size)) if raw.ndim < 2 else input
    count = x._data.shape[1]
    weights = _weights(count, fweights, aweights)
    x = _in_floats(x)
    if weights is None:
        total: Any = count
        mean = TENSOR.mean(x, dim=(1,), keepdim=True)
    else:
        total = TENSOR.sum(weights, dim=None, keepdim=False)
        mean = TENSOR.div(TENSOR.sum(TENSOR.mul(x, weights), dim=(1,), keepdim=True), total)
    centred = TENSOR.sub(x, mean)
    weighted = centred if weights is None else TENSOR.mul(centred, weights)
    other = TENSOR.conj(TENSOR.transpose(centred, dim0=0, dim1=1))
    products = TENSOR.matmul(weighted, other)
    found = TENSOR.div(products, _divisor(total, weights, aweights, correction))
    return TENSOR.reshape(found, shape=()) if found._data.size == 1 else found


def _in_floats(x: Any) -> Any:
    return x if x._data.dtype.kind in "fc" else TENSOR.mul(x, 1.0)


def _weights(count: int, fweights: Any, aweights: Any) -> Any:
    weights = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        raw = require_tensor("cov", given, name)._data
        if raw.ndim > 1 or raw.size != count:
            raise RuntimeError(
                f"cov(): expected {name} to have one dimension and as many elements as observations ({count}), but got "
                f"the shape {list(raw.shape)}"
            )
        if (raw.dtype.kind not in "iu") if name == "fweights" else (raw.dtype.kind != "f"):
            kind = "integral" if name == "fweights" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {raw.dtype} dtype")
        if raw.size and not isinstance(raw, Traced) and raw.min() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
        weights = given if weights is None else TENSOR.mul(weights, given)
    return weights


def _divisor(total: Any, weights: Any, aweights: Any, correction: int) -> Any:
    if weights is None:
        return float(max(total - correction, 0))
    if correction and aweights is not None:
        squares = TENSOR.sum(TENSOR.mul(weights, aweights), dim=None, keepdim=False)
        left = TENSOR.sub(total, TENSOR.mul(TENSOR.div(squares, total), correction))
    else:
        left = TENSOR.sub(total, correction)
    return TENSOR.clamp_min(_in_floats(left), min=0.0)


def corrcoef(input: Any) -> Any:
    """The correlation matrix of variables (rows): the covariance divided by both standard deviations.

    Raises:
        RuntimeError: more than two dimensions.

    >>> import wengert as torch
    >>> torch.corrcoef(torch.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    raw = require_tensor("corrcoef", input)._data
    if raw.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {raw.ndim} dimensions"
        )
    c = cov(input)
    if c._data.ndim == 0:
        return TENSOR.div(c, c)
    deviation = TENSOR.sqrt(TENSOR.real(TENSOR.diagonal(c, offset=0, dim1=0, dim2=1)))
    c = TENSOR.div(c, TENSOR.unsqueeze(deviation, dim=1))
    c = TENSOR.div(c, TENSOR.unsqueeze(deviation, dim=0))
    if c._data.dtype.kind == "c":
        parts = [TENSOR.clamp(part(c), min=-1.0, max=1.0) for part in (TENSOR.real, TENSOR.imag)]
        return TENSOR.complex(*parts)
    return TENSOR.clamp(c, min=-1.0, max=1.0)


# --- the gradient of samples ---


def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """The derivatives of a function along each dimension, from its samples, by central differences.

    ``spacing`` is the distance of neighbours (one for all dimensions, or one for each), or for each dimension the
    coordinates. At the edges the differences are one-sided, of the order ``edge_order``.

    Raises:
        RuntimeError: too few samples, or spacings that do not fit.

    >>> import wengert as torch
    >>> torch.gradient(torch.tensor([0., 1., 4., 9.]))
    (tensor([1., 2., 4., 5.]),)
    """
    raw = require_tensor("gradient", input)._data
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, but got {edge_order}")
    spacing = 1 if spacing is None else spacing
    dims = [wrap_dim(d, raw.ndim) for d in _listed(dim, range(raw.ndim))]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim {dims} appears multiple times in the list of dims")
    several = isinstance(spacing, (tuple, list))
    spacings = list(spacing) if several else [spacing] if isinstance(spacing, TensorBase) else [spacing] * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or one for each of the "
            f"{len(dims)} dimensions, but got a spacing argument of length {len(spacings)}"
        )
    for d in dims:
        if raw.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    x = input if raw.dtype.kind in "fc" else TENSOR.mul(input, 1.0)
    return tuple([_derivative(x, d, step, edge_order) for d, step in zip(dims, spacings, strict=True)])


def _listed(dim: Any, every: Sequence[int]) -> Sequence[int]:
    return every if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)


def _derivative(x: Any, dim: int, step: Any, order: int) -> Any:
    """A matrix product: each derivative is a combination of two or three neighbours."""
    n, last = x._data.shape[dim], x._data.ndim - 1
    coordinates = step._data if isinstance(step, TensorBase) else np.arange(n) * step
    if np.shape(coordinates) != (n,):
        raise RuntimeError(
            f"torch.gradient expected each tensor in spacing to have one element for each sample ({n}), but got the "
            f"shape {list(np.shape(coordinates))}"
        )
    matrix = _differences(np.asarray(coordinates, float), order).astype(x._data.dtype)
    moved = TENSOR.transpose(x, dim0=dim, dim1=last) if dim != last else x
    found = TENSOR.matmul(moved, wrap(np.ascontiguousarray(matrix.T)))
    return TENSOR.transpose(found, dim0=dim, dim1=last) if dim != last else found


def _differences(at: Any, order: int) -> Any:
    """The matrix that gives the derivative of samples at the given places (B. Fornberg, Math. Comp. 51 (1988))."""
    n = at.size
    matrix = np.zeros((n, n))
    left, right = at[1:-1] - at[:-2], at[2:] - at[1:-1]
    inner = np.arange(1, n - 1)
    matrix[inner, inner - 1] = -right / (left * (left + right))
    matrix[inner, inner] = (right - left) / (left * right)
    matrix[inner, inner + 1] = left / (right * (left + right))
    for row, sign in ((0, 1), (n - 1, -1)):
        one = at[row + sign] - at[row]
        if order == 1:
            matrix[row, row], matrix[row, row + sign] = -1 / one, 1 / one
        else:
            two = at[row + 2 * sign] - at[row + sign]
            matrix[row, row] = -(2 * one + two) / (one * (one + two))
            matrix[row, row + sign] = (one + two) / (one * two)
            matrix[row, row + 2 * sign] = -one / (two * (one + two))
    return matrix


# --- membership and histograms ---


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Which elements are among the test elements; ``invert`` says which are not. One of the two may be a number.

    Raises:
        RuntimeError: two numbers.

    >>> import wengert as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, TensorBase) and not isinstance(test_elements, TensorBase):
        raise RuntimeError("isin: one of elements and test_elements must be a tensor")
    a, b = [getattr(given, "_data", given) for given in (elements, test_elements)]
    if isinstance(a, Traced) or isinstance(b, Traced):
        return _compared_with_each(elements, test_elements, invert=invert)
    return wrap(np.asarray(np.isin(a, b, assume_unique=assume_unique, invert=invert)))


def _compared_with_each(elements: Any, test_elements: Any, *, invert: bool) -> Any:
    """As :func:`isin`, by comparing each with each: sorting them would need their values."""
    ndim = elements._data.ndim if isinstance(elements, TensorBase) else 0
    if isinstance(elements, TensorBase):
        elements = TENSOR.unsqueeze(elements, dim=ndim)
    if isinstance(test_elements, TensorBase):
        test_elements = TENSOR.reshape(test_elements, shape=(test_elements._data.size,))
    same = TENSOR.eq(elements, test_elements)
    found = TENSOR.any(same, dim=(same._data.ndim - 1,), keepdim=False)
    return TENSOR.logical_not(found) if invert else found


def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many elements lie in each bin, with the bins' edges; no gradient.

    ``bins`` is their number, or a rising tensor of their edges. With ``density`` the area is one.

    Raises:
        RuntimeError: edges that do not rise, no bins, or weights of another shape.

    >>> import wengert as torch
    >>> torch.histogram(torch.tensor([0., 1., 1., 3.]), 3).hist
    tensor([1., 2., 1.])
    """
    raw = require_tensor("histogram", input)._data
    found = _counted(raw.reshape(-1, 1), [bins], None if range is None else [tuple(range)], weight, density)
    return return_types.histogram((wrap(found[0]), wrap(found[1][0])))


def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many points ``[*, variables]`` lie in each cell of a grid, with the edges along each variable; no gradient.

    ``bins`` is a number for all variables, one for each, or for each a rising tensor of edges; ``range`` has a lower
    and an upper end for each variable, one after the other.

    Raises:
        RuntimeError: as :func:`histogram`, or another number of bins or ends than variables.

    >>> import wengert as torch
    >>> torch.histogramdd(torch.tensor([[0., 1.], [1., 0.]]), [2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    raw = require_tensor("histogramdd", input)._data
    if raw.ndim < 2:
        raise RuntimeError(f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {raw.ndim}")
    variables = raw.shape[-1]
    listed = list(bins) if isinstance(bins, (tuple, list)) else [bins] * variables
    if len(listed) != variables:
        raise RuntimeError(f"torch.histogramdd: expected {variables} numbers of bins, but got {len(listed)}")
    ends = None if range is None else list(zip(range[::2], range[1::2], strict=True))
    if ends is not None and len(ends) != variables:
        raise RuntimeError(
            f"torch.histogramdd: for a {variables}-dimensional histogram range should have {2 * variables} elements"
        )
    counts, edges = _counted(raw.reshape(-1, variables), listed, ends, weight, density)
    return return_types.histogramdd((wrap(counts), tuple([wrap(e) for e in edges])))


def _counted(points: Any, bins: list[Any], ends: Any, weight: Any, density: bool) -> tuple[Any, list[Any]]:
    if points.dtype.kind != "f":
        raise NotImplementedError(
            f"\"histogram\" not implemented for '{points.dtype}': convert the tensor with .float()"
        )
    weights = None if weight is None else weight._data.reshape(-1)
    if weights is not None and weights.size != len(points):
        raise RuntimeError(
            f"torch.histogram: weight should have one element for each point ({len(points)}), but has {weights.size}"
        )
    edges = []
    for axis, given in enumerate(bins):
        if isinstance(given, TensorBase):
            edges.append(given._data.astype(points.dtype))
            continue
        if given <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {given} for dimension {axis}")
        low, high = ends[axis] if ends is not None else _extremes(points[:, axis])
        edges.append(np.linspace(low, high, int(given) + 1).astype(points.dtype))
    counts, _ = np.histogramdd(points, bins=edges, density=density, weights=weights)
    return counts.astype(points.dtype), edges


def _extremes(x: Any) -> tuple[float, float]:
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
    return (low - 0.5, high + 0.5) if low == high else (low, high)


class StatisticsMethods:
    """Statistics as methods of tensors."""

    __slots__ = ()

    cov = cov
    corrcoef = corrcoef
    histogram = histogram
    isin = isin
