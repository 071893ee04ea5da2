"""Compiled modules: modules themselves, whose calls are compiled for training and for evaluation."""

import copy
import pickle

import pytest

import wengert
from wengert import nn


def _net(lib):
    lib.manual_seed(0)
    return lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.ReLU(), lib.nn.Linear(4, 1))


def _trained(net, lib, steps=3):
    optimizer = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = net(lib.arange(6.0).view(2, 3) * (step + 1)).pow(2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_training_and_evaluation_are_those_of_the_module():
    plain, compiled = _net(wengert), wengert.compile(_net(wengert), mode="max-autotune", dynamic=True)
    assert _trained(compiled, wengert) == pytest.approx(_trained(plain, wengert), rel=1e-5)
    x = wengert.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]])
    training, _ = compiled(x), plain(x)
    compiled.eval(), plain.eval()
    assert not compiled.training
    assert not compiled._orig_mod[1].training
    wengert.testing.assert_close(compiled(x), plain(x))
    assert not wengert.equal(compiled(x), training)
    compiled._orig_mod.train(), plain.train()  # by the module itself
    wengert.testing.assert_close(compiled(x), plain(x))


def test_numbers_are_pytorchs(torch):
    expected = _trained(_net(torch), torch)
    assert _trained(wengert.compile(_net(wengert)), wengert) == pytest.approx(expected, rel=1e-4)


def test_it_is_the_module_in_everything_else():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)
            self.scale = 3.0

        def forward(self, x, *, twice=False):
            return self.inner(x) * (2 if twice else 1)

        def norm(self):
            return self.inner.weight.norm()

    net = Net()
    compiled = wengert.compile(net)
    assert isinstance(compiled, nn.Module)
    assert type(compiled).__name__ == "OptimizedModule"
    assert list(compiled.state_dict()) == ["_orig_mod.inner.weight", "_orig_mod.inner.bias"]
    assert [p is q for p, q in zip(compiled.parameters(), net.parameters(), strict=True)] == [True, True]
    assert compiled._orig_mod is net
    assert compiled.scale == 3.0
    assert compiled.norm() == net.norm()
    compiled.scale = 4.0
    assert net.scale == 4.0
    x = wengert.ones(1, 2)
    assert wengert.equal(compiled(x, twice=True), 2 * compiled(x))
    assert "specialisation" in compiled.explain()
    assert compiled.load_state_dict(compiled.state_dict()).missing_keys == []
    with pytest.raises(AttributeError, match="nothing"):
        _ = compiled.nothing
    assert compiled
    assert len(wengert.compile(nn.Sequential(nn.ReLU(), nn.ReLU()))) == 2
    other = copy.deepcopy(compiled)
    assert other._orig_mod is not net
    assert wengert.equal(other(x), compiled(x))


def test_copies_and_pickles_are_compiled_anew():
    net = wengert.compile(nn.Linear(2, 1))
    x = wengert.ones(1, 2)
    assert wengert.equal(pickle.loads(pickle.dumps(net))(x), net(x))
    own = nn.Linear(2, 1)
    own.compile(mode="reduce-overhead")
    assert own(x).grad_fn.name() == "CompiledFunctionBackward"
    assert list(own.state_dict()) == ["weight", "bias"]
    for again in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        assert wengert.equal(again(x), own(x))
        with wengert.no_grad():
            again.weight.zero_()
        assert not wengert.equal(again(x), own(x))


def test_a_method():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)
            self.drop = nn.Dropout(1.0)

        @wengert.compile
        def forward(self, x):
            return self.drop(self.inner(x))

    net, other = Net(), Net()
    x = wengert.ones(1, 2)
    assert net(x).tolist() == [[0.0, 0.0]]
    assert wengert.equal(net.eval()(x), net.inner(x))
    assert wengert.equal(other.eval()(x), other.inner(x))


def test_arguments_of_pytorch():
    def f(x):
        return x * 2 if x.sum() > 0 else x - 1

    assert wengert.compile(f, disable=True) is f
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert wengert.compile(f, fullgraph=False, backend="eager")(wengert.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="needs the values"):
        wengert.compile(fullgraph=True, options={})(f)(wengert.ones(1))
    with pytest.raises(TypeError, match="expected a function, got int"):
        wengert.compile(3)


@pytest.mark.parametrize("dtype", [wengert.float32, wengert.float64])
def test_running_means_of_all_batches(dtype):
    """With ``momentum=None`` how far they move depends on a count that no trace knows."""
    plain = nn.BatchNorm1d(3, momentum=None, dtype=dtype)
    compiled = wengert.compile(copy.deepcopy(plain))
    for seed in range(4):
        x = wengert.randn(5, 3, generator=wengert.Generator().manual_seed(seed)).to(dtype)
        wengert.testing.assert_close(compiled(x), plain(x))
        wengert.testing.assert_close(dict(compiled._orig_mod.named_buffers()), dict(plain.named_buffers()))
    assert compiled.num_batches_tracked.item() == 4
