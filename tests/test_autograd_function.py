"""``autograd.Function``: what ctx offers, what forward may return, what backward must return."""

import pytest

import wengert
from both import attempt, both, names


@both
def test_forward_and_backward(torch):
    """
    tracked inside: False
    tensor([1.0000, 2.7183], grad_fn=<ExpBackward>) ExpBackward ExpBackward(AccumulateGrad) ExpBackward
    tracked in backward: False
    tensor([1.0000, 2.7183])
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tracked inside: False
    False
    tracked inside: False
    False
    """

    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            print("tracked inside:", torch.is_grad_enabled())
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, g):
            (result,) = ctx.saved_tensors
            print("tracked in backward:", torch.is_grad_enabled())
            return g * result

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    y = Exp.apply(x)
    print(y, y.grad_fn.name(), names(y.grad_fn), type(y.grad_fn).__name__)
    y.sum().backward()
    print(x.grad)
    attempt(y.sum().backward)
    print(Exp.apply(torch.ones(1)).requires_grad)
    with torch.no_grad():
        print(Exp.apply(x).requires_grad)


@both
def test_arguments_of_every_kind(torch):
    """
    (True, False, False, False) {'a': 1} (tensor([1.]),)
    (True, False, False, False)
    tensor(3.)
    """

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, note=None, *more):
            ctx.factor = factor
            print(ctx.needs_input_grad, note, more)
            return x * factor

        @staticmethod
        def backward(ctx, g):
            print(ctx.needs_input_grad)
            return g * ctx.factor, None, None, None

    x = torch.tensor(2.0, requires_grad=True)
    y = Scale.apply(x, 3, {"a": 1}, torch.ones(1))
    y.backward()
    print(x.grad)


@both
def test_setup_context(torch):
    """
    output tensor(6.) text
    text
    None
    tensor(3.) tensor(2.)
    """

    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(a, b):
            return a * b, "text"

        @staticmethod
        def setup_context(ctx, inputs, output):
            a, b = inputs
            print("output", output[0].detach(), output[1])
            ctx.save_for_backward(a, b)

        @staticmethod
        def backward(ctx, g, nothing):
            a, b = ctx.saved_tensors
            print(nothing)
            return g * b, g * a

    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    y, text = Mul.apply(x, w)
    print(text)
    y.backward()
    print(x.grad, w.grad)


@both
def test_second_order(torch):
    """
    tensor(12.) tensor(12.) tensor(6.)
    """

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x = torch.tensor(2.0, requires_grad=True)
    (a,) = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
    (b,) = torch.autograd.grad(a, x, create_graph=True)
    (c,) = torch.autograd.grad(b, x)
    print(a.detach(), b.detach(), c)


@both
def test_second_order_through_a_saved_result(torch):
    """
    True ExpBackward
    True ExpBackward
    tensor(2.7183, dtype=torch.float64)
    """

    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            print(y.requires_grad, y.grad_fn.name())
            return g * y

    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    (a,) = torch.autograd.grad(Exp.apply(x), x, create_graph=True)
    (b,) = torch.autograd.grad(a, x, create_graph=True)
    print(b.detach())


