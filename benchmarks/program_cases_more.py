"""More programs for :mod:`benchmarks.programs`: linear algebra, indices, transforms, recurrences, simulation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.program_cases import Case, Library, Problem, _gradient, _normal, _weights, gaussian_process

# --- linear algebra ---------------------------------------------------------------------------------------------------


def covariance(lib: Library, n: int, d: int) -> Problem:
    """The likelihood of normal observations by the covariance: a determinant and a solution with many columns."""
    m = lib.m

    def f(root: Any, x: Any) -> Any:
        c = root @ root.T + m.eye(d, dtype=m.float64)
        return 0.5 * n * m.linalg.slogdet(c)[1] + 0.5 * m.sum(x * m.linalg.solve(c, x))

    return _gradient(f, _normal(0, d, d), _normal(1, d, n), by=1)


def nuclear_norm(lib: Library, n: int, k: int) -> Problem:
    """The sum of the singular values."""
    m = lib.m
    return _gradient(lambda a, b: m.sum(lib.singular_values(a @ b)) + m.sum(a * a), _normal(0, n, k), _normal(1, k, k))


def spectrum(lib: Library, n: int) -> Problem:
    """A function of the eigenvalues of a symmetric matrix."""
    m = lib.m

    def f(a: Any) -> Any:
        return m.sum(m.log(m.linalg.eigvalsh(a @ a.T + m.eye(n, dtype=m.float64))))

    return _gradient(f, _normal(0, n, n))


def least_squares(lib: Library, n: int, k: int) -> Problem:
    """What is left of observations that a QR factorization explains."""
    m = lib.m

    def f(a: Any, b: Any) -> Any:
        q, r = m.linalg.qr(a)
        return m.sum((b - q @ (q.T @ b)) ** 2) + m.sum(m.log(m.abs(m.diagonal(r))))

    return _gradient(f, _normal(0, n, k), _normal(1, n))


def small_systems(lib: Library, n: int, d: int) -> Problem:
    """Many small systems of equations, and their determinants."""
    m = lib.m

    def f(a: Any, b: Any) -> Any:
        return m.sum(m.linalg.solve(a, b) ** 2) + m.sum(m.log(m.abs(m.linalg.det(a))))

    return _gradient(f, _normal(0, n, d, d) + 3 * np.eye(d), _normal(1, n, d, 1))


def small_factors(lib: Library, n: int, d: int) -> Problem:
    """Cholesky factors of many small matrices."""
    m = lib.m

    def f(a: Any) -> Any:
        c = m.einsum("nij,nkj->nik", a, a) + m.eye(d, dtype=m.float64)
        return m.sum(m.sin(m.linalg.cholesky(c)))

    return _gradient(f, _normal(0, n, d, d))


def small_inverses(lib: Library, n: int, d: int) -> Problem:
    """Many small inverses."""
    m = lib.m
    return _gradient(lambda a: m.sum(m.sin(m.linalg.inv(a))), _normal(0, n, d, d) + 3 * np.eye(d))


def kalman(lib: Library, steps: int, states: int, seen: int) -> Problem:
    """The likelihood of a series under a linear system with noise, by Kalman's filter."""
    m = lib.m

    def f(a: Any, q: Any, h: Any, x: Any, p: Any, rows: Any) -> Any:
        noise = m.eye(seen, dtype=m.float64)

        def step(carry: Any, row: Any) -> Any:
            x, p = carry
            x, p = a @ x, a @ p @ a.T + q @ q.T
            s = h @ p @ h.T + noise
            gain = m.linalg.solve(s, h @ p).T
            rest = row[0] - h @ x
            loss = rest @ m.linalg.solve(s, rest) + m.linalg.slogdet(s)[1]
            return (x + gain @ rest, p - gain @ h @ p), loss

        return m.sum(lib.scan(step, (x, p), (rows,))[1])

    system = 0.9 * _weights(0, states, states, dtype="f8"), 0.1 * np.eye(states), _normal(1, seen, states)
    return _gradient(f, *system, np.zeros(states), np.eye(states), _normal(2, steps, seen), by=3)


