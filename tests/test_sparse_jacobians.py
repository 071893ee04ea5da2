"""Sparse Jacobians: patterns that miss nothing, few passes, the values of the dense ones."""

import numpy as np
import pytest

sparse = pytest.importorskip("scipy.sparse")

import wengert
from wengert.func import colouring, hessian, jacobian_pattern, jacrev, sparse_hessian, sparse_jacobian

X = wengert.linspace(0.3, 1.7, 12, dtype=wengert.float64)
INDEX = wengert.tensor([3, 1, 1, 7])

CASES = {
    "elementwise": lambda x: x.sin() * 2,
    "band": lambda x: x[2:] - 2 * x[1:-1] * x[:-2] + x[1:-1].exp(),
    "reshaped": lambda x: x.reshape(3, 4).t()[1:] * 2,
    "broadcast": lambda x: x.reshape(3, 4) * x[:4],
    "sums": lambda x: x.reshape(3, 4).sum(1) + x.reshape(3, 4).mean(1),
    "all": lambda x: x.sum() * x[:2],
    "indexed": lambda x: x[INDEX] * x[:4],
    "joined": lambda x: wengert.cat([x[:3] ** 2, wengert.ones(2), x[5:6]]),
    "stacked": lambda x: wengert.stack([x[:3], wengert.zeros(3), x[3:6].cos()], 1),
    "padded": lambda x: wengert.nn.functional.pad(x[:3] ** 2, (1, 2), value=5.0),
    "product": lambda x: x.reshape(3, 4) @ x[:4],
    "split": lambda x: wengert.cat([part * k for k, part in enumerate(x.split(5), 1)][::-1]),
    "unbound": lambda x: wengert.stack([a * b for a, b in zip(x.reshape(4, 3).unbind(0), x[:4], strict=True)]),
    "where": lambda x: wengert.where(x > 1, x**2, -x),
    "scan": lambda x: x.cumsum(0),
    "sorted": lambda x: x.flip(0).sort()[0],
    "diagonal": lambda x: x[:9].reshape(3, 3).diagonal() ** 2,
    "shared twice": lambda x: (x[:6] * x[6:]).reshape(2, 3).max(1)[0],
    "constant": lambda x: wengert.ones(3),
    "written": lambda x: _written(x),
}


def _written(x):
    y = x * 1
    y[2:5] = x[:3] ** 2
    return y


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_values_are_those_of_the_dense_jacobian(name, mode):
    f = CASES[name]
    dense = jacrev(f)(X).numpy().reshape(-1, 12)
    pattern = jacobian_pattern(f, X)
    assert pattern.shape == dense.shape
    assert not (dense[~pattern.toarray()]).any()
    got = sparse_jacobian(f, mode=mode)(X)
    assert sparse.issparse(got)
    np.testing.assert_allclose(got.toarray(), dense, rtol=1e-12, atol=1e-14)


def test_a_pattern_is_exact_where_operations_say_what_they_do():
    for name in ("elementwise", "band", "reshaped", "broadcast", "sums", "indexed", "joined", "padded", "where"):
        dense = jacrev(CASES[name])(X).numpy().reshape(-1, 12)
        np.testing.assert_array_equal(jacobian_pattern(CASES[name], X).toarray(), dense != 0)


@pytest.mark.parametrize("paths", [255, 256, 512])
def test_any_number_of_paths_counts_as_one(paths: int) -> None:
    def f(x):
        return x[wengert.zeros(paths, dtype=wengert.int64)].sum() * x + (x * wengert.ones(paths, 1)).sum(0)

    x = X[:3]
    np.testing.assert_array_equal(jacobian_pattern(f, x).toarray(), jacrev(f)(x).numpy() != 0)
    np.testing.assert_allclose(sparse_jacobian(f)(x).toarray(), jacrev(f)(x).numpy())


def test_hessian():
    f = lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    got = sparse_hessian(f)(X)
    assert got.nnz == 34
    np.testing.assert_allclose(got.toarray(), hessian(f)(X).numpy(), rtol=1e-10)


