"""Transforms of whole vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from wengert._finfo import finfo
from wengert._size import Size
from wengert.distributions import constraints
from wengert.distributions._transform import Transform
from wengert.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix
from wengert.functions.activations import softmax
from wengert.functions.diagonals import diag_embed
from wengert.functions.likes import ones_like
from wengert.nn.functional import logsigmoid, pad, softplus

__all__ = [
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StickBreakingTransform",
]


class SoftmaxTransform(Transform):
    """``y = softmax(x)``: onto vectors that add up to 1; not bijective.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.SoftmaxTransform()(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        return softmax(x, -1)

    def _inverse(self, y: Any) -> Any:
        return y.log()


class StickBreakingTransform(Transform):
    """From ``k`` real numbers to ``k + 1`` that add up to 1: each breaks its share off what is left.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.StickBreakingTransform()(torch.zeros(1))
    tensor([0.5000, 0.5000])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        z = (x - _left(x).log()).sigmoid()
        rest = (1 - z).cumprod(-1)
        return pad(z, [0, 1], value=1) * pad(rest, [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        shares = y[..., :-1]
        rest = (1 - shares.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return shares.log() - rest.log() + _left(shares).log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """``sum(log(z) + log(rest))``."""
        x = x - _left(x).log()
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        """One more."""
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        """One less."""
        return Size((*shape[:-1], shape[-1] - 1))


def _left(x: Any) -> Any:
    """How many shares are still to come, beside the last: k, k-1, ..., 1."""
    return x.shape[-1] + 1 - ones_like(x.detach()).cumsum(-1)


# --- matrices ---------------------------------------------------------------------------------------------------


class LowerCholeskyTransform(Transform):
    """Any square matrix to a lower triangle with a positive diagonal (by ``exp``).

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.LowerCholeskyTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LowerCholeskyTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(Transform):
    """Any square matrix to a positive definite one: ``L L^T`` of its :class:`LowerCholeskyTransform`.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.PositiveDefiniteTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PositiveDefiniteTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        x = LowerCholeskyTransform()(x)
        return x @ x.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(y.cholesky())


class CorrCholeskyTransform(Transform):
    """From ``n (n-1) / 2`` real numbers to the Cholesky factor of a correlation matrix.

    ``tanh`` gives canonical partial correlations, which break each row of unit length (Lewandowski, Kurowicka and Joe,
    2009).

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.CorrCholeskyTransform()(torch.zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - r.square()).sqrt().cumprod(-1)
        r = r + diag_embed(ones_like(r[..., 0]))
        return r * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        left = pad((1 - y.square().cumsum(-1))[..., :-1], [1, 0], value=1)
        t = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """From the lengths that are left in each row, and the slope of ``tanh``."""
        left = 1 - y.square().cumsum(-1)
        tail = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        slopes = -2 * (x + softplus(-2 * x) - math.log(2.0))
        return tail + slopes.sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        """A square.

        Raises:
            ValueError: no triangle has so many elements.
        """
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Any:
        """A vector.

        Raises:
            ValueError: not square.
        """
        if len(shape) < 2 or shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
