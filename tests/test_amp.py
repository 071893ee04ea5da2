"""Mixed precision: casting is off and says so; scaling of gradients does what PyTorch's does."""

from __future__ import annotations

import pickle
import warnings

import pytest

import wengert

torch = pytest.importorskip("torch")


def test_casting_is_off_and_says_so():
    for device in ("cpu", "cuda"):
        with pytest.warns(UserWarning, match="Disabling autocast"):
            region = wengert.autocast(device, dtype=wengert.float16)
        with region:
            assert (wengert.ones(2, 2) @ wengert.ones(2, 2)).dtype is wengert.float32
            assert wengert.is_autocast_enabled(device) is False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function = wengert.amp.autocast("cpu", enabled=False)(lambda x: x + 1)
        assert float(function(wengert.tensor(1.0))) == 2


@pytest.mark.parametrize("arguments", [("cpux",), (3,)])
def test_what_autocast_refuses(arguments):
    with pytest.raises((RuntimeError, ValueError)) as theirs:
        torch.autocast(*arguments, enabled=False)
    with pytest.raises(theirs.type):
        wengert.autocast(*arguments, enabled=False)


def test_old_names_of_gpu_programs():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = wengert.cuda.amp.GradScaler()
    assert not scaler.is_enabled()
    with wengert.cuda.amp.autocast(enabled=False):
        pass


def test_a_scaler_for_a_gpu_lets_everything_pass():
    with pytest.warns(UserWarning, match="Disabling"):
        scaler = wengert.amp.GradScaler()
    w = wengert.tensor(1.0, requires_grad=True)
    optimizer = wengert.optim.SGD([w], lr=0.1)
    scaler.scale(w * 3).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert float(w) == pytest.approx(0.7)
    assert (scaler.get_scale(), scaler.state_dict()) == (1.0, {})


def _trained(library, factors):
    """A few steps whose losses are multiplied by ``factors``: parameters, scales and states on the way."""
    w = library.tensor([1.0, -2.0], requires_grad=True)
    other = library.tensor(0.5, requires_grad=True)
    optimizers = [library.optim.SGD([w], lr=0.01, momentum=0.9), library.optim.SGD([other], lr=0.01)]
    scaler = library.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
    told = []
    for step, factor in enumerate(factors):
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses = [(w**2).sum() * factor, other**2]
        scaled = scaler.scale(losses)
        assert type(scaled) is list
        for loss in scaled:
            loss.backward()
        if step % 2:
            scaler.unscale_(optimizers[0])
            told.append(w.grad.tolist())
        for optimizer in optimizers:
            assert scaler.step(optimizer) is None
        scaler.update()
        told.append((w.tolist(), other.tolist(), scaler.get_scale(), scaler.state_dict()))
    scaler.update(4.0)
    told.append(scaler.get_scale())
    return told


def test_scaled_training_is_that_of_pytorch():
    factors = [1.0, 2.0, float("inf"), 1.0, 1.0, float("nan"), 1.0, 1.0, 1.0, 1.0]
    assert str(_trained(wengert, factors)) == str(_trained(torch, factors))


def test_states_go_into_pytorch_and_back():
    scaler = wengert.amp.GradScaler("cpu", init_scale=32.0, growth_factor=3.0)
    theirs = torch.amp.GradScaler("cpu")
    theirs.load_state_dict(scaler.state_dict())
    assert theirs.state_dict() == scaler.state_dict()
    again = pickle.loads(pickle.dumps(scaler))
    again.load_state_dict(theirs.state_dict())
    assert again.state_dict() == scaler.state_dict()
    with pytest.raises(RuntimeError, match="empty"):
        scaler.load_state_dict({})


def _raised(library, misuse):
    w = library.tensor(1.0, requires_grad=True)
    optimizer = library.optim.SGD([w], lr=0.1)
    scaler = library.amp.GradScaler("cpu")
    with pytest.raises((RuntimeError, AssertionError, ValueError)) as caught:
        misuse(library, scaler, optimizer, w)
    return caught.type


def _step_twice(library, scaler, optimizer, w):
    scaler.scale(w * 1).backward()
    scaler.step(optimizer)
    scaler.step(optimizer)


def _unscale_twice(library, scaler, optimizer, w):
    scaler.scale(w * 1).backward()
    scaler.unscale_(optimizer)
    scaler.unscale_(optimizer)


def _unscale_late(library, scaler, optimizer, w):
    scaler.scale(w * 1).backward()
    scaler.step(optimizer)
    scaler.unscale_(optimizer)


def _update_without_step(library, scaler, optimizer, w):
    scaler.scale(w * 1).backward()
    scaler.update()


def _float16(library, scaler, optimizer, w):
    half = library.tensor(1.0, dtype=library.float16, requires_grad=True)
    scaler.scale(half * 1).backward()
    scaler.step(library.optim.SGD([half], lr=0.1))


MISUSES = {
    "step without scale": lambda library, scaler, optimizer, w: scaler.step(optimizer),
    "update without scale": lambda library, scaler, optimizer, w: scaler.update(),
    "closure": lambda library, scaler, optimizer, w: scaler.step(optimizer, closure=lambda: 1.0),
    "scale a number": lambda library, scaler, optimizer, w: scaler.scale(3.0),
    "growth": lambda library, scaler, optimizer, w: library.amp.GradScaler("cpu", growth_factor=1.0),
    "backoff": lambda library, scaler, optimizer, w: library.amp.GradScaler("cpu", backoff_factor=1.0),
    "step twice": _step_twice,
    "unscale twice": _unscale_twice,
    "unscale late": _unscale_late,
    "update without step": _update_without_step,
    "float16": _float16,
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_raises_what_pytorch_raises(name):
    assert _raised(wengert, MISUSES[name]) is _raised(torch, MISUSES[name])


def test_functions_of_ones_own_may_be_decorated():
    class Double(wengert.autograd.Function):
        @staticmethod
        @wengert.amp.custom_fwd(device_type="cuda", cast_inputs=wengert.float16)
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        @wengert.amp.custom_bwd(device_type="cuda")
        def backward(ctx, g):
            return 2 * g

    x = wengert.tensor(1.0, requires_grad=True)
    Double.apply(x).backward()
    assert float(x.grad) == 2
    with pytest.raises(ValueError, match="device_type"):
        wengert.amp.custom_fwd(lambda ctx: None, device_type=3)
