"""``Tensor.backward`` and ``autograd.backward``: accumulation, roots, options, shapes and dtypes."""

from both import attempt, both, warned


@both
def test_gradient_of_a_scalar(torch):
    """
    tensor(9., grad_fn=<PowBackward0>) tensor(6.) torch.float32 False None
    """
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    y.backward()
    print(y, x.grad, x.grad.dtype, x.grad.requires_grad, x.grad.grad_fn)


@both
def test_leaf_is_its_own_root(torch):
    """
    tensor(2.)
    tensor([1., 2., 3.])
    RuntimeError: grad can be implicitly created only for scalar outputs...
    """
    x = torch.tensor(3.0, requires_grad=True)
    x.backward()
    x.backward()
    print(x.grad)
    v = torch.ones(3, requires_grad=True)
    v.backward(torch.tensor([1.0, 2.0, 3.0]))
    print(v.grad)
    attempt(v.backward)


@both
def test_accumulates_in_place_on_the_same_tensor(torch):
    """
    tensor([5., 5.]) True 1
    tensor([0., 0.]) tensor([0., 0.])
    tensor([0., 0.]) tensor([3., 3.])
    tensor(5.) True
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    print(first, x.grad is first, first._version)
    x.grad.zero_()
    print(first, x.grad)
    x.grad = None
    (x * 3).sum().backward()
    print(first, x.grad)
    s = torch.tensor(1.0, requires_grad=True)
    (s * 2).backward()
    first = s.grad
    (s * 3).backward()
    print(first, s.grad is first)


@both
def test_create_graph_accumulates_out_of_place(torch):
    """
    True True MulBackward0
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**2).sum().backward()
    first = x.grad
    warned((x**3).sum().backward, create_graph=False)
    g = torch.autograd.grad((x**3).sum(), x, create_graph=True)[0]
    print(first is x.grad, g.requires_grad, g.grad_fn.name())


@both
def test_grad_that_is_given_stays_the_users(torch):
    """
    tensor([1., 2.])
    tensor([1., 2.])
    """
    x = torch.ones(2, requires_grad=True)
    v = torch.tensor([1.0, 2.0])
    (x * 1).backward(v)
    x.grad.zero_()
    print(v)
    y = torch.ones(2, requires_grad=True)
    y.backward(v)
    y.grad.zero_()
    print(v)


@both
def test_two_leaves_do_not_share_their_gradient(torch):
    """
    tensor([6., 6.]) tensor([1., 1.])
    tensor([6., 6.]) tensor([1., 1.]) tensor([1., 1.])
    """
    x = torch.ones(2, requires_grad=True)
    y = torch.ones(2, requires_grad=True)
    (x + y).sum().backward()
    x.grad += 5
    print(x.grad, y.grad)
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    v = torch.ones(2)
    (x + y).backward(v)
    x.grad += 5
    print(x.grad, y.grad, v)


@both
def test_assigned_grad_is_added_to_in_place(torch):
    """
    tensor([12., 22.]) True
    tensor([3., 3.], requires_grad=True) True
    """
    x = torch.ones(2, requires_grad=True)
    g = torch.tensor([10.0, 20.0])
    x.grad = g
    (x * 2).sum().backward()
    print(g, x.grad is g)
    x.grad = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    print(x.grad, x.grad.requires_grad)


@both
def test_assigning_a_grad_that_does_not_fit(torch):
    """
    TypeError: assigned grad expected to be a Tensor or None but got grad of type float...
    RuntimeError: can't assign Variable as its own grad...
    RuntimeError: attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure...
    RuntimeError: attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float...
    RuntimeError: attempting to assign a gradient with dtype 'long int' to a tensor with grad_dtype 'Flo...
    TypeError: assigned grad expected to be a Tensor or None but got grad of type list...
    None
    None
    tensor([1., 1.])
    """
    x = torch.ones(2, requires_grad=True)

    def assign(value):
        x.grad = value

    attempt(assign, 1.0)
    attempt(assign, x)
    attempt(assign, torch.ones(3))
    attempt(assign, torch.ones(2, dtype=torch.float64))
    attempt(assign, torch.ones(2, dtype=torch.int64))
    attempt(assign, [1.0, 2.0])
    assign(None)
    print(x.grad)
    del x.grad
    print(x.grad)
    plain = torch.ones(2)
    plain.grad = torch.ones(2)
    print(plain.grad)


