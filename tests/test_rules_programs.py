"""Random programs: wengert computes what PyTorch computes, forward, gradients and gradients of gradients."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import wengert
from random_programs import Program, programs

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
FEW = settings(deadline=None, max_examples=250, suppress_health_check=_QUIET, derandomize=True)
MANY = settings(deadline=None, max_examples=4000, suppress_health_check=_QUIET, derandomize=True)


def _outcome(lib, program: Program, order: int):
    """Values, gradients, and for order 2 gradients of those; or the type of error."""
    leaves = [lib.tensor(leaf, dtype=lib.float64, requires_grad=True) for leaf in program.leaves]
    try:
        values = program.run(lib, leaves)
        found = [v.detach().clone() for v in values]
        loss = sum([((i % 3) + 1) * v.sum() for i, v in enumerate(values)])
        if not loss.requires_grad:
            return found
        grads = lib.autograd.grad(loss, leaves, create_graph=order > 1, allow_unused=True)
        found += [lib.zeros_like(x) if g is None else g.detach() for x, g in zip(leaves, grads, strict=True)]
        second = sum([(g * g).sum() for g in grads if g is not None]) if order > 1 else None
        if order > 1:  # whether a constant gradient counts as tracked is nobody's business
            tracked = getattr(second, "requires_grad", False)
            grads = lib.autograd.grad(second, leaves, allow_unused=True) if tracked else [None] * len(leaves)
            found += [lib.zeros_like(x) if g is None else g for x, g in zip(leaves, grads, strict=True)]
        return found
    except RuntimeError as error:
        return error


def _agree(torch, program: Program, order: int) -> None:
    ours, theirs = _outcome(wengert, program, order), _outcome(torch, program, order)
    if isinstance(theirs, RuntimeError) and "modified by an inplace operation" in str(theirs):
        return  # PyTorch may have saved a value that wengert did not need to save
    if isinstance(theirs, RuntimeError) or isinstance(ours, RuntimeError):
        both_raise = isinstance(ours, RuntimeError) and isinstance(theirs, RuntimeError)
        assert both_raise, f"{ours!r} here, {theirs!r} there"
        return
    assert len(ours) == len(theirs)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        x, y = np.asarray(a.numpy()), b.detach().resolve_conj().resolve_neg().numpy(force=True)
        assert x.shape == y.shape, f"value {i}"
        if i >= len(program.steps) and np.isnan(y).any():
            continue  # PyTorch's gradient of var and norm is 0 / 0 at a point where ours is its limit, 0
        scale = np.abs(y[np.isfinite(y)]).max(initial=1.0)
        np.testing.assert_allclose(
            x, y, rtol=1e-8, atol=1e-10 * scale, err_msg=f"value {i} of {len(program.steps)}, then gradients"
        )


@pytest.mark.conformance
class TestAgainstPyTorch:
    @FEW
    @given(programs(in_place=False))
    def test_pure_programs(self, program: Program) -> None:
        _agree(pytest.importorskip("torch"), program, order=2)

    @FEW
    @given(programs(in_place=True))
    def test_programs_that_write(self, program: Program) -> None:
        _agree(pytest.importorskip("torch"), program, order=1)

    @pytest.mark.slow
    @MANY
    @given(programs(in_place=False))
    def test_many_pure_programs(self, program: Program) -> None:
        _agree(pytest.importorskip("torch"), program, order=2)

    @pytest.mark.slow
    @MANY
    @given(programs(in_place=True))
    def test_many_programs_that_write(self, program: Program) -> None:
        _agree(pytest.importorskip("torch"), program, order=1)


@FEW
@given(programs(in_place=True))
def test_ways_of_differentiating_agree(program: Program) -> None:
    """``backward``, ``grad`` and ``create_graph`` give the same gradients, and a program gives the same twice."""
    found = []
    for way in ("backward", "grad", "create_graph"):
        leaves = [wengert.tensor(leaf, dtype=wengert.float64, requires_grad=True) for leaf in program.leaves]
        try:
            values = program.run(wengert, leaves)
            loss = sum([((i % 3) + 1) * v.sum() for i, v in enumerate(values)])
            if not loss.requires_grad:
                return
            if way == "backward":
                loss.backward()
                grads = [x.grad for x in leaves]
            else:
                grads = wengert.autograd.grad(loss, leaves, allow_unused=True, create_graph=way == "create_graph")
        except RuntimeError as error:
            found.append(str(error))
        else:
            found.append([None if g is None else g.tolist() for g in grads])
    if isinstance(found[0], str):
        assert all(isinstance(outcome, str) for outcome in found)
        return
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_equal(a, b)
