"""``nn.Module``: what it holds, finds, saves and loads, and its hooks, as in PyTorch."""

import copy
import pickle
import warnings

import pytest

import wengert
from both import attempt, both, warned


def net(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(2, 3)
            self.act = torch.nn.Tanh()
            self.last = torch.nn.Sequential(torch.nn.Linear(3, 1, bias=False))
            self.scale = torch.nn.Parameter(torch.ones(1))
            self.register_buffer("count", torch.tensor(0))
            self.register_buffer("scratch", torch.zeros(2), persistent=False)

        def forward(self, x):
            return self.last(self.act(self.first(x))) * self.scale

    made = Net()
    with torch.no_grad():
        for i, p in enumerate(made.parameters()):
            p.copy_(torch.arange(p.numel(), dtype=p.dtype).reshape(p.shape) / 10 + i)
    return made


@both
def test_text(torch):
    """
    Net(
      (first): Linear(in_features=2, out_features=3, bias=True)
      (act): Tanh()
      (last): Sequential(
        (0): Linear(in_features=3, out_features=1, bias=False)
      )
    )
    Module()
    ModuleList(
      (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)
      (2): Sequential(
        (a): ReLU()
        (b): ReLU(inplace=True)
      )
    )
    ModuleDict(
      (x): Flatten(start_dim=1, end_dim=-1)
    )
    ModuleList()
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.int64 of size 2x1]
        (2): Object of type: str
    )
    ParameterDict(  (a): Parameter containing: [torch.DoubleTensor of size 3])
    """
    print(net(torch))
    print(torch.nn.Module())
    nn = torch.nn
    from collections import OrderedDict

    inner = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.ReLU(inplace=True)))
    print(nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), inner]))
    print(nn.ModuleDict({"x": nn.Flatten()}))
    print(nn.ModuleList())
    counts = nn.Parameter(torch.tensor([[1], [2]]), requires_grad=False)
    print(nn.ParameterList([torch.ones(2), counts, "text"]))
    print(nn.ParameterDict({"a": torch.zeros(3, dtype=torch.float64)}))


@both
def test_names(torch):
    """
    ['scale', 'first.weight', 'first.bias', 'last.0.weight']
    ['count', 'scratch']
    ['', 'first', 'act', 'last', 'last.0']
    ['first', 'act', 'last']
    ['p.scale'] ['first.weight', 'first.bias']
    ['scale', 'count', 'first.weight', 'first.bias', 'last.0.weight']
    [('', {'version': 1}), ('first', {'version': 1}), ('act', {'version': 1}), ('last', {'version': 1}),
    ('last.0', {'version': 1})]
    4 5 3 2
    """
    model = net(torch)
    print([n for n, _ in model.named_parameters()])
    print([n for n, _ in model.named_buffers()])
    print([n for n, _ in model.named_modules()])
    print([n for n, _ in model.named_children()])
    print([n for n, _ in model.named_parameters("p", recurse=False)], [*model.first.state_dict(prefix="first.")])
    state = model.state_dict()
    print(list(state))
    print(list(state._metadata.items()))
    print(*[len(list(f())) for f in (model.parameters, model.modules, model.children, model.buffers)])


@both
def test_shared_members_are_found_once(torch):
    """
    ['0.weight', '0.bias'] ['0.weight', '0.bias', '1.weight', '1.bias']
    ['', '0'] ['', '0', '1'] 1
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """
    layer = torch.nn.Linear(1, 1)
    twice = torch.nn.Sequential(layer, layer)
    print([n for n, _ in twice.named_parameters()], [n for n, _ in twice.named_parameters(remove_duplicate=False)])
    print(
        [n for n, _ in twice.named_modules()],
        [n for n, _ in twice.named_modules(remove_duplicate=False)],
        len(list(twice.children())),
    )
    print(list(twice.state_dict()))


@both
def test_assignment_moves_names_between_tables(torch):
    """
    TypeError: cannot assign 'float' as parameter 'w' (torch.nn.Parameter or None expected)
    None [] ['w']
    TypeError: cannot assign 'int' as child module 'm' (torch.nn.Module or None expected)
    ['m'] []
    TypeError: cannot assign 'str' as buffer 'b' (torch.nn.Buffer, torch.Tensor or None expected)
    ['b'] True
    [] True
    AttributeError: 'Module' object has no attribute 'b'...
    """
    nn = torch.nn
    m = nn.Module()
    m.w = nn.Parameter(torch.ones(1))
    attempt(setattr, m, "w", 1.0)
    m.w = None
    print(m.w, list(m.parameters()), list(m._parameters))
    m.m = nn.ReLU()
    attempt(setattr, m, "m", 1)
    m.m = nn.Parameter(torch.ones(2))
    print([n for n, _ in m.named_parameters()], list(m.children()))
    m.register_buffer("b", torch.ones(1))
    attempt(setattr, m, "b", "text")
    m.b = torch.zeros(3)
    print(list(m.state_dict())[1:] if "m" in m.state_dict() else list(m.state_dict()), "b" in m._buffers)
    del m.b
    print(list(m.buffers()), not hasattr(m, "b"))
    attempt(getattr, m, "b")