@both
def test_several_results(torch):
    """
    True 0 1
    tensor(1.) tensor(0.)
    tensor(1.)
    tensor(2.) tensor(3.)
    tensor(3.)
    """

    class SinCos(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            s, c = x.sin(), x.cos()
            ctx.save_for_backward(s, c)
            return s, c

        @staticmethod
        def backward(ctx, gs, gc):
            s, c = ctx.saved_tensors
            print(gs, gc)
            return gs * c - gc * s

    x = torch.tensor(0.0, requires_grad=True)
    s, c = SinCos.apply(x)
    print(s.grad_fn is c.grad_fn, s.output_nr, c.output_nr)
    s.backward()
    print(x.grad)
    s, c = SinCos.apply(x)
    (s * 2 + c * 3).backward()
    print(x.grad)


@both
def test_without_materialized_grads(torch):
    """
    tensor(1.) None
    None tensor(1.)
    tensor(3.)
    """

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            print(a, b)
            return a if b is None else b * 2

    x = torch.tensor(1.0, requires_grad=True)
    a, b = Two.apply(x)
    a.backward()
    a, b = Two.apply(x)
    b.backward()
    print(x.grad)


@both
def test_none_as_gradient(torch):
    """
    tensor(1.) None
    """

    class Cut(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g, None

    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    Cut.apply(x, w * 2).backward()
    print(x.grad, w.grad)


@both
def test_non_differentiable_results(torch):
    """
    True False False None
    tensor([0, 0, 0]) tensor([0., 0., 0.])
    tensor([100.,   1.,  10.])
    """

    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x.sort()
            extra = x * 2
            ctx.mark_non_differentiable(index, extra)
            ctx.save_for_backward(index)
            return values, index, extra

        @staticmethod
        def backward(ctx, g, g1, g2):
            (index,) = ctx.saved_tensors
            print(g1, g2)
            return torch.zeros_like(g).index_add_(0, index, g)

    x = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, index, extra = Sort.apply(x)
    print(values.requires_grad, index.requires_grad, extra.requires_grad, extra.grad_fn)
    (values * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    print(x.grad)


@both
def test_mark_dirty(torch):
    """
    True AddOneBackward 2
    tensor([20., 20.])
    RuntimeError: a leaf Variable that requires grad has been used in an in-place operation...
    True tensor([2., 2.])
    """

    class AddOne(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x += 1
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 10

    w = torch.tensor([1.0, 2.0], requires_grad=True)
    a = w * 2
    b = AddOne.apply(a)
    print(b is a, a.grad_fn.name(), a._version)
    a.sum().backward()
    print(w.grad)
    attempt(AddOne.apply, w)
    plain = torch.ones(2)
    print(AddOne.apply(plain) is plain, plain)


@both
def test_mark_dirty_of_a_view(torch):
    """
    tensor([1., 4., 6.], grad_fn=<CopySlices>) CopySlices tensor([4., 6.], grad_fn=<AsStridedBackward0>)
    tensor([1., 2., 2.])
    """

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = w * 1
    view = base[1:]
    Double.apply(view)
    print(base, base.grad_fn.name().removeprefix("torch::autograd::"), view)
    base.sum().backward()
    print(w.grad)


@both
def test_dirty_must_be_returned(torch):
    """
    RuntimeError: Some elements marked as dirty during the forward method were not returned as output. T...
    """

    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(2, requires_grad=True)
    attempt(Bad.apply, x * 1)


@both
def test_returning_an_input(torch):
    """
    False SameBackward False True
    tensor([5., 5.])
    False
    """

    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Same.apply(x)
    print(y is x, y.grad_fn.name(), y.is_leaf, x.is_leaf)
    y.sum().backward()
    print(x.grad)
    plain = torch.ones(2)
    print(Same.apply(plain).requires_grad)


@both
def test_returning_a_view(torch):
    """
    ViewBackward True
    tensor([[1., 1.],
            [1., 1.]])
    """

    class View(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g.view(2, 2)

    x = torch.ones(2, 2, requires_grad=True)
    y = View.apply(x * 1)
    print(y.grad_fn.name(), y._is_view())
    y.sum().backward()
    print(x.grad)


@both
def test_wrong_number_of_gradients(torch):
    """
    RuntimeError: function FBackward returned an incorrect number of gradients (expected 2, got 1)...
    RuntimeError: function FBackward returned an incorrect number of gradients (expected 2, got 3)...
    None
    RuntimeError: function FBackward returned an incorrect number of gradients (expected 2, got 0)...
    RuntimeError: function FBackward returned an incorrect number of gradients (expected 2, got 1)...
    RuntimeError: expected Variable or None (got float)...
    RuntimeError: function FBackward returned an incorrect number of gradients (expected 2, got 1)...
    tensor(1.) tensor(1.)
    """

    def make(returned):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, w):
                return x * w

            @staticmethod
            def backward(ctx, g):
                return returned(g)

        return F

    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    attempt(make(lambda g: g).apply(x, w).backward)
    attempt(make(lambda g: (g, g, g)).apply(x, w).backward)
    attempt(make(lambda g: (g, g, None)).apply(x, w).backward)
    attempt(make(lambda g: ()).apply(x, w).backward)
    attempt(make(lambda g: None).apply(x, w).backward)
    attempt(make(lambda g: (g, 1.0)).apply(x, w).backward)
    attempt(make(lambda g: [g, g]).apply(x, w).backward)
    print(x.grad, w.grad)


@both
def test_gradient_of_another_dtype_is_cast(torch):
    """
    tensor(2.) torch.float32
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g.double() * 2

    x = torch.tensor(2.0, requires_grad=True)
    F.apply(x).backward()
    print(x.grad, x.grad.dtype)


@both
def test_exceptions_inside(torch):
    """
    KeyError: 'in forward'...
    True
    ValueError: in backward...
    True None
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, fail):
            if fail:
                raise KeyError("in forward")
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("in backward")

    x = torch.tensor(2.0, requires_grad=True)
    attempt(F.apply, x, True)
    print(torch.is_grad_enabled())
    attempt(F.apply(x, False).backward)
    print(torch.is_grad_enabled(), x.grad)


@both
def test_missing_methods(torch):
    """
    NotImplementedError: You must implement the forward function for custom autograd.Function...
    NotImplementedError: You must implement either the backward or vjp method for your custom autograd.F...
    """

    class Empty(torch.autograd.Function):
        pass

    class NoBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    x = torch.tensor(2.0, requires_grad=True)
    attempt(Empty.apply, x)
    attempt(NoBackward.apply(x).backward)


@both
def test_not_static_methods(torch):
    """
    tensor([2.], grad_fn=<OldBackward>)
    """

    class Old(torch.autograd.Function):
        def forward(self, x):
            return x * 2

        def backward(self, g):
            return g * 2

    attempt(lambda: Old.apply(torch.ones(1, requires_grad=True)))


@both
def test_keyword_arguments_are_refused(torch):
    """
    tensor(6., grad_fn=<FBackward>)
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor=2):
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g, None

    x = torch.tensor(2.0, requires_grad=True)
    attempt(lambda: F.apply(x, factor=3))


@both
def test_save_for_backward_takes_tensors_and_none(torch):
    """
    (tensor(2., requires_grad=True), None)
    TypeError: save_for_backward can only save variables, but argument 1 is of type float...
    TypeError: save_for_backward can only save variables, but argument 1 is of type list...
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, what):
            ctx.save_for_backward(x, what)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            print(ctx.saved_tensors)
            return g, None

    x = torch.tensor(2.0, requires_grad=True)
    F.apply(x, None).backward()
    attempt(F.apply, x, 3.0)
    attempt(F.apply, x, [x])


@both
def test_saved_values_are_checked(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    tensor([8.])
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

    x = torch.tensor([2.0], requires_grad=True)
    w = torch.tensor([3.0])
    y = F.apply(x, w)
    w.add_(1)
    attempt(y.backward)
    y = F.apply(x, w)
    y.backward(retain_graph=True)
    y.backward()
    attempt(y.backward)
    print(x.grad)
    attempt(lambda: y.grad_fn.saved_tensors)


@both
def test_function_without_saved_values_runs_again(torch):
    """
    tensor([4.])
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = torch.tensor([2.0], requires_grad=True)
    y = F.apply(x)
    y.backward()
    y.backward()
    print(x.grad)


@both
def test_once_differentiable(torch):
    """
    False
    tensor(6.)
    False
    False
    RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn...
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            print(torch.is_grad_enabled())
            return g * 2 * x

    x = torch.tensor(3.0, requires_grad=True)
    F.apply(x).backward()
    print(x.grad)
    (a,) = torch.autograd.grad(F.apply(x), x, create_graph=True)
    print(a.requires_grad)
    attempt(torch.autograd.grad, a, x)


@both
def test_gradient_is_not_computed_for_inputs_that_need_none(torch):
    """
    (True, False)
    tensor(1.) None
    (True, True)
    (tensor(1.),)
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            print(ctx.needs_input_grad)
            return g, g

    a = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(1.0)
    F.apply(a, b).backward()
    print(a.grad, b.grad)
    c = torch.tensor(1.0, requires_grad=True)
    print(torch.autograd.grad(F.apply(a, c), a))


@both
def test_functions_inside_functions_and_grad_in_forward(torch):
    """
    tensor(9.) tensor([ 3., 12.])
    """

    class Outer(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                inner = x.detach().requires_grad_()
                y = (inner**3).sum()
            (g,) = torch.autograd.grad(y, inner)
            ctx.save_for_backward(g)
            return y.detach()

        @staticmethod
        def backward(ctx, grad):
            return ctx.saved_tensors[0] * grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Outer.apply(x)
    y.backward()
    print(y.detach(), x.grad)


@both
def test_straight_through_estimator(torch):
    """
    tensor([0.2000, 3.7000])
    """

    class Round(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.tensor([0.2, 1.7], requires_grad=True)
    (Round.apply(x) * x).sum().backward()
    print(x.grad)


@both
def test_results_that_are_no_tensors(torch):
    """
    5 None
    tensor(1.) None None
    False
    [tensor(4.)]
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, 5, None

        @staticmethod
        def backward(ctx, g, g1, g2):
            print(g, g1, g2)
            return g * 2

    class G(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return [x * 2]

        @staticmethod
        def backward(ctx, *g):
            return g[0]

    x = torch.tensor(2.0, requires_grad=True)
    y, five, nothing = F.apply(x)
    print(five, nothing)
    y.backward()
    attempt(lambda: G.apply(x)[0].requires_grad)
    attempt(G.apply, x)


@both
def test_integer_results_are_not_tracked(torch):
    """
    False tensor([1])
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x > 0).long()

        @staticmethod
        def backward(ctx, g):
            return None

    x = torch.tensor([2.0], requires_grad=True)
    y = F.apply(x)
    print(y.requires_grad, y)


@both
def test_ctx_attributes(torch):
    """
    note
    torch.Size([3]) note FBackward
    tensor([1., 1., 1.])
    AttributeError: 'FBackward' object has no attribute 'nothing'...
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape, ctx.note = x.shape, "note"
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            print(ctx.shape, ctx.note, isinstance(ctx, F) or type(ctx).__name__)
            return g.expand(ctx.shape)

    x = torch.ones(3, requires_grad=True)
    y = F.apply(x)
    print(y.grad_fn.note)
    y.backward()
    print(x.grad)
    attempt(lambda: y.grad_fn.nothing)


@both
def test_vjp_is_another_name_of_backward(torch):
    """
    tensor(2.)
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = torch.tensor(2.0, requires_grad=True)
    F.apply(x).backward()
    print(x.grad)


@both
def test_same_input_twice(torch):
    """
    tensor(6.)
    """

    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b, g * a

    x = torch.tensor(3.0, requires_grad=True)
    Mul.apply(x, x).backward()
    print(x.grad)


@both
def test_ctx_saved_input_is_the_input(torch):
    """
    True True True
    False True False
    """

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            print(x is leaf, x.requires_grad, x.is_leaf)
            return g * 2

    leaf = torch.tensor(3.0, requires_grad=True)
    F.apply(leaf).backward()
    result = leaf * 2
    F.apply(result).backward()


@both
def test_hooks_on_results_of_functions(torch):
    """
    tensor(210.) tensor(10.)
    """

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            return a + 2 * b

    x = torch.tensor(1.0, requires_grad=True)
    a, b = Two.apply(x)
    a.register_hook(lambda g: g * 10)
    b.register_hook(lambda g: g * 100)
    a.retain_grad()
    (a + b).backward()
    print(x.grad, a.grad)


@both
def test_once_per_graph_functions_in_loops(torch):
    """
    tensor(101.) tensor(1.)
    """

    class Inc(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100):
        y = Inc.apply(y)
    y.backward()
    print(y.detach(), x.grad)


def test_gradient_has_exactly_the_shape_of_its_argument() -> None:
    """PyTorch sums a gradient that is too large; here a wrong formula is found."""

    class Scale(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g, g * 2

    x = wengert.ones(3, requires_grad=True)
    w = wengert.ones(1, requires_grad=True)
    y = Scale.apply(x, w)
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    text = str(caught.value)
    assert text.startswith(
        "Function ScaleBackward returned an invalid gradient at index 1 - got [3] but expected shape"
    )
    assert "y = Scale.apply(x, w)" in text
    assert x.grad is None
    assert w.grad is None


def test_second_order_of_a_saved_intermediate_warns() -> None:
    class Square(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            twice = x * 2
            ctx.save_for_backward(twice)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = wengert.tensor(3.0, requires_grad=True)
    (g,) = wengert.autograd.grad(Square.apply(x), x, create_graph=True)
    with pytest.warns(UserWarning, match="SquareBackward saved a tensor for backward that is neither an input nor"):
        (g * x).backward()
    assert x.grad.item() == 6


@pytest.mark.parametrize(
    "name", ["shape", "dtype", "links", "seq", "op", "meta", "saved", "hooks", "code", "next", "plain"]
)
def test_any_attribute_may_be_put_on_ctx(name: str) -> None:
    class F(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            setattr(ctx, name, "mine")
            return x * 2

        @staticmethod
        def backward(ctx, g):
            assert getattr(ctx, name) == "mine"
            return g * 2

    x = wengert.tensor(3.0, requires_grad=True)
    (F.apply(x) * 1).backward()
    assert x.grad.item() == 2


@both
def test_the_node_follows_tensors_only(torch):
    """
    [True, False]
    <torch.autograd.function.ScaleBackward object at
    <MulBackward0 object at
    """

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, factor, x, name, y):
            return factor * x

        @staticmethod
        def backward(ctx, g):
            return None, g, None, None

    x = torch.ones(2, requires_grad=True)
    node = Scale.apply(3.0, x, "name", torch.ones(2)).grad_fn
    print([following is not None for following, _ in node.next_functions])
    print(repr(node).partition(" 0x")[0])
    print(repr((x * 2).grad_fn).partition(" 0x")[0])
