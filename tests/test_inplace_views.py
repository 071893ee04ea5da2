"""Writes through views and to their bases."""

from both import attempt, both, names


def short(t):
    return t.grad_fn.name().removeprefix("torch::autograd::") if t.grad_fn is not None else None


@both
def test_write_to_a_view_changes_the_base(torch):
    """
    tensor([ 1., 20., 30.], grad_fn=<CopySlices>) CopySlices AsStridedBackward0
    tensor([ 1., 10., 10.])
    tensor([ 0., 10., 10.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = x * 1
    view = base[1:]
    view.mul_(10)
    print(base, short(base), short(view))
    base.sum().backward()
    print(x.grad)
    x.grad = None
    base = x * 1
    view = base[1:]
    view.mul_(10)
    view.sum().backward()
    print(x.grad)


@both
def test_write_to_the_base_changes_the_view(torch):
    """
    tensor([20., 30.], grad_fn=<AsStridedBackward0>) AsStridedBackward0 True
    tensor([ 0., 10., 10.])
    True
    True True False
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = x * 1
    view = base[1:]
    base.mul_(10)
    print(view, short(view), view.requires_grad)
    view.sum().backward()
    print(x.grad)
    attempt(lambda: base._base is None)
    print(view._base is base, view._is_view(), base._is_view())


