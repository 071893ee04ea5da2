"""Ordinary programs that somebody would compile: each once, written for wengert, PyTorch and JAX alike.

A program takes a :class:`Library` and gives the function to run, the arrays that it takes, and by which of them it is
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Library(NamedTuple):
    """What the libraries call by different names."""

    m: Any  # the module with the elementwise functions and reductions
    relu: Callable[..., Any]
    gelu: Callable[..., Any]
    sigmoid: Callable[..., Any]
    softmax: Callable[..., Any]  # over the last axis
    log_softmax: Callable[..., Any]
    logsumexp: Callable[..., Any]  # (array, axis)
    layer_norm: Callable[..., Any]  # (array, weight, bias), over the last axis
    largest: Callable[..., Any]  # (array, axis)
    sort: Callable[..., Any]  # along the last axis
    conv2d: Callable[..., Any]  # (images, filters)
    segment_sum: Callable[..., Any]  # (values, indices, count)
    solve_lower: Callable[..., Any]  # (lower triangular matrix, columns)
    expm: Callable[..., Any]
    scan: Callable[..., Any]  # (step, init, rows) -> (last carry, stacked results)
    vmap: Callable[..., Any]  # (function, in_axes)
    grad: Callable[..., Any]
    hessian: Callable[..., Any]
    jacfwd: Callable[..., Any]
    least: Callable[..., Any]  # (array, axis)
    top: Callable[..., Any]  # (array, count) -> (values, indices), along the last axis
    take: Callable[..., Any]  # (array, indices), along the last axis
    add_rows: Callable[..., Any]  # (array, indices, rows)
    whole: Callable[..., Any]  # as integers
    lgamma: Callable[..., Any]
    singular_values: Callable[..., Any]


class Problem(NamedTuple):
    """The function, its arguments, and by which of them it is differentiated; by none if it gives derivatives."""

    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    by: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A program with its name."""

    name: str
    problem: Callable[[Library], Problem]
    tolerance: float = 1e-9  # of the largest value
    wanted: float = 1.0  # how far ahead of the best peer it should be


def _normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _weights(seed: int, *shape: int, dtype: str = "f4") -> Any:
    return _normal(seed, *shape, dtype=dtype) * np.asarray(shape[-2] ** -0.5, dtype)


def _gradient(f: Callable[..., Any], *arrays: Any, by: int | None = None) -> Problem:
    """The value and the gradient by the first arrays, or by all of them."""
    return Problem(f, arrays, tuple(range(len(arrays) if by is None else by)))


# --- networks ---------------------------------------------------------------------------------------------------------


def mlp(lib: Library, batch: int, activation: str, widths: tuple[int, ...] = (64, 128, 128, 10)) -> Problem:
    """The cross entropy of a multilayer perceptron."""
    m = lib.m
    act = {"relu": lib.relu, "gelu": lib.gelu, "tanh": m.tanh}[activation]
    layers = len(widths) - 1

    def f(*arrays: Any) -> Any:
        *parameters, x, hot = arrays
        for i in range(layers):
            x = x @ parameters[2 * i] + parameters[2 * i + 1]
            x = act(x) if i < layers - 1 else x
        return -m.sum(lib.log_softmax(x) * hot) / batch

    parameters = [a for i in range(layers) for a in (_weights(i, *widths[i : i + 2]), np.zeros(widths[i + 1], "f4"))]
    hot = np.eye(widths[-1], dtype="f4")[np.arange(batch) % widths[-1]]
    return _gradient(f, *parameters, _normal(9, batch, widths[0], dtype="f4"), hot, by=2 * layers)


def attention(lib: Library, batch: int, length: int, width: int, masked: bool) -> Problem:
    """Softmax of ``QK^T`` times ``V``, masked above the diagonal."""
    m = lib.m

    def f(q: Any, k: Any, v: Any, mask: Any, target: Any) -> Any:
        scores = m.einsum("bid,bjd->bij", q, k) * width**-0.5
        scores = m.where(mask, scores, -1e9) if masked else scores
        return m.sum((m.einsum("bij,bjd->bid", lib.softmax(scores), v) - target) ** 2)

    mask = np.tril(np.ones((length, length), bool))
    q, k, v, target = [_normal(i, batch, length, width, dtype="f4") for i in range(4)]
    return _gradient(f, q, k, v, mask, target, by=3)