@both
def test_registration_refuses(torch):
    """
    KeyError: 'parameter name can\\'t contain "."'
    KeyError: 'parameter name can\\'t be empty string ""'
    KeyError: "attribute 'forward' already exists"
    TypeError: cannot assign 'torch.FloatTensor' object to parameter 'x' (torch.nn.Parameter or None required)
    TypeError: cannot assign 'int' object to buffer 'x' (torch Tensor or None required)
    TypeError: int is not a Module subclass
    TypeError: parameter name should be a string. Got int
    AttributeError: cannot assign parameters before Module.__init__() call
    AttributeError: cannot assign module before Module.__init__() call
    TypeError: Module.__init__() got an unexpected keyword argument 'x'
    TypeError: Module.__init__() takes 1 positional argument but 3 were given
    NotImplementedError: Module [Module] is missing the required "forward" function
    """

    def attempt(f, *args, **kwargs):
        try:
            print(f(*args, **kwargs))
        except (KeyError, TypeError, AttributeError, NotImplementedError) as error:
            print(f"{type(error).__name__}: {error}")

    nn = torch.nn
    m = nn.Module()
    attempt(m.register_parameter, "a.b", None)
    attempt(m.register_parameter, "", None)
    attempt(m.register_parameter, "forward", None)
    attempt(m.register_parameter, "x", torch.ones(1))
    attempt(m.register_buffer, "x", 1)
    attempt(m.add_module, "x", 1)
    attempt(m.register_parameter, 1, None)
    bare = nn.Module.__new__(nn.Module)
    attempt(setattr, bare, "w", nn.Parameter(torch.ones(1)))
    attempt(setattr, bare, "m", m)
    attempt(nn.Module, x=1)
    attempt(nn.Module, 1, 2)
    attempt(m, torch.ones(1))


@both
def test_by_path(torch):
    """
    Linear(in_features=3, out_features=1, bias=False)
    torch.Size([3, 2]) tensor(0)
    AttributeError: Net has no attribute `nothing`
    AttributeError: `scale` is not an nn.Module
    AttributeError: `act` is not an nn.Parameter
    AttributeError: `scale` is not a buffer
    Linear(in_features=3, out_features=5, bias=True)
    """
    model = net(torch)
    print(model.get_submodule("last.0"))
    print(model.get_parameter("first.weight").shape, model.get_buffer("count"))
    attempt(model.get_submodule, "nothing.0")
    attempt(model.get_submodule, "scale")
    attempt(model.get_parameter, "act")
    attempt(model.get_buffer, "scale")
    model.set_submodule("last.0", torch.nn.Linear(3, 5))
    print(model.last[0])


@both
def test_conversions_keep_the_parameters(torch):
    """
    True True torch.float64 torch.float64 torch.int64
    torch.float32 torch.float32
    TypeError: nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64
    [False, False, False, False]
    False False False True
    """
    model = net(torch)
    weight = model.first.weight
    model(torch.ones(1, 2)).sum().backward()
    model.to(torch.float64)
    print(model.first.weight is weight, weight.is_leaf, weight.dtype, weight.grad.dtype, model.count.dtype)
    print(model.float().scale.dtype, weight.grad.dtype)
    attempt(model.to, torch.int64)
    model.requires_grad_(False)
    print([p.requires_grad for p in model.parameters()])
    model.eval()
    print(model.training, model.first.training, model.last[0].training, model.train().last[0].training)


@both
def test_zero_grad(torch):
    """
    tensor([0.]) True
    None
    """
    model = net(torch)
    model(torch.ones(1, 2)).sum().backward()
    g = model.scale.grad
    model.zero_grad(set_to_none=False)
    print(model.scale.grad, model.scale.grad is g)
    model.zero_grad()
    print(model.scale.grad)