def tridiagonal(lib: Library, n: int) -> Problem:
    """A tridiagonal system by elimination: one scan forth and one back."""
    m = lib.m

    def f(a: Any, b: Any, c: Any, d: Any) -> Any:
        def forth(carry: Any, row: Any) -> Any:
            (p, q), (a, b, c, d) = carry, row
            w = 1 / (b - a * p)
            p, q = c * w, (d - a * q) * w
            return (p, q), (p, q)

        def back(x: Any, row: Any) -> Any:
            p, q = row
            x = q - p * x
            return x, x

        p, q = lib.scan(forth, (0 * d[0], 0 * d[0]), (a, b, c, d))[1]
        return m.sum(lib.scan(back, 0 * d[0], (m.flip(p, (0,)), m.flip(q, (0,))))[1] ** 2)

    rest = [_normal(i, n) for i in (1, 2, 3)]
    return _gradient(f, rest[0], 4 + np.abs(_normal(0, n)), *rest[1:])


def contractions(lib: Library, n: int) -> Problem:
    """Four operands in one contraction."""
    m = lib.m

    def f(a: Any, b: Any, c: Any, d: Any) -> Any:
        return m.sum(m.einsum("abc,bd,ce,adf->ef", a, b, c, d) ** 2)

    return _gradient(f, _normal(0, n, n, n), _normal(1, n, n), _normal(2, n, n), _normal(3, n, n, n))


def kinematics(lib: Library, joints: int, n: int) -> Problem:
    """The ends of many arms of several joints: products of small matrices."""
    m = lib.m

    def f(angles: Any, target: Any) -> Any:
        c, s = m.cos(angles), m.sin(angles)
        one, zero = m.ones_like(c), m.zeros_like(c)
        rows = [m.stack([c, -s, one], -1), m.stack([s, c, 0.1 * one], -1), m.stack([zero, zero, one], -1)]
        turns = m.stack(rows, -2)
        whole = turns[:, 0]
        for i in range(1, joints):
            whole = whole @ turns[:, i]
        return m.sum((whole[:, :2, 2] - target) ** 2)

    return _gradient(f, _normal(0, n, joints), _normal(1, n, 2), by=1)


# --- indices ----------------------------------------------------------------------------------------------------------


def experts(lib: Library, rows: int, width: int, count: int, k: int) -> Problem:
    """The largest few of each row's scores, their softmax, and a mixture by it."""
    m = lib.m

    def f(w: Any, x: Any, y: Any) -> Any:
        best, which = lib.top(x @ w, k)
        return m.sum(lib.softmax(best) * lib.take(y, which))

    arrays = _weights(0, width, count, dtype="f8"), _normal(1, rows, width), _normal(2, rows, count)
    return _gradient(f, *arrays, by=1)


def class_losses(lib: Library, rows: int, classes: int) -> Problem:
    """The cross entropy by the numbers of classes."""
    m = lib.m

    def f(x: Any, which: Any) -> Any:
        return -m.mean(lib.take(lib.log_softmax(x), which))

    which = np.random.default_rng(0).integers(0, classes, (rows, 1))
    return _gradient(f, _normal(1, rows, classes), which, by=1)


def messages(lib: Library, nodes: int, edges: int, width: int) -> Problem:
    """A graph network's layer: messages along edges are added up at their ends."""
    m = lib.m

    def f(w: Any, u: Any, x: Any, start: Any, end: Any) -> Any:
        for _ in range(2):
            sent = m.tanh(x[start] @ w + x[end] @ u)
            x = x + lib.add_rows(m.zeros_like(x), end, sent)
        return m.mean(x * x)

    random = np.random.default_rng(0)
    start, end = random.integers(0, nodes, edges), random.integers(0, nodes, edges)
    arrays = _weights(0, width, width, dtype="f8"), _weights(1, width, width, dtype="f8"), _normal(2, nodes, width)
    return _gradient(f, *arrays, start, end, by=3)


