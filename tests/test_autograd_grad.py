"""``autograd.grad``: every option, any order, inputs of every kind."""

import warnings

import wengert
from both import attempt, both
from wengert.engine.sweep import needed_nodes


@both
def test_returns_a_tuple_and_touches_no_grad(torch):
    """
    (tensor(3.), tensor(2.))
    (tensor(3.),) (tensor(3.),)
    None None
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    print(torch.autograd.grad(x * w, [x, w]))
    print(torch.autograd.grad(x * w, (x,)), torch.autograd.grad(x * w, x))
    print(x.grad, w.grad)


@both
def test_wrt_results(torch):
    """
    (tensor(8.), tensor(32.))
    (tensor(1.),)
    (tensor(1.), tensor(8.), tensor(32.), tensor(8.))
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    z = y * y
    print(torch.autograd.grad(z, [y, x], retain_graph=True))
    print(torch.autograd.grad(z, z, retain_graph=True))
    print(torch.autograd.grad(z, [z, y, x, y]))


@both
def test_output_is_the_leaf(torch):
    """
    (tensor(1.),)
    (tensor([1., 2.]),)
    RuntimeError: grad can be implicitly created only for scalar outputs...
    """
    x = torch.tensor(2.0, requires_grad=True)
    print(torch.autograd.grad(x, x))
    v = torch.ones(2, requires_grad=True)
    print(torch.autograd.grad(v, v, torch.tensor([1.0, 2.0])))
    attempt(torch.autograd.grad, v, v)


@both
def test_duplicates(torch):
    """
    (tensor(4.), tensor(4.))
    (tensor([2., 2.]), tensor([2., 2.]))
    """
    x = torch.tensor(2.0, requires_grad=True)
    print(torch.autograd.grad(x * x, [x, x]))
    v = torch.ones(2, requires_grad=True)
    print(torch.autograd.grad((v * 2).sum(), [v, v]))


@both
def test_unused_inputs(torch):
    """
    RuntimeError: The differentiated Tensor at index 1 appears to not have been used in the graph. Set a...
    (tensor(4.), None)
    (tensor(4.), tensor([0., 0.]))
    (tensor(4.), tensor([0., 0.]))
    ValueError: Expected allow_unused to be True or not passed when materialize_grads=True, but got: all...
    RuntimeError: One of the differentiated Tensors does not require grad...
    RuntimeError: One of the differentiated Tensors does not require grad...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    RuntimeError: `inputs` argument to `grad()` cannot be empty...
    RuntimeError: The differentiated Tensor at index 0 appears to not have been used in the graph. Set a...
    """
    x = torch.tensor(2.0, requires_grad=True)
    other = torch.ones(2, requires_grad=True)
    grad = torch.autograd.grad
    attempt(grad, x * x, [x, other])
    print(grad(x * x, [x, other], allow_unused=True))
    print(grad(x * x, [x, other], materialize_grads=True))
    print(grad(x * x, [x, other], allow_unused=True, materialize_grads=True))
    attempt(grad, x * x, [x, other], allow_unused=False, materialize_grads=True)
    attempt(grad, x * x, [x, torch.ones(2)])
    attempt(grad, x * x, [x, torch.ones(2)], allow_unused=True)
    attempt(grad, torch.tensor(1.0), [x])
    attempt(grad, x * x, [])
    attempt(grad, [], [x])


@both
def test_wrong_arguments(torch):
    """
    RuntimeError: grad can be implicitly created only for scalar outputs...
    RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a s...
    RuntimeError: got 2 tensors and 1 gradients...
    TypeError: gradients can be either Tensors or None, but got float...
    RuntimeError: all inputs have to be Tensors or GradientEdges, but got float...
    TypeError: 'float' object is not iterable...
    """
    x = torch.tensor(2.0, requires_grad=True)
    grad = torch.autograd.grad
    attempt(grad, x * torch.ones(2), x)
    attempt(grad, x * torch.ones(2), x, torch.ones(3))
    attempt(grad, [x * 2, x * 3], x, [torch.tensor(1.0)])
    attempt(grad, x * 2, x, [1.0])
    attempt(grad, x * 2, [1.0])
    attempt(grad, x * 2, 1.0)


