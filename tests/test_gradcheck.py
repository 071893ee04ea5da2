"""`gradcheck` and `gradgradcheck`: they pass what is right, and say clearly what is wrong."""

import random
import subprocess
import sys
import textwrap
import warnings

import pytest

import wengert
from both import both
from wengert.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from wengert.testing import check_grads
from wengert.testing import gradcheck as exported


def _x(lib, *values, dtype="float64"):
    return lib.tensor(list(values), dtype=getattr(lib, dtype), requires_grad=True)


def _custom(lib, backward, materialize=True):
    """x^2 with a backward of one's own choice."""

    class Squared(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return backward(g, ctx.saved_tensors[0])

    return Squared.apply


def _both_modes(factor, second=3.0):
    """x^3 with ``factor x^2`` for its forward rule."""

    class Cubed(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return g * second * ctx.saved_tensors[0] ** 2

        @staticmethod
        def jvp(ctx, t):
            return t * factor * ctx.saved_tensors[0] ** 2

    return Cubed.apply


def _noisy(g, x):
    return g * 2 * x * (1 + 1e-9 * random.random())


# name -> (function of the library that gives (func, inputs), keyword arguments, what comes out)
PROGRAMS = {
    "right": (lambda lib: (lambda x: x.sin() * x, _x(lib, 0.5, -1.0)), {}, True),
    "a list of inputs": (lambda lib: (lambda x, y: x @ y, [_x(lib, 0.5, -1.0), _x(lib, 2.0, 3.0)]), {}, True),
    "an input that is no tensor": (lambda lib: (lambda x, n: x**n, (_x(lib, 0.5, -1.0), 3)), {}, True),
    "an input without grad": (lambda lib: (lambda x, y: x * y, (_x(lib, 0.5), _x(lib, 2.0).detach())), {}, True),
    "several results": (lambda lib: (lambda x: (x.exp(), x.detach(), x.sum(), 1 * x), _x(lib, 0.5, -1.0)), {}, True),
    "a result that is no tensor and a constant": (
        lambda lib: (lambda x: (x.exp(), lib.ones(2)), _x(lib, 0.5)),
        {},
        True,
    ),
    "unbound": (lambda lib: (lambda x: x.unbind(), _x(lib, 0.5, -1.0)), {}, True),
    "an input that is not used": (lambda lib: (lambda x, y: x * 2, (_x(lib, 0.5), _x(lib, 1.0))), {}, True),
    "an empty input": (lambda lib: (lambda x: x.sum(), _x(lib)), {}, True),
    "an empty result": (lambda lib: (lambda x: x[:0], _x(lib, 0.5)), {}, True),
    "0-d": (lambda lib: (lambda x: x.exp(), lib.tensor(0.5, dtype=lib.float64, requires_grad=True)), {}, True),
    "an inner node": (lambda lib: (lambda x: x.exp(), _x(lib, 0.5) * 2), {}, True),
    "constant": (lambda lib: (lambda x: x.detach() * 0, _x(lib, 0.5)), {}, True),
    "detached": (lambda lib: (lambda x: x.detach() * x.detach(), _x(lib, 0.5)), {}, "zero"),
    "a wrong factor": (lambda lib: (_custom(lib, lambda g, x: g * x), _x(lib, 0.5)), {}, "mismatch"),
    "a wrong factor, fast": (
        lambda lib: (_custom(lib, lambda g, x: g * x), _x(lib, 0.5)),
        {"fast_mode": True},
        "mismatch",
    ),
    "no gradient": (lambda lib: (_custom(lib, lambda g, x: None), _x(lib, 0.5)), {}, "mismatch"),
    "forgotten cotangent": (lambda lib: (_custom(lib, lambda g, x: 2 * x), _x(lib, 0.5, 1.0)), {}, "mismatch"),
    "forgotten cotangent, one element": (
        lambda lib: (_custom(lib, lambda g, x: 2 * x), _x(lib, 0.5)),
        {},
        "multiplied",
    ),
    "not reentrant": (lambda lib: (_custom(lib, _noisy), _x(lib, 0.5, 1.0)), {}, "reentrant"),
    "not reentrant, fast": (lambda lib: (_custom(lib, _noisy), _x(lib, 0.5, 1.0)), {"fast_mode": True}, "reentrant"),
    "a little chance": (lambda lib: (_custom(lib, _noisy), _x(lib, 0.5, 1.0)), {"nondet_tol": 1e-6}, True),
    "complex": (
        lambda lib: (lambda z: z * z.conj() + z.exp(), _x(lib, 1 + 0.5j, -0.3 + 2j, dtype="complex128")),
        {},
        True,
    ),
    "complex, fast": (
        lambda lib: (lambda z: z.exp(), _x(lib, 1 + 0.5j, dtype="complex128")),
        {"fast_mode": True},
        True,
    ),
    "complex to real": (lambda lib: (lambda z: z.abs(), _x(lib, 1 + 0.5j, dtype="complex128")), {}, True),
    "real to complex": (lambda lib: (lambda x: (1j * x).exp(), _x(lib, 0.5, 1.0)), {}, True),
    "conjugate missing": (
        lambda lib: (_custom(lib, lambda g, x: g * 2 * x), _x(lib, 1 + 0.5j, dtype="complex128")),
        {},
        "mismatch",
    ),
    "conjugate there": (
        lambda lib: (_custom(lib, lambda g, x: g * 2 * x.conj()), _x(lib, 1 + 0.5j, dtype="complex128")),
        {},
        True,
    ),
    "dtypes": (lambda lib: (lambda x: x * x, _x(lib, 0.5)), {"check_grad_dtypes": True}, True),
    "a jump": (lambda lib: (lambda x: x.floor(), _x(lib, 1.0)), {}, "mismatch"),
    "a kink whose slopes cancel": (lambda lib: (lambda x: x.abs(), _x(lib, 0.0)), {}, True),
    "loose": (lambda lib: (_custom(lib, lambda g, x: g * 2.1 * x), _x(lib, 0.5)), {"rtol": 0.1}, True),
    "too strict": (lambda lib: (lambda x: x.exp(), _x(lib, 0.5)), {"atol": 0.0, "rtol": 0.0}, "mismatch"),
}
SECOND = {
    "right": (lambda lib: (lambda x: x.sin() * x, _x(lib, 0.5, -1.0)), {}, True),
    "linear": (lambda lib: (lambda x: x + 1, _x(lib, 0.5, -1.0)), {}, True),
    "two inputs, two results": (
        lambda lib: (lambda x, y: (x * y, x @ y), (_x(lib, 0.5, 1.0), _x(lib, 2.0, 3.0))),
        {},
        True,
    ),
    "non-contiguous cotangents": (
        lambda lib: (lambda x: x**3, _x(lib, 0.5, 1.0)),
        {"gen_non_contig_grad_outputs": True},
        True,
    ),
    "complex": (lambda lib: (lambda z: z**3, _x(lib, 1 + 0.5j, dtype="complex128")), {}, True),
    "complex to real, fast": (
        lambda lib: (lambda z: z.abs(), _x(lib, 1 + 0.5j, dtype="complex128")),
        {"fast_mode": True},
        True,
    ),
    "given cotangent": (lambda lib: (lambda x: x**3, _x(lib, 0.5), _x(lib, 2.0)), {}, True),
    "order 2 lost": (lambda lib: (_custom(lib, lambda g, x: g * 2 * x.detach()), _x(lib, 0.5, 1.0)), {}, "mismatch"),
    "wrong at order 1 only": (lambda lib: (_custom(lib, lambda g, x: g * 5 * x), _x(lib, 0.5, 1.0)), {}, True),
}
_SAYS = {
    "mismatch": "Jacobian mismatch for output",
    "zero": "Numerical gradient for function expected to be zero",
    "multiplied": "ackward not multiplied by grad_output",
    "reentrant": "Backward is not reentrant",
}
ALL = [(gradcheck, name, program) for name, program in PROGRAMS.items()]
ALL += [(gradgradcheck, name, program) for name, program in SECOND.items()]


@pytest.mark.parametrize(("check", "name", "program"), ALL, ids=[f"{check.__name__}-{name}" for check, name, _ in ALL])
class TestPrograms:
    def test_on_wengert(self, check, name, program):
        _run(wengert, check, program)

    @pytest.mark.conformance
    def test_on_pytorch(self, check, name, program):
        torch = pytest.importorskip("torch")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _run(torch, getattr(torch.autograd, check.__name__), program)


def _run(lib, check, program):
    make, options, outcome = program
    if outcome is True:
        assert check(*make(lib), **options) is True
        return
    error = GradcheckError if lib is wengert else RuntimeError
    with pytest.raises(error, match=_SAYS[outcome]):
        check(*make(lib), **options)
    assert check(*make(lib), **options, raise_exception=False) is False


class TestMessages:
    def test_says_where_by_how_much_and_for_which_steps(self):
        """The whole message."""
        x = _x(wengert, 0.5, -1.0)

        def wrong(x):
            return _custom(wengert, lambda g, x: g * 3 * x)(x[1])

        with pytest.raises(GradcheckError) as caught:
            gradcheck(wrong, x)
        lines = str(caught.value).splitlines()
        assert lines[0] == "Jacobian mismatch for output 0 with respect to input 0,"
        assert (
            "1 of 2 elements differ, most at input 0[1] and at output 0: analytical -3, numerical -2, relative error "
            "0.33." in lines
        )
        assert lines[-9].split() == ["1e-01", "-2", "0.33"]
        assert lines[-1] == "The differences settle, so it is the gradient that is wrong."

    def test_imaginary_parts_are_named(self):
        def wrong(g, x):
            return g * 2 * x

        z = wengert.tensor(1 + 0.5j, dtype=wengert.complex128, requires_grad=True)
        with pytest.raises(
            GradcheckError, match="2 of 2 elements differ, most at input 0 and at output 0: analytical 2-1j"
        ):
            gradcheck(_custom(wengert, wrong), z)
        with pytest.raises(
            GradcheckError, match="in the imaginary part of input 0 and at output 0: analytical 0, numerical -3"
        ):
            gradcheck(lambda z: _custom(wengert, lambda g, x: g * 0)(z.imag) * -3, z)
        w = _x(wengert, 1.0, 1 + 0.5j, dtype="complex128")
        with pytest.raises(GradcheckError, match=r"input 0\[1\] and at output 0\[1\]"):
            gradcheck(_custom(wengert, wrong), w)

    def test_a_jump_is_told_from_a_wrong_gradient(self):
        with pytest.raises(GradcheckError, match="do not settle: the function has a kink or a jump"):
            gradcheck(lambda x: x.floor(), _x(wengert, 1.0))

    def test_single_precision_is_warned_of_at_the_caller(self):
        with pytest.warns(UserWarning, match=r"Input #1 .* not a double precision.*x\.double\(\)") as caught:
            gradcheck(lambda x, y: x * y, (_x(wengert, 1.0), _x(wengert, 1.0, dtype="float32")), atol=1.0)
        assert [w.filename for w in caught] == [__file__]
        with pytest.warns(UserWarning, match="Input #0") as caught:
            gradgradcheck(lambda x: x * x, _x(wengert, 1.0, dtype="float32"), atol=1.0)
        assert [w.filename for w in caught] == [__file__]

    def test_it_is_a_runtime_error_of_the_public_module(self):
        assert issubclass(GradcheckError, RuntimeError)
        assert (
            f"{GradcheckError.__module__}.{GradcheckError.__qualname__}" == "wengert.autograd.gradcheck.GradcheckError"
        )
        assert wengert.autograd.gradcheck is exported is gradcheck


class TestArguments:
    def test_no_tracked_input(self):
        for inputs in ((), (_x(wengert, 1.0).detach(), 3)):
            for check in (gradcheck, gradgradcheck):
                with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
                    check(lambda x, n=0: x, inputs)

    @pytest.mark.parametrize("fast_mode", [False, True])
    def test_forward_mode(self, fast_mode):
        x, w = _x(wengert, 0.5, 2.0), _x(wengert, 1.0, -3.0)
        f = lambda x, w: ((w * x).sin(), x.sum() * w)
        options = {"check_forward_ad": True, "check_batched_forward_grad": True, "check_batched_grad": True}
        assert gradcheck(f, (x, w), fast_mode=fast_mode, **options)
        assert gradgradcheck(f, (x, w), fast_mode=fast_mode, check_fwd_over_rev=True)
        assert gradgradcheck(f, (x, w), fast_mode=fast_mode, check_fwd_over_rev=True, check_rev_over_rev=False)
        z = wengert.tensor([1 + 2j, 0.5 - 1j], dtype=wengert.complex128, requires_grad=True)
        assert gradcheck(lambda z: (z * z, z.abs(), z.conj() * z), z, check_forward_ad=True, fast_mode=fast_mode)

    @pytest.mark.parametrize("fast_mode", [False, True])
    def test_a_wrong_forward_rule_is_found(self, fast_mode):
        f = _both_modes(2.5)
        assert gradcheck(f, _x(wengert, 0.5, 2.0))
        with pytest.raises(GradcheckError, match=r"(?s)computed with forward mode.*input 0\[1\].*analytical 10.*step "):
            gradcheck(f, _x(wengert, 0.5, 2.0), check_forward_ad=True, fast_mode=fast_mode)

    def test_batches_of_modes_that_are_not_checked(self):
        x = _x(wengert, 1.0)
        with pytest.raises(ValueError, match="requires check_forward_ad"):
            gradcheck(lambda x: x, x, check_batched_forward_grad=True)
        with pytest.raises(ValueError, match="requires check_backward_ad"):
            gradcheck(lambda x: x, x, check_batched_grad=True, check_backward_ad=False, check_forward_ad=True)

    def test_nothing_to_check(self):
        with pytest.raises(AssertionError, match="at least one of"):
            gradcheck(lambda x: x, _x(wengert, 1.0), check_backward_ad=False)
        with pytest.raises(AssertionError, match="at least one of"):
            gradgradcheck(lambda x: x, _x(wengert, 1.0), check_rev_over_rev=False)

    def test_batched(self):
        assert gradcheck(lambda x: (x**2, x.sum()), _x(wengert, 0.5, 1.0), check_batched_grad=True)

    def test_errors_of_the_function_pass_through(self):
        with pytest.raises(ZeroDivisionError):
            gradcheck(lambda x: x / (1 // 0), _x(wengert, 1.0), raise_exception=False)

    def test_undefined_cotangents(self):
        class Pair(wengert.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, a, b):
                return 7 * b if a is None else a if b is None else a + 2 * b

        with pytest.raises(
            GradcheckError, match=r"Expected backward function to handle undefined output grads|Jacobian mismatch"
        ):
            gradcheck(Pair.apply, _x(wengert, 0.5))

    def test_inputs_and_grad_mode_stay_as_they_were(self):
        x = _x(wengert, 0.5, 1.0)
        gradgradcheck(lambda x: x.exp(), x)
        assert x.tolist() == [0.5, 1.0]
        assert x.grad is None
        assert x._version == 0

    def test_the_graph_of_the_inputs_is_kept(self):
        x = _x(wengert, 0.5)
        y = x * x
        gradcheck(lambda y: y.exp(), y)
        y.backward()
        assert x.grad.tolist() == [1.0]


class TestCheckGrads:
    def test_right_ones(self):
        x, y = wengert.tensor([0.5, 2.0]), wengert.tensor(1.5)
        check_grads(lambda tree, n: {"a": (tree["x"] ** n * tree["y"]).sin()}, ({"x": x, "y": y}, 3), order=3)
        check_grads(wengert.exp, x, order=2, modes=["fwd"])
        check_grads(lambda z: z * z.conj(), wengert.tensor([1 + 2j], dtype=wengert.complex64), order=2)
        assert not x.requires_grad
        assert x.dtype is wengert.float32

    def test_wrong_ones_are_named(self):
        x = wengert.tensor([0.5, 2.0])

        def cube(x):
            return _both_modes(3.0, 2.0)(x)

        check_grads(cube, x, modes=["fwd"])
        with pytest.raises(
            GradcheckError, match=r"(?s)check_grads\(cube\): derivative of order 1: .*CubedBackward.*step "
        ):
            check_grads(cube, x)

    def test_a_wrong_second_order_is_found(self):
        class Detached(wengert.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, g):
                return g * 3 * ctx.saved_tensors[0].detach() ** 2

        check_grads(Detached.apply, wengert.tensor([0.5, 2.0]), modes=["rev"])
        with pytest.raises(GradcheckError, match="derivative of order 2 of its derivative by reverse mode"):
            check_grads(Detached.apply, wengert.tensor([0.5, 2.0]), order=2, modes=["rev"])

    def test_arguments(self):
        x = wengert.tensor(1.0)
        for args, options in (((3,), {}), (x, {"order": 0}), (x, {"modes": ["back"]}), (x, {"modes": []})):
            with pytest.raises(ValueError, match="check_grads"):
                check_grads(lambda x: x, args, **options)


@both
def test_parameters_that_the_function_reads_elsewhere(torch):
    """
    True True True
    1.0 0 False
    """
    layer = torch.nn.Linear(2, 2).double()
    x = torch.tensor([[0.3, -1.0]], dtype=torch.float64)
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    found = [
        torch.autograd.gradcheck(lambda *_: (scale * layer(x)).tanh(), (scale, *layer.parameters()), fast_mode=fast)
        for fast in (False, True)
    ]
    again = torch.autograd.gradgradcheck(lambda *_: (scale * layer(x)).tanh(), (scale, *layer.parameters()))
    print(*found, again)
    wrong = torch.autograd.gradcheck(lambda s: scale.detach() * s, scale, raise_exception=False)
    print(scale.item(), scale._version, wrong)


def test_under_pytorchs_names():
    """The module and the function have the same name, in PyTorch as well."""
    program = """
        import wengert.interop.torch
        wengert.interop.torch.install()
        import torch.autograd.gradcheck as same
        import torch.testing
        from torch.autograd.gradcheck import GradcheckError, gradgradcheck
        assert same is torch.autograd.gradcheck is torch.testing.gradcheck is wengert.autograd.gradcheck
        assert issubclass(GradcheckError, RuntimeError)
        assert gradgradcheck is torch.autograd.gradgradcheck
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
