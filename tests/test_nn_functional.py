"""``nn.functional`` against PyTorch: activations, softmax, normalisations, layers, lookups."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.nn.functional as F

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error

INF, NAN = float("inf"), float("nan")


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, *shape]).standard_normal(shape)).astype(dtype)


def fn(name: str, **meta: Any) -> Any:
    return lambda lib, *xs: getattr(lib.nn.functional, name)(*xs, **meta)


# --- activations ---

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": -0.5}),
    ("leaky_relu", {"negative_slope": 2.0}),
    ("rrelu", {}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
    ("selu", {}),
    ("celu", {"alpha": 0.5}),  # PyTorch rounds 1 / alpha to float32
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 4.0}),
    ("softsign", {}),
    ("softshrink", {"lambd": 0.3}),
    ("hardshrink", {"lambd": 0.3}),
    ("tanhshrink", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.3, "max_val": 2.0}),
    ("hardswish", {}),
    ("logsigmoid", {}),
    ("threshold", {"threshold": 0.2, "value": -7.0}),
    ("sigmoid", {}),
    ("tanh", {}),
]
IDS = [f"{name} {meta}" if meta else name for name, meta in ACTIVATIONS]
SMOOTH = np.array([-30.0, -5.3, -2.1, -0.6, -1e-3, 1e-3, 0.6, 2.1, 5.3, 30.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "meta"), ACTIVATIONS, ids=IDS)
def test_activation(name: str, meta: dict[str, Any], dtype: str) -> None:
    scale = 4.0 if dtype == "float32" else 1.0
    compare(fn(name, **meta), SMOOTH.astype(dtype), scale=scale)
    compare(fn(name, **meta), r(3, 4, 2, dtype=dtype), scale=scale)
    compare(fn(name, **meta), np.asarray(r(dtype=dtype)), scale=scale)
    compare(fn(name, **meta), r(0, 2, dtype=dtype))
    compare(fn(name, **meta), r(5, 1001, dtype=dtype), order=1, scale=scale)
    compare(fn(name, **meta), r(6, 4, dtype=dtype)[::2].T, scale=scale)


def test_hardsigmoid() -> None:
    # PyTorch has no second derivative of it, and rounds 1/6 to float32 in the first.
    compare(fn("hardsigmoid"), SMOOTH.astype("float32"), order=1)
    x = wengert.tensor([-4.0, -3.0, 0.0, 3.0, 4.0], dtype=wengert.float64, requires_grad=True)
    g = wengert.autograd.grad(F.hardsigmoid(x).sum(), x, create_graph=True)[0]
    assert g.tolist() == [0.0, 0.0, 1 / 6, 0.0, 0.0]


@pytest.mark.parametrize(("name", "meta"), ACTIVATIONS, ids=IDS)
def test_activation_at_kinks_and_extremes(name: str, meta: dict[str, Any]) -> None:
    kinks = np.array([-1e4, -6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 1e4, 0.2, -0.3, 0.3])
    compare(fn(name, **meta), kinks, order=1)
    compare(fn(name, **meta), np.array([INF, -INF]), order=0)
    if name != "gelu":  # PyTorch's gelu of inf is inf in some vector widths and nan in others
        compare(fn(name, **meta), np.array([INF, -INF, NAN, 0.0], np.float32), order=0)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus", "logsigmoid", "elu", "hardswish", "softmax"])
def test_half_precision_is_computed_in_single(name: str) -> None:
    x = np.linspace(-8, 8, 41).astype(np.float16)
    meta = {"dim": 0} if name == "softmax" else {}
    compare(fn(name, **meta), x, order=0)


@pytest.mark.parametrize(
    "name",
    ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "hardtanh", "hardsigmoid", "hardswish"],
)
def test_activation_in_place(name: str) -> None:
    def f(lib: Any, x: Any) -> Any:
        y = x * 1
        z = getattr(lib.nn.functional, name)(y, inplace=True)
        assert z is y
        return z

    compare(
        f,
        r(3, 4),
        order=1,
        name=name not in ("leaky_relu", "elu", "selu", "celu"),
        scale=1e5 if name == "hardsigmoid" else 1,
    )


def test_in_place_functions() -> None:
    for f in (
        lambda lib, x: lib.relu_(x * 1),
        lambda lib, x: lib.selu_(x * 1),
        lambda lib, x: lib.celu_(x * 1),
        lambda lib, x: lib.threshold_(x * 1, 0.1, 0.5),
        lambda lib, x: lib.nn.functional.leaky_relu_(x * 1, 0.2),
        lambda lib, x: lib.nn.functional.elu_(x * 1),
        lambda lib, x: lib.nn.functional.hardtanh_(x * 1),
        lambda lib, x: lib.nn.functional.rrelu_(x * 1),
    ):
        compare(f, r(4, 3), order=1, name=False)


def test_functions_and_methods_of_the_package() -> None:
    x = r(3, 4)
    compare(lambda lib, x: lib.relu(x), x)
    compare(lambda lib, x: x.relu(), x)
    compare(lambda lib, x: (x * 2).relu_(), x, order=1)
    compare(lambda lib, x: lib.softmax(x, 1), x)
    compare(lambda lib, x: x.softmax(-1, dtype=lib.float32), x, scale=1e5)
    compare(lambda lib, x: x.log_softmax(dim=0), x)
    compare(lambda lib, x: lib.selu(x), x)
    compare(lambda lib, x: lib.celu(x, 0.5), x)
    compare(lambda lib, x: lib.hardshrink(x), x)
    compare(lambda lib, x: lib.threshold(x, 0.1, 2.0), x)
    compare(lambda lib, x, w: lib.prelu(x, w), x, np.array([0.2]))


@pytest.mark.parametrize(
    ("x", "w"),
    [((3, 4), (1,)), ((3, 4), (4,)), ((3, 4, 2), (4,)), ((5,), (1,)), ((), (1,)), ((3, 4), ()), ((2, 3, 4, 2), (3,))],
)
def test_prelu(x: tuple[int, ...], w: tuple[int, ...]) -> None:
    compare(fn("prelu"), np.asarray(r(*x)), np.asarray(abs(r(*w))))
    compare(fn("prelu"), np.zeros(x), np.asarray(abs(r(*w))), order=1)


def test_rrelu_in_training() -> None:
    wengert.manual_seed(0)
    x = wengert.full((1000,), -1.0, requires_grad=True)
    y = F.rrelu(x, 0.1, 0.3, training=True)
    assert type(y.grad_fn).__name__ == "RreluWithNoiseBackward0"
    slopes = -y.detach()
    assert slopes.min() >= 0.1
    assert slopes.max() <= 0.3
    assert abs(slopes.mean().item() - 0.2) < 0.01
    y.sum().backward()
    assert wengert.equal(x.grad, slopes)
    assert F.rrelu(wengert.ones(3), training=True).tolist() == [1.0, 1.0, 1.0]


def test_glu() -> None:
    compare(fn("glu"), r(3, 4))
    compare(fn("glu", dim=0), r(6, 2))
    compare(fn("glu", dim=1), r(2, 4, 3, dtype="float32"))
    same_error(fn("glu"), r(3, 3))
    same_error(fn("glu"), np.asarray(1.0))
    same_error(fn("glu", dim=2), r(3, 4))


# --- softmax ---


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 3, 4), (), (0, 3), (3, 0), (2, 1)])
def test_softmax(name: str, shape: tuple[int, ...]) -> None:
    for dim in range(-1, max(len(shape), 1)):
        compare(fn(name, dim=dim), np.asarray(r(*shape)))
        compare(fn(name, dim=dim), np.asarray(r(*shape, dtype="float32")))


def test_softmax_of_extreme_logits() -> None:
    for name in ("softmax", "log_softmax"):
        for row in (
            [1e4, 0.0, -1e4],
            [-INF, 1.0, 2.0],
            [INF, 1.0, 2.0],
            [-INF, -INF, -INF],
            [NAN, 1.0, 2.0],
            [700.0] * 3,
        ):
            for dtype in ("float32", "float64"):
                compare(fn(name, dim=0), np.array(row, dtype), order=1)


def test_softmax_dtype_and_dimension() -> None:
    compare(lambda lib, x: lib.nn.functional.softmax(x, dim=1, dtype=lib.float64), r(3, 4, dtype="float32"), scale=1e4)
    compare(lambda lib, x: lib.nn.functional.softmax(x, dim=0, dtype=lib.float32), np.arange(4))
    same_error(fn("softmax", dim=1), r(3))
    same_error(fn("softmax", dim=0), np.arange(3))
    same_error(fn("log_softmax", dim=0), np.ones((2, 2), np.int64))
    same_error(lambda lib, x: lib.softmax(x), r(3), beginning=17)
    for shape in [(3,), (3, 4), (2, 3, 4), (2, 3, 4, 5)]:
        with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
            got = F.log_softmax(wengert.from_numpy(r(*shape)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = torch.nn.functional.log_softmax(torch.from_numpy(r(*shape)))
        np.testing.assert_allclose(got.numpy(), want.numpy())


def test_gumbel_softmax() -> None:
    wengert.manual_seed(1)
    logits = wengert.tensor([[0.0, 1.0, 2.0]] * 4000, requires_grad=True)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(hard.detach().numpy().ravel().round(6).tolist()) == {0.0, 1.0}
    share = hard.detach().numpy().mean(0)
    np.testing.assert_allclose(share, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.03)
    assert type(hard.grad_fn).__name__ == "AddBackward0"
    soft = F.gumbel_softmax(logits)
    assert type(soft.grad_fn).__name__ == "SoftmaxBackward0"
    soft[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"):
        F.gumbel_softmax(logits, eps=1e-3)


# --- errors of activations ---


def test_activation_errors() -> None:
    f, i, b = r(3), np.arange(3), np.ones(3, bool)
    for name in (
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "softshrink",
        "hardshrink",
        "logsigmoid",
    ):
        same_error(fn(name), i)
        same_error(fn(name), b)
        if name != "silu":  # PyTorch has a complex silu, without derivative
            same_error(fn(name), f + 1j, frozen=(0,))
    for name in ("relu", "relu6", "hardtanh"):
        same_error(fn(name), b)
        same_error(fn(name), f + 1j, frozen=(0,))
        compare(fn(name), i - 1)
    compare(fn("relu"), i.astype(np.uint8))
    compare(fn("threshold", threshold=1, value=7), i)
    compare(fn("hardtanh", min_val=-0.5, max_val=0.5), i)
    same_error(fn("hardtanh"), i.astype(np.uint8))
    same_error(fn("hardtanh", min_val=2.0, max_val=1.0), f)
    same_error(fn("softshrink", lambd=-1.0), r(3, dtype="float32"))
    same_error(fn("celu", alpha=0.0), f)
    same_error(fn("gelu", approximate="x"), f)
    same_error(fn("rrelu", lower=0.5, upper=0.1), f)
    same_error(fn("rrelu", lower=INF), f)
    same_error(fn("prelu"), r(3, 4), r(3))
    same_error(fn("prelu"), r(4), r(4))
    same_error(fn("prelu"), r(3, 4), r(1, 4))
    same_error(fn("prelu"), r(3, 4), r(1, dtype="float32"))


# --- layers ---


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (5, 2, 3), (2, 5, 2, 3), (0, 3)])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(shape: tuple[int, ...], bias: bool, dtype: str) -> None:
    inputs = [r(*s).astype(dtype) for s in (shape, (4, 3), (4,))[: 2 + bias]]
    if dtype.startswith("complex"):
        inputs = [x * (1 + 0.5j) for x in inputs]
    compare(fn("linear"), *inputs)


def test_more_linear() -> None:
    compare(fn("linear"), r(2, 3), r(3))
    compare(fn("linear"), r(2, 3), r(4, 3), np.asarray(1.0))
    compare(fn("linear"), r(2, 3), r(4, 3), r(1))
    compare(fn("linear"), np.arange(6).reshape(2, 3), np.arange(12).reshape(4, 3))
    compare(fn("linear"), r(3, 2).T, r(3, 4).T, r(4))
    x = wengert.from_numpy(r(5, 3))
    w = wengert.from_numpy(r(4, 3)).requires_grad_()
    F.linear(x, w, wengert.zeros(4, dtype=wengert.float64)).sum().backward()
    assert w.grad.is_contiguous()
    same_error(fn("linear"), r(2, 3), r(4, 5))
    same_error(fn("linear"), r(3), r(4, 5))
    same_error(fn("linear"), r(2, 2, 3), r(4, 5), r(4))
    same_error(fn("linear"), r(2, 3), r(4, 3, dtype="float32"))
    same_error(fn("linear"), r(2, 3), r(4, 3), r(3))
    same_error(fn("linear"), r(2, 3), r(4, 3), r(4, dtype="float32"))
    same_error(fn("linear"), np.asarray(1.0), r(4, 3))
    same_error(fn("linear"), r(2, 3), r(2, 4, 3), beginning=60)


def test_bilinear() -> None:
    compare(fn("bilinear"), r(2, 3), r(2, 4), r(5, 3, 4))
    compare(fn("bilinear"), r(2, 3), r(2, 4), r(5, 3, 4), r(5))
    compare(fn("bilinear"), r(3), r(4), r(5, 3, 4), r(5), name=False)
    compare(fn("bilinear"), r(6, 2, 3), r(6, 2, 4), r(5, 3, 4))
    same_error(fn("bilinear"), r(2, 3), r(2, 4), r(5, 3, 3))
    same_error(fn("bilinear"), r(2, 3), r(3, 4), r(5, 3, 4))
    same_error(fn("bilinear"), r(2, 3), r(2, 4), r(5, 3, 4), r(4))


def test_dropout() -> None:
    wengert.manual_seed(2)
    x = wengert.ones(20000, requires_grad=True)
    y = F.dropout(x, 0.25)
    assert type(y.grad_fn).__name__ == "MulBackward0"
    kept = y.detach() != 0
    assert abs(kept.to(wengert.float32).mean().item() - 0.75) < 0.02
    y.sum().backward()
    assert wengert.equal(x.grad, y.detach())
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 1.0).sum().item() == 0.0
    z = wengert.ones(8)
    assert F.dropout(z, 0.5, inplace=True) is z
    assert set(z.tolist()) <= {0.0, 2.0}
    wengert.manual_seed(5)
    first = F.dropout(wengert.ones(50))
    wengert.manual_seed(5)
    assert wengert.equal(first, F.dropout(wengert.ones(50)))
    same_error(fn("dropout", p=1.5), r(3))
    same_error(fn("dropout"), np.arange(3))


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    wengert.manual_seed(3)
    x = F.selu(wengert.randn(200000, dtype=wengert.float64))
    y = F.alpha_dropout(x, 0.3, training=True)
    assert abs(y.mean().item() - x.mean().item()) < 0.02
    assert abs(y.var().item() - x.var().item()) < 0.03


# --- normalisation ---


def test_layer_norm() -> None:
    x, w, b = r(3, 4), r(4, seed=1), r(4, seed=2)
    f = "layer_norm"
    compare(lambda lib, x: lib.nn.functional.layer_norm(x, (4,)), x)
    compare(lambda lib, x, w: lib.nn.functional.layer_norm(x, (4,), w), x, w)
    compare(lambda lib, x, w, b: lib.nn.functional.layer_norm(x, [4], w, b), x, w, b)
    compare(lambda lib, x, b: lib.nn.functional.layer_norm(x, (4,), None, b), x, b, order=1)
    compare(
        lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (4,), w, b),
        *(v.astype("float32") for v in (x, w, b)),
        scale=10.0,
    )
    compare(lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (3, 4), w, b, 0.1), r(2, 3, 4), r(3, 4), r(3, 4))
    compare(lambda lib, x: lib.nn.functional.layer_norm(x, (4,)), r(0, 4), order=1)
    compare(lambda lib, x: lib.nn.functional.layer_norm(x, (3,)), np.full((2, 3), 1e4), order=1)
    same_error(fn(f, normalized_shape=(3,)), x)
    same_error(fn(f, normalized_shape=()), x)
    same_error(fn(f, normalized_shape=4), x)
    same_error(lambda lib, x, w: lib.nn.functional.layer_norm(x, (4,), w), x, r(3))
    same_error(fn(f, normalized_shape=(4,)), np.ones((3, 4), np.int64))
    same_error(lambda lib, x, w: lib.nn.functional.layer_norm(x, (4,), w), x.astype("float32"), w)


def test_layer_norm_is_right_beyond_the_second_order() -> None:
    # PyTorch's own third derivative is not: it takes the saved mean and deviation for constants.
    weights = [r(2, 3, seed=i) for i in range(1, 4)]

    def third(lib: Any, norm: Any) -> Any:
        x = lib.from_numpy(r(2, 3)).requires_grad_()
        g, total = x, (norm(x) * lib.from_numpy(weights[0])).sum()
        for w in weights:
            g = lib.autograd.grad(total, x, create_graph=True)[0]
            total = (g * lib.from_numpy(w)).sum()
        return g.detach().numpy()

    def by_hand(x: Any) -> Any:
        return (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()

    np.testing.assert_allclose(third(wengert, lambda x: F.layer_norm(x, (3,))), third(torch, by_hand))


def test_rms_norm() -> None:
    compare(lambda lib, x: lib.nn.functional.rms_norm(x, (4,)), r(3, 4))
    compare(lambda lib, x, w: lib.nn.functional.rms_norm(x, (4,), w), r(3, 4), r(4))
    compare(lambda lib, x, w: lib.nn.functional.rms_norm(x, (3, 4), w, 0.1), r(2, 3, 4), r(3, 4))
    compare(lambda lib, x: lib.nn.functional.rms_norm(x, (4,)), r(3, 4, dtype="float32"), scale=10.0)
    same_error(fn("rms_norm", normalized_shape=(3,)), r(3, 4))


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 2), (4, 3, 2, 2)])
def test_batch_norm(shape: tuple[int, ...]) -> None:
    for dtype, scale in (("float64", 10.0), ("float32", 20.0)):
        x, w, b = r(*shape, dtype=dtype), r(3, dtype=dtype, seed=1), r(3, dtype=dtype, seed=2)
        compare(lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True), x, scale=scale)
        compare(lambda lib, x, w: lib.nn.functional.batch_norm(x, None, None, w, training=True), x, w, scale=scale)
        compare(lambda lib, x, w, b: lib.nn.functional.batch_norm(x, None, None, w, b, True), x, w, b, scale=scale)

        def fixed(lib: Any, x: Any, w: Any, b: Any, m: Any, v: Any) -> Any:
            return lib.nn.functional.batch_norm(x, m, v, w, b)

        compare(fixed, x, w, b, r(3, dtype=dtype), abs(r(3, dtype=dtype)), frozen=(3, 4), scale=scale)

        def running(lib: Any, x: Any, m: Any, v: Any) -> Any:
            lib.nn.functional.batch_norm(x, m, v, training=True, momentum=0.3)
            return lib.stack([m, v])

        compare(running, x, r(3, dtype=dtype), abs(r(3, dtype=dtype)), frozen=(0, 1, 2))


def test_batch_norm_errors() -> None:
    def norm(training: bool, *names: str) -> Any:
        def f(lib: Any, x: Any, *ps: Any) -> Any:
            given = {"running_mean": None, "running_var": None, **dict(zip(names, ps, strict=True))}
            return lib.nn.functional.batch_norm(x, training=training, **given)

        return f

    same_error(norm(True), r(1, 4))
    same_error(norm(False), r(3, 4))
    same_error(norm(True), r(4))
    same_error(norm(True, "weight"), r(3, 4), r(3))
    same_error(norm(True), np.ones((3, 4), np.int64))


# --- lookups and distances ---


def test_embedding() -> None:
    w, i = r(5, 3), np.array([[0, 4, 4], [2, 2, 2]])
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, i)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w, padding_idx=2), w, i)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w, padding_idx=-1), w, i)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w, scale_grad_by_freq=True), w, i, order=1)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, i.astype(np.int32))
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, np.asarray(3))
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w), r(5, 0), i)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w), r(60, 33, dtype="float32"), np.arange(200) % 61 % 60)
    compare(lambda lib, w, i: lib.nn.functional.embedding(i, w * 1, max_norm=0.5), w, i, frozen=(0,))
    same_error(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, np.array([5]))
    same_error(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, np.array([-1]))
    same_error(lambda lib, w, i: lib.nn.functional.embedding(i, w), w, np.array([0.0]))
    same_error(lambda lib, w, i: lib.nn.functional.embedding(i, w), r(3), np.array([0]))
    with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
        F.embedding(wengert.tensor([0]), wengert.ones(3, 2), padding_idx=3)


def test_embedding_renormalizes_in_place() -> None:
    w = wengert.full((3, 4), 2.0)
    F.embedding(wengert.tensor([0, 0]), w, max_norm=1.0)
    assert w[0].norm().item() == pytest.approx(1.0)
    assert w[1].tolist() == [2.0] * 4
    assert w._version == 1


def test_one_hot() -> None:
    compare(fn("one_hot"), np.array([[0, 2], [1, 0]]))
    compare(fn("one_hot", num_classes=5), np.array([0, 2]))
    compare(fn("one_hot"), np.asarray(1))
    compare(fn("one_hot", num_classes=3), np.zeros((0,), np.int64))
    same_error(fn("one_hot", num_classes=2), np.array([0, 2]))
    same_error(fn("one_hot"), np.array([-1]))
    same_error(fn("one_hot"), np.array([1.0]))
    same_error(fn("one_hot"), np.zeros((0,), np.int64))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, INF])
def test_normalize(p: float) -> None:
    compare(fn("normalize", p=p), r(3, 4), order=1 if p == INF else 2)
    compare(fn("normalize", p=p, dim=0), r(3, 4, 2), order=1)


def test_normalize_zero_vectors() -> None:
    compare(fn("normalize"), np.zeros((2, 3)), order=1)


def test_cosine_similarity() -> None:
    compare(fn("cosine_similarity"), r(3, 4), r(3, 4, seed=1))
    compare(fn("cosine_similarity", dim=-1), r(3, 1, 4), r(5, 4))
    compare(fn("cosine_similarity", dim=0), r(3, dtype="float32"), r(3, seed=1), scale=1e3)
    compare(fn("cosine_similarity", dim=0), np.zeros(3), np.ones(3), order=1)
    same_error(fn("cosine_similarity"), r(3, 4), r(3, 5))
    same_error(fn("cosine_similarity", dim=0), np.ones(3, np.int64), np.ones(3, np.int64))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_pairwise_distance(p: float) -> None:
    compare(fn("pairwise_distance", p=p), r(3, 4), r(3, 4, seed=1))
    compare(fn("pairwise_distance", p=p, keepdim=True), r(3, 4), r(4), order=1)
    compare(fn("pairwise_distance", p=p), r(4), r(4), order=1)


def test_all_is_complete_and_every_name_is_documented() -> None:
    assert sorted(F.__all__) == F.__all__
    public = {n for n in vars(F) if not n.startswith("_")}
    assert public == set(F.__all__)
    for name in F.__all__:
        assert getattr(F, name).__doc__, name
        assert hasattr(torch.nn.functional, name), name