@both
def test_untracked_base_becomes_tracked(torch):
    """
    False False
    True True True CopySlices AsStridedBackward0
    tensor([0., 1.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    base = torch.zeros(3)
    a, b = base[:2], base[1:]
    print(base.requires_grad, a.requires_grad)
    a.add_(x)
    print(base.requires_grad, a.requires_grad, b.requires_grad, short(base), short(b))
    b.sum().backward()
    print(x.grad)


@both
def test_views_of_views(torch):
    """
    tensor([ 0., 10.,  2.,  3., 40.,  5.], grad_fn=<CopySlices>) tensor([[ 0., 10.,  2.],
            [ 3., 40.,  5.]], grad_fn=<AsStridedBackward0>) tensor([[ 0.,  3.],
            [10., 40.],
            [ 2.,  5.]], grad_fn=<AsStridedBackward0>)
    tensor([ 0., 10.,  2.,  3., 40.,  5.])
    ['2.000', '0.000', '0.000', '40.171', '0.000', '0.000']
    """
    x = torch.arange(6.0, requires_grad=True)
    base = x * 1
    m = base.view(2, 3)
    t = m.t()
    row = t[1]
    row.mul_(10)
    print(base, m, t)
    (m * torch.arange(6.0).view(2, 3)).sum().backward()
    print(x.grad)
    x.grad = None
    base = x * 1
    m = base.view(2, 3)
    t = m.t()
    base.exp_()
    (t[0] * 2).sum().backward()
    print([f"{v:.3f}" for v in x.grad.tolist()])


@both
def test_overlapping_views(torch):
    """
        tensor([3., 7., 7., 3.], grad_fn=<CopySlices>) tensor([3., 7., 7.], grad_fn=<AsStridedBackward0>) tensor([7.,
    7., 3.], grad_fn=<AsStridedBackward0>)
    tensor([2., 6., 6., 3.])
    """
    x = torch.ones(4, requires_grad=True)
    base = x * 1
    a, b = base[:3], base[1:]
    a.mul_(2)
    b.mul_(3)
    a.add_(1)
    print(base, a, b)
    base.sum().backward()
    print(x.grad)


@both
def test_write_between_uses(torch):
    """
    tensor([7., 4., 1.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = x * 1
    early = base[0] * 5
    view = base[:2]
    view.mul_(x[:2])
    late = base.sum()
    (early + late).backward()
    print(x.grad)


@both
def test_write_of_a_saved_base(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    1 1
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = x * 1
    y = base * base
    base[0] = 5.0
    attempt(y.sum().backward)
    base = x * 1
    view = base[1:]
    y = view.exp()
    z = view * view
    base.add_(1)
    y.sum().backward()
    attempt(z.sum().backward)
    print(view._version, base._version)


@both
def test_several_views_of_one_operation(torch):
    """
    RuntimeError: Output 0 of Unbind is a view and is being modified inplace. This view is the output of...
    RuntimeError: Output 0 of Split is a view and is being modified inplace. This view is the output of ...
    RuntimeError: Output 0 of Split is a view and is being modified inplace. This view is the output of ...
    tensor([2., 2.], grad_fn=<AsStridedBackward0>)
    tensor([4., 2., 1., 1.], grad_fn=<CopySlices>)
    tensor([5., 1., 2., 2.])
    """
    x = torch.ones(4, requires_grad=True)
    base = x * 1
    for name, arguments in (("unbind", ()), ("split", (2,)), ("chunk", (2,)), ("tensor_split", (2,))):
        first = getattr(base, name)(*arguments)[0]
        attempt(first.mul_, 2)
    with torch.no_grad():
        base.unbind()[0].mul_(2)
    print(base)
    plain = torch.ones(4)
    plain.unbind()[0].mul_(5)
    plain.split(2)[1].add_(1)
    print(plain)


@both
def test_base_of_several_views_is_written(torch):
    """
    RuntimeError: Output 0 of Unbind is a view and its base or another view of its base has been modifie...
    RuntimeError: Output 0 of Unbind is a view and its base or another view of its base has been modifie...
    """
    x = torch.ones(2, requires_grad=True)
    base = x * 1
    a = base.unbind()[0]
    base.mul_(3)
    attempt(lambda: a.grad_fn.name())
    attempt(lambda: (a * 2).backward())


@both
def test_split_of_untracked_tensor_that_is_written_with_tracked_values(torch):
    """
    RuntimeError: ...
    """
    x = torch.tensor(2.0, requires_grad=True)
    base = torch.zeros(2)
    a = base.unbind()[0]
    attempt(a.add_, x)  # PyTorch says that the view was made under no_grad, which is not so


@both
def test_views_of_a_leaf(torch):
    """
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    tensor([1., 2., 2.], requires_grad=True) tensor([2., 2.], grad_fn=<AsStridedBackward0>) True AsStridedBackward0
    tensor([0., 1., 1.])
    """
    x = torch.ones(3, requires_grad=True)
    v = x[1:]
    attempt(v.mul_, 2)
    attempt(x.view(3, 1)[0].mul_, 2)
    with torch.no_grad():
        v.mul_(2)
    print(x, v, v.requires_grad, short(v))
    v.sum().backward()
    print(x.grad)


@both
def test_view_made_before_requires_grad(torch):
    """
    True True
    True
    """
    x = torch.ones(3)
    v = x[1:]
    x.requires_grad_()
    print(v.requires_grad, x.requires_grad)
    y = v * 2
    print(y.requires_grad)


@both
def test_no_grad_views(torch):
    """
    True True
    RuntimeError: A view was created in no_grad mode and is being modified inplace with grad mode enable...
    True
    tensor([1., 3., 3.], grad_fn=<MulBackward0>) MulBackward0
    tensor([2., 2.])
    RuntimeError: A view was created in no_grad mode and is being modified inplace with grad mode enable...
    """
    x = torch.ones(3, requires_grad=True)
    base = x * 1
    with torch.no_grad():
        v = base[1:]
    print(v.requires_grad, v._is_view())
    attempt(v.mul_, 2)
    base.mul_(2)
    attempt(lambda: v.requires_grad)
    base = x * 1
    with torch.no_grad():
        v = base[1:]
        v.mul_(3)
    print(base, base.grad_fn.name())
    with torch.no_grad():
        v = torch.ones(3)[1:]
    v.mul_(2)
    print(v)
    attempt(v.mul_, x[1:])


@both
def test_detached_view(torch):
    """
    tensor([5., 1., 1.], grad_fn=<MulBackward0>) MulBackward0 False
    tensor([5., 7., 7.], grad_fn=<MulBackward0>) MulBackward0
    tensor([1., 1., 1.])
    """
    x = torch.ones(3, requires_grad=True)
    base = x * 1
    d = base.detach()
    d[0] = 5.0
    print(base, short(base), d._is_view())
    dv = base[1:].detach()
    dv.mul_(7)
    print(base, short(base))
    base.sum().backward()
    print(x.grad)


@both
def test_hooks_on_views_and_bases(torch):
    """
    base tensor([3., 6., 6.])
    tensor([3., 6., 6.])
    base tensor([3., 3., 3.])
    tensor([3., 6., 6.])
    """
    x = torch.ones(3, requires_grad=True)
    base = x * 1
    base.register_hook(lambda g: print("base", g))
    base[1:].mul_(2)
    (base * 3).sum().backward()
    print(x.grad)
    x.grad = None
    base = x * 1
    view = base[1:]
    view.mul_(2)
    view.register_hook(lambda g: print("view", g))
    base.register_hook(lambda g: print("base", g))
    (base * 3).sum().backward()
    (view * 3).sum()
    print(x.grad)


@both
def test_retain_grad_of_views(torch):
    """
    tensor([3., 3., 3.]) None tensor([3., 6., 6.])
    """
    x = torch.ones(3, requires_grad=True)
    base = x * 1
    view = base[1:]
    view.retain_grad()
    base.retain_grad()
    view.mul_(2)
    (base * 3).sum().backward()
    print(base.grad, view.grad, x.grad)


@both
def test_diagonal_transpose_expand_select(torch):
    """
    tensor([[ 6.,  9.],
            [-2., -5.]], grad_fn=<CopySlices>)
    tensor([[  5.,   0.],
            [ -3., -20.]])
    """
    x = torch.ones(2, 2, requires_grad=True)
    base = x * 1
    base.diagonal().mul_(5)
    base.t()[0].add_(1)
    base.select(0, 1).neg_()
    base.unsqueeze(0).squeeze(0)[0, 1] = 9.0
    print(base)
    (base * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    print(x.grad)


@both
def test_permute_unfold_narrow_flatten(torch):
    """
    tensor([[  0., 100.,   4.],
            [  9.,   4.,  10.]], grad_fn=<AsStridedBackward0>)
    tensor([4., 0., 2., 3., 1., 2.])
    """
    x = torch.arange(6.0, requires_grad=True)
    base = (x * 1).view(2, 3)
    base.permute(1, 0)[2].mul_(2)
    base.narrow(1, 0, 1).mul_(3)
    base.flatten()[1] = 100.0
    base.movedim(0, 1)[1, 0] += x[0]
    print(base)
    base.sum().backward()
    print(x.grad)


@both
def test_reshape_that_copies_is_no_view(torch):
    """
    tensor([[0., 1.],
            [2., 3.]], grad_fn=<ViewBackward0>) False
    True
    tensor([2., 2., 2., 2.])
    """
    x = torch.arange(4.0, requires_grad=True)
    base = (x * 1).view(2, 2)
    copied = base.t().reshape(4)
    copied.mul_(100)
    print(base, copied._is_view())
    same = base.reshape(4)
    print(same._is_view())
    same.mul_(2)
    base.sum().backward()
    print(x.grad)


@both
def test_strides_and_steps(torch):
    """
    tensor([ 0.,  1., 20.,  4., 40.,  6.], grad_fn=<CopySlices>)
    tensor([10.,  1., 10.,  1., 10.,  1.])
    """
    x = torch.arange(6.0, requires_grad=True)
    base = x * 1
    base[::2] *= 10
    base[1::2][1:] += 1
    print(base)
    base.sum().backward()
    print(x.grad)


@both
def test_complex_views(torch):
    """
    tensor([2.+2.j, 6.-1.j], grad_fn=<CopySlices>)
    tensor([2.+6.j, 6.-3.j], grad_fn=<CopySlices>)
    tensor([0.6325+2.8460j, 1.7889-1.3416j])
    """
    z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    base = z * 1
    base.real.mul_(2)
    print(base)
    r = torch.view_as_real(base)
    r[:, 1] *= 3
    print(base)
    base.abs().sum().backward()
    print(z.grad)


@both
def test_copy_into_a_view(torch):
    """
    tensor([1., 2.]) tensor([[0., 0.],
            [3., 4.]])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([[5.0, 6.0], [7.0, 8.0]], requires_grad=True)
    base = w * 1
    base[0].copy_(x)
    (base * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    print(x.grad, w.grad)


@both
def test_many_writes_to_one_base(torch):
    """
    tensor([0.0625, 0.1250, 0.2500, 0.5000, 1.0000])
    """
    x = torch.arange(5.0, requires_grad=True)
    h = torch.zeros(6)
    for t in range(5):
        h[t + 1] = h[t] * 0.5 + x[t]
    h[-1].backward()
    print(x.grad)


@both
def test_filter_with_feedback(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    None
    tensor(0.7500)
    """
    a = torch.tensor(0.5, requires_grad=True)
    y = torch.zeros(4)
    y[0] = 1.0
    for t in range(1, 4):
        y[t] = a * y[t - 1]
    attempt(y[3].backward)
    y = torch.zeros(4)
    y[0] = 1.0
    for t in range(1, 4):
        y[t] = a * y[t - 1].clone()
    attempt(y[3].backward)
    print(a.grad)


@both
def test_second_order_through_views(torch):
    """
        tensor([6.5660e+07, 5.9094e+08, 7.8792e+08], dtype=torch.float64) tensor([1.9401e+18, 1.8159e+19, 2.4264e+19],
    dtype=torch.float64)
    """
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    base = x * x
    base[1:].mul_(x[:2])
    base[0] = base[2].exp() * x[0]
    (g,) = torch.autograd.grad(base.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad((g * g).sum(), x)
    print(g.detach(), h)


@both
def test_write_to_a_part_of_a_zero_dimensional_base(torch):
    """
    tensor(10., grad_fn=<CopySlices>) CopySlices
    tensor(5.)
    tensor(8.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    base = x * 1
    v = base.view(1)
    v.mul_(5)
    print(base, short(base))
    base.backward()
    print(x.grad)
    base = x * 1
    v = base.expand(1)
    base.mul_(3)
    v.sum().backward()
    print(x.grad)


@both
def test_view_keeps_its_base_alive_and_current(torch):
    """
    tensor([0., 2., 2.]) tensor([2., 3., 3.])
    """
    x = torch.ones(3, requires_grad=True)
    v = (x * 2)[1:]
    v.add_(1)
    v.sum().backward()
    print(x.grad, v._base.detach())


@both
def test_view_of_inplace_result(torch):
    """
        tensor(9., grad_fn=<AsStridedBackward0>) tensor(9., grad_fn=<SelectBackward0>)
    AsStridedBackward0(MulBackward0(AddBackward0(MulBackward0(AccumulateGrad, None), None), None))
    SelectBackward0(MulBackward0(AddBackward0(MulBackward0(AccumulateGrad, None), None), None))
    tensor([12.,  0.,  0.])
    """
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.add_(1)
    v = y[0]
    y.mul_(3)
    w = y[0]
    print(v, w, names(v.grad_fn), names(w.grad_fn))
    (v + w).backward()
    print(x.grad)


@both
def test_view_dtype_and_data_of_views(torch):
    """
    tensor([0., 1., 1.]) 0
    tensor([0., 2., 2.]) 1
    """
    base = torch.zeros(3)
    v = base[1:]
    v.data.add_(1)
    print(base, base._version)
    v.detach().add_(1)
    print(base, base._version)


@both
def test_requires_grad_on_a_view(torch):
    """
    True True False
    tensor([2., 2.])
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation...
    True False
    """
    base = torch.zeros(3)
    v = base[1:]
    v.requires_grad_()
    print(v.is_leaf, v.requires_grad, base.requires_grad)
    (v * 2).sum().backward()
    print(v.grad)
    attempt(v.mul_, 2)
    base.mul_(2)
    print(v.requires_grad, base.requires_grad)
