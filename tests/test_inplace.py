"""Writing in place: versions, saved values, leaves, dtypes, 0-d tensors, optimiser-style updates."""

from both import attempt, both, names


@both
def test_versions(torch):
    """
    0
    4
    5 5 5 0
    6 6 6 0
    6 6 1 tensor([3., 3.])
    0 0 6
    7 7
    """
    x = torch.ones(2)
    print(x._version)
    x.add_(1)
    x += 1
    x[0] = 5
    x.zero_()
    print(x._version)
    y = x.detach()
    v = x.view(1, 2)
    d = x.data
    x.add_(1)
    print(x._version, y._version, v._version, d._version)
    y.add_(1)
    print(x._version, y._version, v._version, d._version)
    d.add_(1)
    print(x._version, y._version, d._version, x)
    print(x.clone()._version, (x * 2)._version, x[0]._version)
    v[0, 0] = 3
    print(x._version, v[0]._version)


@both
def test_in_place_result_is_the_same_object(torch):
    """
    True MulBackward0 MulBackward0(MulBackward0(AccumulateGrad, None), None)
    True AddBackward0
    tensor([6., 6.]) tensor([ 7., 13.], grad_fn=<AddBackward0>)
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    before = y
    print(y.mul_(3) is before, y.grad_fn.name(), names(y.grad_fn))
    y += 1
    print(y is before, y.grad_fn.name())
    y.sum().backward()
    print(x.grad, y)


@both
def test_chain_of_writes(torch):
    """
    tensor([-0.5000, -0.5000]) NegBackward0
    """
    x = torch.tensor([0.5, 1.5], requires_grad=True)
    y = x.clone()
    y.add_(1).mul_(2).sub_(0.5).div_(4).neg_()
    y.sum().backward()
    print(x.grad, y.grad_fn.name())


@both
def test_writes_that_need_their_own_input(torch):
    """
    exp_ ['1.648721', '4.481689']
    sin_ ['0.877583', '0.070737']
    cos_ ['-0.479426', '-0.997495']
    tanh_ ['0.786448', '0.180707']
    sigmoid_ ['0.235004', '0.149146']
    sqrt_ ['0.707107', '0.408248']
    log_ ['2.000000', '0.666667']
    square_ ['1.000000', '3.000000']
    reciprocal_ ['-4.000000', '-0.444444']
    abs_ ['1.000000', '1.000000']
    relu_ ['1.000000', '1.000000']
    """
    x = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)
    for name in (
        "exp_",
        "sin_",
        "cos_",
        "tanh_",
        "sigmoid_",
        "sqrt_",
        "log_",
        "square_",
        "reciprocal_",
        "abs_",
        "relu_",
    ):
        y = x * 1
        getattr(y, name)()
        (g,) = torch.autograd.grad(y.sum(), x)
        print(name, [f"{v:.6f}" for v in g.tolist()])


@both
def test_pow_in_place(torch):
    """
    tensor([12., 27.])
    tensor([16., 33.])
    """
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    y = x * 1
    y.pow_(3)
    y.sum().backward()
    print(x.grad)
    z = x * 1
    z **= 2
    z.sum().backward()
    print(x.grad)


@both
def test_leaf_that_requires_grad(torch):
    """
    RuntimeError: a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    tensor([1., 2.], requires_grad=True) 0
    tensor([7., 9.], requires_grad=True) 3 True True
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def iadd():
        y = x
        y += 1

    def setitem():
        x[0] = 3.0

    attempt(x.add_, 1)
    attempt(iadd)
    attempt(setitem)
    attempt(x.zero_)
    attempt(x.view(2).add_, 1)
    attempt(lambda: x[0].mul_(2))
    attempt(lambda: x[0:1].fill_(2))
    print(x, x._version)
    with torch.no_grad():
        x += 1
        x[0] = 7.0
        x.view(2)[1] = 9.0
    print(x, x._version, x.requires_grad, x.is_leaf)


@both
def test_leaf_in_place_0d(torch):
    """
    RuntimeError: a leaf Variable that requires grad is being used in an in-place operation...
    tensor(3., requires_grad=True) 2 True
    tensor(2.8000, requires_grad=True) tensor(0.)
    tensor(1.8000, requires_grad=True)
    tensor(2.8000, requires_grad=True)
    """
    w = torch.tensor(2.0, requires_grad=True)
    attempt(w.sub_, 1)
    with torch.no_grad():
        w -= 0.5
        w.mul_(2)
    print(w, w._version, w.is_leaf)
    (w * 2).backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
    print(w, w.grad)
    w.data -= 1
    print(w)
    w.data = w.data + 1
    print(w)


