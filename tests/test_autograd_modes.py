"""no_grad, enable_grad, set_grad_enabled, inference_mode: blocks, decorators, generators, threads, exceptions."""

from both import attempt, both, warned


@both
def test_blocks_and_nesting(torch):
    """
    False False
    True
    False
    False True
    True True
    """
    x = torch.ones(1, requires_grad=True)
    with torch.no_grad():
        print((x * 2).requires_grad, torch.is_grad_enabled())
        with torch.enable_grad():
            print((x * 2).requires_grad)
            with torch.no_grad():
                print((x * 2).requires_grad)
        print((x * 2).requires_grad, torch.tensor(1.0, requires_grad=True).requires_grad)
    print((x * 2).requires_grad, torch.is_grad_enabled())


@both
def test_one_object_entered_again(torch):
    """
    False
    True
    """
    mode = torch.no_grad()
    with mode:
        pass
    with mode:
        print(torch.is_grad_enabled())
    print(torch.is_grad_enabled())


@both
def test_set_grad_enabled(torch):
    """
    False
    True
    False
    True
    False
    True
    TypeError: set_grad_enabled(): argument 'enabled' (position 1) must be bool, not str...
    True
    """
    with torch.set_grad_enabled(False):
        print(torch.is_grad_enabled())
        with torch.set_grad_enabled(True):
            print(torch.is_grad_enabled())
        print(torch.is_grad_enabled())
    print(torch.is_grad_enabled())
    torch.set_grad_enabled(False)
    print(torch.is_grad_enabled())
    torch.set_grad_enabled(True)
    print(torch.is_grad_enabled())
    attempt(torch.set_grad_enabled, "no")
    print(torch.is_grad_enabled())


@both
def test_exceptions_restore(torch):
    """
    True False
    True False
    True False
    """
    for mode in (torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)):
        try:
            with mode():
                raise ValueError
        except ValueError:
            print(torch.is_grad_enabled(), torch.is_inference_mode_enabled())


@both
def test_decorators(torch):
    """
    a Documented.
    a False False True
    b False False True
    c False False True
    d False True True
    e False True True
    g True False True
    True
    True
    True
    """
    x = torch.ones(1, requires_grad=True)

    @torch.no_grad()
    def a(x):
        """Documented."""
        return x * 2

    @torch.no_grad
    def b(x):
        return x * 2

    @torch.set_grad_enabled(False)
    def c(x):
        return x * 2

    @torch.inference_mode()
    def d(x):
        return x * 2

    @torch.inference_mode
    def e(x):
        return x * 2

    @torch.enable_grad()
    def f(x):
        return x * 2

    @torch.inference_mode(False)
    def g(x):
        return x * 2

    print(a.__name__, a.__doc__)
    for function in (a, b, c, d, e, g):
        y = function(x)
        print(function.__name__, y.requires_grad, y.is_inference(), torch.is_grad_enabled())
    with torch.no_grad():
        print(f(x).requires_grad)
        print(g(x).requires_grad)
    with torch.inference_mode():
        print(g(x).requires_grad)


@both
def test_decorated_functions_that_recurse_or_fail(torch):
    """
    ValueError: bottom...
    True
    """

    @torch.no_grad()
    def count(n):
        if n == 0:
            raise ValueError("bottom")
        return count(n - 1)

    attempt(count, 5)
    print(torch.is_grad_enabled())


@both
def test_decorated_methods(torch):
    """
    False False
    """

    class Model:
        @torch.no_grad()
        def predict(self, x):
            return (x * 2).requires_grad

        @staticmethod
        @torch.no_grad()
        def check():
            return torch.is_grad_enabled()

    print(Model().predict(torch.ones(1, requires_grad=True)), Model.check())


@both
def test_generators(torch):
    """
    (0, False) True
    got x False
    (1, False) True
    caught KeyError False
    after True
    closing False
    True
    got None False
    got None False
    got None False
    closing False
    [0, 1, 2]
    got None False
    got None False
    got None False
    closing False
    result end
    3
    """

    @torch.no_grad()
    def numbers():
        try:
            for i in range(3):
                got = yield i, torch.is_grad_enabled()
                print("got", got, torch.is_grad_enabled())
        except KeyError as error:
            print("caught", type(error).__name__, torch.is_grad_enabled())
            yield "after"
        finally:
            print("closing", torch.is_grad_enabled())
        return "end"

    g = numbers()
    print(next(g), torch.is_grad_enabled())
    print(g.send("x"), torch.is_grad_enabled())
    print(g.throw(KeyError("k")), torch.is_grad_enabled())
    g.close()
    print(torch.is_grad_enabled())
    print([i for i, _ in numbers()])

    def outer():
        result = yield from numbers()
        print("result", result)

    print(len(list(outer())))


@both
def test_generator_in_a_block(torch):
    """
    False False
    False False
    True
    """

    def plain():
        with torch.no_grad():
            yield torch.is_grad_enabled()
            yield torch.is_grad_enabled()

    g = plain()
    print(next(g), torch.is_grad_enabled())
    print(next(g), torch.is_grad_enabled())
    g.close()
    print(torch.is_grad_enabled())


@both
def test_threads_have_modes_of_their_own(torch):
    """
    [True, False] False
    [True, False, False]
    """
    import threading

    seen = []

    def work():
        seen.append(torch.is_grad_enabled())
        with torch.no_grad():
            seen.append(torch.is_grad_enabled())

    with torch.no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print(seen, torch.is_grad_enabled())
    with torch.inference_mode():
        thread = threading.Thread(target=lambda: seen.append(torch.is_inference_mode_enabled()))
        thread.start()
        thread.join()
    print(seen)