@both
def test_state_dicts(torch):
    """
    <All keys matched successfully>
    tensor([[1.0000, 1.1000],
            [1.2000, 1.3000],
            [1.4000, 1.5000]])
    True False
    _IncompatibleKeys(missing_keys=['scale'], unexpected_keys=['more'])
    RuntimeError: Error(s) in loading state_dict for Net: Missing key(s) in state_dict: "scale".
        Unexpected key(s) in state_dict: "more".
    RuntimeError: Error(s) in loading state_dict for Net: size mismatch for first.weight:
        copying a param with shape torch.Size([2, 3]) from checkpoint,
        the shape in current model is torch.Size([3, 2]).
    TypeError: Expected state_dict to be dict-like, got <class 'list'>.
    """
    model, other = net(torch), net(torch)
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    state = model.state_dict()
    print(other.load_state_dict(state))
    print(other.first.weight.data)
    print(state["scale"].data_ptr() == model.scale.data_ptr(), state["scale"].requires_grad)
    changed = dict(state)
    changed["more"] = changed.pop("scale")
    print(other.load_state_dict(changed, strict=False))
    attempt(other.load_state_dict, changed)
    attempt(other.load_state_dict, {**state, "first.weight": torch.ones(2, 3)})
    attempt(other.load_state_dict, [])


def test_a_state_dict_that_does_not_fit_changes_nothing():
    model = net(wengert)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wrong = {k: v + 1 for k, v in before.items()}
    wrong["last.0.weight"] = wengert.ones(7)
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state_dict(wrong)
    del wrong["last.0.weight"]
    with pytest.raises(RuntimeError, match="Missing"):
        model.load_state_dict(wrong)
    assert all(wengert.equal(v, before[k]) for k, v in model.state_dict().items())


@both
def test_assign_and_extra_state(torch):
    """
    True True
    ['w', '_extra_state'] {'steps': 7}
    {'steps': 8}
    RuntimeError: Error(s) in loading state_dict for Extra: Missing key(s) in state_dict: "_extra_state".
    """
    layer = torch.nn.Linear(1, 1)
    new = torch.ones(1, 1, dtype=torch.float64)
    layer.load_state_dict({"weight": new, "bias": torch.nn.Parameter(torch.zeros(1))}, assign=True)
    print(layer.weight.dtype == torch.float64, layer.weight.data_ptr() == new.data_ptr())

    class Extra(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(1))
            self.extra = {"steps": 7}

        def get_extra_state(self):
            return self.extra

        def set_extra_state(self, state):
            self.extra = state

    m = Extra()
    state = m.state_dict()
    print(list(state), state["_extra_state"])
    state["_extra_state"] = {"steps": 8}
    m.load_state_dict(state)
    print(m.extra)
    del state["_extra_state"]
    attempt(m.load_state_dict, state)


@both
def test_state_dict_hooks(torch):
    """
    pre '' False
    post ['weight', 'bias']
    ['weight', 'bias', 'extra']
    load pre 2
    load post [] ['extra']
    _IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    """
    m = torch.nn.Linear(1, 1)
    m.register_state_dict_pre_hook(lambda module, prefix, keep: print("pre", repr(prefix), keep))

    def post(module, state, prefix, meta):
        print("post", list(state))
        state["extra"] = torch.ones(1)

    m.register_state_dict_post_hook(post)
    state = m.state_dict()
    print(list(state))
    m.register_load_state_dict_pre_hook(lambda module, state, *rest: print("load pre", len(state) - 1))

    def loaded(module, keys):
        print("load post", keys.missing_keys, keys.unexpected_keys)
        keys.unexpected_keys.clear()

    m.register_load_state_dict_post_hook(loaded)
    print(
        repr(m.load_state_dict(state)).replace(
            "<All keys matched successfully>", "_IncompatibleKeys(missing_keys=[], unexpected_keys=[])"
        )
    )


@both
def test_forward_hooks(torch):
    """
    first (1,)
    pre {'b': 2}
    forward 2 3
    post (2,) 6
    post kwargs {'b': 3} 7
    8
    forward 1 2
    2
    """

    class Product(torch.nn.Module):
        def forward(self, a, b=1):
            print("forward", a, b)
            return a * b

    def pre(module, args, kwargs):
        print("pre", kwargs)
        return args, {"b": 3}

    def first(module, args):
        print("first", args)
        return args[0] + 1

    def post(module, args, out):
        print("post", args, out)
        return out + 1

    def post_kwargs(module, args, kwargs, out):
        print("post kwargs", kwargs, out)
        return out + 1

    m = Product()
    handles = [
        m.register_forward_pre_hook(pre, with_kwargs=True),
        m.register_forward_hook(post_kwargs, with_kwargs=True),
        m.register_forward_hook(post, prepend=True),
        m.register_forward_pre_hook(first, prepend=True),
    ]
    print(m(1, b=2))
    for h in handles:
        h.remove()
    print(m(1, 2))


