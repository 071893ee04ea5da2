"""Wrong rules, planted on purpose: the checker reports each, with operation and input."""

from collections.abc import Iterator

import numpy as np
import pytest

from wengert.engine import fit, sweep
from wengert.ops.record import TABLE, EachInput, Kind, Op, Promote, defop
from wengert.testing import OpError, check_op

X = np.array([[0.3, -1.2, 0.7], [1.1, 2.1, -0.8]])
Z = X + 1j * X[::-1]


@pytest.fixture(autouse=True)
def _table_as_it_was() -> Iterator[None]:
    before = dict(TABLE.ops)
    yield
    TABLE.ops.clear()
    TABLE.ops.update(before)


def _plant(name: str, impl, *rules, kind=Kind.ELEMENTWISE, **facets) -> Op:
    return defop(
        f"planted_{name}", impl, kind, vjp=rules, promote=Promote.FLOAT, args=("self", "other")[: len(rules)], **facets
    )


def _report(op: Op, *inputs, **meta) -> str:
    with np.errstate(all="ignore"), pytest.raises(OpError) as caught:
        check_op(op, *inputs, **meta)
    report = str(caught.value)
    assert op.name in report
    return report


def test_right_ones_pass() -> None:
    check_op(_plant("right", np.sin, lambda xp, g, y, x: g * xp.conj(xp.cos(x))), X)
    check_op(
        _plant(
            "product", lambda a, b: a * b, lambda xp, g, y, a, b: g * xp.conj(b), lambda xp, g, y, a, b: g * xp.conj(a)
        ),
        Z,
        X[0],
    )


def test_wrong_factor() -> None:
    report = _report(_plant("factor", np.sin, lambda xp, g, y, x: g * xp.cos(x) * 2), X)
    assert "first derivatives: the gradient of input 0 (self)" in report
    assert "all by the factor 2" in report


def test_wrong_sign_of_the_second_input_only() -> None:
    report = _report(_plant("sign", lambda a, b: a - b, lambda xp, g, y, a, b: g, lambda xp, g, y, a, b: g), X, X)
    assert "the gradient of input 1 (other)" in report
    assert "all by the factor -1" in report
    assert "input 0" not in report


def test_wrong_in_one_element() -> None:
    op = _plant("element", np.sqrt, lambda xp, g, y, x: g * xp.where(x > 2, 0.0, 0.5 / y))
    assert "at [1, 1] is 0" in _report(op, np.abs(X))


def test_missing_conjugate() -> None:
    op = _plant("conjugate", np.sin, lambda xp, g, y, x: g * xp.cos(x))
    check_op(op, X)
    assert "first derivatives: the gradient of input 0 (self)" in _report(op, Z)


def test_missing_conjugate_of_a_factor() -> None:
    report = _report(_plant("imaginary_factor", lambda x: x * 1j, lambda xp, g, y, x: g * 1j, linear=(0,)), Z)
    assert "all by the factor -1" in report


def test_rule_that_uses_raw_data() -> None:
    """Order 1 is right; order 2 lacks a term, and nothing else would notice."""

    def raw(xp, g, y, x):
        return g * (x.detach().cos() if hasattr(x, "detach") else np.cos(x))

    report = _report(_plant("raw", np.sin, raw), X)
    assert "first derivatives" not in report
    assert "second derivatives: the gradient of order 2 of input 0 (self)" in report
    assert "all are zero, as when a rule uses raw data" in report


def test_rule_that_closes_over_a_value() -> None:
    seen = []

    def impl(x):
        seen.append(np.array(x))
        return x**3

    report = _report(_plant("closure", impl, lambda xp, g, y, x: g * 3 * seen[-1] ** 2), X)
    assert "second derivatives" in report


def test_rule_that_is_wrong_at_order_2_alone() -> None:
    """It uses an operation whose own rule is wrong."""
    _plant("twisted_cos", np.cos, lambda xp, g, y, x: g * xp.sin(x))
    report = _report(_plant("order_2", np.sin, lambda xp, g, y, x: g * xp.planted_twisted_cos(x)), X)
    assert "first derivatives" not in report
    assert "second derivatives: the gradient of order 2 of input 0 (self)" in report
    assert "all by the factor -1" in report


def test_rule_that_widens() -> None:
    half = np.array(0.5)
    report = _report(_plant("wide", lambda x: x * x, lambda xp, g, y, x: g * (x * 2) * np.float64(1.0)), X)
    assert "precision: what the rule of input 0 (self) returns has the dtype float64 for float32 inputs" in report
    report = _report(_plant("wide_result", lambda x: x * half.reshape(1), lambda xp, g, y, x: g * 0.5), X)
    assert "precision: result 0 has the dtype float64 for float32 inputs" in report


def test_rule_that_gives_a_python_number() -> None:
    report = _report(_plant("number", lambda x: x * 0.0, lambda xp, g, y, x: 0.0), X)
    assert "what the rule of input 0 (self) returns is a float, and no array or NumPy scalar" in report


def test_wrong_sum_over_a_broadcast_axis() -> None:
    """A rule that un-broadcasts by itself, over the wrong axis."""

    def summed(xp, g, y, a, b):
        return xp.sum(g * a, dim=(1,), keepdim=False) if b.ndim < a.ndim else g * a

    op = _plant("summed", lambda a, b: a * b, lambda xp, g, y, a, b: g * b, summed)
    check_op(op, X, X)
    report = _report(op, X, X[0])
    assert "input" in report
    assert "first derivatives" in report