def norm_mlp(lib: Library, batch: int, width: int) -> Problem:
    """Layer normalization, two layers with GELU, and what came in added."""
    m = lib.m

    def f(scale: Any, shift: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any) -> Any:
        h = lib.gelu(lib.layer_norm(x, scale, shift) @ w1 + b1)
        return m.mean((x + h @ w2 + b2) ** 2)

    parameters = (np.ones(width, "f4"), np.zeros(width, "f4"), _weights(0, width, 4 * width), np.zeros(4 * width, "f4"))
    rest = (_weights(1, 4 * width, width), np.zeros(width, "f4"), _normal(2, batch, width, dtype="f4"))
    return _gradient(f, *parameters, *rest, by=6)


def transformer(lib: Library, batch: int, length: int, width: int, heads: int) -> Problem:
    """A block of a transformer: attention of several heads and a perceptron, each after a layer normalization."""
    m = lib.m
    size = width // heads

    def split(x: Any) -> Any:
        return m.swapaxes(m.reshape(x, (batch, length, heads, size)), 1, 2)

    def f(scale: Any, w: Any, out: Any, scale2: Any, w1: Any, w2: Any, zero: Any, x: Any) -> Any:
        h = lib.layer_norm(x, scale, zero) @ w
        q, k, v = [split(h[..., i * width : (i + 1) * width]) for i in range(3)]
        shares = lib.softmax(m.einsum("bhid,bhjd->bhij", q, k) * size**-0.5)
        mixed = m.reshape(m.swapaxes(m.einsum("bhij,bhjd->bhid", shares, v), 1, 2), (batch, length, width))
        x = x + mixed @ out
        return m.mean((x + lib.gelu(lib.layer_norm(x, scale2, zero) @ w1) @ w2) ** 2)

    ones, zeros = np.ones(width, "f4"), np.zeros(width, "f4")
    first = (ones, _weights(0, width, 3 * width), _weights(1, width, width))
    second = (ones, _weights(2, width, 4 * width), _weights(3, 4 * width, width))
    return _gradient(f, *first, *second, zeros, _normal(4, batch, length, width, dtype="f4"), by=6)