def ratings(lib: Library, users: int, items: int, count: int, width: int) -> Problem:
    """A factorization of a table of which some entries are known."""
    m = lib.m

    def f(u: Any, v: Any, i: Any, j: Any, y: Any) -> Any:
        return m.mean((m.sum(u[i] * v[j], 1) - y) ** 2) + 0.01 * (m.mean(u * u) + m.mean(v * v))

    random = np.random.default_rng(0)
    i, j = random.integers(0, users, count), random.integers(0, items, count)
    return _gradient(f, _normal(0, users, width), _normal(1, items, width), i, j, _normal(2, count), by=2)


def spline(lib: Library, n: int, knots: int) -> Problem:
    """Values of a cubic spline with given slopes, at places that fall between knots."""
    m = lib.m

    def f(y: Any, slope: Any, x: Any, at: Any) -> Any:
        i = m.clip(m.searchsorted(at, x) - 1, 0, knots - 2)
        h = at[i + 1] - at[i]
        t = (x - at[i]) / h
        a, b = (1 + 2 * t) * (1 - t) ** 2 * y[i], t * (1 - t) ** 2 * h * slope[i]
        c, d = t * t * (3 - 2 * t) * y[i + 1], t * t * (t - 1) * h * slope[i + 1]
        return m.sum((a + b + c + d) ** 2)

    x = np.random.default_rng(0).random(n)
    return _gradient(f, _normal(0, knots), _normal(1, knots), x, np.linspace(0, 1, knots), by=3)


def warp(lib: Library, n: int) -> Problem:
    """An image looked at between its pixels, at places that move."""
    m = lib.m

    def f(image: Any, y: Any, x: Any, want: Any) -> Any:
        i, j = m.clip(m.floor(y), 0, n - 2), m.clip(m.floor(x), 0, n - 2)
        p, q = y - i, x - j
        i, j = lib.whole(i), lib.whole(j)
        above = (1 - q) * image[i, j] + q * image[i, j + 1]
        below = (1 - q) * image[i + 1, j] + q * image[i + 1, j + 1]
        return m.mean(((1 - p) * above + p * below - want) ** 2)

    random = np.random.default_rng(0)
    y, x = random.uniform(0, n - 1, (n, n)), random.uniform(0, n - 1, (n, n))
    return _gradient(f, _normal(1, n, n), y, x, _normal(2, n, n), by=3)


def nearest(lib: Library, n: int, k: int) -> Problem:
    """The distance of two clouds of points, each to the nearest of the other."""
    m = lib.m

    def f(x: Any, y: Any) -> Any:
        d = m.sum((x[:, None] - y[None]) ** 2, 2)
        return m.mean(lib.least(d, 1)) + m.mean(lib.least(d, 0))

    return _gradient(f, _normal(0, n, 3), _normal(1, k, 3))


def transport_1d(lib: Library, rows: int, n: int) -> Problem:
    """The distance of samples of two distributions, by their order."""
    m = lib.m
    return _gradient(lambda x, y: m.mean((lib.sort(x) - lib.sort(y)) ** 2), _normal(0, rows, n), _normal(1, rows, n))


def by_rank(lib: Library, n: int) -> Problem:
    """Losses in falling order, the running sums of their weights, by argsort."""
    m = lib.m

    def f(x: Any, w: Any) -> Any:
        order = m.argsort(x)
        return m.sum(m.cumsum(w[order], 0) * m.exp(-x[order]))

    return _gradient(f, _normal(0, n), np.random.default_rng(1).random(n))


# --- transforms -------------------------------------------------------------------------------------------------------


