"""Smaller parts of `nn` and what stands around it: gradients of convolutions, wrappers, older names."""

from __future__ import annotations

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

BOTH = (wengert, torch)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1)])
def test_gradients_of_convolutions(axes, stride, padding, dilation, groups):
    rng = np.random.default_rng(axes)
    x, w = rng.standard_normal((2, 4, *[7] * axes)), rng.standard_normal((6, 4 // groups, *[3] * axes))
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    results = []
    for library in BOTH:
        tx, tw = library.tensor(x), library.tensor(w)
        y = getattr(library.nn.functional, f"conv{axes}d")(tx, tw, None, **settings)
        g = library.tensor(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))
        by_input = getattr(library.nn.grad, f"conv{axes}d_input")(x.shape, tw, g, **settings)
        by_weight = getattr(library.nn.grad, f"conv{axes}d_weight")(tx, w.shape, g, **settings)
        assert not by_input.requires_grad
        results.append((by_input.numpy(), by_weight.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_gradients_of_convolutions_are_differentiable():
    w = wengert.ones(1, 1, 2, requires_grad=True)
    with wengert.no_grad():
        assert wengert.nn.grad.conv1d_input((1, 1, 3), w, wengert.ones(1, 1, 2)).tolist() == [[[1, 2, 1]]]
    wengert.nn.grad.conv1d_input((1, 1, 3), w, wengert.ones(1, 1, 2)).sum().backward()
    assert w.grad.tolist() == [[[2, 2]]]


def test_modules_for_several_gpus_are_called_as_they_are():
    for library in BOTH:
        net = library.nn.DataParallel(library.nn.Linear(2, 1))
        library.nn.init.constant_(net.module.weight, 1.0)
        library.nn.init.zeros_(net.module.bias)
        assert net(library.ones(3, 2)).tolist() == [[2], [2], [2]]
        assert list(net.state_dict()) == ["module.weight", "module.bias"]
        assert net.device_ids == []
        state = net.state_dict()
        library.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        assert list(state) == ["weight", "bias"]
        library.nn.Linear(2, 1).load_state_dict(state)


def test_modules_without_initial_values():
    wengert.manual_seed(3)
    expected = wengert.rand(2)
    wengert.manual_seed(3)
    layer = wengert.nn.utils.skip_init(wengert.nn.Linear, 3, out_features=2)
    assert layer.weight.shape == (2, 3)
    assert layer.weight.requires_grad
    assert wengert.equal(wengert.rand(2), expected)
    for library in BOTH:
        for refused in (library.nn.ReLU, library.Tensor):
            with pytest.raises(RuntimeError, match="Module"):
                library.nn.utils.skip_init(refused)


def test_one_number_for_all_axes():
    for library in BOTH:
        utils = library.nn.modules.utils
        assert [f(2) for f in (utils._single, utils._pair, utils._triple, utils._quadruple)] == [
            (2,),
            (2, 2),
            (2, 2, 2),
            (2, 2, 2, 2),
        ]
        assert utils._pair([1, 2]) == (1, 2)


def test_older_names():
    for library in BOTH:
        assert issubclass(library.optim.lr_scheduler._LRScheduler, library.optim.lr_scheduler.LRScheduler)
        conv = library.nn.modules.conv
        assert isinstance(library.nn.Conv2d(1, 1, 1), conv._ConvNd)
        assert isinstance(library.nn.ConvTranspose2d(1, 1, 1), conv._ConvTransposeNd)
        assert isinstance(library.nn.InstanceNorm1d(1), library.nn.modules.batchnorm._NormBase)
        layer = library.nn.Linear(2, 1, bias=False)
        call = library.nn.utils.stateless.functional_call
        if library is wengert:
            assert call(layer, {"weight": library.ones(1, 2)}, library.ones(2)).tolist() == [2]


def test_handles_of_hooks():
    for library in BOTH:
        handle = library.nn.Linear(1, 1).register_forward_hook(lambda *_: None)
        assert isinstance(handle, library.utils.hooks.RemovableHandle)


def test_batch_normalisation_of_functions():
    for library in BOTH:
        net = library.nn.Sequential(library.nn.BatchNorm1d(2), library.nn.InstanceNorm1d(2, track_running_stats=True))
        assert library.func.replace_all_batch_norm_modules_(net) is net
        assert net[0].running_mean is None
        assert net[0].track_running_stats is False
        assert net[1].running_mean is not None
        x = library.tensor([[1.0, 2.0], [3.0, 4.0]])
        parameters = dict(net[0].named_parameters())
        y = library.func.functional_call(net[0].eval(), parameters, (x,))
        assert y.mean(0).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["get_swa_multi_avg_fn", "get_ema_multi_avg_fn"])
def test_averages_of_lists(kind):
    results = []
    for library in BOTH:
        model = library.nn.Linear(2, 1)
        average = library.optim.swa_utils.AveragedModel(model, multi_avg_fn=getattr(library.optim.swa_utils, kind)())
        for value in (1.0, 3.0, 8.0):
            library.nn.init.constant_(model.weight, value)
            average.update_parameters(model)
        results.append(average.module.weight.tolist())
    np.testing.assert_allclose(*results, rtol=1e-6)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n", "replicas"), [(10, 3), (3, 5), (8, 2), (1, 1)])
def test_parts_for_several_processes(n, replicas, shuffle, drop_last):
    told = []
    for library in BOTH:
        parts = []
        for rank in range(replicas):
            data = library.utils.data
            sampler = data.DistributedSampler(range(n), replicas, rank, shuffle, seed=4, drop_last=drop_last)
            first = list(sampler)
            sampler.set_epoch(1)
            parts.append((first, list(sampler), len(sampler)))
        told.append(parts)
    assert told[0] == told[1]


def test_a_part_needs_numbers():
    data = wengert.utils.data
    with pytest.raises(RuntimeError, match="num_replicas="):
        data.DistributedSampler(range(3))
    with pytest.raises(ValueError, match="Invalid rank"):
        data.DistributedSampler(range(3), 2, 2)


@pytest.mark.parametrize("layer", ["Conv2d(3, 4, 3)", "ConvTranspose2d(3, 4, 3)", "Conv1d(4, 4, 3, groups=2)"])
def test_channels_that_do_not_fit_are_named_as_pytorch_does(layer):
    said = []
    for lib in BOTH:
        module = eval(f"lib.nn.{layer}", {"lib": lib})
        with pytest.raises(RuntimeError) as caught:
            module(lib.ones(1, 2, *[5] * (module.weight.ndim - 2)))
        said.append(str(caught.value))
    assert said[0].startswith(said[1])