@both
def test_0d_memory_is_shared(torch):
    """
    tensor(2.) tensor(2.) tensor([2.]) tensor(2.) tensor(2.)
    tensor(10.) tensor(10.) tensor(10.) tensor(10.)
    tensor(15.)
    3.0 tensor(3.)
    """
    a = torch.tensor(1.0)
    b = a.detach()
    c = a.view(1)
    d = a.data
    e = a[...]
    a += 1
    print(a, b, c, d, e)
    c[0] = 10
    print(a, b, d, e)
    n = a.numpy()
    n += 5
    print(a)
    a.fill_(3)
    print(n, b)


@both
def test_0d_writes_are_tracked(torch):
    """
    tensor(6.) tensor(10., grad_fn=<AddBackward0>) 2
    5.0100
    8.0100 tensor(9., grad_fn=<AddBackward0>) True
    """
    x = torch.tensor(3.0, requires_grad=True)
    y = x * 1
    y *= x
    y += 1
    y.backward()
    print(x.grad, y, y._version)
    y = x * 1
    y.sin_()
    y.backward()
    print(f"{x.grad.item():.4f}")
    s = torch.tensor(0.0)
    for i in range(3):
        s += x * i
    s.backward()
    print(f"{x.grad.item():.4f}", s, s.requires_grad)


