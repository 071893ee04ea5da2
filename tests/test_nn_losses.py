"""The losses of ``nn.functional`` against PyTorch: values, node names, derivatives, reductions, errors, warnings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.nn.functional as F

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error

INF = float("inf")
REDUCTIONS = ["none", "mean", "sum"]


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, *shape]).standard_normal(shape)).astype(dtype)


def p(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, *shape]).uniform(0.02, 0.98, shape)).astype(dtype)


def n(high: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, *shape]).integers(0, high, shape))


def fn(name: str, **meta: Any) -> Any:
    return lambda lib, *xs: getattr(lib.nn.functional, name)(*xs, **meta)


PAIRS: list[tuple[str, dict[str, Any], str]] = [
    ("mse_loss", {}, "rr"),
    ("l1_loss", {}, "rr"),
    ("smooth_l1_loss", {}, "rr"),
    ("smooth_l1_loss", {"beta": 0.3}, "rr"),
    ("smooth_l1_loss", {"beta": 0.0}, "rr"),
    ("huber_loss", {}, "rr"),
    ("huber_loss", {"delta": 0.4}, "rr"),
    ("binary_cross_entropy", {}, "pp"),
    ("binary_cross_entropy_with_logits", {}, "rp"),
    ("poisson_nll_loss", {}, "rp"),
    ("poisson_nll_loss", {"log_input": False}, "pp"),
    ("kl_div", {}, "rp"),
    ("kl_div", {"log_target": True}, "rr"),
    ("multilabel_soft_margin_loss", {}, "rp"),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "meta", "kinds"), PAIRS, ids=[f"{row[0]} {row[1]}" for row in PAIRS])
def test_pair_losses(name: str, meta: dict[str, Any], kinds: str, reduction: str) -> None:
    f = fn(name, reduction=reduction, **meta)
    for shape in [(3, 4), (5,), (2, 3, 2), (0, 3), *([()] if "multilabel" not in name else [])]:
        a, b = ({"r": r, "p": p}[kind](*shape, seed=i) for i, kind in enumerate(kinds))
        # PyTorch's second derivative of binary_cross_entropy by its target is broken, so the target is frozen there.
        compare(f, a, b, frozen=(1,) if name == "binary_cross_entropy" else ())
        compare(f, a.astype("float32"), b.astype("float32"), frozen=(1,), scale=4.0)
    if name == "binary_cross_entropy":
        compare(f, p(3, 4), p(3, 4, seed=1), order=1)


def test_second_derivative_of_binary_cross_entropy_by_its_target() -> None:
    x, t = (wengert.from_numpy(p(4, seed=i)).requires_grad_() for i in range(2))
    g = wengert.autograd.grad(F.binary_cross_entropy(x, t, reduction="sum"), t, create_graph=True)[0]
    h = wengert.autograd.grad(g.sum(), x)[0]
    a = x.detach().numpy()
    np.testing.assert_allclose(h.numpy(), -1 / (1 - a) - 1 / a)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_losses_that_broadcast_warn(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for reduction in REDUCTIONS:
            compare(fn(name, reduction=reduction), r(3, 4), r(4))
            compare(fn(name, reduction=reduction), r(3), r(1, 3))
    with pytest.warns(
        UserWarning, match=r"Using a target size \(torch.Size\(\[1, 3\]\)\) that is different to the input"
    ):
        getattr(F, name)(wengert.ones(3), wengert.ones(1, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_error(fn(name), r(3), r(4))


def test_dtypes_of_losses() -> None:
    f32, f64, i = r(3, dtype="float32"), r(3), np.arange(3)
    for name in ("mse_loss", "smooth_l1_loss"):
        compare(fn(name), f32, f64, scale=1e4)
        compare(fn(name), f32, i)
        same_error(fn(name), i, i)
    compare(fn("mse_loss"), f32, i > 0)
    compare(fn("mse_loss"), i, f32)
    for name in ("huber_loss", "soft_margin_loss"):
        compare(fn(name), f32, f64, frozen=(1,), order=0)  # PyTorch has no gradient of this
        compare(fn(name), f64, f32, frozen=(1,), order=0)
        compare(fn(name), f32, i, order=0)
    compare(fn("l1_loss", reduction="none"), i, i + 1)
    compare(fn("l1_loss"), f64 + 1j * f64, f64 - 1j, order=1)
    same_error(fn("huber_loss"), i, i)
    same_error(fn("mse_loss"), f64 + 1j, f64 + 1j)
    same_error(fn("binary_cross_entropy"), i, i)
    same_error(fn("binary_cross_entropy_with_logits"), i, f64)
    half = r(4, dtype="float16")
    for name in ("mse_loss", "smooth_l1_loss", "huber_loss"):
        compare(fn(name, reduction="none"), half, half * 0, order=0)
    big = np.full(70000, 2.0, np.float16)
    assert F.mse_loss(wengert.from_numpy(big), wengert.from_numpy(big * 0)).item() == 4.0


def test_sums_keep_their_digits() -> None:
    x = wengert.full((3_000_000,), 0.1)
    assert F.mse_loss(x, wengert.zeros(3_000_000), reduction="sum").item() == pytest.approx(30000.0, rel=1e-5)


def test_old_arguments() -> None:
    x, y = wengert.ones(3), wengert.zeros(3)
    for given, reduction in (
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True}, "mean"),
        ({"reduce": True, "size_average": False}, "sum"),
    ):
        with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
            got = F.mse_loss(x, y, **given)
        assert wengert.equal(got, F.mse_loss(x, y, reduction=reduction))
    same_error(fn("mse_loss", reduction="foo"), r(3), r(3))
    same_error(fn("nll_loss", reduction="foo"), r(3, 2), n(2, 3))


def test_weights_of_regression_losses() -> None:
    for name in ("mse_loss", "huber_loss"):
        for reduction in REDUCTIONS:
            compare(
                lambda lib, x, y, w, name=name, reduction=reduction: getattr(lib.nn.functional, name)(
                    x, y, weight=w, reduction=reduction
                ),
                r(3, 2),
                r(3, 2, seed=1),
                p(3, 2),
                name=name != "huber_loss",
            )
    same_error(lambda lib, x, w: lib.nn.functional.mse_loss(x, x, weight=w), r(3), p(1))
    same_error(fn("smooth_l1_loss", beta=-1.0), r(3), r(3))
    same_error(fn("huber_loss", delta=0.0), r(3), r(3))


def test_kinks() -> None:
    d = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    for name, meta in (
        ("smooth_l1_loss", {}),
        ("smooth_l1_loss", {"beta": 0.5}),
        ("huber_loss", {"delta": 0.5}),
        ("l1_loss", {}),
    ):
        compare(fn(name, reduction="none", **meta), d, np.zeros(7))
    x = np.array([INF, -INF, 1e4, -1e4, 0.0])
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        compare(fn(name, reduction="none"), x, np.zeros(5), order=0)


# --- two classes ---


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_of_binary_losses(reduction: str) -> None:
    def bce(lib: Any, x: Any, t: Any, w: Any) -> Any:
        return lib.nn.functional.binary_cross_entropy(x, t, w, reduction=reduction)

    compare(bce, p(3, 2), p(3, 2, seed=1), p(3, 2, seed=2), frozen=(1, 2))
    compare(bce, p(3, 2), p(3, 2, seed=1), p(2, seed=2), frozen=(1, 2))

    def logits(lib: Any, x: Any, t: Any, w: Any, q: Any) -> Any:
        bcel = lib.nn.functional.binary_cross_entropy_with_logits
        return bcel(x, t, w, pos_weight=q, reduction=reduction)

    x, t, w, q = r(3, 2), p(3, 2), p(2), p(2, seed=3) * 5
    compare(logits, x, t, w, q, frozen=(2, 3))
    compare(logits, x, t, w, None, frozen=(2,))
    compare(logits, x, t, None, q, frozen=(3,))
    compare(logits, *(v.astype("float32") for v in (x, t, w, q)), frozen=(2, 3), scale=4.0)


def test_binary_losses_at_the_ends() -> None:
    x, t = np.array([0.0, 1.0, 0.0, 1.0, 1e-30, 0.5]), np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.5])
    compare(fn("binary_cross_entropy", reduction="none"), x, t, order=1, frozen=(1,))
    logits = np.array([1e4, -1e4, 1e4, -1e4, INF, -INF, 0.0, 50.0])
    target = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.5, 1.0])
    compare(fn("binary_cross_entropy_with_logits", reduction="none"), logits[:4], target[:4])
    compare(fn("binary_cross_entropy_with_logits", reduction="none"), logits, target, order=0)


def test_binary_errors() -> None:
    bce, logits = fn("binary_cross_entropy"), fn("binary_cross_entropy_with_logits")
    x = p(3, dtype="float32")
    same_error(bce, x, np.ones(3))
    same_error(bce, x, np.ones(3, np.int64))
    same_error(bce, x, np.ones((3, 1), np.float32))
    same_error(bce, np.array([1.5]), np.ones(1))
    same_error(bce, np.array([np.nan]), np.ones(1))
    same_error(bce, p(3, 2), p(3, 2), p(5), frozen=(2,))
    same_error(bce, p(3), p(3), p(3))
    same_error(logits, r(3), np.ones((3, 1)))
    same_error(logits, r(3, dtype="float32"), np.ones(3, np.int64))
    same_error(logits, np.ones(3, np.int64), np.ones(3))
    same_error(logits, r(3), p(3), p(3))
    same_error(
        lambda lib, x, t, q: lib.nn.functional.binary_cross_entropy_with_logits(x, t, pos_weight=q), r(3), p(3), p(3)
    )
    with pytest.raises(RuntimeError, match=r"use binary_cross_entropy_with_logits"):
        F.binary_cross_entropy(wengert.tensor([2.0]), wengert.tensor([1.0]))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_soft_margin(reduction: str) -> None:
    compare(fn("soft_margin_loss", reduction=reduction), r(3, 4), np.sign(r(3, 4, seed=1)), frozen=(1,))
    assert F.soft_margin_loss(wengert.tensor([-1e4]), wengert.ones(1)).item() == 1e4
    same_error(fn("soft_margin_loss"), r(3), np.ones((3, 1)), frozen=(1,))
    same_error(fn("soft_margin_loss"), r(3), r(3))


# --- several classes ---


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (3, 4, 2), (2, 3, 2, 2), (2, 3, 2, 2, 2), (1, 4), (0, 4)])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_classes(name: str, shape: tuple[int, ...], reduction: str) -> None:
    classes = shape[0] if len(shape) == 1 else shape[1]
    target = n(classes, *(shape[:1] + shape[2:] if len(shape) > 1 else ()))
    # PyTorch flattens 3-d and 5-d inputs, so that a result without reduction is a view there.
    same_name = not (reduction == "none" and len(shape) in (3, 5))
    for dtype in ("float64", "float32"):
        x, w = r(*shape, dtype=dtype), p(classes, dtype=dtype)
        compare(fn(name, reduction=reduction), x, target, name=same_name, scale=2.0)
        f = lambda lib, x, t, w: getattr(lib.nn.functional, name)(x, t, w, reduction=reduction)
        compare(f, x, target, w, frozen=(2,), name=same_name, scale=2.0)
        if target.size > 1:
            ignored = target.copy()
            ignored.flat[0] = -100
            compare(f, x, ignored, w, frozen=(2,), name=same_name, scale=2.0)
            compare(fn(name, reduction=reduction, ignore_index=0), x, target, name=same_name, scale=2.0)
    if target.size and len(shape) < 3:
        compare(fn(name, reduction=reduction), r(*shape), np.asarray(target.astype(np.uint8)))


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_everything_ignored(name: str) -> None:
    x, t = r(3, 4), np.full(3, -100)
    compare(fn(name), x, t, order=0)
    compare(fn(name, reduction="sum"), x, t)
    compare(fn(name, reduction="none"), x, t)
    compare(
        lambda lib, x, w: lib.nn.functional.nll_loss(x, lib.tensor([0, 0, 0]), w), x, np.zeros(4), frozen=(1,), order=0
    )
    compare(fn("nll_loss"), r(4), np.array([1]), order=0)


def test_extreme_logits() -> None:
    for dtype in ("float32", "float64"):
        x = np.array([[1e4, 0.0, -1e4], [-1e4, 0.0, 1e4], [-INF, 0.0, 1.0]], dtype)
        compare(fn("cross_entropy", reduction="none"), x, np.array([2, 2, 1]), order=1)
        compare(fn("cross_entropy"), x[:2], np.array([0, 1]))
        compare(fn("nll_loss", ignore_index=0, reduction="none"), x, np.array([0, 1, 0]), order=1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (3, 4, 2)])
def test_cross_entropy_of_probabilities(shape: tuple[int, ...], reduction: str) -> None:
    classes = shape[0] if len(shape) == 1 else shape[1]
    x, t, w = r(*shape), p(*shape), p(classes)
    for smoothing in (0.0, 0.3):
        f = lambda lib, x, t, w=None, smoothing=smoothing: lib.nn.functional.cross_entropy(
            x, t, w, reduction=reduction, label_smoothing=smoothing
        )
        compare(f, x, t)
        compare(f, x, t, w, frozen=(2,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (3, 4, 2)])
def test_label_smoothing(shape: tuple[int, ...], reduction: str) -> None:
    classes = shape[0] if len(shape) == 1 else shape[1]
    target = n(classes, *(shape[:1] + shape[2:] if len(shape) > 1 else ()))
    f = lambda lib, x, t, w=None: lib.nn.functional.cross_entropy(x, t, w, reduction=reduction, label_smoothing=0.2)
    compare(f, r(*shape), target)
    compare(f, r(*shape), target, p(classes), frozen=(2,))
    if target.ndim:
        target.flat[0] = -100
        compare(f, r(*shape), target, p(classes), frozen=(2,))


def test_label_smoothing_in_a_batch() -> None:
    x, t = wengert.tensor(r(3, 4, 5)), wengert.tensor(n(5, 3, 4))
    loss = lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1)
    each = wengert.stack([loss(a, b) for a, b in zip(x, t, strict=True)])
    np.testing.assert_allclose(wengert.vmap(loss)(x, t), each, rtol=1e-12)


def test_class_errors() -> None:
    nll, ce = fn("nll_loss"), fn("cross_entropy")
    x = r(3, 4)
    same_error(nll, x, np.array([0, 4, 1]))
    same_error(nll, x, np.array([0, -1, 1]))
    same_error(nll, x, np.array([0.0, 1.0, 1.0]))
    same_error(nll, x, np.array([0, 1, 1], np.int32))
    same_error(nll, x, np.array([0, 1]))
    same_error(nll, x, np.array([[0, 1, 1]]))
    same_error(nll, np.asarray(1.0), np.asarray(1))
    same_error(nll, x, n(4, 3), p(3), frozen=(2,))
    same_error(nll, x.astype("float32"), n(4, 3), p(4), frozen=(2,))
    same_error(nll, x, n(4, 3), p(4))
    same_error(nll, r(3, 4, 2), n(4, 3, 3))
    same_error(nll, r(3, 4, 2), n(4, 2, 2))
    same_error(nll, r(3, 4, 2), n(4, 3))
    same_error(nll, r(3, 4, 2, 2), n(4, 3, 2, 3))
    same_error(nll, r(3, 4, 2, 2), n(4, 3, 2, 2) + 9)
    same_error(nll, np.ones((3, 4), np.int64), n(4, 3))
    same_error(ce, x, p(3))
    same_error(ce, x, p(3, 5))
    same_error(fn("cross_entropy", ignore_index=1), x, p(3, 4))
    same_error(fn("cross_entropy", label_smoothing=2.0), x, n(4, 3))
    same_error(ce, x, np.ones((3, 4), np.int64))
    same_error(ce, x, n(4, 3).astype(np.int32))
    same_error(ce, x, np.array([0, 4, 1]))
    same_error(ce, np.ones((3, 4), np.int64), n(4, 3))
    same_error(ce, x, n(4, 2))


def test_cross_entropy_records_two_nodes() -> None:
    loss = F.cross_entropy(wengert.zeros(2, 3, requires_grad=True), wengert.tensor([0, 1]))
    assert type(loss.grad_fn).__name__ == "NllLossBackward0"
    assert type(loss.grad_fn.next_functions[0][0]).__name__ == "LogSoftmaxBackward0"


# --- distributions ---


def test_kl_div() -> None:
    compare(fn("kl_div", reduction="batchmean"), r(3, 4), p(3, 4))
    compare(fn("kl_div", reduction="batchmean", log_target=True), r(3, 4), r(3, 4))
    compare(fn("kl_div", reduction="none"), np.zeros(2), np.array([0.0, 1.0]), order=1, frozen=(1,))
    with pytest.warns(UserWarning, match="divides the total loss by both the batch size and the support size"):
        F.kl_div(wengert.zeros(2), wengert.ones(2))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_counts_and_densities(reduction: str) -> None:
    compare(fn("poisson_nll_loss", full=True, reduction=reduction), r(3), p(3) * 5, order=1, frozen=(1,))
    gauss = lambda lib, x, t, v: lib.nn.functional.gaussian_nll_loss(x, t, v, full=True, reduction=reduction)
    compare(gauss, r(3, 4), r(3, 4, seed=1), p(3, 4))
    compare(gauss, r(3, 4), r(3, 4, seed=1), p(3))
    compare(gauss, r(3, 4), r(3, 4, seed=1), p(3, 1))
    compare(gauss, r(3, 4), r(3, 4, seed=1), np.zeros((3, 4)), order=1, scale=1e3)
    compare(fn("gaussian_nll_loss", reduction=reduction), r(3), r(3, seed=1), 2.0)
    same_error(gauss, r(3, 4), r(3, 4), p(2))
    same_error(gauss, r(3, 4), r(3, 4), -p(3, 4))
    same_error(fn("poisson_nll_loss", reduction="x"), r(3), p(3))


# --- margins ---


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_embedding_and_ranking_losses(reduction: str) -> None:
    k = {"reduction": reduction}
    s = np.array([1.0, -1.0, 1.0, -1.0])
    compare(fn("hinge_embedding_loss", **k), r(4), s, frozen=(1,))
    compare(fn("hinge_embedding_loss", margin=0.3, **k), r(4), np.array([1.0, -1.0, 0.0, 1.0]), frozen=(1,))
    compare(fn("margin_ranking_loss", **k), r(4), r(4, seed=1), s, frozen=(2,))
    compare(fn("margin_ranking_loss", margin=0.5, **k), r(4), r(4, seed=1), s, frozen=(2,))
    compare(fn("cosine_embedding_loss", **k), r(4, 3), r(4, 3, seed=1), s, frozen=(2,))
    compare(fn("cosine_embedding_loss", margin=0.2, **k), r(3), r(3, seed=1), np.asarray(-1.0), frozen=(2,))
    same_error(fn("margin_ranking_loss", **k), r(3, 4), r(3), np.ones(3))
    same_error(fn("cosine_embedding_loss", **k), r(3, 4), r(3, 4), np.ones((3, 1)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_triplets(reduction: str) -> None:
    three = [r(4, 3, seed=i) for i in range(3)]
    for meta in ({}, {"swap": True}, {"p": 1.0, "margin": 2.0}):
        compare(fn("triplet_margin_loss", reduction=reduction, **meta), *three)
    compare(fn("triplet_margin_with_distance_loss", reduction=reduction, swap=True), *three)
    compare(
        fn(
            "triplet_margin_with_distance_loss",
            reduction=reduction,
            distance_function=lambda x, y: (x - y).abs().sum(-1),
        ),
        *three,
    )
    same_error(fn("triplet_margin_loss"), r(3, 4), r(4), r(3, 4))
    same_error(fn("triplet_margin_loss", margin=-1.0), *three)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multi_margin(reduction: str) -> None:
    for meta in ({}, {"p": 2}, {"margin": 0.3}):
        compare(fn("multi_margin_loss", reduction=reduction, **meta), r(3, 4), n(4, 3), order=1)
        compare(fn("multi_margin_loss", reduction=reduction, **meta), r(4), np.asarray(2), order=1)
    f = lambda lib, x, t, w: lib.nn.functional.multi_margin_loss(x, t, weight=w, p=2, reduction=reduction)
    compare(f, r(3, 4), n(4, 3), p(4), order=1, frozen=(2,))
    same_error(fn("multi_margin_loss", p=3), r(3, 4), n(4, 3))
    same_error(fn("multi_margin_loss"), r(3, 4), np.array([0, 1, 9]))
    same_error(f, r(3, 4), n(4, 3), p(3), frozen=(2,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multilabel_margin(reduction: str) -> None:
    t = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [0, 1, 2, 3], [3, 3, -1, 0]])
    f = fn("multilabel_margin_loss", reduction=reduction)
    compare(f, r(4, 4), t, order=1)
    compare(f, r(4), t[0], order=1)
    same_error(f, r(1, 4), np.array([[3, 9, -1, 1]]))
    same_error(f, r(1, 4), np.array([[3, 1]]))


def test_second_derivative_of_a_squared_margin() -> None:
    x = wengert.from_numpy(r(3, 4)).requires_grad_()
    t = n(4, 3)
    g = wengert.autograd.grad(F.multi_margin_loss(x, wengert.from_numpy(t), p=2), x, create_graph=True)[0]
    h = wengert.autograd.grad((g * g).sum(), x)[0]
    y = torch.from_numpy(r(3, 4)).requires_grad_()
    rows = torch.arange(3)
    gap = (1 - y[rows, torch.from_numpy(t)][:, None] + y).clamp(min=0) ** 2
    mask = torch.nn.functional.one_hot(torch.from_numpy(t), 4) == 0
    k = torch.autograd.grad((gap * mask).sum() / 12, y, create_graph=True)[0]
    np.testing.assert_allclose(h.numpy(), torch.autograd.grad((k * k).sum(), y)[0].numpy())


def test_multilabel_soft_margin_with_weights() -> None:
    f = lambda lib, x, t, w: lib.nn.functional.multilabel_soft_margin_loss(x, t, w)
    compare(f, r(3, 4), p(3, 4), p(4), frozen=(2,))


def test_weight_of_l1_loss() -> None:
    """Against the formula: PyTorch's own answer was seen to leave the weight out in one process and not in another."""
    x, y, w = r(3, 2), r(3, 2, seed=1), p(3, 2)
    got = wengert.nn.functional.l1_loss(
        *[wengert.from_numpy(a) for a in (x, y)], weight=wengert.from_numpy(w), reduction="none"
    )
    np.testing.assert_allclose(got.numpy(), w * abs(x - y), rtol=1e-12)