def test_wrong_sum_over_a_square_axis() -> None:
    """The same where the shapes fit by chance."""
    square = X[:, :2]

    def summed(xp, g, y, a, b):
        return xp.sum(g * a, dim=(1,), keepdim=False) if b.ndim < a.ndim else g * a

    report = _report(
        _plant("summed_square", lambda a, b: a * b, lambda xp, g, y, a, b: g * b, summed), square, square[0]
    )
    assert "first derivatives: the gradient of input 1 (other)" in report


def test_an_engine_that_sums_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep's own un-broadcast is held to the same differences."""
    check_op(TABLE["mul"], X[:, :2], X[0, :2])

    def averaged(x, to, source):
        y = fit.fit_raw(x, to, source)
        return y if x.shape == to.shape else y * (y.size / x.size)

    monkeypatch.setattr(sweep, "fit_raw", averaged)
    report = _report(TABLE["mul"], X[:, :2], X[0, :2])
    assert "first derivatives: the gradient of input 1 (other)" in report
    assert "all by the factor 0.5" in report


def test_rule_of_the_wrong_shape() -> None:
    report = _report(_plant("shape", np.sin, lambda xp, g, y, x: xp.sum(g * xp.cos(x), dim=(1,), keepdim=False)), X)
    assert "first derivatives" in report


def test_rule_that_writes() -> None:
    def writing(xp, g, y, x):
        if isinstance(g, np.ndarray):
            g *= 2
            return g / 2
        return g

    report = _report(_plant("writes", lambda x: x + 0, writing), X)
    assert "the rule of input 0 (self) changes cotangent of result 0" in report


def test_impl_that_writes() -> None:
    def impl(x):
        if isinstance(x, np.ndarray) and x.flags.writeable:
            x += 1
        return x * 1

    assert "impl changes input 0" in _report(_plant("impl_writes", impl, lambda xp, g, y, x: g), X)


def test_impl_that_returns_its_input() -> None:
    report = _report(_plant("returns", lambda x: x, lambda xp, g, y, x: g), X)
    assert "impl returns memory of an input" in report


def test_worlds_that_differ() -> None:
    """A rule that asks what world it is in."""

    def two_faced(xp, g, y, x):
        return g * 2 if repr(xp) == "<tensors>" else g

    assert "raw values and tensors: the gradient of input 0 (self)" in _report(
        _plant("two_faced", lambda x: x + 0, two_faced), X
    )


def test_save_plan_that_keeps_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.ops.reads import Read
    from wengert.testing import _op_checks

    monkeypatch.setattr(_op_checks, "save_plan", lambda op, mask, n: (Read.NOTHING,) * (n + 1))
    report = _report(TABLE["sin"], X)
    assert "save plan: the rule of input 0 (self) needs more than the save plan (nothing, nothing) keeps" in report


def test_false_claims_of_the_record() -> None:
    op = _plant("not_linear", lambda x: x * x, lambda xp, g, y, x: g * 2 * xp.conj(x), linear=(0,))
    assert "linearity: the record calls the operation linear in input 0 (self), and it is not" in _report(op, X)
    forward = _plant("forward", np.sin, lambda xp, g, y, x: g * xp.cos(x), jvp=lambda xp, ts, y, x: ts[0] * xp.sin(x))
    assert "forward rule: the tangent of result 0 by its forward rule for input 0 (self)" in _report(forward, X)


def test_forward_mode_that_does_not_follow_from_the_backward_rule() -> None:
    """The direction of a complex number has no complex derivative: its record must state a forward rule."""
    op = _plant("direction", TABLE["sgn"].impl, TABLE["sgn"].vjp[0])
    assert "forward rule: the tangent of result 0 that follows from its backward rule" in _report(op, Z)


def test_operation_that_is_not_in_the_table() -> None:
    report = _report(_plant("unknown", np.sin, lambda xp, g, y, x: g * xp.cosinus(x)), X)
    assert "no operation 'cosinus' is in the table" in report


def test_operation_without_a_rule() -> None:
    report = _report(_plant("gap", lambda a: a * 1.0, lambda xp, g, y, x: xp.floor_divide(g, 1.0) * 0 + g), X)
    assert "closure: the rule of input 0 (self) uses floor_divide, whose own rule is missing" in report


def test_one_of_several_results() -> None:
    def rule(xp, g, y, x):
        return g[0] * 2 + g[1] * 4

    op = _plant("pair", lambda x: (x * 2, x * 3), rule, kind=Kind.OTHER, outputs=2, differentiable_outputs=(0, 1))
    assert "first derivatives: the gradient of input 0 (self)" in _report(op, X)


def test_one_of_any_number_of_inputs() -> None:
    def rule(xp, g, y, i, *xs):
        return g * (2.0 if i == 2 else 1.0)

    op = defop("planted_each", lambda *xs: sum(xs[1:], xs[0]), Kind.OTHER, vjp=EachInput(rule), args=("tensors",))
    report = _report(op, X, X, X)
    assert "the gradient of input 2 " in report
    assert "input 1" not in report


def test_the_checks_can_be_chosen() -> None:
    op = _plant("chosen", np.sin, lambda xp, g, y, x: g * xp.cos(x) * 2)
    check_op(op, X, only=["precision"])
    with pytest.raises(OpError):
        check_op(op, X, only=["first derivatives"])