def spectrum_loss(lib: Library, n: int) -> Problem:
    """The logarithm of a signal's power in each frequency."""
    m = lib.m

    def f(x: Any, y: Any) -> Any:
        return m.mean((m.log(m.abs(m.fft.rfft(x)) ** 2 + 1e-3) - y) ** 2)

    return _gradient(f, _normal(0, n), _normal(1, n // 2 + 1), by=1)


def poisson(lib: Library, n: int) -> Problem:
    """Poisson's equation on a torus."""
    m = lib.m

    def f(source: Any, factors: Any) -> Any:
        return m.sum(m.real(m.fft.ifft2(m.fft.fft2(source) * factors)) ** 2)

    k = np.fft.fftfreq(n) * n
    return _gradient(f, _normal(0, n, n), -1 / (k[:, None] ** 2 + k**2 + 1), by=1)


def waves(lib: Library, n: int, count: int) -> Problem:
    """Waves with phases, added up: complex arithmetic."""
    m = lib.m

    def f(size: Any, phase: Any, frequency: Any, t: Any, want: Any) -> Any:
        waves = size[:, None] * m.exp(1j * (frequency[:, None] * t + phase[:, None]))
        return m.mean(m.abs(m.sum(waves, 0) - want) ** 2)

    want = _normal(4, n) + 1j * _normal(5, n)
    return _gradient(f, *[_normal(i, count) for i in range(3)], np.linspace(0, 10, n), want, by=3)


def quantum(lib: Library, n: int, steps: int) -> Problem:
    """Rotations of complex amplitudes, one pair after the other."""
    m = lib.m

    def f(angles: Any, state: Any) -> Any:
        for i in range(steps):
            c, s = m.cos(angles[i]), m.sin(angles[i])
            pairs = m.reshape(state, (2 ** (i % n), 2, -1))
            a, b = pairs[:, 0], pairs[:, 1]
            state = m.stack([c * a - 1j * s * b, c * b - 1j * s * a], 1)
        return m.real(m.sum(m.abs(m.reshape(state, (-1,)))[: 2 ** (n - 1)] ** 2))

    state = _normal(1, 2**n) + 1j * _normal(2, 2**n)
    return _gradient(f, _normal(0, steps), state / np.linalg.norm(state), by=1)


# --- recurrences ------------------------------------------------------------------------------------------------------


def hidden_states(lib: Library, steps: int, states: int) -> Problem:
    """The likelihood of a series under a hidden Markov model."""

    def f(moves: Any, seen: Any) -> Any:
        moves = lib.log_softmax(moves)

        def step(a: Any, row: Any) -> Any:
            a = lib.logsumexp(a[:, None] + moves, 0) + row[0]
            return a, a[0]

        return lib.logsumexp(lib.scan(step, seen[0], (seen[1:],))[0], 0)

    return _gradient(f, _normal(0, states, states), _normal(1, steps, states))


def alignments(lib: Library, n: int, k: int) -> Problem:
    """A soft distance of series by dynamic programming, one diagonal of their table after the other."""
    m = lib.m

    def f(x: Any, y: Any, far: Any, i: Any, j: Any, there: Any, first: Any) -> Any:
        costs = m.where(there, ((x[:, None] - y[None, :]) ** 2)[i, j], 0.0)

        def step(carry: Any, row: Any) -> Any:
            (before, last), (cost, there, first) = carry, row
            left, corner = m.roll(last, 1, 0), m.roll(before, 1, 0)
            left, corner = left + far, corner + far
            best = -lib.logsumexp(-m.stack([left, corner, last]), 0)
            now = m.where(there, cost + m.where(first, 0.0, best), 1e6)
            return (last, now), now[0]

        start = 0 * x + 1e6
        return lib.scan(step, (start, start), (costs, there, first))[0][1][-1]

    i, j = np.arange(n), np.arange(n + k - 1)[:, None] - np.arange(n)
    there, first = (j >= 0) & (j < k), (j == 0) & (i == 0)
    far = np.where(i == 0, 1e6, 0.0)
    return _gradient(f, _normal(0, n), _normal(1, k), far, i + 0 * j, np.clip(j, 0, k - 1), there, first, by=2)


def sinkhorn(lib: Library, n: int, steps: int) -> Problem:
    """Transport between two clouds of points with entropy, by a scan."""
    m = lib.m

    def f(x: Any, y: Any, times: Any) -> Any:
        cost = m.sum((x[:, None] - y[None]) ** 2, 2)

        def step(carry: Any, row: Any) -> Any:
            u, v = carry
            u = -lib.logsumexp(v[None, :] - cost, 1)
            v = -lib.logsumexp(u[:, None] - cost, 0)
            return (u, v), row[0]

        (u, v), _ = lib.scan(step, (0 * x[:, 0], 0 * y[:, 0]), (times,))
        return m.sum(m.exp(u[:, None] + v[None, :] - cost) * cost)

    return _gradient(f, _normal(0, n, 2), _normal(1, n, 2), np.zeros(steps), by=2)


def neural_ode(lib: Library, steps: int, batch: int, width: int) -> Problem:
    """Where a perceptron's field carries points, by Runge and Kutta's method."""
    m = lib.m

    def f(w: Any, b: Any, u: Any, x: Any, times: Any) -> Any:
        def slope(x: Any) -> Any:
            return m.tanh(x @ w + b) @ u

        def step(x: Any, row: Any) -> Any:
            (h,) = row
            k1 = slope(x)
            k2 = slope(x + h / 2 * k1)
            k3 = slope(x + h / 2 * k2)
            k4 = slope(x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return x, m.sum(x * x)

        return m.mean(lib.scan(step, x, (times,))[1])

    arrays = _weights(0, 4, width, dtype="f8"), np.zeros(width), _weights(1, width, 4, dtype="f8")
    return _gradient(f, *arrays, _normal(2, batch, 4), np.full(steps, 0.1), by=3)


def lorenz(lib: Library, steps: int) -> Problem:
    """Lorenz's system step by step: scalars in a scan."""
    m = lib.m

    def f(x: Any, p: Any, times: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            (x, y, z), (h,) = carry, row
            x, y, z = x + h * p[0] * (y - x), y + h * (x * (p[1] - z) - y), z + h * (x * y - p[2] * z)
            return (x, y, z), x

        return m.mean(lib.scan(step, (x[0], x[1], x[2]), (times,))[1] ** 2)

    return _gradient(f, np.ones(3), np.array([10, 28, 8 / 3]), np.full(steps, 0.001), by=2)


def descent(lib: Library, steps: int, rows: int, columns: int) -> Problem:
    """Steps of gradient descent with momentum, differentiated by the rate and where it starts."""
    m = lib.m

    def f(rate: Any, w: Any, x: Any, y: Any, times: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            w, v = carry
            v = 0.9 * v + x.T @ (lib.sigmoid(x @ w) - y) / rows
            return (w - m.exp(rate) * v, v), row[0]

        (w, _), _ = lib.scan(step, (w, 0 * w), (times,))
        return m.mean((lib.sigmoid(x @ w) - y) ** 2)

    y = (_normal(2, rows) > 0).astype(float)
    return _gradient(f, np.float64(-1.0), _normal(0, columns), _normal(1, rows, columns), y, np.zeros(steps), by=2)


def wave_equation(lib: Library, n: int, steps: int) -> Problem:
    """The wave equation on a torus, by rolling, in a scan."""
    m = lib.m

    def f(u: Any, v: Any, c: Any, times: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            u, v = carry
            around = m.roll(u, 1, 0) + m.roll(u, -1, 0) + m.roll(u, 1, 1) + m.roll(u, -1, 1) - 4 * u
            v = v + 0.1 * c * around
            return (u + 0.1 * v, v), row[0]

        (u, v), _ = lib.scan(step, (u, v), (times,))
        return m.sum(u * u)

    return _gradient(f, _normal(0, n, n), 0 * _normal(0, n, n), 1 + 0 * _normal(1, n, n), np.zeros(steps), by=3)


def rays(lib: Library, n: int, steps: int) -> Problem:
    """Marches along rays to a surface that a distance describes."""
    m = lib.m

    def f(shape: Any, way: Any) -> Any:
        way = way / m.sqrt(m.sum(way * way, 1))[:, None]
        t = 0 * way[:, 0]
        for _ in range(steps):
            p = way * t[:, None] - shape[:3]
            far = m.sqrt(m.sum(p * p, 1) + 1e-9) - shape[3] + 0.1 * m.sin(5 * p[:, 0]) * m.sin(5 * p[:, 1])
            t = t + 0.5 * far
        return m.mean(m.exp(-t))

    way = np.concatenate([0.1 * _normal(0, n, 2), np.ones((n, 1))], 1)
    return _gradient(f, np.array([0.1, 0.0, 3.0, 1.0]), way)


# --- derivatives ------------------------------------------------------------------------------------------------------


def hessian_product(lib: Library, batch: int, width: int) -> Problem:
    """The Hessian of a perceptron's loss times a vector, by the gradient of the gradient's product."""
    m = lib.m

    def loss(w: Any, u: Any, x: Any, y: Any) -> Any:
        return m.mean((m.tanh(x @ w) @ u - y) ** 2)

    def along(w: Any, u: Any, x: Any, y: Any, v: Any) -> Any:
        return m.sum(lib.grad(loss, 0)(w, u, x, y) * v)

    matrices = _weights(0, width, width, dtype="f8"), _weights(1, width, 1, dtype="f8")
    arrays = (*matrices, _normal(2, batch, width), _normal(3, batch, 1), _normal(4, width, width))
    return Problem(lib.grad(along, 0), arrays, ())


def field_gradients(lib: Library, batch: int, width: int) -> Problem:
    """The gradient of a perceptron by its input, for each of many inputs, and its own gradient by the weights."""
    m = lib.m

    def energy(x: Any, w: Any, u: Any) -> Any:
        return m.sum(m.tanh(m.tanh(x @ w) @ u))

    def f(w: Any, u: Any, x: Any, force: Any) -> Any:
        return m.mean((lib.vmap(lib.grad(energy, 0), (0, None, None))(x, w, u) - force) ** 2)

    matrices = _weights(0, 3, width, dtype="f8"), _weights(1, width, width, dtype="f8")
    return _gradient(f, *matrices, _normal(2, batch, 3), _normal(3, batch, 3), by=2)


def network_jacobian(lib: Library, width: int) -> Problem:
    """The Jacobian of a perceptron, forward."""
    m = lib.m

    def f(x: Any, w: Any, u: Any) -> Any:
        return m.tanh(m.tanh(w @ x) @ u)

    arrays = _normal(0, 10), _normal(1, width, 10), _normal(2, width, 10)
    return Problem(lib.jacfwd(f), arrays, ())


def contrast(lib: Library, n: int, width: int) -> Problem:
    """The contrastive loss of pairs among all others, both ways."""
    m = lib.m

    def f(x: Any, y: Any) -> Any:
        x = x / m.sqrt(m.sum(x * x, 1))[:, None]
        y = y / m.sqrt(m.sum(y * y, 1))[:, None]
        scores = 10 * x @ y.T
        return -m.mean(m.diagonal(lib.log_softmax(scores)) + m.diagonal(lib.log_softmax(scores.T)))

    return _gradient(f, _normal(0, n, width, dtype="f4"), _normal(1, n, width, dtype="f4"))


def counts(lib: Library, n: int) -> Problem:
    """The negative binomial likelihood of counts."""
    m = lib.m

    def f(r: Any, z: Any, k: Any) -> Any:
        r = m.exp(r)
        return -m.sum(lib.lgamma(k + r) - lib.lgamma(r) - r * m.log1p(m.exp(z)) + k * (z - m.log1p(m.exp(z))))

    return _gradient(f, _normal(0, n), _normal(1, n), np.floor(np.exp(2 + _normal(2, n))), by=2)


def polynomial(lib: Library, n: int, degree: int) -> Problem:
    """A polynomial by Horner's rule."""
    m = lib.m

    def f(c: Any, x: Any) -> Any:
        y = 0 * x
        for i in range(degree + 1):
            y = y * x + c[i]
        return m.sum(y * y)

    return _gradient(f, _normal(0, degree + 1), np.random.default_rng(0).uniform(-1, 1, n))


def pyramid(lib: Library, batch: int, n: int) -> Problem:
    """Differences of an image and itself made smaller and larger again."""
    m = lib.m

    def f(x: Any, w: Any) -> Any:
        total = 0.0
        for level in range(3):
            size = n >> level
            small = m.mean(m.mean(m.reshape(x, (batch, size // 2, 2, size // 2, 2)), 4), 2)
            large = m.reshape(
                m.broadcast_to(small[:, :, None, :, None], (batch, size // 2, 2, size // 2, 2)), (batch, size, size)
            )
            total = total + w[level] * m.mean(m.abs(x - large))
            x = small
        return total

    return _gradient(f, _normal(0, batch, n, n), np.ones(3))


_F4 = 1e-4
MORE = [
    Case("Gaussian process, 100", partial(gaussian_process, n=100), 1e-6),
    Case("Gaussian process, 500", partial(gaussian_process, n=500), 1e-6),
    Case("covariance, 30, 200 columns", partial(covariance, n=200, d=30), 1e-7),
    Case("covariance, 200, 200 columns", partial(covariance, n=200, d=200), 1e-6),
    Case("singular values, 60 x 40", partial(nuclear_norm, n=60, k=40), 1e-7),
    Case("eigenvalues, 40", partial(spectrum, n=40), 1e-7),
    Case("least squares, 60 x 20", partial(least_squares, n=60, k=20), 1e-7),
    Case("systems, 1,000 of 3 x 3", partial(small_systems, n=1000, d=3), 1e-6),
    Case("systems, 1,000 of 6 x 6", partial(small_systems, n=1000, d=6), 1e-6),
    Case("Cholesky factors, 1,000 of 4 x 4", partial(small_factors, n=1000, d=4), 1e-7),
    Case("inverses, 1,000 of 4 x 4", partial(small_inverses, n=1000, d=4), 1e-6),
    Case("Kalman filter, 100 steps, 4 and 2", partial(kalman, steps=100, states=4, seen=2), 1e-7),
    Case("tridiagonal system, 1,000", partial(tridiagonal, n=1000)),
    Case("contraction of four, 12", partial(contractions, n=12)),
    Case("arms of 6 joints, 500", partial(kinematics, joints=6, n=500)),
    Case("experts, 256 x 32, best 4", partial(experts, rows=256, width=64, count=32, k=4)),
    Case("losses of 1,000 classes, 256", partial(class_losses, rows=256, classes=1000)),
    Case("messages, 10,000 edges", partial(messages, nodes=1000, edges=10000, width=16)),
    Case("ratings, 10,000", partial(ratings, users=500, items=300, count=10000, width=16)),
    Case("spline, 10,000 in 50", partial(spline, n=10000, knots=50)),
    Case("image warp, 100 x 100", partial(warp, n=100)),
    Case("nearest points, 300 and 400", partial(nearest, n=300, k=400)),
    Case("transport by order, 50 x 200", partial(transport_1d, rows=50, n=200)),
    Case("by rank, 2,000", partial(by_rank, n=2000)),
    Case("power spectrum, 4,096", partial(spectrum_loss, n=4096)),
    Case("Poisson's equation, 64 x 64", partial(poisson, n=64)),
    Case("complex waves, 20 x 1,000", partial(waves, n=1000, count=20)),
    Case("complex rotations, 8 qubits, 16", partial(quantum, n=8, steps=16)),
    Case("hidden Markov model, 100 x 30", partial(hidden_states, steps=100, states=30)),
    Case("soft alignment, 50 and 60", partial(alignments, n=50, k=60), 1e-7),
    Case("Sinkhorn, 60 x 60, 30 steps", partial(sinkhorn, n=60, steps=30), 1e-7),
    Case("neural ODE, 50 steps, 32 x 4", partial(neural_ode, steps=50, batch=32, width=32)),
    Case("Lorenz, 1,000 steps", partial(lorenz, steps=1000)),
    Case("descent, 50 steps, 100 x 10", partial(descent, steps=50, rows=100, columns=10), 1e-7),
    Case("waves on a torus, 64 x 64, 20 steps", partial(wave_equation, n=64, steps=20)),
    Case("rays, 1,000, 16 steps", partial(rays, n=1000, steps=16)),
    Case("Hessian product, 64 x 32", partial(hessian_product, batch=64, width=32)),
    Case("field gradients, 256 x 32", partial(field_gradients, batch=256, width=32)),
    Case("network Jacobian, 10 to 10", partial(network_jacobian, width=40)),
    Case("contrastive loss, 256 x 64", partial(contrast, n=256, width=64), _F4),
    Case("counts, 5,000", partial(counts, n=5000)),
    Case("polynomial of degree 12, 10,000", partial(polynomial, n=10000, degree=12)),
    Case("pyramid, 4 x 64 x 64", partial(pyramid, batch=4, n=64)),
]