@both
def test_grad_outputs(torch):
    """
    (tensor([ 2., 40.]),)
    (tensor([ 3., 41.]),)
    (tensor([ 7., 45.]),)
    (tensor([2., 4.]),) (tensor([2., 2.]),)
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.tensor([1.0, 10.0])
    print(torch.autograd.grad(x * x, x, v))
    print(torch.autograd.grad([x * x, x.sum()], x, [v, None]))
    print(torch.autograd.grad([x * x, x.sum()], [x], grad_outputs=(v, torch.tensor(5.0))))
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    (g,) = torch.autograd.grad(x * x, x, w, create_graph=True)
    print(torch.autograd.grad(g.sum(), w, retain_graph=True), torch.autograd.grad(g.sum(), x))


@both
def test_is_grads_batched(torch):
    """
    tensor([[2., 0., 0.],
            [0., 4., 0.],
            [0., 0., 6.]])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x**2
    print(torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True)[0])


@both
def test_any_order(torch):
    """
    tensor(80.) True
    tensor(160.) True
    tensor(240.) True
    tensor(240.) True
    tensor(120.) True
    tensor(120.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x**5
    for _ in range(5):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        print(y.detach(), y.requires_grad)
    (y,) = torch.autograd.grad(y * x, x, create_graph=True)
    print(y.detach())


@both
def test_third_order_through_several_operations(torch):
    """
    tensor([1.2840, 0.2034], dtype=torch.float64)
    tensor([-0.7511, -1.0268], dtype=torch.float64)
    tensor([-3.3101, -0.0879], dtype=torch.float64)
    """
    x = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)
    y = (x.sin() * x.exp() / (1 + x**2)).sum()
    for _ in range(3):
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        y = g.sum()
        print(g.detach())


@both
def test_backward_twice_through_create_graph(torch):
    """
    tensor(18.)
    tensor(23328.)
    """
    x = torch.tensor(3.0, requires_grad=True)
    y = x**3
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    g.backward()
    print(x.grad)
    x.grad = None
    penalty = torch.autograd.grad((x**3) * x, x, create_graph=True)[0] ** 2
    penalty.backward()
    print(x.grad)


@both
def test_second_order_of_a_linear_function_does_not_depend_on_the_input(torch):
    """
    tensor(3.) False
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    """
    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(x * 3, x, create_graph=True)
    print(g, g.requires_grad)
    attempt(torch.autograd.grad, g, x)


@both
def test_create_graph_keeps_the_graph(torch):
    """
    tensor(12.) tensor(12.)
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3
    (a,) = torch.autograd.grad(y, x, create_graph=True)
    (b,) = torch.autograd.grad(y, x)
    print(a.detach(), b)
    attempt(torch.autograd.grad, y, x)
    y = x**3
    torch.autograd.grad(y, x, create_graph=True, retain_graph=False)
    attempt(torch.autograd.grad, y, x)


@both
def test_only_inputs_is_accepted(torch):
    """
    (tensor(4.),)
    """
    x = torch.tensor(2.0, requires_grad=True)
    print(torch.autograd.grad(x * x, x, only_inputs=True))


@both
def test_gradient_with_respect_to_a_view(torch):
    """
    (tensor([4., 6.]), tensor([[0., 0.],
            [4., 6.]]), tensor([0., 0., 4., 6.]))
    (tensor([2., 3.]), tensor([0., 1.]))
    (tensor([0., 1.]),)
    RuntimeError: The differentiated Tensor at index 0 appears to not have been used in the graph. Set a...
    (None, tensor([0., 2.]))
    """
    x = torch.arange(4.0, requires_grad=True)
    v = x.view(2, 2)
    row = v[1]
    print(torch.autograd.grad((row * row).sum(), [row, v, x]))
    a, b = x.split(2)
    print(torch.autograd.grad((a * b).sum(), [a, b], retain_graph=True))
    print(torch.autograd.grad((a * b).sum(), b))
    attempt(torch.autograd.grad, (a * a).sum(), b)
    print(torch.autograd.grad((a * a).sum(), [b, a], allow_unused=True))