def conv_net(lib: Library, batch: int) -> Problem:
    """Two convolutions with rectifiers, means over squares, and a linear layer."""
    m = lib.m

    def pooled(x: Any) -> Any:
        n, c, h, w = x.shape
        return m.mean(m.mean(m.reshape(x, (n, c, h // 2, 2, w // 2, 2)), 5), 3)

    def f(w1: Any, w2: Any, w3: Any, x: Any, hot: Any) -> Any:
        h = pooled(lib.relu(lib.conv2d(x, w1)))
        h = pooled(lib.relu(lib.conv2d(h, w2)))
        return -m.sum(lib.log_softmax(m.reshape(h, (batch, -1)) @ w3) * hot) / batch

    hot = np.eye(10, dtype="f4")[np.arange(batch) % 10]
    filters = (0.2 * _normal(0, 8, 1, 3, 3, dtype="f4"), 0.1 * _normal(1, 16, 8, 4, 4, dtype="f4"))
    return _gradient(f, *filters, _weights(2, 400, 10), _normal(3, batch, 1, 28, 28, dtype="f4"), hot, by=3)


def recurrent(lib: Library, kind: str, steps: int, batch: int, width: int) -> Problem:
    """A recurrent layer over a sequence, by `scan`."""
    m = lib.m

    def rnn(h: Any, x: Any, w: Any, u: Any) -> Any:
        return m.tanh(x @ w + h @ u)

    def gru(h: Any, x: Any, w: Any, u: Any) -> Any:
        a, b = x @ w, h @ u
        r, z = lib.sigmoid(a[:, :width] + b[:, :width]), lib.sigmoid(a[:, width:-width] + b[:, width:-width])
        return (1 - z) * m.tanh(a[:, -width:] + r * b[:, -width:]) + z * h

    def f(w: Any, u: Any, h: Any, rows: Any) -> Any:
        cell = rnn if kind == "RNN" else gru

        def step(h: Any, x: Any) -> Any:
            h = cell(h, x[0], w, u)
            return h, h

        return m.mean(lib.scan(step, h, (rows,))[1] ** 2)

    gates = {"RNN": 1, "GRU": 3}[kind]
    matrices = _weights(0, width, gates * width), _weights(1, width, gates * width)
    return _gradient(f, *matrices, np.zeros((batch, width), "f4"), _normal(2, steps, batch, width, dtype="f4"), by=2)


def lstm(lib: Library, steps: int, batch: int, width: int) -> Problem:
    """An LSTM over a sequence, by `scan`."""
    m = lib.m

    def f(w: Any, u: Any, b: Any, zero: Any, rows: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            h, c = carry
            a = row[0] @ w + h @ u + b
            i, j, k, g = [a[:, n * width : (n + 1) * width] for n in range(4)]
            c = lib.sigmoid(j) * c + lib.sigmoid(i) * m.tanh(g)
            h = lib.sigmoid(k) * m.tanh(c)
            return (h, c), h

        return m.mean(lib.scan(step, (zero, zero), (rows,))[1] ** 2)

    matrices = (_weights(0, width, 4 * width), _weights(1, width, 4 * width), np.zeros(4 * width, "f4"))
    return _gradient(f, *matrices, np.zeros((batch, width), "f4"), _normal(2, steps, batch, width, dtype="f4"), by=3)


def embedding(lib: Library, words: int, rows: int, width: int) -> Problem:
    """Rows of a table, chosen by words, and a linear layer."""
    m = lib.m

    def f(table: Any, w: Any, which: Any, hot: Any) -> Any:
        h = m.mean(table[which], 1)
        return -m.sum(lib.log_softmax(h @ w) * hot)

    which = np.random.default_rng(0).integers(0, words, (rows, 8))
    hot = np.eye(10, dtype="f4")[np.arange(rows) % 10]
    return _gradient(f, _normal(1, words, width, dtype="f4"), _weights(2, width, 10), which, hot, by=2)


def batch_norm(lib: Library, rows: int, columns: int) -> Problem:
    """Columns normalized, with a rectifier."""
    m = lib.m

    def f(scale: Any, shift: Any, x: Any, g: Any) -> Any:
        rest = x - m.mean(x, 0)
        y = rest / m.sqrt(m.mean(rest * rest, 0) + 1e-5)
        return m.sum(lib.relu(y * scale + shift) * g)

    arrays = np.ones(columns, "f4"), np.zeros(columns, "f4"), *[_normal(i, rows, columns, dtype="f4") for i in (0, 1)]
    return _gradient(f, *arrays, by=3)


def layer_norm(lib: Library, rows: int, columns: int, dtype: str) -> Problem:
    """Rows normalized, times a weight, plus a bias."""
    m = lib.m

    def f(x: Any, scale: Any, shift: Any, g: Any) -> Any:
        return m.sum(lib.layer_norm(x, scale, shift) * g)

    x, g = _normal(0, rows, columns, dtype=dtype), _normal(1, rows, columns, dtype=dtype)
    return _gradient(f, x, _normal(2, columns, dtype=dtype), _normal(3, columns, dtype=dtype), g, by=3)


# --- statistics -------------------------------------------------------------------------------------------------------


def logistic_regression(lib: Library, rows: int, columns: int, dtype: str = "f8") -> Problem:
    """The negative log-likelihood with a penalty."""
    m = lib.m

    def f(w: Any, b: Any, x: Any, y: Any) -> Any:
        z = x @ w + b
        return m.mean(m.log1p(m.exp(-m.abs(z))) + lib.relu(z) - y * z) + 0.01 * m.sum(w * w)

    y = (_normal(2, rows) > 0).astype(dtype)
    x = _normal(0, rows, columns, dtype=dtype)
    return _gradient(f, _normal(1, columns, dtype=dtype), np.zeros((), dtype), x, y, by=2)


def gaussian_process(lib: Library, n: int, d: int = 3) -> Problem:
    """The log-likelihood of observations under a squared exponential kernel."""
    m = lib.m

    def f(lengths: Any, noise: Any, x: Any, y: Any) -> Any:
        z = x * m.exp(-lengths)
        rest = z[:, None, :] - z[None, :, :]
        k = m.exp(-0.5 * m.sum(rest * rest, 2)) + m.exp(noise) * m.eye(n, dtype=m.float64)
        lower = m.linalg.cholesky(k)
        half = lib.solve_lower(lower, y[:, None])
        return 0.5 * m.sum(half * half) + m.sum(m.log(m.diagonal(lower)))

    return _gradient(f, np.zeros(d), np.array(-2.0), _normal(0, n, d), _normal(1, n), by=2)


def kernel_matrix(lib: Library, n: int, d: int, dtype: str) -> Problem:
    """The sums of ``exp(-|x - y|^2)`` against weights."""
    m = lib.m

    def f(x: Any, y: Any, w: Any) -> Any:
        rest = x[:, None, :] - y[None, :, :]
        return m.sum(m.sum(m.exp(-m.sum(rest * rest, 2)) * w, 1) ** 2)

    arrays = (0.5 * _normal(0, n, d, dtype=dtype), 0.5 * _normal(1, n, d, dtype=dtype), _normal(2, n, dtype=dtype))
    return _gradient(f, *arrays)


def k_means(lib: Library, n: int, k: int, d: int) -> Problem:
    """The squared distance of each point to the nearest mean, by one product."""
    m = lib.m

    def f(means: Any, x: Any) -> Any:
        distances = m.sum(x * x, 1)[:, None] - 2 * (x @ means.T) + m.sum(means * means, 1)
        return -m.sum(lib.largest(-distances, 1))

    return _gradient(f, _normal(0, k, d), _normal(1, n, d), by=1)


def mixture_1d(lib: Library, n: int, k: int) -> Problem:
    """The log-likelihood of a mixture of normal distributions of numbers."""
    m = lib.m

    def f(weights: Any, means: Any, scales: Any, x: Any) -> Any:
        z = (x[:, None] - means) * m.exp(-scales)
        return -m.sum(lib.logsumexp(weights - lib.logsumexp(weights, 0) - scales - 0.5 * z * z, 1))

    return _gradient(f, np.zeros(k), _normal(0, k), np.zeros(k), _normal(1, n), by=3)


def hessian(lib: Library, n: int, rows: int = 50) -> Problem:
    """All second derivatives of a logistic likelihood."""
    m = lib.m

    def loss(w: Any, x: Any) -> Any:
        return m.sum(m.log1p(m.exp(x @ w))) + 0.5 * m.sum(w * w)

    return Problem(lib.hessian(loss), (_normal(0, n), _normal(1, rows, n)), ())


def rosenbrock_hessian(lib: Library, n: int) -> Problem:
    """All second derivatives of Rosenbrock's function."""
    m = lib.m

    def f(x: Any) -> Any:
        return m.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return Problem(lib.hessian(f), (_normal(0, n),), ())


def jacobian(lib: Library, n: int) -> Problem:
    """The Jacobian of a layer, forward."""
    return Problem(lib.jacfwd(lambda x, w: lib.m.tanh(w @ x)), (_normal(0, n), _normal(1, 2 * n, n)), ())


def per_sample(lib: Library, batch: int, width: int) -> Problem:
    """The gradient of each member of a batch by the parameters of a perceptron."""
    m = lib.m

    def loss(w1: Any, w2: Any, x: Any, y: Any) -> Any:
        return m.sum((m.tanh(x @ w1) @ w2 - y) ** 2)

    def f(w1: Any, w2: Any, x: Any, y: Any) -> Any:
        return lib.vmap(lib.grad(loss, (0, 1)), (None, None, 0, 0))(w1, w2, x, y)

    arrays = _weights(0, width, width), _weights(1, width, 1), _normal(2, batch, width, dtype="f4")
    return Problem(f, (*arrays, _normal(3, batch, 1, dtype="f4")), ())


def order_statistics(lib: Library, rows: int, columns: int) -> Problem:
    """The median and the trimmed mean of each row, from the sorted row."""
    m = lib.m

    def f(x: Any, g: Any) -> Any:
        s = lib.sort(x)
        return m.sum((s[:, columns // 2] + m.mean(s[:, columns // 8 : -(columns // 8)], 1)) * g)

    return _gradient(f, _normal(0, rows, columns), _normal(1, rows), by=1)


def segments(lib: Library, n: int, groups: int) -> Problem:
    """The variance within each of many groups."""
    m = lib.m

    def f(x: Any, w: Any, which: Any) -> Any:
        total = lib.segment_sum(w, which, groups)
        mean = lib.segment_sum(x * w, which, groups) / total
        return m.sum(w * (x - mean[which]) ** 2)

    which = np.concatenate([np.arange(groups), np.random.default_rng(0).integers(0, groups, n - groups)])
    return _gradient(f, _normal(1, n), np.random.default_rng(2).uniform(0.5, 1.5, n), which, by=2)


# --- simulation -------------------------------------------------------------------------------------------------------


def pendulums(lib: Library, steps: int, n: int) -> Problem:
    """Many pendulums, by Runge and Kutta's method of fourth order."""
    m = lib.m

    def slope(q: Any, p: Any, k: Any) -> Any:
        return p, -k * m.sin(q) - 0.1 * p

    def f(q: Any, p: Any, k: Any, times: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            (q, p), (h,) = carry, row
            a, b = slope(q, p, k)
            c, d = slope(q + h / 2 * a, p + h / 2 * b, k)
            e, g = slope(q + h / 2 * c, p + h / 2 * d, k)
            i, j = slope(q + h * e, p + h * g, k)
            q, p = q + h / 6 * (a + 2 * c + 2 * e + i), p + h / 6 * (b + 2 * d + 2 * g + j)
            return (q, p), q

        (q, _), path = lib.scan(step, (q, p), (times,))
        return m.sum(q * q) + m.mean(path)

    arrays = (_normal(0, n), _normal(1, n), np.random.default_rng(2).uniform(0.5, 2, n), np.full(steps, 0.01))
    return _gradient(f, *arrays, by=3)


def n_body(lib: Library, n: int) -> Problem:
    """The potential energy of bodies: its gradient is the force on each."""
    m = lib.m

    def f(x: Any, mass: Any, far: Any) -> Any:
        rest = x[:, None, :] - x[None, :, :]
        return -0.5 * m.sum(far * mass[:, None] * mass[None, :] / m.sqrt(m.sum(rest * rest, 2) + 1e-2))

    return _gradient(f, _normal(0, n, 3), np.random.default_rng(1).uniform(0.5, 1.5, n), 1 - np.eye(n), by=1)


def heat(lib: Library, n: int, steps: int) -> Problem:
    """Steps of the heat equation on a square, by slices."""
    m = lib.m

    def f(x: Any, k: Any) -> Any:
        for _ in range(steps):
            c = x[1:-1, 1:-1]
            around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * c
            x = c + k[: c.shape[0], : c.shape[1]] * around
        return m.sum(x * x)

    return _gradient(f, _normal(0, n, n), 0.1 * np.random.default_rng(1).random((n, n)))


def stencil_1d(lib: Library, n: int) -> Problem:
    """A filter of five taps by slices, and total variation."""
    m = lib.m

    def f(taps: Any, x: Any) -> Any:
        y = sum([taps[i] * x[i : n - 4 + i] for i in range(5)])
        return m.sum(m.abs(y[1:] - y[:-1])) + m.sum(y * y)

    return _gradient(f, _normal(0, 5), _normal(1, n))


def cumulative(lib: Library, n: int, which: str) -> Problem:
    """Running sums or products of a vector."""
    m = lib.m

    def f(x: Any, g: Any) -> Any:
        y = m.cumsum(m.exp(x), 0) if which == "sums" else m.cumprod(1 + 0.001 * x, 0)
        return m.sum(m.log(y) * g)

    return _gradient(f, _normal(0, n), _normal(1, n), by=1)


def cumulative_rows(lib: Library, rows: int, columns: int) -> Problem:
    """Running sums along rows: the loss of survival."""
    m = lib.m

    def f(x: Any, g: Any) -> Any:
        return m.sum((x - m.log(m.cumsum(m.exp(x), 1))) * g)

    return _gradient(f, _normal(0, rows, columns), _normal(1, rows, columns), by=1)


def fourier(lib: Library, n: int) -> Problem:
    """A filter in the frequency domain."""
    m = lib.m

    def f(gains: Any, x: Any, y: Any) -> Any:
        filtered = m.fft.irfft(m.fft.rfft(x) * m.exp(-gains), n=n)
        return m.sum((filtered - y) ** 2)

    return _gradient(f, np.linspace(0, 2, n // 2 + 1), _normal(0, 16, n), _normal(1, 16, n), by=2)


def matrix_exponential(lib: Library, n: int) -> Problem:
    """The exponential of a matrix, applied to a vector."""
    m = lib.m
    return _gradient(lambda a, x: m.sum((lib.expm(a) @ x) ** 2), 0.3 * _weights(0, n, n, dtype="f8"), _normal(1, n))


def linear_solve(lib: Library, n: int) -> Problem:
    """A linear system and the logarithm of its determinant."""
    m = lib.m

    def f(a: Any, b: Any) -> Any:
        return m.sum(m.linalg.solve(a, b) ** 2) + m.linalg.slogdet(a)[1]

    return _gradient(f, _normal(0, n, n) + 2 * n**0.5 * np.eye(n), _normal(1, n, 4))


def einsum_chain(lib: Library, n: int) -> Problem:
    """Contractions one after the other: a tensor in Tucker's form against data."""
    m = lib.m

    def f(core: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
        y = m.einsum("pqr,ip->iqr", core, a)
        y = m.einsum("iqr,jq->ijr", y, b)
        y = m.einsum("ijr,kr->ijk", y, c)
        return m.sum((y - x) ** 2)

    factors = [_normal(i, n, 8, dtype="f8") for i in range(3)]
    return _gradient(f, _normal(4, 8, 8, 8), *factors, _normal(5, n, n, n), by=4)


def batched_small(lib: Library, n: int, d: int) -> Problem:
    """Quadratic forms of many small matrices."""
    m = lib.m

    def f(a: Any, x: Any) -> Any:
        return m.sum(m.log1p(m.einsum("ni,nij,nj->n", x, m.einsum("nki,nkj->nij", a, a), x)))

    return _gradient(f, _normal(0, n, d, d), _normal(1, n, d))


# --- elementwise ------------------------------------------------------------------------------------------------------


def huber(lib: Library, n: int, dtype: str) -> Problem:
    """A robust loss with cases, bounds and a mask."""
    m = lib.m

    def f(x: Any, y: Any, mask: Any) -> Any:
        r = m.clip(x, -3.0, 3.0) - y
        a = m.abs(r)
        loss = m.where(a < 1, 0.5 * r * r, a - 0.5)
        loss = m.where(mask, loss, 0.0) + m.where(x > 2, (x - 2) ** 2, 0.0)
        return m.sum(m.maximum(loss, 0.01 * a))

    mask = np.random.default_rng(2).random(n) < 0.8
    return _gradient(f, _normal(0, n, dtype=dtype), _normal(1, n, dtype=dtype), mask, by=1)


def black_scholes(lib: Library, n: int, dtype: str) -> Problem:
    """The price of options with their derivatives by all that they depend on."""
    m = lib.m

    def cdf(x: Any) -> Any:
        return 1 / (1 + m.exp(-1.5976 * x - 0.070566 * x**3))

    def f(s: Any, k: Any, t: Any, v: Any) -> Any:
        root = v * m.sqrt(t)
        d = (m.log(s / k) + (0.02 + 0.5 * v * v) * t) / root
        return m.sum(s * cdf(d) - k * m.exp(-0.02 * t) * cdf(d - root))

    random = np.random.default_rng(0)
    ranges = ((80, 120), (80, 120), (0.5, 2), (0.2, 0.5))
    return _gradient(f, *[random.uniform(low, high, n).astype(dtype) for low, high in ranges])


def reductions(lib: Library, rows: int, columns: int, dtype: str) -> Problem:
    """Sums over rows, columns and all of one matrix."""
    m = lib.m

    def f(x: Any, a: Any, b: Any) -> Any:
        y = x * x
        return m.sum(m.sum(y, 0) * a) + m.sum(m.sqrt(m.sum(y, 1)) * b) + m.mean(y)

    arrays = _normal(0, rows, columns, dtype=dtype), _normal(1, columns, dtype=dtype), _normal(2, rows, dtype=dtype)
    return _gradient(f, *arrays)


def outer(lib: Library, n: int, k: int, dtype: str) -> Problem:
    """A column against a row: sums over both of a function of each pair."""
    m = lib.m

    def f(x: Any, y: Any) -> Any:
        pairs = m.log1p((x[:, None] - y[None, :]) ** 2)
        return m.sum(m.sum(pairs, 1) ** 2) + m.sum(m.sum(pairs, 0) ** 2)

    return _gradient(f, _normal(0, n, dtype=dtype), _normal(1, k, dtype=dtype))


def standardized(lib: Library, rows: int, columns: int) -> Problem:
    """The correlations of columns, and their distance from none."""
    m = lib.m

    def f(x: Any) -> Any:
        z = x - m.mean(x, 0)
        z = z / m.sqrt(m.mean(z * z, 0))
        c = z.T @ z / rows
        return m.sum(c * c)

    return _gradient(f, _normal(0, rows, columns))


def ranks(lib: Library, rows: int, columns: int) -> Problem:
    """How often each pair of a row stands in the wrong order, smoothed."""
    m = lib.m

    def f(x: Any, y: Any) -> Any:
        before = y[:, :, None] > y[:, None, :]
        rest = x[:, :, None] - x[:, None, :]
        return m.sum(m.where(before, m.log1p(m.exp(-rest)), 0.0))

    return _gradient(f, _normal(0, rows, columns), np.floor(4 * _normal(1, rows, columns)), by=1)


_F4 = 1e-4
CASES = [
    *[
        Case(f"MLP, {activation}, batch {batch}", partial(mlp, batch=batch, activation=activation), _F4)
        for activation, batch in (("relu", 1), ("relu", 32), ("relu", 512), ("gelu", 32), ("gelu", 512), ("tanh", 64))
    ],
    Case("attention, masked, 8 x 64 x 32", partial(attention, batch=8, length=64, width=32, masked=True), _F4),
    Case("attention, 4 x 256 x 64", partial(attention, batch=4, length=256, width=64, masked=False), _F4),
    Case("layer norm and MLP, 64 x 128", partial(norm_mlp, batch=64, width=128), _F4),
    Case("transformer block, 4 x 32 x 64", partial(transformer, batch=4, length=32, width=64, heads=4), _F4),
    Case("convolutions, batch 16", partial(conv_net, batch=16), _F4),
    Case("RNN, 64 steps, 16 x 32", partial(recurrent, kind="RNN", steps=64, batch=16, width=32), _F4),
    Case("GRU, 64 steps, 16 x 32", partial(recurrent, kind="GRU", steps=64, batch=16, width=32), _F4),
    Case("LSTM, 64 steps, 16 x 32", partial(lstm, steps=64, batch=16, width=32), _F4),
    Case("embedding, 5,000 x 32", partial(embedding, words=5000, rows=256, width=32), _F4),
    Case("batch norm, 512 x 256", partial(batch_norm, rows=512, columns=256), _F4),
    *[
        Case(f"layer norm, {n} x {m}, {dtype}", partial(layer_norm, rows=n, columns=m, dtype=dtype), tolerance)
        for dtype, tolerance in (("f4", _F4), ("f8", 1e-9))
        for n, m in ((64, 256), (1024, 768), (8192, 1024))
    ],
    Case("logistic regression, 1,000 x 20", partial(logistic_regression, rows=1000, columns=20)),
    Case("logistic regression, 20,000 x 100", partial(logistic_regression, rows=20000, columns=100)),
    Case("Gaussian process, 50", partial(gaussian_process, n=50), 1e-6),
    Case("Gaussian process, 200", partial(gaussian_process, n=200), 1e-6),
    Case("kernel matrix, 200 x 3, f8", partial(kernel_matrix, n=200, d=3, dtype="f8")),
    Case("kernel matrix, 500 x 16, f4", partial(kernel_matrix, n=500, d=16, dtype="f4"), _F4),
    Case("k-means, 5,000 x 8 to 20", partial(k_means, n=5000, k=20, d=8)),
    Case("mixture, 5,000 of 8", partial(mixture_1d, n=5000, k=8)),
    Case("Hessian, 20", partial(hessian, n=20)),
    Case("Hessian of Rosenbrock, 20", partial(rosenbrock_hessian, n=20)),
    Case("Jacobian, 40", partial(jacobian, n=40)),
    Case("per-sample gradients, 128 x 32", partial(per_sample, batch=128, width=32), _F4),
    Case("order statistics, 200 x 100", partial(order_statistics, rows=200, columns=100)),
    Case("groups, 20,000 in 100", partial(segments, n=20000, groups=100)),
    Case("pendulums, 200 steps of 10", partial(pendulums, steps=200, n=10)),
    Case("pendulums, 200 steps of 1,000", partial(pendulums, steps=200, n=1000)),
    Case("n-body, 30", partial(n_body, n=30)),
    Case("n-body, 300", partial(n_body, n=300)),
    Case("heat, 100 x 100, 5 steps", partial(heat, n=100, steps=5)),
    Case("heat, 500 x 500, 5 steps", partial(heat, n=500, steps=5)),
    Case("filter of five taps, 10,000", partial(stencil_1d, n=10000)),
    Case("running sums, 10,000", partial(cumulative, n=10000, which="sums")),
    Case("running products, 10,000", partial(cumulative, n=10000, which="products")),
    Case("running sums of rows, 200 x 100", partial(cumulative_rows, rows=200, columns=100)),
    Case("Fourier filter, 16 x 1,024", partial(fourier, n=1024)),
    Case("matrix exponential, 30", partial(matrix_exponential, n=30)),
    Case("linear system, 50", partial(linear_solve, n=50)),
    Case("Tucker form, 30^3", partial(einsum_chain, n=30)),
    Case("small matrices, 2,000 x 4 x 4", partial(batched_small, n=2000, d=4)),
    Case("Huber loss, 10,000, f4", partial(huber, n=10000, dtype="f4"), _F4),
    Case("Huber loss, 1,000,000, f8", partial(huber, n=1000000, dtype="f8")),
    Case("option prices, 1,000, f8", partial(black_scholes, n=1000, dtype="f8")),
    Case("option prices, 100,000, f4", partial(black_scholes, n=100000, dtype="f4"), _F4),
    Case("reductions, 1,000 x 100, f8", partial(reductions, rows=1000, columns=100, dtype="f8")),
    Case("reductions, 100 x 3,000, f4", partial(reductions, rows=100, columns=3000, dtype="f4"), _F4),
    Case("pairs, 300 x 400, f8", partial(outer, n=300, k=400, dtype="f8")),
    Case("pairs, 2,000 x 1,000, f4", partial(outer, n=2000, k=1000, dtype="f4"), _F4),
    Case("correlations, 2,000 x 30", partial(standardized, rows=2000, columns=30)),
    Case("ranking, 50 rows of 40", partial(ranks, rows=50, columns=40)),
]