@both
def test_inference_mode(torch):
    """
    True False True True False
    False True
    True False
    True False
    False True
    RuntimeError: Inference tensors cannot be saved for backward...
    RuntimeError: Inplace update to inference tensor outside InferenceMode is not allowed.You can make a...
    RuntimeError: Inference tensors do not track version counter...
    RuntimeError: Setting requires_grad=True on inference tensor outside InferenceMode is not allowed...
    False True
    False True
    True True True
    False
    RuntimeError: Inplace update to inference tensor outside InferenceMode is not allowed.You can make a...
    """
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        y = x * 2
        z = torch.zeros(2)
        print(
            torch.is_inference_mode_enabled(),
            torch.is_grad_enabled(),
            y.is_inference(),
            z.is_inference(),
            x.is_inference(),
        )
        y.add_(1)
        v = x[0]
        print(v.is_inference(), v.requires_grad)
        w = torch.ones(1, requires_grad=True)
        print(w.is_inference(), (w * 2).requires_grad)
        with torch.inference_mode(False):
            print((x * 2).requires_grad, (x * 2).is_inference())
    print(torch.is_inference_mode_enabled(), torch.is_grad_enabled())
    attempt(lambda: x * y)
    attempt(lambda: y.add_(1))
    attempt(lambda: y._version)
    attempt(y.requires_grad_)
    print((y * 2).is_inference(), (y + x).requires_grad)
    c = y.clone()
    print(c.is_inference(), (c * x).requires_grad)
    print(y.detach().is_inference(), y[0].is_inference(), y.view(2).is_inference())
    with torch.no_grad():
        print((x * y).requires_grad)
        attempt(lambda: y.add_(1))


@both
def test_inference_tensors_and_backward(torch):
    """
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    tensor([2., 2.])
    tensor([1., 1.], requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        g = torch.ones(2)
        y = (x * 2).sum()
    attempt(y.backward)
    (x * 2).backward(g)
    print(x.grad)
    with torch.inference_mode():
        z = torch.ones(2)
        attempt(lambda: x.mul_(z))
    print(x)


@both
def test_writing_normal_tensors_in_inference_mode(torch):
    """
    tensor([2., 2.]) 1 False
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.ones(2)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = w * x
    with torch.inference_mode():
        x.add_(1)
    print(x, x._version, x.is_inference())
    attempt(y.sum().backward)


@both
def test_views_made_without_tracking(torch):
    """
    True
    RuntimeError: A view was created in no_grad mode and is being modified inplace with grad mode enable...
    tensor([1., 2., 2.], grad_fn=<MulBackward0>) True
    RuntimeError: A view was created in inference mode and is being modified inplace in normal mode...
    """
    w = torch.ones(3, requires_grad=True)
    base = w * 1
    with torch.no_grad():
        v = base[1:]
    print(v.requires_grad)
    attempt(lambda: v.mul_(2))
    with torch.no_grad():
        v.mul_(2)
    print(base, v.requires_grad)
    with torch.inference_mode():
        i = base[1:]
    attempt(lambda: i.mul_(2))


@both
def test_repr_and_misuse(torch):
    """
    set_grad_enabled
    """
    mode = torch.set_grad_enabled(True)
    print(type(mode).__name__)


@both
def test_new_leaves_in_no_grad(torch):
    """
    True True True
    tensor([2., 2.]) tensor([1., 1.])
    """
    with torch.no_grad():
        x = torch.ones(2, requires_grad=True)
        y = (x * 2).requires_grad_()
    print(x.requires_grad, y.is_leaf, y.requires_grad)
    (x * y).sum().backward()
    print(x.grad, y.grad)


@both
def test_deepcopy_of_modes_in_classes(torch):
    """
    False
    """

    class Thing:
        @torch.no_grad()
        def __call__(self, x):
            return (x * 2).requires_grad

    print(Thing()(torch.ones(1, requires_grad=True)))


@both
def test_current_modes_as_values(torch):
    """
    False
    False
    accepted
    """
    with torch.autograd.no_grad(), torch.autograd.enable_grad(), torch.autograd.set_grad_enabled(False):
        print(torch.is_grad_enabled())
    with torch.autograd.inference_mode():
        print(torch.is_grad_enabled())
    with torch.autograd.set_multithreading_enabled(False):
        print("accepted")


@both
def test_what_else_can_be_decorated(torch):
    """
    True
    FutureWarning: Decorating classes is deprecated...
    False True
    """
    import asyncio

    @torch.no_grad()
    async def later():
        return torch.is_grad_enabled()

    print(asyncio.run(later()))

    class Model:
        def __init__(self):
            self.tracked = torch.is_grad_enabled()

        def run(self):
            return torch.is_grad_enabled()

    made = warned(torch.no_grad(), Model)
    print(made().tracked, made().run())


@both
def test_modes_as_objects(torch):
    """
    None None None None
    torch.autograd.grad_mode.set_grad_enabled(mode=False) False
    False
    True
    """
    with torch.no_grad() as a, torch.enable_grad() as b, torch.set_grad_enabled(True) as c, torch.inference_mode() as d:
        print(a, b, c, d)
    mode = torch.set_grad_enabled(mode=False)
    print(mode, torch.is_grad_enabled())
    with mode:
        print(torch.is_grad_enabled())
    print(torch.is_grad_enabled())


@both
def test_nothing_is_recorded_in_inference_mode_whatever_is_asked_for(torch):
    """
    False True
    False True
    True False
    """
    x = torch.ones(1, requires_grad=True)
    with torch.inference_mode():
        with torch.enable_grad():
            y = x * 2
        print(y.requires_grad, torch.is_inference_mode_enabled())
        with torch.set_grad_enabled(True):
            print((x * y).requires_grad, y.is_inference())
        with torch.inference_mode(False):
            print((x * 2).requires_grad, (x * 2).is_inference())
