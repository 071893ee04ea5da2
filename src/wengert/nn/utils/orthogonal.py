"""Weights kept orthogonal: ``nn.utils.parametrizations.orthogonal``."""

from __future__ import annotations

from typing import Any

from wengert._finfo import finfo
from wengert.autograd.grad_mode import no_grad
from wengert.functions.compare import allclose
from wengert.functions.creation import eye
from wengert.functions.joining import cat
from wengert.functions.linalg_ranks import householder_product
from wengert.functions.linalg_solving import solve
from wengert.functions.linalg_spectra import matrix_exp
from wengert.functions.reflectors import geqrf
from wengert.nn.modules.module import Module
from wengert.nn.utils.parametrize import register_parametrization

__all__ = ["orthogonal"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _is_orthogonal(q: Any) -> bool:
    n, k = q.shape[-2:]
    close = 10 * n * finfo(q.dtype).eps
    return bool(allclose(q.mH @ q, eye(k, dtype=q.dtype), atol=close))


def _factored(x: Any) -> tuple[Any, Any]:
    """Householder vectors and factors of the Q of a matrix, with the signs for which R's diagonal is positive."""
    a, tau = geqrf(x)
    a = a.clone()
    a.diagonal(dim1=-2, dim2=-1).sign_()
    a.diagonal(dim1=-2, dim2=-1)[tau == 0.0] *= -1
    return a, tau


def _made_orthogonal(x: Any) -> Any:
    """The Q of a matrix, with the signs for which R's diagonal is positive."""
    a, tau = geqrf(x)
    q = householder_product(a, tau)
    return q * a.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def _maps(self, x: Any) -> Any:
        """An orthogonal matrix, of a tall one that may be any."""
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            a = x.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (a * a.conj()).sum(dim=-2))
            return householder_product(a, tau) * x.diagonal(dim1=-2, dim2=-1).detach().int().unsqueeze(-2)
        x = x.tril()
        if n != k:
            x = cat([x, x.new_zeros((*x.shape[:-1], n - k))], -1)
        skew = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(skew)
        else:
            unit = eye(n, dtype=x.dtype)
            q = solve(unit - 0.5 * skew, unit + 0.5 * skew)
        return q[..., :k] if n != k else q

    def forward(self, x: Any) -> Any:
        """The orthogonal weight."""
        wide = x.shape[-2] < x.shape[-1]
        q = self._maps(x.mT if wide else x)
        base = getattr(self, "base", None)
        if base is not None:
            q = base @ q
        return q.mT if wide else q

    def right_inverse(self, value: Any) -> Any:
        """What the map takes to a given matrix, or to the orthogonal one nearest to its columns' span."""
        if value.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {value.shape}."
            )
        with no_grad():
            wide = value.shape[-2] < value.shape[-1]
            q = value.mT if wide else value
            n, k = q.shape[-2:]
            if "base" not in self._buffers:
                if self.orthogonal_map != "householder":
                    raise NotImplementedError(
                        "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                        "use_trivialization=False."
                    )
                a, _ = _factored(q)
                return a.mT if wide else a
            if n == k:
                q = q.clone() if _is_orthogonal(q) else _made_orthogonal(q)
            else:
                q = _made_orthogonal(cat([q, q.new_empty((*q.shape[:-1], n - k)).normal_()], -1))
            self.base = q
            start = value.new_zeros(value.shape)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # householder's signs; the other maps take no notice
            return start


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Any:
    """Keep a weight orthogonal: orthonormal columns where it is tall, rows where it is wide.

    The weight is an image of a matrix ``x`` that may be any: ``exp(A)`` (``"matrix_exp"``), ``(I + A/2)(I - A/2)^-1``
    (``"cayley"``), with ``A = x - x^T`` of the lower triangle, or a product of Householder reflections
    (``"householder"``); for square and complex weights the first is the default, else the last. With
    ``use_trivialization`` it is multiplied by the weight it began with (M. Lezcano-Casado, 2019).

    Raises:
        ValueError: no such parameter, an unknown map, or a weight that is no matrix.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(4, 2))
    >>> torch.allclose(layer.weight @ layer.weight.T, torch.eye(2), atol=1e-5)
    True
    """
    weight = getattr(module, name, None)
    if weight is None:
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    return register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