@both
def test_untracked_tensor_becomes_tracked(torch):
    """
    True False AddBackward0
    tensor([3., 5.])
    True CopySlices
    tensor([13.,  2.])
    """
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    buffer = torch.zeros(2)
    buffer += w
    print(buffer.requires_grad, buffer.is_leaf, buffer.grad_fn.name())
    buffer.add_(w * w)
    buffer.sum().backward()
    print(w.grad)
    out = torch.zeros(2, 2)
    out[0] = w
    out[1, 1] = w[0] * 3
    print(out.requires_grad, out.grad_fn.name().removeprefix("torch::autograd::"))
    w.grad = None
    (out * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    print(w.grad)


@both
def test_saved_input_changed(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    None
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    y = x * w
    w += 1
    attempt(y.sum().backward)
    print(x.grad)
    a = x * 2
    b = a * a
    a += 1
    attempt(b.sum().backward)
    z = x.clone()
    s = z.sin()
    z.add_(1)
    attempt(s.sum().backward)


@both
def test_saved_result_changed(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for name in ("exp", "sigmoid", "tanh", "sqrt", "reciprocal", "relu"):
        y = getattr(x, name)()
        y.add_(1)
        attempt(y.sum().backward)
    y = x.softmax(0)
    y[0] = 0.0
    attempt(y.sum().backward)


@both
def test_writes_that_do_no_harm(torch):
    """
    tensor([5.5403, 4.5839])
    tensor([1., 1.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x + 1
    y.mul_(2)
    z = x * 3
    z.add_(1)
    s = x.sin()
    s.add_(1)
    (y + z + s).sum().backward()
    print(x.grad)
    w = torch.ones(2, requires_grad=True)
    p = x * w
    with torch.no_grad():
        x.grad.zero_()
    p.sum().backward()
    print(x.grad)


@both
def test_parameter_updated_between_forward_and_backward(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    tensor([1., 2.]) tensor([1., 2.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    y = (x * w).sum()
    with torch.no_grad():
        w.sub_(1)
    attempt(y.backward)
    y = (x * w).sum()
    w.data.sub_(1)
    y.backward()
    print(x.grad, w.grad)


@both
def test_write_to_detached_is_noticed_but_not_to_data(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    tensor([4., 6.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x * 1
    b = a * a
    a.detach().add_(1)
    attempt(b.sum().backward)
    a = x * 1
    b = a * a
    a.data.add_(1)
    b.sum().backward()
    print(x.grad)


@both
def test_result_does_not_fit(torch):
    """
    RuntimeError: output with shape [2] doesn't match the broadcast shape [3, 2]...
    RuntimeError: The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimensio...
    RuntimeError: result type Float can't be cast to the desired output type Long...
    RuntimeError: result type Float can't be cast to the desired output type Long...
    RuntimeError: result type Float can't be cast to the desired output type Long...
    RuntimeError: result type ComplexFloat can't be cast to the desired output type Float...
    RuntimeError: result type Long can't be cast to the desired output type Bool...
    tensor([1., 1.]) tensor([1, 2]) tensor([ True, False]) 0 0
    tensor([3, 4]) tensor([3., 4.])
    torch.float32
    """
    x = torch.ones(2)
    attempt(x.add_, torch.ones(3, 2))
    attempt(x.add_, torch.ones(3))
    i = torch.tensor([1, 2])
    attempt(i.add_, 1.5)
    attempt(i.div_, 2)
    attempt(i.mul_, torch.ones(2))
    attempt(x.add_, 1j)
    b = torch.tensor([True, False])
    attempt(b.add_, 1)
    print(x, i, b, x._version, i._version)
    i += 2
    x.mul_(torch.tensor([2, 3]))
    x.add_(torch.ones(2, dtype=torch.float64))
    print(i, x)
    h = torch.ones(1)
    h.add_(torch.ones(2)[0:1].double())
    print(h.dtype)


@both
def test_expanded_tensors_cannot_be_written(torch):
    """
    RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a sing...
    RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a sing...
    """
    x = torch.zeros(1, 2).expand(3, 2)
    attempt(x.add_, 1)
    y = torch.tensor([1.0]).expand(3)
    attempt(y.mul_, 2)


@both
def test_overlap(torch):
    """
    tensor([0., 1., 3., 5., 7.])
    tensor([3., 3., 3., 3.])
    tensor([[0., 3.],
            [3., 6.]])
    tensor([0., 1., 4.])
    """
    x = torch.arange(5.0)
    x[1:] += x[:-1].clone()
    print(x)
    y = torch.arange(4.0)
    y.add_(y.flip(0))
    print(y)
    m = torch.arange(4.0).reshape(2, 2)
    m.add_(m.t().clone())
    print(m)
    a = torch.arange(3.0)
    a.mul_(a)
    print(a)


@both
def test_no_grad_writes_do_not_touch_the_graph(torch):
    """
    AddBackward0 tensor([20., 30.], grad_fn=<AddBackward0>)
    tensor([1., 1.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x + 1
    with torch.no_grad():
        y.mul_(10)
    print(y.grad_fn.name(), y)
    y.sum().backward()
    print(x.grad)


@both
def test_hooks_and_retained_grad_after_a_write(torch):
    """
    after the write tensor([2., 2.])
    before the write tensor([10., 10.])
    tensor([2., 2.]) tensor([10., 10.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.register_hook(lambda g: print("before the write", g))
    y.retain_grad()
    y.mul_(5)
    y.register_hook(lambda g: print("after the write", g))
    (y * 2).sum().backward()
    print(y.grad, x.grad)


@both
def test_retain_grad_after_a_write_only(torch):
    """
    tensor([2., 2.]) tensor([70., 70.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.mul_(5)
    y.retain_grad()
    y.mul_(7)
    (y * 2).sum().backward()
    print(y.grad, x.grad)


@both
def test_grad_zero_and_accumulation(torch):
    """
    tensor([2., 4.]) tensor([2., 4.]) tensor([2., 4.]) tensor([0., 0.])
    tensor([8., 8.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
        print(x.grad, end=" ")
        x.grad.zero_()
    print(x.grad)
    x.grad.fill_(7)
    x.grad += 1
    print(x.grad)


@both
def test_training_loop(torch):
    """
    0.0078 ['0.884', '0.909'] 0.242
    """
    w = torch.tensor([0.0, 0.0], requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    data = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    target = torch.tensor([3.0, 2.0, 1.0])
    for _ in range(50):
        loss = ((data @ w + b - target) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad.zero_()
    print(f"{loss.item():.4f}", [f"{v:.3f}" for v in w.tolist()], f"{b.item():.3f}")


@both
def test_momentum_and_buffers(torch):
    """
    tensor([0.0620, 0.1240]) tensor([3.9800, 7.9600]) False
    """
    p = torch.tensor([1.0, 2.0], requires_grad=True)
    buffer = torch.zeros_like(p)
    for _ in range(3):
        (p * p).sum().backward()
        with torch.no_grad():
            buffer.mul_(0.9).add_(p.grad)
            p.add_(buffer, alpha=-0.1)
        p.grad = None
    print(p.detach(), buffer, buffer.requires_grad)


@both
def test_copy_and_fill(torch):
    """
    True torch::autograd::CopyBackwards
    tensor([1., 1.])
    True tensor([3., 3.], grad_fn=<FillBackward2>)
    tensor([1., 1.])
    tensor([1., 1.])
    True
    tensor([1., 1.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.zeros(2)
    y.copy_(x)
    print(y.requires_grad, y.grad_fn.name())
    y.sum().backward()
    print(x.grad)
    z = x * 2
    z.fill_(3.0)
    print(z.requires_grad, z)
    z.sum().backward()
    print(x.grad)
    z = x * 2
    z.zero_()
    z.sum().backward()
    print(x.grad)
    z = x * 2
    z.copy_(torch.ones(2))
    print(z.requires_grad)
    z.sum().backward()
    print(x.grad)


@both
def test_masked_fill_and_index_writes(torch):
    """
    tensor([0., 2., 2.])
    tensor([2., 0., 0.])
    tensor([0., 4., 0.])
    tensor([2., 3., 3.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y.masked_fill_(torch.tensor([True, False, False]), 0.0)
    y.sum().backward()
    print(x.grad)
    x.grad = None
    y = x * 2
    y[y > 3] = 0.0
    y.sum().backward()
    print(x.grad)
    x.grad = None
    y = x * 2
    y[[0, 2]] = x[[1, 1]]
    y.sum().backward()
    print(x.grad)
    x.grad = None
    y = x * 2
    y.index_add_(0, torch.tensor([0, 0]), x[1:])
    y.sum().backward()
    print(x.grad)


@both
def test_setitem_is_tracked(torch):
    """
    tensor([2., 4., 6.]) tensor([1., 4., 9.], grad_fn=<CopySlices>)
    tensor([5., 5., 5.], grad_fn=<FillBackward3>) True
    tensor([0., 0., 0.])
    tensor([3., 2., 0.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = torch.zeros(3)
    for i in range(3):
        y[i] = x[i] ** 2
    y.sum().backward()
    print(x.grad, y)
    x.grad = None
    z = x * 1
    z[...] = 5.0
    print(z, z.requires_grad)
    z.sum().backward()
    print(x.grad)
    z = x * 1
    z[1:] = z[:-1].clone() * 2
    z.sum().backward()
    print(x.grad)


@both
def test_augmented_assignment_of_items(torch):
    """
    tensor([11.,  2.,  6.], grad_fn=<CopySlices>)
    tensor([3., 4., 2.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    y[0] += 10
    y[1:] *= x[:2]
    print(y)
    y.sum().backward()
    print(x.grad)


@both
def test_write_with_itself(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    tensor([2., 2.])
    ['10.3891', '23.0855']
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.mul_(y)
    attempt(y.sum().backward)
    y = x * 1
    y += y
    y.sum().backward()
    print(x.grad)
    y = x + 1
    z = y.exp()
    y.add_(z)
    y.sum().backward()
    print([f"{v:.4f}" for v in x.grad.tolist()])
    y = x + 1
    z = y.sin()
    y.add_(z)
    attempt(y.sum().backward)


@both
def test_second_order_through_writes(torch):
    """
    tensor([ 3., 12.], dtype=torch.float64) tensor([ 6., 12.], dtype=torch.float64)
    ['1.253381', '-1.033117'] ['-1.274820', '-1.827473']
    """
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = x * x
    y.mul_(x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    print(g.detach(), h)
    y = x.sin()
    y.exp_()
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    print([f"{v:.6f}" for v in g.tolist()], [f"{v:.6f}" for v in h.tolist()])


@both
def test_out_argument(torch):
    """
    True tensor([2., 3.]) 1
    RuntimeError: ...functions with out=... arguments don't support automatic differentiation...
    RuntimeError: ...functions with out=... arguments don't support automatic differentiation...
    tensor([2., 3.])
    RuntimeError: result type Float can't be cast to the desired output type Long...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.tensor([1.0, 2.0])
    out = torch.zeros(2)
    result = torch.add(x, 1, out=out)
    print(result is out, out, out._version)
    w = torch.ones(2, requires_grad=True)
    attempt(lambda: torch.add(x, w, out=out))
    attempt(lambda: torch.mul(x, x, out=w))
    with torch.no_grad():
        torch.add(x, w, out=out)
    print(out)
    attempt(lambda: torch.add(x, 1, out=torch.zeros(2, dtype=torch.int64)))
    y = w * out
    torch.add(x, 1, out=out)
    attempt(y.sum().backward)


@both
def test_requires_grad_switched_off_for_updates(torch):
    """
    tensor([4., 6.]) 1
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.requires_grad_(False)
    x += 1
    x.requires_grad_(True)
    (x * x).sum().backward()
    print(x.grad, x._version)


@both
def test_copies_and_pickles(torch):
    """
    tensor([2., 3.], requires_grad=True) tensor([2., 4.]) tensor([1., 2.], requires_grad=True) True True
    tensor([1., 2.], requires_grad=True) None True
    RuntimeError: Only Tensors created explicitly by the user (graph leaves) support the deepcopy protoc...
    tensor(1., requires_grad=True) tensor(2., requires_grad=True)
    True
    tensor([0., 1., 1., 0.]) tensor([0., 0., 0., 0.])
    tensor([1., 1., 1., 1.])
    """
    import copy
    import pickle

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    c = copy.deepcopy(x)
    c.data.add_(1)
    print(c, c.grad, x, c.requires_grad, c.is_leaf)
    p = pickle.loads(pickle.dumps(x))
    print(p, p.grad, p.requires_grad)
    attempt(copy.deepcopy, x * 2)
    s = torch.tensor(1.0, requires_grad=True)
    t = copy.deepcopy(s)
    with torch.no_grad():
        t += 1
    print(s, t)
    shared = [s, s]
    a, b = copy.deepcopy(shared)
    print(a is b)
    v = torch.zeros(4)
    w = v[1:3]
    v2, w2 = copy.deepcopy((v, w))
    w2 += 1
    print(v2, v)
    shallow = copy.copy(v)
    shallow += 1
    print(v)
