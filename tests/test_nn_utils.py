"""Weights in other forms (norms, orthogonal ones), fused layers, pooling at random places: the numbers of torch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import wengert
from both import both

torch = pytest.importorskip("torch")

R = np.random.default_rng(11)


def _pair(make: Any) -> tuple[Any, Any]:
    """The same module of both libraries, in float64 and with the same weights."""
    ours, theirs = make(wengert).double(), make(torch).double()
    ours.load_state_dict({k: wengert.tensor(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    return ours, theirs


def _same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=rtol, atol=1e-12)


def _trained(lib: Any, net: Any, x: np.ndarray, steps: int = 3) -> Any:
    optimizer = lib.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        (net(lib.tensor(x)) ** 2).mean().backward()
        optimizer.step()
    return net


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_as_a_hook(dim: int | None) -> None:
    x = R.standard_normal((5, 4))
    with pytest.warns(FutureWarning, match="weight_norm"):
        ours, theirs = _pair(lambda lib: lib.nn.utils.weight_norm(lib.nn.Linear(4, 3), dim=dim))
    _trained(wengert, ours, x), _trained(torch, theirs, x)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        _same(a, b)
    before = ours(wengert.tensor(x))
    wengert.nn.utils.remove_weight_norm(ours)
    assert "weight" in ours._parameters
    _same(ours(wengert.tensor(x)), before)
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
        wengert.nn.utils.remove_weight_norm(ours)
    wengert.nn.utils.weight_norm(ours)
    with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
        wengert.nn.utils.weight_norm(ours)


@pytest.mark.parametrize("kind", ["Linear", "Conv2d", "ConvTranspose2d"])
def test_spectral_norm_as_a_hook(kind: str) -> None:
    sizes, shape = ((4, 3), (5, 4)) if kind == "Linear" else ((2, 3, 2), (2, 2, 4, 4))
    x = R.standard_normal(shape)
    ours, theirs = _pair(lambda lib: lib.nn.utils.spectral_norm(getattr(lib.nn, kind)(*sizes), n_power_iterations=2))
    _trained(wengert, ours, x), _trained(torch, theirs, x)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        _same(ours.state_dict()[name], value)
    ours.eval(), theirs.eval()
    _same(ours(wengert.tensor(x)), theirs(torch.tensor(x)))
    wengert.nn.utils.remove_spectral_norm(ours), torch.nn.utils.remove_spectral_norm(theirs)
    _same(ours.weight, theirs.weight)


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5), (5, 3)], ids=str)
@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder", None])
def test_orthogonal_weights_stay_orthogonal(sizes: tuple[int, int], kind: str | None) -> None:
    x = R.standard_normal((6, sizes[0]))
    ours, theirs = (
        lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(*sizes).double(), orthogonal_map=kind)
        for lib in (wengert, torch)
    )
    with torch.no_grad():  # another start than -1: that is a point where the maps look alike
        theirs.parametrizations.weight.original.add_(
            torch.tensor(R.standard_normal(tuple(theirs.weight.shape)) / 4).tril(-1 if kind != "cayley" else 0)
        )
    ours.load_state_dict({k: wengert.tensor(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    _same(ours.weight, theirs.weight)
    _trained(wengert, ours, x), _trained(torch, theirs, x)
    _same(ours.weight, theirs.weight, 1e-8)
    w = ours.weight.detach().numpy()
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-10)
    given = np.linalg.qr(R.standard_normal((5, 5)))[0][: w.shape[0], : w.shape[1]]
    if w.shape[0] == w.shape[1] == 5:
        ours.weight = wengert.tensor(given)
        _same(ours.weight, wengert.tensor(given))


def test_orthogonal_without_a_base() -> None:
    def make(lib: Any, kind: str) -> Any:
        layer = lib.nn.Linear(4, 4).double()
        return lib.nn.utils.parametrizations.orthogonal(layer, orthogonal_map=kind, use_trivialization=False)

    ours = make(wengert, "householder")
    q = wengert.tensor(np.linalg.qr(R.standard_normal((4, 4)))[0])
    ours.weight = q
    _same(ours.weight, q, 1e-7)
    with pytest.raises(NotImplementedError, match="use_trivialization=False"):
        make(wengert, "cayley").weight = q
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        make(wengert, "qr")


def test_fused_layers_do_what_both_do() -> None:
    for lib in (wengert, torch):
        bn = lib.nn.BatchNorm2d(4).double()
        for _ in range(3):
            bn(lib.tensor(np.random.default_rng(1).standard_normal((5, 4, 3, 3)) * 2 + 1))
        bn.eval()
        x = lib.tensor(np.random.default_rng(2).standard_normal((2, 3, 6, 6)))
        conv, back = lib.nn.Conv2d(3, 4, 3, bias=False).double().eval(), lib.nn.ConvTranspose2d(3, 4, 3).double().eval()
        _same(lib.nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)))
        _same(lib.nn.utils.fuse_conv_bn_eval(back, bn, transpose=True)(x), bn(back(x)))
    with pytest.raises(AssertionError, match="Fusion only for eval"):
        wengert.nn.utils.fuse_conv_bn_eval(wengert.nn.Conv2d(1, 2, 3), wengert.nn.BatchNorm2d(2))


@pytest.mark.parametrize(("axes", "kernel", "size"), [(2, 2, 4), (2, (2, 3), (5, 4)), (3, 2, (4, 3, 5)), (3, 3, 1)])
def test_fractional_max_pooling(axes: int, kernel: Any, size: Any) -> None:
    x, samples = R.standard_normal((2, 3, *(9, 11, 10)[:axes])), R.random((2, 3, axes))
    found = []
    for lib in (wengert, torch):
        t = lib.tensor(x, requires_grad=True)
        pool = getattr(lib.nn, f"FractionalMaxPool{axes}d")
        y, at = pool(kernel, output_size=size, return_indices=True, _random_samples=lib.tensor(samples))(t)
        (y**3).sum().backward()
        found.append([y.detach().numpy(), at.numpy(), t.grad.numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="requires specifying either an output size"):
        wengert.nn.FractionalMaxPool2d(2)
    with pytest.raises(RuntimeError, match="too large relative to input"):
        wengert.nn.functional.fractional_max_pool2d(wengert.ones(1, 4, 4), 3, output_size=3)


@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 3, 4, 5), (2, 1, 1, 3)], ids=str)
@pytest.mark.parametrize("align", [True, False])
def test_affine_grids(size: tuple[int, ...], align: bool) -> None:
    d = len(size) - 2
    theta, g = R.standard_normal((2, d, d + 1)), R.standard_normal((2, *size[2:], d))
    found = []
    for lib in (wengert, torch):
        t = lib.tensor(theta, requires_grad=True)
        if lib is torch and align and 1 in size[2:]:
            with pytest.warns(UserWarning, match="unit-size grids"):
                y = lib.nn.functional.affine_grid(t, size, align_corners=align)
        else:
            y = lib.nn.functional.affine_grid(t, size, align_corners=align)
        y.backward(lib.tensor(g))
        found.append([y, t.grad])
    for a, b in zip(*found, strict=True):
        _same(a, b, 1e-12)


def test_synchronised_normalisation_in_one_process() -> None:
    net = wengert.nn.Sequential(wengert.nn.Conv2d(1, 2, 3), wengert.nn.Sequential(wengert.nn.BatchNorm2d(2)))
    same = wengert.nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(net))
    assert isinstance(same[1][0], wengert.nn.SyncBatchNorm)
    x = wengert.tensor(R.standard_normal((3, 1, 6, 6)).astype(np.float32))
    for training in (True, False):
        assert wengert.equal(net.train(training)(x), same.train(training)(x))
    assert list(net.state_dict()) == list(same.state_dict())
    same.load_state_dict(net.state_dict())


def test_the_earlier_name_of_a_loss() -> None:
    x = wengert.tensor(R.standard_normal((2, 3, 4, 4))).log_softmax(1)
    y = wengert.tensor(R.integers(0, 3, (2, 4, 4)))
    assert wengert.nn.NLLLoss2d(ignore_index=1)(x, y) == wengert.nn.NLLLoss(ignore_index=1)(x, y)


@pytest.mark.parametrize("name", ["constant", "dirac", "kaiming_normal", "uniform", "xavier_uniform"])
def test_the_earlier_names_of_initialisers(name: str) -> None:
    w, again = wengert.empty(3, 3, 3), wengert.empty(3, 3, 3)
    given = (0.5,) if name == "constant" else ()
    wengert.manual_seed(1)
    with pytest.warns(FutureWarning, match=rf"`nn\.init\.{name}` is now deprecated in favor of `nn\.init\.{name}_`"):
        getattr(wengert.nn.init, name)(w, *given)
    wengert.manual_seed(1)
    assert wengert.equal(getattr(wengert.nn.init, name + "_")(again, *given), w)


@both
def test_clipping_of_small_gradients_adds_a_millionth_to_the_norm(torch):
    """
    tensor(5.0000e-06, dtype=torch.float64)
    [0.5, 0.667]
    """
    p = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    p.grad = torch.tensor([3e-6, 4e-6], dtype=torch.float64)
    print(torch.nn.utils.clip_grad_norm_([p], 1e-6))
    print([round(g * 1e6, 3) for g in p.grad.tolist()])