def test_a_large_band_takes_three_passes_and_the_colouring_is_kept():
    n = 100_000
    f = lambda x: wengert.cat([x[:1], x[2:] * x[:-2] + x[1:-1].sin(), x[-1:]])
    x = wengert.linspace(0, 1, n, dtype=wengert.float64)
    plan = colouring(jacobian_pattern(f, x))
    assert plan.passes == 3
    got = sparse_jacobian(f, plan)(x)
    assert got.nnz == 3 * (n - 2) + 2
    values = x.numpy()
    np.testing.assert_allclose(got.diagonal()[1:-1], np.cos(values[1:-1]))
    np.testing.assert_allclose(got.diagonal(1)[1:], values[:-2])


def test_bundle_adjustment():
    cameras, points, seen = 300, 2000, 8000
    rng = np.random.default_rng(0)
    camera, point = rng.integers(0, cameras, seen), rng.integers(0, points, seen)
    c, p = wengert.tensor(camera), wengert.tensor(point)

    def residuals(x):
        poses, places = x[: 6 * cameras].reshape(cameras, 6), x[6 * cameras :].reshape(points, 3)
        pose, place = poses[c], places[p]
        moved = place + wengert.linalg.cross(pose[:, :3], place) + pose[:, 3:]
        return moved[:, :2] / (moved[:, 2:] + 5.0)

    x = wengert.tensor(rng.standard_normal(6 * cameras + 3 * points) * 0.1)
    plan = colouring(jacobian_pattern(residuals, x), "forward")
    assert plan.passes < 60
    got = sparse_jacobian(residuals, plan)(x)
    assert got.nnz <= 2 * seen * 9
    t = rng.standard_normal(x.shape[0])
    pushed = wengert.func.jvp(residuals, (x,), (wengert.tensor(t),))[1].numpy().reshape(-1)
    np.testing.assert_allclose(got @ t, pushed, rtol=1e-10, atol=1e-12)


def test_a_pattern_of_the_users_own() -> None:
    """Entries in any order, twice or false; neither the pattern nor the plan changes with what is made of them."""
    f = lambda x: x[1:] * x[:-1]
    rows, columns = np.array([1, 0, 0, 1, 0, 1]), np.array([2, 1, 0, 1, 1, 0])
    given = sparse.csr_matrix((2, 3), dtype=np.int64)
    given.indptr, given.indices = np.array([0, 3, 6]), np.array([1, 0, 1, 2, 1, 0])
    given.data = np.array([1, 1, 1, 1, 1, 0])
    for pattern in (given, sparse.coo_array((np.ones(6), (rows, columns)))):
        plan = colouring(pattern)
        for _ in range(2):
            got = sparse_jacobian(f, plan)(X[:3])
            np.testing.assert_allclose(got.toarray(), jacrev(f)(X[:3]).numpy())
            got.indices[:] = 0
    assert given.indices.tolist() == [1, 0, 1, 2, 1, 0]


def test_mode_is_checked():
    with pytest.raises(ValueError, match="mode"):
        colouring(np.eye(2), "sideways")


def test_an_arrow_takes_both_modes() -> None:
    n = 300

    def arrow(x):
        body = x[1:] ** 2 * x[0]
        return wengert.cat([x.sin().sum().reshape(1) * x[0], body])

    x = wengert.linspace(0.2, 1, n, dtype=wengert.float64)
    plan = wengert.func.colouring(wengert.func.jacobian_pattern(arrow, x))
    assert plan.passes == 3
    assert [part.by_rows for part in plan.parts] in ([True, False], [False, True])
    whole = wengert.func.jacrev(arrow)(x).numpy()
    for given in (None, plan):
        got = wengert.func.sparse_jacobian(arrow, given)(x)
        assert got.nnz == plan.pattern.nnz
        np.testing.assert_allclose(got.toarray(), whole, rtol=1e-12)


class _Cube(wengert.autograd.Function):
    """A Function that only reverse mode can go through."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * 3 * ctx.saved_tensors[0] ** 2


def test_without_a_jvp_the_passes_are_reverse_ones():
    def f(x):  # forward passes would be fewer
        y = _Cube.apply(x)
        return wengert.cat([y * x[0], y[1:] * x[:-1]])

    x = X[:5]
    np.testing.assert_allclose(sparse_jacobian(f)(x).toarray(), jacrev(f)(x).numpy())
    np.testing.assert_allclose(
        sparse_hessian(lambda x: (_Cube.apply(x) * x.roll(1)).sum())(x).toarray(),
        hessian(lambda x: (x**3 * x.roll(1)).sum())(x).numpy(),
    )
    with pytest.raises(RuntimeError, match="jvp"):
        sparse_jacobian(f, mode="forward")(x)
