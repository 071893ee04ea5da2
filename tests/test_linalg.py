"""Linear algebra: derivatives of what does not depend on a choice of vectors, singular matrices, errors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.autograd import gradcheck, gradgradcheck

R = np.random.default_rng(5)
Function = Callable[[Any], Any]


def matrix(*shape: int, complex_too: bool = False) -> torch.Tensor:
    """Eigenvalues and singular values of such a matrix lie apart."""
    a = R.standard_normal(shape) * 0.4 + np.eye(*shape[-2:]) * np.arange(1, shape[-1] + 1)
    if complex_too:
        a = a + 0.4j * R.standard_normal(shape)
    return torch.tensor(a, requires_grad=True)


def hermitian(a: torch.Tensor) -> torch.Tensor:
    return a + a.mH


def definite(a: torch.Tensor) -> torch.Tensor:
    return a @ a.mH + torch.eye(a.shape[-1], dtype=a.dtype)


def weights(n: int) -> torch.Tensor:
    return torch.arange(1.0, n + 1, dtype=torch.float64)


def of_vectors(function: Function) -> Function:
    """The projections on the spaces of the vectors, each with its own weight: no choice of phases alters them."""

    def weighted(a: torch.Tensor) -> torch.Tensor:
        vectors = function(a)
        return (vectors * weights(vectors.shape[-1])) @ vectors.mH

    return weighted


SQUARE: dict[str, Function] = {
    "cholesky": lambda a: torch.linalg.cholesky(definite(a)),
    "upper cholesky": lambda a: torch.linalg.cholesky(definite(a), upper=True),
    "cholesky_inverse": lambda a: torch.cholesky_inverse(torch.linalg.cholesky(definite(a))),
    "eigvalsh": lambda a: torch.linalg.eigvalsh(hermitian(a)),
    "eigh": of_vectors(lambda a: torch.linalg.eigh(hermitian(a)).eigenvectors),
    "eigvals": lambda a: torch.linalg.eigvals(a),
    "eig": of_vectors(lambda a: torch.linalg.eig(a).eigenvectors),
    "svdvals": lambda a: torch.linalg.svdvals(a),
    "left vectors": of_vectors(lambda a: torch.linalg.svd(a).U),
    "right vectors": of_vectors(lambda a: torch.linalg.svd(a).Vh.mH),
    "lu": lambda a: torch.linalg.lu(a)[1:],
    "det": torch.linalg.det,
    "logdet": lambda a: torch.logdet(definite(a)).real,
    "matrix_exp": torch.linalg.matrix_exp,
    "cond": torch.linalg.cond,
    "nuclear norm": lambda a: torch.linalg.matrix_norm(a, "nuc"),
    "spectral norm": lambda a: torch.linalg.matrix_norm(a, 2),
}


@pytest.mark.parametrize("complex_too", [False, True])
@pytest.mark.parametrize("name", SQUARE)
def test_square_matrices(name: str, complex_too: bool) -> None:
    function = SQUARE[name]
    a = matrix(3, 3, complex_too=complex_too)
    assert gradcheck(function, (a,))
    assert gradgradcheck(function, (a,))


OBLONG: dict[str, Function] = {
    "svdvals": torch.linalg.svdvals,
    "left vectors": of_vectors(lambda a: torch.linalg.svd(a, full_matrices=False).U),
    "right vectors": of_vectors(lambda a: torch.linalg.svd(a, full_matrices=False).Vh.mH),
    "qr": lambda a: tuple(torch.linalg.qr(a)),
    "lu": lambda a: torch.linalg.lu(a)[1:],
    "pinv": torch.linalg.pinv,
    "least squares": lambda a: torch.linalg.lstsq(a, torch.ones(a.shape[-2], 2, dtype=a.dtype)).solution,
}


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (2, 3, 2)])
@pytest.mark.parametrize("name", OBLONG)
def test_oblong_matrices(name: str, shape: tuple[int, ...]) -> None:
    function, a = OBLONG[name], matrix(*shape)
    assert gradcheck(function, (a,))
    assert gradgradcheck(function, (a,))


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("kind", ["atol", "rtol"])
def test_pinv_with_a_tolerance_for_each_matrix(kind: str, hermitian: bool) -> None:
    a = torch.tensor(np.diag([2.0, 1.0, 0.6, 0.2]) + 0.03 * R.standard_normal((3, 4, 4)))
    a = (0.5 * (a + a.mT) if hermitian else a).requires_grad_()
    of_each = torch.tensor([0.0, 0.4, 0.9], dtype=torch.float64)

    def function(x: Any) -> Any:
        return torch.linalg.pinv(x, hermitian=hermitian, **{kind: of_each})

    each = zip(a, of_each, strict=True)
    one_by_one = torch.stack([torch.linalg.pinv(m, hermitian=hermitian, **{kind: float(t)}) for m, t in each])
    assert torch.allclose(function(a), one_by_one)
    (g,), (wanted,) = (torch.autograd.grad(y.sin().sum(), a) for y in (function(a), one_by_one))
    assert torch.allclose(g, wanted)
    ranks = torch.linalg.matrix_rank(a, hermitian=hermitian, **{kind: of_each})
    assert torch.equal(torch.linalg.matrix_rank(function(a), tol=1e-8), ranks)
    assert ranks.tolist() == ([4, 3, 2] if kind == "atol" else [4, 2, 1])


@pytest.mark.parametrize("function", [torch.linalg.pinv, torch.linalg.matrix_rank])
def test_tolerances_that_fit_no_batch_are_named(function: Any) -> None:
    with pytest.raises(RuntimeError, match="rtol, a tolerance for each matrix"):
        function(torch.ones(2, 3, 3), rtol=torch.ones(5))


@pytest.mark.parametrize("n", [1, 3, 6])
def test_factors_multiply_to_the_matrix(n: int) -> None:
    a = matrix(2, n, n, complex_too=True).detach()
    p, l, u = torch.linalg.lu(a)  # noqa: E741 - the factors' names
    assert torch.allclose(p @ l @ u, a)
    q, r = torch.linalg.qr(a)
    assert torch.allclose(q @ r, a)
    u, s, vh = torch.linalg.svd(a)
    assert torch.allclose((u * s.unsqueeze(-2)) @ vh, a)
    w, v = torch.linalg.eig(a)
    assert torch.allclose(a @ v, v * w.unsqueeze(-2))


def test_equal_eigenvalues_have_a_derivative_where_the_vectors_do_not_matter() -> None:
    a = torch.eye(3, dtype=torch.float64, requires_grad=True)
    torch.linalg.eigvalsh(a).sum().backward()
    assert torch.equal(a.grad, torch.eye(3, dtype=torch.float64))
    b = torch.eye(3, dtype=torch.float64, requires_grad=True)
    torch.linalg.svdvals(b).sum().backward()
    assert torch.equal(b.grad, torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_the_gradient_of_a_symmetric_problem_is_symmetric(dtype: Any) -> None:
    # one triangle is read, and the derivative is that of the matrix which it stands for
    def f(a: Any) -> Any:
        w, v = torch.linalg.eigh(a)
        return v[:, 0].abs().prod() + w[1]

    a = matrix(3, 3, complex_too=dtype.is_complex).detach()
    a = (a + a.mH).to(dtype).requires_grad_()
    (g,) = torch.autograd.grad(f(a), a)
    assert torch.allclose(g, g.mH)
    t = torch.eye(3, dtype=dtype).flip(0)
    _, pushed = torch.func.jvp(f, (a.detach(),), (t,))
    assert torch.allclose((g.conj() * t).sum().abs(), pushed.abs())


def test_the_determinant_of_a_singular_matrix_has_a_derivative() -> None:
    a = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64, requires_grad=True)
    torch.linalg.det(a).backward()
    assert torch.allclose(a.grad, torch.tensor([[4.0, -2.0], [-2.0, 1.0]], dtype=torch.float64))


def test_one_singular_matrix_of_a_stack() -> None:
    a = torch.stack([torch.eye(2), torch.zeros(2, 2)])
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        torch.linalg.solve(a, torch.ones(2, 2, 1))
    assert torch.linalg.cond(a, "fro").isinf().tolist() == [False, True]
    assert torch.linalg.matrix_rank(a).tolist() == [2, 0]


def test_what_fails_is_told_in_info_and_leaves_the_others() -> None:
    a = torch.tensor(
        [[[4.0, 2.0], [2.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]], requires_grad=True
    )
    for upper in (False, True):
        factor, info = torch.linalg.cholesky_ex(a, upper=upper)
        assert info.tolist() == [0, 2, 1]
        whole = torch.linalg.cholesky(a[0], upper=upper)
        assert factor[0].tolist() == whole.tolist()
        assert factor[1:].isnan().all()
        (grad,) = torch.autograd.grad(factor[0].sum(), a)
        (expected,) = torch.autograd.grad(whole.sum(), a)
        assert grad.tolist() == expected.tolist()
    b = torch.stack([2 * torch.eye(2), torch.ones(2, 2), torch.zeros(2, 2)])
    assert torch.linalg.inv_ex(b).info.tolist() == [0, 2, 1]
    assert torch.linalg.inv_ex(b).inverse[0].tolist() == [[0.5, 0.0], [0.0, 0.5]]
    assert torch.linalg.solve_ex(b, torch.ones(3, 2, 1)).result[:, 0, 0].isnan().tolist() == [False, True, True]
    assert torch.linalg.solve_ex(b[1], torch.ones(2)).result.isnan().all()
    for call in (torch.linalg.cholesky_ex, torch.linalg.inv_ex):
        with pytest.raises(torch.linalg.LinAlgError):
            call(-b, check_errors=True)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: torch.linalg.cholesky(-torch.eye(2)), torch.linalg.LinAlgError, "not positive-definite"),
        (lambda: torch.linalg.solve(torch.eye(2), torch.ones(3)), RuntimeError, "Incompatible shapes"),
        (lambda: torch.linalg.solve(torch.eye(2), torch.ones(2, dtype=torch.float64)), RuntimeError, "same dtype"),
        (lambda: torch.linalg.det(torch.ones(2, 3)), RuntimeError, "square"),
        (lambda: torch.linalg.svd(torch.ones(2)), RuntimeError, "at least 2 dimensions"),
        (lambda: torch.linalg.eigh(torch.ones(2, 2, dtype=torch.int64)), RuntimeError, "floating point"),
        (lambda: torch.linalg.qr(torch.ones(2, 2), mode="thin"), RuntimeError, "unrecognized mode"),
        (lambda: torch.linalg.eig(torch.full((2, 2), float("nan"))), RuntimeError, "infs or NaNs"),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
