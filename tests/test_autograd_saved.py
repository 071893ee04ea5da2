"""Values saved for backward: pack and unpack hooks, save_on_cpu, writes to saved tensors, versions by hand."""

from both import attempt, both


@both
def test_pack_and_unpack(torch):
    """
    pack tensor([3., 4.]) False True
    pack tensor([  20.0855, 2980.9580]) True False
    unpack packed tensor([  200.8554, 29809.5801])
    unpack packed tensor([30., 40.])
    tensor([   6025.6611, 1192383.2500])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])

    def pack(t):
        print("pack", t.detach(), t.requires_grad, t.is_leaf)
        return ("packed", t.detach() * 10)

    def unpack(p):
        print("unpack", p[0], p[1])
        return p[1]

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = x * w
        z = y.exp()
    z2 = z * 1.0
    z2.sum().backward()
    print(x.grad)


@both
def test_pack_gets_leaf_result_and_input(torch):
    """
    4 [True, True, True, True]
    tensor([ 2.5068, -1.2267])
    """
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = x * x
        z = y.sin()
        e = z.exp()
    print(len(seen), [t.requires_grad for t in seen])
    e.sum().backward()
    print(x.grad)


@both
def test_numbers_are_packed_too(torch):
    """
    pack tensor(2.)
    tensor(8.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: print("pack", t.detach()) or t, lambda t: t * 2):
        y = x**2
    y.backward()
    print(x.grad)


@both
def test_nested_hooks_use_the_innermost(torch):
    """
    pack outer
    pack inner
    pack outer
    unpack outer
    unpack inner
    unpack outer
    True
    """
    hooks = torch.autograd.graph.saved_tensors_hooks
    x = torch.tensor(2.0, requires_grad=True)

    def make(name):
        return hooks(lambda t: print("pack", name) or t, lambda t: print("unpack", name) or t)

    with make("outer"):
        a = x.exp()
        with make("inner"):
            b = a.exp()
        c = b.exp()
    d = c.exp()
    d.backward()
    print(x.grad is not None)


@both
def test_wrong_type_from_unpack(torch):
    """
    TypeError: Output of saved tensor unpack_hook expected to be a Tensor but got result of type float...
    None
    """
    x = torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: 1, lambda p: 2.0):
        y = x.exp()
    attempt(y.backward)
    print(x.grad)


@both
def test_exceptions_in_hooks(torch):
    """
    ValueError: no room...
    ValueError: no room...
    None
    """
    x = torch.tensor(2.0, requires_grad=True)

    def fail(t):
        raise ValueError("no room")

    with torch.autograd.graph.saved_tensors_hooks(fail, lambda t: t):
        attempt(x.exp)
    y = x.exp()
    y.backward()
    x.grad = None
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, fail):
        y = x.exp()
    attempt(y.backward)
    print(x.grad)


@both
def test_hooks_with_retain_graph_and_second_backward(torch):
    """
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor(14.7781) 2
    """
    count = []
    x = torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: count.append(1) or t):
        y = x.exp()
    y.backward(retain_graph=True)
    y.backward()
    attempt(y.backward)
    print(x.grad, len(count))


@both
def test_second_order_through_packed_values(torch):
    """
    -2.502643 -291.919177
    """
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = (x**3).sin() * x
        (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    print(f"{g.item():.6f} {h.item():.6f}")


@both
def test_saved_attribute_goes_through_unpack(torch):
    """
    tensor(7.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach() * 0, lambda t: t + 7):
        y = x.exp()
    print(y.grad_fn._saved_result.detach())


@both
def test_disabling(torch):
    """
    RuntimeError: not here...
    RuntimeError: nor here...
    RuntimeError: not here...
    tensor(7.3891)
    RuntimeError: late...
    """
    graph = torch.autograd.graph
    x = torch.tensor(2.0, requires_grad=True)

    def enter():
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            return x.exp().detach()

    with graph.disable_saved_tensors_hooks("not here"):
        attempt(enter)
        with graph.disable_saved_tensors_hooks("nor here"):
            attempt(enter)
        attempt(enter)
    attempt(enter)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        attempt(lambda: graph.disable_saved_tensors_hooks("late").__enter__())


@both
def test_save_on_cpu(torch):
    """
    tensor([  5.4366, 218.3926])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    y.sum().backward()
    print(x.grad)


@both
def test_hooks_and_functions(torch):
    """
    pack tensor(2.)
    pack tensor(4.)
    unpack
    unpack
    tensor(12.)
    """

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, x**2)
            return x**3

        @staticmethod
        def backward(ctx, g):
            _, s = ctx.saved_tensors
            return 3 * s * g

    x = torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: print("pack", t.detach()) or t, lambda t: print("unpack") or t
    ):
        y = Cube.apply(x)
    y.backward()
    print(x.grad)


