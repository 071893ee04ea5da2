"""Operations of one's own by name: what they compute, their gradients, in-place ones, errors, as in PyTorch."""

from collections.abc import Sequence

import numpy as np
import pytest

import wengert
from both import attempt, both
from wengert import Tensor


def _sine(torch):
    @torch.library.custom_op("tests::sine", mutates_args=())
    def sine(x: torch.Tensor, scale: float = 1.0, *, shift: float = 0.0) -> torch.Tensor:
        return torch.from_numpy(np.sin(x.detach().numpy() * scale) + np.float32(shift))

    return sine


@both
def test_gradients_with_keywords(torch):
    """
    <CustomOpDef(tests::sine)>
    RuntimeError: Trying to backward through tests.sine.default but no autograd formula was registered. Please use
        register_autograd to add one.
    saved 2 {'shift': 1.0}
    tensor([1.8415, 1.9093]) GeneratedBackwardFor_tests_sine_defaultBackward
    (True, False)
    tensor([ 1.0806, -0.8323])
    False False
    """
    sine = _sine(torch)
    print(sine)
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    attempt(lambda: sine(x).sum().backward())

    def setup(ctx, inputs, keyword_only_inputs, output):
        print("saved", len(inputs), keyword_only_inputs)
        ctx.save_for_backward(inputs[0])
        ctx.scale = inputs[1]

    def backward(ctx, g):
        print(tuple(ctx.needs_input_grad)[:2])
        (x,) = ctx.saved_tensors
        return g * ctx.scale * (x * ctx.scale).cos(), None

    sine.register_autograd(backward, setup_context=setup)
    y = sine(x, 2.0, shift=1.0)
    print(y.detach(), y.grad_fn.name())
    y.sum().backward()
    print(x.grad)
    with torch.no_grad():
        print(sine(x).requires_grad, sine(x.detach()).requires_grad)


@both
def test_several_results_and_what_is_not_given(torch):
    """
    tensor([3., 3.]) True
    """

    @torch.library.custom_op("tests::pair", mutates_args=())
    def pair(x: torch.Tensor, y: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, x + (0 if y is None else y)

    pair.register_autograd(lambda ctx, g, h: (g * 2 + h, None))
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    a, b = pair(x)
    (a.sum() + b.sum()).backward()
    print(x.grad, a.grad_fn is b.grad_fn)


@both
def test_lists_of_tensors(torch):
    """
    tensor([9., 9.])
    """

    @torch.library.custom_op("tests::total", mutates_args=())
    def total(xs: Sequence[torch.Tensor], k: int) -> torch.Tensor:
        return sum(xs) * k

    def setup(ctx, inputs, output):
        ctx.n, ctx.k = len(inputs[0]), inputs[1]

    total.register_autograd(lambda ctx, g: ([g * ctx.k] * ctx.n, None), setup_context=setup)
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    total([x, x * 2], 3).sum().backward()
    print(x.grad)


@both
def test_what_writes_into_its_argument(torch):
    """
    None tensor([1., 1.]) 1
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation...
    """

    @torch.library.custom_op("tests::increment", mutates_args={"x"})
    def increment(x: torch.Tensor) -> None:
        array = x.detach().numpy()
        array += 1

    x = torch.zeros(2)
    before = x._version
    print(increment(x), x, x._version - before)
    y = torch.ones(2, requires_grad=True) * x
    increment(x)
    attempt(lambda: y.sum().backward())


@both
def test_by_name(torch):
    """
    True tensor([[1., 1.],
            [1., 1.]])
    """

    @torch.library.custom_op("tests::cube", mutates_args=())
    def cube(x: torch.Tensor) -> torch.Tensor:
        return x**3

    def setup(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    torch.library.register_autograd(
        "tests::cube", lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2, setup_context=setup
    )
    torch.library.register_fake("tests::cube", torch.empty_like)

    @torch.library.register_vmap("tests::cube")
    def batched(info, in_dims, x):
        return cube(x), in_dims[0]

    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    print(torch.autograd.gradcheck(cube, x), torch.func.vmap(cube)(torch.ones(2, 2)))


def test_second_derivatives():
    @wengert.library.custom_op("tests::quartic", mutates_args=())
    def quartic(x: Tensor) -> Tensor:
        return wengert.from_numpy(x.detach().numpy() ** 4)

    quartic.register_autograd(
        lambda ctx, g: 4 * g * ctx.saved_tensors[0] ** 3,
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    x = wengert.tensor([0.5, 2.0], dtype=wengert.float64, requires_grad=True)
    assert wengert.autograd.gradgradcheck(quartic, x)


def test_results_are_lists_and_kernels_are_replaced():
    @wengert.library.custom_op("tests::parts", mutates_args=())
    def parts(x: Tensor) -> list[Tensor]:
        return [x * 2, x * 3]

    seen = []
    parts.register_autograd(lambda ctx, grads: seen.append(type(grads)) or 2 * grads[0] + 3 * grads[1])
    x = wengert.tensor([1.0], requires_grad=True)
    (parts(x)[0] + parts(x)[1]).backward()
    assert (x.grad.item(), seen) == (5.0, [list, list])

    @wengert.library.register_kernel("tests::parts", "cpu")
    def other(x):
        return [x * 5, x * 7]

    wengert.library.register_kernel(parts, "cuda", lambda x: None)
    assert [y.item() for y in parts(wengert.ones(1))] == [5.0, 7.0]


def test_errors():
    op = wengert.library.custom_op

    @op("tests::same", mutates_args=())
    def same(x: Tensor) -> Tensor:
        return x

    x = wengert.ones(2)
    with pytest.raises(RuntimeError, match="may not alias any inputs"):
        same(x)

    @op("tests::view", mutates_args=())
    def view(x: Tensor) -> Tensor:
        return x[1:]

    with pytest.raises(RuntimeError, match="may not alias any inputs"):
        view(x)
    with pytest.raises(RuntimeError, match="register_vmap"):
        wengert.func.vmap(view)(wengert.ones(2, 2))
    with pytest.raises(ValueError, match="namespace::name"):
        op("nameless", lambda: None, mutates_args=())
    with pytest.raises(ValueError, match="Parameter x must have a type annotation"):
        op("tests::plain", lambda x: x, mutates_args=())
    with pytest.raises(ValueError, match="'z', which is no parameter"):
        op("tests::none", lambda: None, mutates_args=["z"])
    with pytest.raises(ValueError, match="there is no operation 'tests::absent'"):
        wengert.library.register_autograd("tests::absent", lambda ctx, g: g)

    @op("tests::write", mutates_args=["x"])
    def write(x: Tensor) -> None:
        x.zero_()

    with pytest.raises(RuntimeError, match="non-functional operator"):
        write.register_autograd(lambda ctx: None)

    @op("tests::two", mutates_args=())
    def two(x: Tensor, y: Tensor) -> Tensor:
        return x * y

    two.register_autograd(lambda ctx, g: g)
    with pytest.raises(RuntimeError, match="1 gradients for 2 arguments"):
        two(x.requires_grad_(), x).sum().backward()