@both
def test_hooks_that_are_always_called(torch):
    """
    seen None
    ValueError: no
    """

    class Fails(torch.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    m = Fails()
    m.register_forward_hook(lambda m, args, out: print("seen", out), always_call=True)
    m.register_forward_hook(lambda m, args, out: print("not seen"))
    attempt(m, 1)


@both
def test_full_backward_hooks(torch):
    """
    pre (tensor([1., 1.]),)
    hook (tensor([4., 4.]), None, tensor([0., 0.])) (tensor([2., 2.]),)
    tensor([40., 40.])
    tensor([6., 8.])
    RuntimeError: Backward hook returned an invalid number of grad_input, got 1, but expected 3
    """

    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([2.0, 2.0]))

        def forward(self, x, factor, constant):
            return x * self.w * factor + constant

    m = Scale()

    def pre(module, grads):
        print("pre", grads)
        return (grads[0] * 2,)

    def hook(module, inputs, outputs):
        print("hook", inputs, outputs)
        return (inputs[0] * 10, None, None)

    first = m.register_full_backward_pre_hook(pre)
    second = m.register_full_backward_hook(hook)
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    m(x, 1, torch.ones(2)).sum().backward()
    print(x.grad)
    print(m.w.grad)
    second.remove()
    first.remove()
    m.register_full_backward_hook(lambda module, inputs, outputs: (inputs[0],))
    attempt(m(x, 1, torch.ones(2)).sum().backward)


@both
def test_full_backward_hooks_without_tracked_inputs(torch):
    """
    UserWarning: Full backward hook is firing when gradients are computed with respect to module outputs since no
        inputs require gradients...
    (None,) (tensor([1., 1.]),)
    tensor([3., 4.])
    RuntimeError: Backward hook for Modules where no input requires gradient
        should always return None or None for all gradients.
    """

    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([2.0, 2.0]))

        def forward(self, x):
            return x * self.w

    m = Scale()
    seen = []
    handle = m.register_full_backward_hook(lambda module, inputs, outputs: seen.append((inputs, outputs)))
    warned(m(torch.tensor([3.0, 4.0])).sum().backward)
    print(*seen[0])
    print(m.w.grad)
    handle.remove()
    m.register_full_backward_hook(lambda module, inputs, outputs: outputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attempt(m(torch.tensor([3.0, 4.0])).sum().backward)


@both
def test_backward_hooks_of_the_old_kind(torch):
    """
    MulBackward0 (tensor([2., 2.]), tensor([3., 4.])) (tensor([1., 1.]),)
    RuntimeError: Cannot use both regular backward hooks and full backward hooks on a single Module.
        Please use only one of them.
    """

    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([2.0, 2.0]))

        def forward(self, x):
            return x * self.w

    m = Scale()
    m.register_backward_hook(lambda module, inputs, outputs: print("MulBackward0", inputs, outputs))
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m(x).sum().backward()
    attempt(m.register_full_backward_hook, print)


@both
def test_hooks_of_every_module(torch):
    """
    before Sequential
    before ReLU
    after ReLU tensor([0., 1.])
    after Sequential tensor([0., 1.])
    registered w
    """
    module = torch.nn.modules.module
    net = torch.nn.Sequential(torch.nn.ReLU())
    handles = [
        module.register_module_forward_pre_hook(lambda m, args: print("before", type(m).__name__)),
        module.register_module_forward_hook(lambda m, args, out: print("after", type(m).__name__, out)),
        module.register_module_parameter_registration_hook(lambda m, name, p: print("registered", name)),
    ]
    net(torch.tensor([-1.0, 1.0]))
    net.w = torch.nn.Parameter(torch.ones(1))
    for h in handles:
        h.remove()


@both
def test_copies_and_pickles(torch):
    """
    True False True
    3.0 2.0
    """
    m = torch.nn.Linear(2, 1)
    with torch.no_grad():
        m.weight.fill_(2.0)
    twin, again = copy.deepcopy(m), pickle.loads(pickle.dumps(m))
    print(torch.equal(twin.weight, m.weight), twin.weight is m.weight, torch.equal(again.weight, m.weight))
    with torch.no_grad():
        m.weight.fill_(3.0)
    print(m.weight[0, 0].item(), twin.weight[0, 0].item())