@both
def test_packed_values_do_not_watch_versions(torch):
    """
    tensor([3., 4.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone().detach(), lambda t: t):
        y = x * w
    w.add_(100)
    y.sum().backward()
    print(x.grad)


@both
def test_increment_version(torch):
    """
    1
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    3
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    y = x * w
    torch.autograd.graph.increment_version(w)
    print(w._version)
    attempt(y.sum().backward)
    torch.autograd.graph.increment_version([w, w])
    print(w._version)


@both
def test_writes_to_saved_tensors_may_be_allowed(torch):
    """
    tensor([ 6., 16.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        a = x.clone()
        y = a**2
        z = y * w
        a.mul_(100)
        w.zero_()
        a.sin_()
        z.sum().backward()
    print(x.grad)


@both
def test_allowed_writes_need_the_block_around_backward_too(torch):
    """
    AssertionError: Trying to backward outside of the 'allow_mutation_on_saved_tensors' context...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as ctx:
        a = x.clone()
        y = (a**2).sum()
        a.mul_(2)
        ctx.clear()
        attempt(y.backward)


@both
def test_allowed_writes_of_results(torch):
    """
    tensor([1.6487, 2.7183])
    """
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        y = x.exp()
        y.add_(1)
        (y * 1).sum().backward()
    print(x.grad)


@both
def test_hooks_of_one_saved_value(torch):
    """
    packed tensor([2., 4.]) False True
    unpacked
    tensor([2., 4.]) tensor([1.5000, 2.0000])
    unpacked
    tensor([ 6., 12.])
    RuntimeError: Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the
        graph are freed ...
    """
    x = torch.tensor([2.0, 4.0], requires_grad=True)
    w = torch.tensor([1.5, 2.0], requires_grad=True)
    y = x * w

    def pack(t):
        print("packed", t.detach(), t.requires_grad, t.is_leaf)
        return t.detach() * 3

    def unpack(p):
        print("unpacked")
        return p

    handle = y.grad_fn._raw_saved_self
    handle.register_hooks(pack, unpack)
    print(y.grad_fn._saved_self.detach() / 3, y.grad_fn._saved_other.detach())
    y.sum().backward()
    print(w.grad)
    attempt(lambda: handle.register_hooks(pack, unpack))


@both
def test_hooks_that_cannot_be(torch):
    """
    RuntimeError: Calling register_hooks on a saved tensor with value None is forbidden...
    RuntimeError: Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of
        hooks is allowed at a time.
    RuntimeError: A saved tensor pack hook is modifying its input in place. ...
    RuntimeError: A saved tensor pack hook is modifying its input in place. ...
    tensor([1., 2.], requires_grad=True)
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    same = lambda t: t
    attempt(lambda: (x * 2).grad_fn._raw_saved_self.register_hooks(same, same))
    node = x.exp().grad_fn
    node._raw_saved_result.register_hooks(same, same)
    attempt(lambda: node._raw_saved_result.register_hooks(same, same))
    attempt(lambda: x.sin().grad_fn._raw_saved_self.register_hooks(lambda t: t.detach().mul_(1), same))
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().mul_(1), same):
        attempt(lambda: x.sin())
    print(x)


@both
def test_hooks_of_a_functions_saved_values(torch):
    """
    2
    tensor([20., 40.])
    RuntimeError: Calling register_hooks on a saved tensor with value None is forbidden...
    """

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Square.apply(x)
    handles = y.grad_fn._raw_saved_tensors
    print(len(handles))
    handles[0].register_hooks(lambda t: t.detach().numpy().copy(), lambda a: torch.from_numpy(a) * 10)
    y.sum().backward()
    print(x.grad)
    attempt(lambda: Square.apply(x).grad_fn._raw_saved_tensors[1].register_hooks(lambda t: t, lambda t: t))