@both
def test_broadcast_dimensions_are_summed(torch):
    """
    torch.Size([3, 1]) tensor(48.)
    torch.Size([1, 4]) tensor(48.)
    torch.Size([]) tensor(24.)
    torch.Size([2, 1, 1]) tensor(48.)
    """
    a = torch.ones(3, 1, requires_grad=True)
    b = torch.ones(1, 4, requires_grad=True)
    c = torch.tensor(2.0, requires_grad=True)
    d = torch.ones(2, 1, 1, requires_grad=True)
    (a * b * c * d).sum().backward()
    for t in (a, b, c, d):
        print(t.grad.shape, t.grad.sum())


@both
def test_gradient_has_the_leafs_dtype(torch):
    """
    torch.float32 torch.float64 torch.float16
    torch.complex64 torch.float32
    tensor([1.4142, 2.2361])
    """
    a = torch.ones(2, dtype=torch.float32, requires_grad=True)
    b = torch.ones(2, dtype=torch.float64, requires_grad=True)
    h = torch.ones(2, dtype=torch.float16, requires_grad=True)
    i = torch.tensor([1, 2])
    (a * b * h * i).sum().backward()
    print(a.grad.dtype, b.grad.dtype, h.grad.dtype)
    z = torch.tensor([1 + 1j, 2 - 1j], requires_grad=True)
    r = torch.tensor([1.0, 2.0], requires_grad=True)
    (z * r).abs().sum().backward()
    print(z.grad.dtype, r.grad.dtype)
    print(r.grad)


@both
def test_complex_convention(torch):
    """
    tensor(0.6000+0.8000j)
    tensor(6.+8.j)
    tensor(6.-8.j)
    RuntimeError: grad can be implicitly created only for real scalar outputs but got torch.complex64...
    tensor(1.+2.j)
    RuntimeError: For complex Tensors, both grad_output and output are required to have the same dtype. ...
    RuntimeError: For complex Tensors, both grad_output and output are required to have the same dtype. ...
    """
    z = torch.tensor(3 + 4j, requires_grad=True)
    z.abs().backward()
    print(z.grad)
    z.grad = None
    (z * z.conj()).real.backward()
    print(z.grad)
    z.grad = None
    (z**2).backward(torch.tensor(1 + 0j))
    print(z.grad)
    attempt((z**2).backward)
    z.grad = None
    (z * (2 + 1j)).imag.backward()
    print(z.grad)
    attempt((z**2).backward, torch.tensor(1.0))
    attempt((z.real**2).backward, torch.tensor(1.0 + 0j))