@both
def test_sequential_as_a_list(torch):
    """
    4 ['0', '1', '2', '3']
    Sequential(
      (1): Tanh()
      (2): ReLU()
    )
    ReLU() IndexError
    ['Sigmoid', 'ReLU', 'Tanh', 'ReLU']
    ['Sigmoid', 'Tanh', 'ReLU', 'ReLU', 'Tanh'] ['0', '1', '2', '3', '4']
    4
    """
    nn = torch.nn
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ReLU())
    s.append(nn.Tanh())
    print(len(s), list(s._modules))
    print(s[1:3])
    try:
        s[9]
    except IndexError as error:
        print(s[0], type(error).__name__)
    s.pop(3)
    s.insert(0, nn.Sigmoid())
    print([type(m).__name__ for m in s])
    del s[1]
    s = s + nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
    print([type(m).__name__ for m in s], list(s._modules))
    print(len(nn.Sequential(nn.ReLU(), nn.Tanh()) * 2))


@both
def test_module_list_and_dict(torch):
    """
    2 Tanh() ['ReLU', 'Tanh']
    ['Sigmoid', 'ReLU', 'Tanh', 'ReLU'] 2
    TypeError: ModuleList.extend should be called with an iterable, but got int
    ['b', 'c'] True ReLU()
    TypeError: ModuleDict.update should be called with an iterable of key/value pairs, but got int
    ValueError: ModuleDict update sequence element #0 has length 1; 2 is required
    """
    nn = torch.nn
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    print(len(layers), layers[-1], [type(m).__name__ for m in layers])
    layers.insert(0, nn.Sigmoid())
    layers += [nn.ReLU()]
    print([type(m).__name__ for m in layers], len(layers[1:3]))
    attempt(layers.extend, 3)
    named = nn.ModuleDict({"a": nn.ReLU()})
    named.update([("b", nn.Tanh()), ("c", nn.ReLU())])
    first = named.pop("a")
    print(list(named), "b" in named, first)
    attempt(named.update, 3)
    attempt(named.update, [["x"]])


@both
def test_parameter_containers(torch):
    """
    2 Parameter torch.Size([3])
    ['0', '1', '2']
    ['a', 'b'] ['a', 'b']
    TypeError: ParameterList.extend should be called with an iterable, but got int
    True [tensor([1.]), None]
    """
    nn = torch.nn
    several = nn.ParameterList([torch.ones(2), torch.ones(3)])
    print(len(several), type(several[0]).__name__, several[-1].shape)
    several.append(nn.Parameter(torch.ones(1)))
    print([n for n, _ in several.named_parameters()])
    named = nn.ParameterDict({"a": torch.ones(1)})
    named["b"] = torch.zeros(2)
    print(list(named), [n for n, _ in named.named_parameters()])
    attempt(several.extend, 3)
    print("a" in named, [named.pop("a").data, named.get("a")])


@both
def test_buffers_by_class(torch):
    """
    ['kept'] ['kept', 'left_out'] True False
    """
    m = torch.nn.Module()
    m.kept = torch.nn.Buffer(torch.ones(1))
    m.left_out = torch.nn.Buffer(torch.ones(1), persistent=False)
    is_buffer = isinstance(m.kept, torch.nn.Buffer)
    print(
        list(m.state_dict()), [n for n, _ in m.named_buffers()], is_buffer, isinstance(torch.ones(1), torch.nn.Buffer)
    )


@both
def test_linear_and_bilinear(torch):
    """
    tensor([[1.5000]], grad_fn=<AddmmBackward0>)
    True True
    ValueError: in1_features must be > 0, but got ...
    Bilinear(in1_features=1, in2_features=2, out_features=3, bias=False)
    Identity()
    """
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.fill_(0.5)
        layer.bias.fill_(0.5)
    print(layer(torch.ones(1, 2)))
    wide = torch.nn.Linear(100, 50)
    print(bool((wide.weight.abs() <= 0.1).all()), bool((wide.bias.abs() <= 0.1).all()))
    attempt(torch.nn.Bilinear, 0, 1, 1)
    print(torch.nn.Bilinear(1, 2, 3, bias=False))
    print(torch.nn.Identity(3))


def test_the_argument_of_older_versions():
    def program():
        return warned(wengert.nn.MSELoss, size_average=False).reduction

    assert program() == "sum"


def test_modules_are_imported_when_they_are_used():
    import subprocess
    import sys

    program = """
import sys, wengert
print([n for n in sys.modules if n.startswith(("wengert.nn.modules", "wengert.optim", "wengert.nn.init"))])
wengert.nn.Linear, wengert.optim.SGD
print("wengert.nn.modules.linear" in sys.modules, "Linear" in vars(wengert.nn))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nTrue True\n"
