"""Optimizers: groups, settings, state dicts, hooks, versions, as in PyTorch."""

import copy
import pickle

import pytest

import wengert
from both import attempt, both, warned


def test_groups_are_apart_in_the_text():
    a, b = wengert.ones(1, requires_grad=True), wengert.ones(1, requires_grad=True)
    lines = repr(wengert.optim.SGD([{"params": a}, {"params": b}], lr=0.5)).split("\n")
    assert lines[lines.index("Parameter Group 1") - 1] == ""


@both
def test_groups_and_text(torch):
    """
    SGD (
    Parameter Group 0
        dampening: 0
        differentiable: False
        foreach: None
        fused: None
        lr: 0.5
        maximize: False
        momentum: 0
        nesterov: False
        weight_decay: 0
    <BLANKLINE>
    Parameter Group 1
        dampening: 0
        differentiable: False
        foreach: None
        fused: None
        lr: 0.1
        maximize: False
        momentum: 0.9
        nesterov: False
        weight_decay: 0
    )
    [0] [1, 2]
    """
    a, b, c = (torch.nn.Parameter(torch.ones(1)) for _ in range(3))
    o = torch.optim.SGD([{"params": a, "lr": 0.5}, {"params": [b, c], "momentum": 0.9}], lr=0.1)
    print(str(o).replace("\n\nParameter", "\n<BLANKLINE>\nParameter"))
    print(*[g["params"] for g in o.state_dict()["param_groups"]])


@both
def test_what_is_refused(torch):
    """
    TypeError: params argument given to the optimizer should be an iterable of Tensors or dicts,
        but got torch.FloatTensor
    ValueError: optimizer got an empty parameter list
    TypeError: optimizer can only optimize Tensors, but one of the params is int
    ValueError: can't optimize a non-leaf Tensor
    TypeError: optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets
        will change between runs. Please use a list instead.
    ValueError: some parameters appear in more than one parameter group
    TypeError: param_group must be a dict, but got <class 'list'>
    ValueError: Invalid learning rate: -1
    ValueError: Invalid momentum value: -1
    ValueError: Nesterov momentum requires a momentum and zero dampening
    ValueError: Invalid beta parameter at index 1: 1.0
    ValueError: Invalid epsilon value: -1
    """
    w = torch.nn.Parameter(torch.ones(1))
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    attempt(sgd, w)
    attempt(sgd, [])
    attempt(sgd, [1])
    attempt(sgd, [w * 2])
    attempt(sgd, [{"params": {w}}])
    attempt(sgd([w]).add_param_group, {"params": w})
    attempt(sgd([w]).add_param_group, [w])
    attempt(sgd, [w], lr=-1)
    attempt(sgd, [w], momentum=-1)
    attempt(sgd, [w], nesterov=True)
    attempt(adam, [w], betas=(0.9, 1.0))
    attempt(adam, [w], eps=-1)


@both
def test_names_of_parameters(torch):
    """
    ['weight', 'bias'] [0, 1]
    ValueError: all optimizer params should be with/without names. Some param names are missing
    """
    layer = torch.nn.Linear(1, 1)
    o = torch.optim.SGD(layer.named_parameters())
    group = o.state_dict()["param_groups"][0]
    print(group["param_names"], group["params"])
    attempt(torch.optim.SGD, [("w", layer.weight), layer.bias])


@both
def test_only_parameters_with_gradients_move(torch):
    """
    tensor([0.9000]) tensor([1.])
    [0]
    """
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([a, b], lr=0.1, momentum=0.5)
    a.sum().backward()
    o.step()
    print(a.data, b.data)
    print(list(o.state_dict()["state"]))


@both
def test_closures(torch):
    """
    tensor(1., grad_fn=<PowBackward0>) tensor(0.8000, requires_grad=True)
    True
    """
    w = torch.tensor(1.0, requires_grad=True)
    o = torch.optim.SGD([w], lr=0.1)

    def closure():
        o.zero_grad()
        loss = w**2
        loss.backward()
        return loss

    with torch.no_grad():
        print(o.step(closure), w)
    print(w.is_leaf)


@both
def test_steps_count_as_writes(torch):
    """
    1 2
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation...
    """
    w = torch.nn.Parameter(torch.ones(2))
    o = torch.optim.Adam([w])
    y = (w * w).sum()
    w.grad = torch.ones(2)
    o.step()
    print(w._version, end=" ")
    o.step()
    print(w._version)
    try:
        y.backward()
    except RuntimeError as error:
        print("RuntimeError:", str(error).split(":")[0] if "wengert" not in torch.__name__ else error)


def test_a_step_is_named_as_the_writer():
    w = wengert.nn.Parameter(wengert.ones(2))
    optimizer = wengert.optim.SGD([w])
    loss = (w * w).sum()
    w.grad = wengert.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"`w`, which was changed in place at test_optim.py:\d+"):
        loss.backward()


@both
def test_hooks(torch):
    """
    every
    before 1
    after
    1
    saved
    loaded
    """
    from importlib import import_module

    w = torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([w])
    module = import_module(torch.optim.Optimizer.__module__)
    handle = module.register_optimizer_step_pre_hook(lambda o, args, kwargs: print("every"))
    o.register_step_pre_hook(lambda o, args, kwargs: print("before", len(args)))
    o.register_step_post_hook(lambda o, args, kwargs: print("after"))
    o.step()
    handle.remove()
    print(len(o.param_groups))
    o.register_state_dict_post_hook(lambda o, state: print("saved"))
    o.register_load_state_dict_post_hook(lambda o: print("loaded"))
    o.load_state_dict(o.state_dict())


@both
def test_state_dicts_that_do_not_fit(torch):
    """
    ValueError: loaded state dict has a different number of parameter groups
    ValueError: loaded state dict contains a parameter group that doesn't match the size of optimizer's group
    torch.float64 torch.float32
    """
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    one = torch.optim.Adam([a])
    attempt(one.load_state_dict, torch.optim.Adam([{"params": a}, {"params": b}]).state_dict())
    attempt(one.load_state_dict, torch.optim.Adam([a, b]).state_dict())
    a.grad = torch.ones(1)
    one.step()
    other = torch.optim.Adam([b])
    other.load_state_dict(one.state_dict())
    print(other.state[b]["exp_avg"].dtype, other.state[b]["step"].dtype)


@both
def test_a_parameter_twice_in_a_group_is_warned_of(torch):
    """
    UserWarning: optimizer contains a parameter group with duplicate parameters; in future, this will cause an error...
    """
    w = torch.nn.Parameter(torch.ones(1))
    warned(torch.optim.SGD, [w, w])


@both
def test_copies_and_pickles(torch):
    """
    0.1 0.2
    tensor([0.9000])
    """
    w = torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([w], lr=0.1)
    twin = copy.deepcopy(o)
    o.param_groups[0]["lr"] = 0.2
    print(twin.param_groups[0]["lr"], pickle.loads(pickle.dumps(o)).param_groups[0]["lr"])
    p = twin.param_groups[0]["params"][0]
    p.grad = torch.ones(1)
    twin.step()
    print(p.data)


def test_what_is_not_there_says_so():
    w = wengert.nn.Parameter(wengert.ones(1))
    with pytest.raises(NotImplementedError, match="differentiable"):
        wengert.optim.SGD([w], differentiable=True)