@both
def test_empty_tensors(torch):
    """
    tensor([])
    torch.Size([0, 3]) tensor([0., 0., 0.])
    RuntimeError: grad can be implicitly created only for scalar outputs...
    """
    x = torch.ones(0, requires_grad=True)
    (x * 2).sum().backward()
    print(x.grad)
    y = torch.ones(0, 3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    (y * b).sum().backward()
    print(y.grad.shape, b.grad)
    attempt((x * 2).backward)


@both
def test_one_element_needs_no_gradient(torch):
    """
    tensor(2.)
    tensor([2.])
    tensor([[2.]])
    """
    for shape in ((), (1,), (1, 1)):
        x = torch.ones(shape, requires_grad=True)
        (x * 2).backward()
        print(x.grad)


@both
def test_roots_that_cannot_start(torch):
    """
    RuntimeError: grad can be implicitly created only for scalar outputs...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a s...
    RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([]) and output[0] has a sh...
    RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([1]) and output[0] has a s...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    None
    """
    x = torch.ones(2, requires_grad=True)
    attempt((x * 2).backward)
    attempt(torch.ones(1).backward)
    attempt(torch.ones(2).backward)
    attempt((x * 2).backward, torch.ones(3))
    attempt((x * 2).backward, torch.tensor(1.0))
    attempt((x * 2).sum().backward, torch.ones(1))
    attempt((x * 2).sum().detach().backward)
    attempt((x > 1).sum().backward)
    attempt(torch.tensor(3).backward)
    print(x.grad)


@both
def test_gradient_of_another_type(torch):
    """
    tensor([2., 2.])
    tensor([4., 4.])
    TypeError: gradients can be either Tensors or None, but got...
    TypeError...
    tensor([10., 10.])
    """
    x = torch.ones(2, requires_grad=True)
    (x * 2).backward(torch.ones(2, dtype=torch.float64))
    print(x.grad)
    (x * 2).backward(torch.ones(2, dtype=torch.int64))
    print(x.grad)
    attempt((x * 2).backward, [1.0, 1.0])
    attempt((x * 2).backward, 1.0)  # 'float' object is not iterable
    (x.sum() * 2).backward(gradient=torch.tensor(3.0))
    print(x.grad)


@both
def test_several_roots(torch):
    """
    tensor(124.) tensor([1., 1.])
    tensor(130.)
    tensor(138.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    v = torch.ones(2, requires_grad=True)
    y = x * x
    torch.autograd.backward([y, 3 * y, v], [None, torch.tensor(10.0), torch.ones(2)])
    print(x.grad, v.grad)
    torch.autograd.backward(x * 2)
    torch.autograd.backward((x * 2,), (torch.tensor(1.0),))
    torch.autograd.backward(x * 2, torch.tensor(1.0))
    print(x.grad)
    same = x * x
    torch.autograd.backward([same, same])
    print(x.grad)


@both
def test_wrong_lists_of_roots(torch):
    """
    RuntimeError: got 2 tensors and 1 gradients...
    RuntimeError: element 1 of tensors does not require grad and does not have a grad_fn...
    TypeError: gradients can be either Tensors or None, but got...
    RuntimeError: grad can be implicitly created only for scalar outputs...
    RuntimeError: `inputs` argument to `backward()` cannot be empty...
    None
    RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([1]) and output[0] has a s...
    None
    """
    x = torch.tensor(2.0, requires_grad=True)
    backward = torch.autograd.backward
    attempt(backward, [x * 2, x * 3], [torch.tensor(1.0)])
    attempt(backward, [x * 2, torch.tensor(1.0)])
    attempt(backward, [x * 2], [1.0])
    attempt(backward, [x * torch.ones(2)])
    attempt(backward, [x * 2], inputs=[])
    attempt(backward, [])
    attempt(backward, [x * 2], [torch.ones(1)])
    print(x.grad)


@both
def test_second_backward_needs_retain_graph(torch):
    """
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor(4.)
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor(16.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    attempt(y.backward)
    print(x.grad)
    y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    attempt(y.backward, retain_graph=True)
    print(x.grad)


@both
def test_graph_without_saved_values_is_never_freed(torch):
    """
    tensor([2., 2., 2.])
    """
    x = torch.ones(3, requires_grad=True)
    y = (x + 1 - 2).sum()
    y.backward()
    y.backward()
    print(x.grad)


@both
def test_a_number_is_a_saved_value(torch):
    """
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor([6.5000, 6.5000, 6.5000])
    """
    x = torch.ones(3, requires_grad=True)
    for y in (x * 2, 2 * x, x / 2, x.mul(2.0)):
        y.sum().backward()
        attempt(y.sum().backward)
    for y in (x + 2, 2 - x, x - 2, -x):
        y.sum().backward()
        y.sum().backward()
    print(x.grad)


@both
def test_shared_part_of_two_graphs_is_freed_by_the_first(torch):
    """
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor(14.7781)
    """
    x = torch.tensor(2.0, requires_grad=True)
    shared = x.exp()
    a, b = shared * 2, shared * 3
    a.backward()
    attempt(b.backward)
    print(x.grad)


@both
def test_only_the_given_inputs(torch):
    """
    None tensor(24.)
    tensor(36.) tensor(24.)
    RuntimeError: `inputs` argument to `backward()` cannot be empty...
    RuntimeError...
    None
    tensor(12.)
    tensor(24.) tensor(72.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    y = x * w
    z = y * y
    z.backward(inputs=[w], retain_graph=True)
    print(x.grad, w.grad)
    z.backward(inputs=x, retain_graph=True)
    print(x.grad, w.grad)
    attempt(z.backward, inputs=[])
    attempt(z.backward, inputs=[torch.ones(1)])  # PyTorch complains about retain_grad here
    attempt(z.backward, inputs=torch.ones(1, requires_grad=True), retain_graph=True)
    y.retain_grad()
    z.backward(inputs=[y], retain_graph=True)
    print(y.grad)
    z.backward(inputs=[y, x])
    print(y.grad, x.grad)


@both
def test_non_leaf_inputs_get_a_grad(torch):
    """
    tensor(12.)
    None
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    z = y * y
    z.backward(inputs=[y])
    print(warned(lambda: y.grad))
    print(x.grad)


@both
def test_the_same_tensor_many_times(torch):
    """
    tensor([ 96., 384.])
    tensor([ 99., 387.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(5):
        y = y + y
    (y * x * x).sum().backward()
    print(x.grad)
    torch.stack([x, x, x]).sum().backward()
    print(x.grad)


@both
def test_several_results_some_unused(torch):
    """
    tensor([[0., 0.],
            [2., 2.]])
    False None MaxBackward0
    tensor([[0., 1.],
            [3., 2.]])
    False
    tensor([[0., 2.],
            [4., 2.]])
    tensor([[4., 4.],
            [5., 7.]])
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    """
    x = torch.tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=True)
    b = x.unbind(0)[1]
    (b * 2).sum().backward()
    print(x.grad)
    values, indices = x.max(dim=1)
    print(indices.requires_grad, indices.grad_fn, values.grad_fn.name())
    values.sum().backward()
    print(x.grad)
    values, indices = x.sort(dim=1, descending=True)
    print(indices.requires_grad)
    values[:, 0].sum().backward()
    print(x.grad)
    first, second = x.split([1, 1])
    (first * second).sum().backward()
    print(x.grad)
    attempt(indices.sum().backward)


@both
def test_requires_grad_switched_off_later_does_not_change_the_graph(torch):
    """
    None False
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    x.requires_grad_(False)
    y.backward()
    print(x.grad, x.requires_grad)


@both
def test_gradient_strides_and_expanded_cotangents(torch):
    """
    True (3, 1)
    tensor([[5., 1., 1.],
            [1., 1., 1.]])
    tensor([[0., 2., 4.],
            [1., 3., 5.]])
    tensor([4., 4.])
    """
    x = torch.ones(2, 3, requires_grad=True)
    x.sum().backward()
    print(x.grad.is_contiguous(), x.grad.stride())
    x.grad[0, 0] = 5.0
    print(x.grad)
    y = torch.ones(2, 3, requires_grad=True)
    y.t().backward(torch.arange(6.0).reshape(3, 2))
    print(y.grad)
    z = torch.ones(2, requires_grad=True)
    z.expand(3, 2).sum().backward()
    z.grad += 1
    print(z.grad)


@both
def test_backward_of_a_view_of_the_leaf(torch):
    """
    tensor([3., 3., 3., 3.])
    """
    x = torch.arange(4.0, requires_grad=True)
    x.backward(torch.ones(4))
    x.view(2, 2).backward(torch.ones(2, 2))
    x[1:].backward(torch.ones(3))
    x[0].backward()
    print(x.grad)


@both
def test_grad_mode_inside_and_after(torch):
    """
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    tensor(4.) True
    True
    """
    x = torch.tensor(2.0, requires_grad=True)
    with torch.no_grad():
        y = x * 2
    attempt(y.backward)
    z = x * x
    with torch.no_grad():
        z.backward()
    print(x.grad, torch.is_grad_enabled())
    z = x**3
    with torch.no_grad():
        (g,) = torch.autograd.grad(z, x, create_graph=True)
    print(g.requires_grad)


@both
def test_order_of_integer_inputs_and_untracked_parts(torch):
    """
    tensor([21.,  0., 11.])
    False False True False
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = torch.tensor([True, False, True])
    index = torch.tensor([0, 0, 2])
    (x[mask].sum() + x[index].sum() * 10).backward()
    print(x.grad)
    print((x > 2).requires_grad, x.argmax().requires_grad, x.round().requires_grad, x.long().requires_grad)
