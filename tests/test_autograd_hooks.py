"""Hooks on tensors, nodes, leaves and several tensors at once."""

from both import attempt, both, warned


@both
def test_hook_on_a_result_and_on_a_leaf(torch):
    """
    y tensor([1., 1.])
    x tensor([3., 3.])
    tensor([3., 3.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda g: print("y", g))
    x.register_hook(lambda g: print("x", g))
    y.sum().backward()
    print(x.grad)


@both
def test_a_returned_gradient_replaces(torch):
    """
    tensor([-9., -9.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: -g)
    y.sum().backward()
    print(x.grad)


@both
def test_hooks_on_a_leaf_run_once_on_the_sum(torch):
    """
    got tensor(5.)
    y got tensor(5.)
    got tensor(20.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    x.register_hook(lambda g: print("got", g))
    (x * 2 + x * 3).backward()
    y = x * x
    y.register_hook(lambda g: print("y got", g))
    (y * 2 + y * 3).backward()


@both
def test_removing(torch):
    """
    tensor(101.)
    tensor(1102.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    handle = x.register_hook(lambda g: g * 100)
    (x * 1).backward()
    handle.remove()
    handle.remove()
    (x * 1).backward()
    print(x.grad)
    with x.register_hook(lambda g: g * 1000):
        (x * 1).backward()
    (x * 1).backward()
    print(x.grad)


@both
def test_removing_inside(torch):
    """
    once tensor(1.)
    second tensor(1.)
    second tensor(1.)
    """
    x = torch.tensor(2.0, requires_grad=True)

    def once(g):
        print("once", g)
        handle.remove()

    handle = x.register_hook(once)
    second = x.register_hook(lambda g: print("second", g))
    (x * 1).backward()
    (x * 1).backward()
    second.remove()


@both
def test_wrong_results(torch):
    """
    TypeError: expected Variable, but hook returned 'float'...
    RuntimeError: hook '<lambda>' has changed the size of value...
    RuntimeError: hook '<lambda>' has changed the type of value (was torch...
    None
    RuntimeError: cannot register a hook on a tensor that doesn't require gradient...
    RuntimeError: cannot register a hook on a tensor that doesn't require gradient...
    RuntimeError: post accumulate grad hooks cannot be registered on non-leaf tensors...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for bad in (1.0, torch.ones(3), torch.ones(2, dtype=torch.float64)):
        handle = x.register_hook(lambda g, bad=bad: bad)
        attempt((x * 2).sum().backward)
        handle.remove()
    print(x.grad)
    attempt(torch.ones(1).register_hook, print)
    attempt(torch.ones(1).register_post_accumulate_grad_hook, print)
    attempt((x * 2).register_post_accumulate_grad_hook, print)


@both
def test_retained_grad_is_what_the_hooks_made_of_it(torch):
    """
    tensor(300.) tensor(600.)
    """
    x = torch.tensor(1.0, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 3).backward()
    print(y.grad, x.grad)


@both
def test_hook_may_write_into_the_gradient(torch):
    """
    RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a sing...
    """
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g.mul_(0) and None)
    attempt(y.sum().backward)


@both
def test_hooks_on_several_results(torch):
    """
    ['a 2.0', 'b 1.0']
    tensor([2., 1., 0.])
    tensor([2., 1., 5.])
    """
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    a, b, c = x.unbind()
    seen = []
    a.register_hook(lambda g: seen.append(f"a {g}"))
    b.register_hook(lambda g: seen.append(f"b {g}"))
    c.register_hook(lambda g: None if g is None else seen.append(f"c {g}"))  # PyTorch calls it with None
    (a * b).backward()
    print(sorted(seen))
    print(x.grad)
    v = x.max(0).values
    v.register_hook(lambda g: g * 5)
    v.backward()
    print(x.grad)


@both
def test_hook_on_the_root(torch):
    """
    tensor(12.) (tensor(12.),) (tensor(2.),)
    tensor(2.) (tensor(2.),)
    """
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    y.register_hook(lambda g: g * 2)
    y.backward(retain_graph=True)
    print(x.grad, torch.autograd.grad(y, x, retain_graph=True), torch.autograd.grad(y, y))
    x = torch.tensor(3.0, requires_grad=True)
    x.register_hook(lambda g: g * 2)
    x.backward()
    print(x.grad, torch.autograd.grad(x, x))


@both
def test_hooks_and_autograd_grad(torch):
    """
    (tensor(12.), tensor(24000.))
    """
    x = torch.tensor(3.0, requires_grad=True)
    y = x * 2
    x.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g * 100)
    print(torch.autograd.grad(y * y, [y, x]))


@both
def test_node_hooks(torch):
    """
    pre (tensor([1., 1.]),)
    post (tensor([3., 3.]), None) (tensor([1., 1.]),)
    tensor([3., 3.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_hook(lambda grad_in, grad_out: print("post", grad_in, grad_out))
    y.grad_fn.register_prehook(lambda grad_out: print("pre", grad_out))
    y.sum().backward()
    print(x.grad)


@both
def test_node_hooks_that_replace(torch):
    """
    tensor([50., 60.]) tensor([1000., 2000.])
    RuntimeError: hook '<lambda>' has returned an incorrect number of values (got 1, but expected 2)...
    RuntimeError: hook '<lambda>' has returned an incorrect number of values (got 0, but expected 1)...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([5.0, 6.0], requires_grad=True)
    y = x * w
    y.grad_fn.register_prehook(lambda grad_out: (grad_out[0] * 10,))
    y.grad_fn.register_hook(lambda grad_in, grad_out: (grad_in[0], grad_in[1] * 100))
    y.sum().backward()
    print(x.grad, w.grad)
    z = x * w
    handle = z.grad_fn.register_hook(lambda grad_in, grad_out: (grad_in[0],))
    attempt(z.sum().backward)
    handle.remove()
    z = x * w
    z.grad_fn.register_prehook(lambda grad_out: ())
    attempt(z.sum().backward)


@both
def test_order_of_all_hooks(torch):
    """
    tensor 1
    tensor 2
    node pre
    node post
    leaf None
    accumulated tensor(3.)
    """
    x = torch.tensor(1.0, requires_grad=True)
    y = x * 3
    y.grad_fn.register_hook(lambda i, o: print("node post"))
    y.grad_fn.register_prehook(lambda o: print("node pre"))
    y.register_hook(lambda g: print("tensor 1"))
    y.retain_grad()
    y.register_hook(lambda g: print("tensor 2"))
    x.register_hook(lambda g: print("leaf", x.grad))
    x.register_post_accumulate_grad_hook(lambda t: print("accumulated", t.grad))
    y.backward()


@both
def test_post_accumulate_hook(torch):
    """
    True tensor([2., 4.]) False
    tensor([0.8000, 1.6000], requires_grad=True) None
    tensor([2., 2.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def step(t):
        print(t is x, t.grad, torch.is_grad_enabled())
        with torch.no_grad():
            t -= 0.1 * t.grad
        t.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    print(x, x.grad)
    handle.remove()
    (x * 2).sum().backward()
    print(x.grad)


@both
def test_hooks_on_accumulate_grad(torch):
    """
    pre (tensor(2.),) None
    post () (tensor(2.),) tensor(2.)
    """
    x = torch.tensor(1.0, requires_grad=True)
    node = torch.autograd.graph.get_gradient_edge(x).node
    node.register_hook(lambda grad_in, grad_out: print("post", grad_in, grad_out, x.grad))
    node.register_prehook(lambda grad_out: print("pre", grad_out, x.grad))
    (x * 2).backward()


@both
def test_multi_grad_hook_all(torch):
    """
    all [tensor(4.), tensor(2.), None, tensor(2.)]
    all [tensor(6.), tensor(3.), tensor(2.), None]
    all [None, None, tensor(2.), None]
    """
    a, b, c = [torch.tensor(v, requires_grad=True) for v in (1.0, 2.0, 3.0)]
    d = a * b
    handle = torch.autograd.graph.register_multi_grad_hook((a, b, c, d), lambda grads: print("all", grads))
    (d * 2).backward()
    (a * b * c).backward()
    (d.detach() * c).backward()
    handle.remove()
    (a * b * c).backward()


@both
def test_multi_grad_hook_any(torch):
    """
    any tensor(2.)
    any tensor(3.)
    any tensor(5.)
    ValueError: Expects mode to be one of ('all', 'any') but got some...
    """
    a, b, c = [torch.tensor(v, requires_grad=True) for v in (1.0, 2.0, 3.0)]
    handle = torch.autograd.graph.register_multi_grad_hook((a, b, c), lambda g: print("any", g), mode="any")
    (a * 2).backward()
    (a * 3).backward()
    (a * 5 + b * 5).backward()
    handle.remove()
    (a * 2).backward()
    attempt(torch.autograd.graph.register_multi_grad_hook, (a,), print, mode="some")


@both
def test_hooks_see_gradients_and_the_mode(torch):
    """
    [(False, False), (True, True)] True
    """
    x = torch.tensor(2.0, requires_grad=True)
    modes = []
    x.register_hook(lambda g: modes.append((torch.is_grad_enabled(), g.requires_grad)))
    (x * x).backward()
    torch.autograd.grad(x**3, x, create_graph=True)
    print(modes, torch.is_grad_enabled())


@both
def test_hooks_take_part_in_the_second_order(torch):
    """
    tensor(48.) tensor(216.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.register_hook(lambda g: g * y)
    (g,) = torch.autograd.grad(y * 3, x, create_graph=True)
    print(g.detach(), torch.autograd.grad(g, x)[0])


@both
def test_backward_inside_a_hook(torch):
    """
    tensor(4.) tensor(10.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(5.0, requires_grad=True)

    def inner(g):
        with torch.enable_grad():
            (w * w).backward()

    x.register_hook(inner)
    (x * x).backward()
    print(x.grad, w.grad)


@both
def test_hook_on_a_result_after_it_was_used(torch):
    """
    tensor(0.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    z = y * 3
    y.register_hook(lambda g: g * 0)
    z.backward()
    print(x.grad)


@both
def test_hook_survives_the_tensor(torch):
    """
    tensor(120.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.register_hook(lambda g: g * 10)
    z = y * 3
    del y
    z.backward()
    print(x.grad)


@both
def test_hook_of_a_frozen_leaf(torch):
    """
    hook tensor(1.)
    tensor(1.) tensor(4.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    x.register_hook(lambda g: print("hook", g))
    x.requires_grad_(False)
    w = torch.tensor(1.0, requires_grad=True)
    (x * w).backward()
    x.requires_grad_(True)
    (x * w).backward()
    print(x.grad, w.grad)


@both
def test_grad_is_the_same_object_in_the_hook(torch):
    """
    torch.Size([2])
    """
    kept = []
    x = torch.ones(2, requires_grad=True)
    x.register_hook(kept.append)
    (x * 2).sum().backward()
    kept[0].zero_()
    print(warned(lambda: x.grad).shape)


@both
def test_hook_gets_the_gradient_of_the_whole(torch):
    """
    torch.Size([2, 3]) torch.float32
    tensor([2., 2., 2.])
    """
    x = torch.ones(2, 3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    b.register_hook(print)
    y = x * b
    y.register_hook(lambda g: print(g.shape, g.dtype))
    y.sum().backward()