@both
def test_only_what_is_needed_runs(torch):
    """
    ['a']
    """
    calls = []
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    a, b = x * 2, w * 2
    a.register_hook(lambda g: calls.append("a"))
    b.register_hook(lambda g: calls.append("b"))
    torch.autograd.grad(a * b, x)
    print(calls)


@both
def test_mixed_order_over_two_variables(torch):
    """
    10.7905 10.7905
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    f = (x * w).sin() * w
    fx, fw = torch.autograd.grad(f, [x, w], create_graph=True)
    fxw = torch.autograd.grad(fx, w, retain_graph=True)[0]
    fwx = torch.autograd.grad(fw, x)[0]
    print(f"{fxw.item():.4f} {fwx.item():.4f}")


@both
def test_inputs_by_name(torch):
    """
    {'x': tensor(3.), 'w': tensor(2.)}
    {'x': tensor(3.), 'unused': None}
    tensor(3.) None
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    unused = torch.ones(1, requires_grad=True)
    print(torch.autograd.grad(x * w, {"x": x, "w": w}))
    print(torch.autograd.grad(x * w, {"x": x, "unused": unused}, allow_unused=True))
    torch.autograd.backward(x * w, inputs={"x": x})
    print(x.grad, w.grad)


def test_results_of_grad_are_nobody_elses() -> None:
    """PyTorch gives aliases of one another and of the given cotangent here."""
    x = wengert.ones(2, requires_grad=True)
    v = wengert.ones(2)
    (g,) = wengert.autograd.grad(x + 0, x, v)
    g += 1
    assert v.tolist() == [1, 1]
    a, b = wengert.autograd.grad((x * 2).sum(), [x, x])
    a += 1
    assert b.tolist() == [2, 2]


def test_a_gradient_is_the_callers_own_and_lies_as_it_was_computed() -> None:
    x = wengert.ones(3, 4, requires_grad=True)
    given = wengert.arange(12.0).reshape(4, 3)
    (g,) = wengert.autograd.grad(x.t().contiguous(), x, given)
    assert g.stride() == (1, 3)  # as in PyTorch
    assert g.tolist() == given.t().tolist()
    g.zero_()
    assert given.sum() == 66


class _Old:
    """A node from before the target, whose history nobody may look at."""

    seq = -1

    @property
    def next(self):
        raise AssertionError("looked at what is older than what the gradient is asked by")


class _Young:
    def __init__(self, seq, *following):
        self.seq, self.next = seq, following


def test_the_history_of_what_a_gradient_is_asked_by_is_not_walked():
    target = _Young(-3, _Old())
    beside = _Young(-4, _Old(), target)
    root = _Young(-5, beside, None, _Old())
    assert needed_nodes([root], [target]) == {root, beside, target}


@both
def test_a_gradient_with_a_graph_is_nobody_elses_memory(torch):
    """
    False [1.0, 1.0, 1.0] [1.0, 1.0, 1.0]
    [1.0, 1.0, 1.0]
    False True
    tensor(12., grad_fn=<CopyBackwards>)
    """
    warnings.simplefilter("ignore")  # PyTorch says once that there will be a cycle of references
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    given = torch.ones(3)
    (a + b).backward(given, create_graph=True)
    with torch.no_grad():
        a.grad.mul_(3)
    print(a.grad is b.grad, b.grad.tolist(), given.tolist())
    seen = []
    y = a * b
    y.register_hook(seen.append)
    a.grad = b.grad = None
    y.sum().backward(create_graph=True)
    with torch.no_grad():
        a.grad.zero_()
    print(b.tolist())
    x, weights = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    x.backward(weights, create_graph=True)
    print(x.grad is weights, x.grad.requires_grad)
    t = torch.tensor(2.0, requires_grad=True)
    (t**3).backward(create_graph=True)
    print(t.grad)
