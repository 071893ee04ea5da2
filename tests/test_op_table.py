"""What holds for every operation of the table, on generated inputs: rules, worlds, dtypes, what is kept and written."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import wengert
from op_cases import DIFFERENTIABLE, ELEMENTWISE, NAMES, by_name, cases, takes_complex, trials
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.node import results_read, save_plan
from wengert.ops.reads import Read
from wengert.ops.record import MISSING, TABLE, EachInput
from wengert.testing._op_checks import CHECKS, same_bits
from wengert.testing._trial import Trial, is_array

# What the checks say of these is meant so: (operation, check) -> (what it says, why that is right).
MEANT = {
    ("conj", "nothing is changed"): (
        "memory of an input",
        "a real value is its own conjugate; the function returns its tensor",
    ),
    ("conj_physical", "nothing is changed"): ("memory of an input", "as conj"),
    ("einsum", "nothing is changed"): ("memory of an input", "the function permutes a single operand, which is a view"),
    ("unsafe_split", "nothing is changed"): ("memory of an input", "unsafe: views that PyTorch does not call views"),
    ("unsafe_split_with_sizes", "nothing is changed"): (
        "memory of an input",
        "unsafe: views that PyTorch does not call views",
    ),
}

# Of the matrix only one triangle is read, or the result is right in more than one way: differences of the result are
# not its derivative. What does not depend on the choice is differentiated in tests/test_linalg.py.
_CHOSEN = {
    "linalg_cholesky": ("first derivatives", "second derivatives", "forward rule"),
    "linalg_eigh": ("first derivatives", "second derivatives", "forward rule"),
    "linalg_eig": ("first derivatives", "second derivatives", "forward rule"),
    "linalg_svd": ("first derivatives", "second derivatives", "forward rule"),
}
MEANT |= {(name, check): ("", "see _CHOSEN") for name, checks in _CHOSEN.items() for check in checks}

MEANT["zeta", "closure"] = ("whose own rule is missing", "the order has no derivative that anybody computes")

# Inputs that have a rule and are Python numbers whenever the operation is used.
NUMBERS = {
    ("pow_number", 1),
    ("number_pow", 0),
    ("rsub_number", 1),
    ("xlogy_number", 1),
    ("xlogy_from_number", 0),
    ("remainder_number", 1),
    ("fmod_number", 1),
    ("copysign_number", 1),
}

OPS = Path(inspect.getfile(wengert)).parent / "ops"


def test_every_operation_has_a_case() -> None:
    lacking = [name for name in NAMES if not cases(name)]
    assert not lacking, f"no inputs to test these with; add rows to a module of tests/samples: {', '.join(lacking)}"


def test_samples_are_of_operations() -> None:
    from op_cases import samples

    assert sorted(set(samples()) - set(NAMES)) == []


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_rule_is_reached(name: str) -> None:
    op = TABLE[name]
    reached = {i for trial in trials(name) for i in trial.tracked}
    if isinstance(op.vjp, EachInput):
        assert reached
        return
    ruled = {i for i, rule in enumerate(op.vjp) if callable(rule) and rule is not MISSING and (name, i) not in NUMBERS}
    assert reached == ruled, f"no case of {name} has a float array for the inputs {sorted(ruled - reached)}"


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_check(name: str, check: str) -> None:
    found = []
    for trial in trials(name):
        with np.errstate(all="ignore"):
            found += [f"{trial!r}: {sentence}" for sentence in CHECKS[check](trial)]
    meant, _ = MEANT.get((name, check), (None, None))
    if meant is not None:
        assert found, f"{name} needs no exception from {check!r} any more: take it out of MEANT"
        found = [sentence for sentence in found if meant not in sentence]
    assert not found, "\n".join(found)


# Values that are kept and make no difference in any case: (operation, input of the rule, slot) -> why.
KEPT = {
    ("xlogy", 0, 1): "tells 0 log 0, which is 0",
    ("xlogy_number", 0, 1): "tells 0 log 0, which is 0",
    ("xlog1py", 0, 1): "tells 0 log 0, which is 0",
    ("pow", 1, 2): "tells 0 to the power of 0",
    ("number_pow", 1, 2): "tells 0 to the power of 0",
    ("nextafter", 0, 1): "tells where the two are equal",
    ("nextafter", 0, 2): "tells where the two are equal",
    ("masked_scatter_backward", 0, 1): "gives zeros of its shape; asked for at order 3 only",
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_nothing_is_kept_that_no_rule_reads(name: str) -> None:
    """What the plan keeps for one input's rule makes a difference to that rule, in at least one case."""
    op = TABLE[name]
    kept: dict[tuple[int, int], bool] = {}
    results: dict[int, bool] = {}
    for trial in trials(name):
        for i in trial.tracked:
            plan = save_plan(op, 1 << i, len(trial.inputs))
            for slot, read in enumerate(plan):
                if read is Read.VALUES and (slot == 0 or is_array(trial.inputs[slot - 1])):
                    key = (-1 if isinstance(op.vjp, EachInput) else i, slot)  # one rule for all inputs has one plan
                    kept[key] = kept.get(key, False) or _matters(trial, i, slot)
            if op.outputs != 1 and plan[0] is Read.VALUES:
                for k in results_read(op, 1 << i, len(trial.results)):
                    results[k] = results.get(k, False) or _matters(trial, i, 0, k)
    useless = [
        f"the rule of input {i} keeps {'the result' if slot == 0 else f'input {slot - 1}'}"
        for (i, slot), matters in kept.items()
        if not matters and (name, i, slot) not in KEPT
    ]
    useless += [f"result {k} is kept" for k, matters in results.items() if not matters]
    assert not useless, f"{name}: {', '.join(useless)}, and its values make no difference"


def _matters(trial: Trial, i: int, slot: int, result: int | None = None) -> bool:
    """Whether the rule gives something else for any other values in the slot."""
    usual = np.asarray(trial.pull(i))
    values = trial.results if slot == 0 else (trial.inputs[slot - 1],)
    for others in zip(*[_others(x) for x in values], strict=True):
        ys, xs = list(trial.results), list(trial.inputs)
        if slot == 0:
            ys = [other if result in (None, k) else y for k, (other, y) in enumerate(zip(others, ys, strict=True))]
        else:
            xs[slot - 1] = others[0]
        try:
            if not same_bits(np.asarray(trial.pull(i, ys=ys, inputs=xs)), usual):
                return True
        except (ValueError, IndexError, RuntimeError):  # other indices may lie outside: the rule reads them
            return True
    return False


def _others(x):
    """Other values of the same shape and dtype."""
    if x.dtype.kind == "b":
        return [~x, np.flip(x), ~x]
    if x.dtype.kind in "iu":
        return [np.flip(x), x + 1, x * 0]
    x = np.where(np.isfinite(x), x, 1.0)
    return [y.astype(x.dtype) for y in (x * -1.37 + 0.11, x * 0.11, x * np.nan)]


@pytest.mark.parametrize(
    "name", [name for name in NAMES if MISSING in (TABLE[name].vjp if isinstance(TABLE[name].vjp, tuple) else ())]
)
def test_a_missing_rule_is_a_clear_error(name: str) -> None:
    trial = next(trials(name))
    tensors = [wrap(np.array(x)).requires_grad_(x.dtype.kind == "f") if is_array(x) else x for x in trial.inputs]
    y = apply(TABLE[name], *tensors, **trial.meta)
    first = next(t for t in (y if isinstance(y, tuple) else (y,)) if t.requires_grad)
    with pytest.raises(NotImplementedError, match="not implemented") as caught:
        first.backward(wrap(np.ones_like(first._data)))
    assert name.split("_", maxsplit=1)[0] in str(caught.value)


# --- the source of the rules -----------------------------------------------------------------------------------------


def _rule_functions() -> list[tuple[str, ast.AST]]:
    return [
        (f"{path.name}:{node.lineno}", node)
        for path in sorted(OPS.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.Lambda)) and any(arg.arg == "xp" for arg in node.args.args)
    ]


def _uses(node: ast.AST, of: str) -> list[str]:
    return [
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == of
    ]


def test_rules_name_operations_of_the_table_only() -> None:
    """Also in branches that no case takes."""
    rules = _rule_functions()
    assert len(rules) > 300
    known = {*TABLE.ops, *TABLE.fused}
    unknown = [f"{place}: xp.{name}" for place, node in rules for name in _uses(node, "xp") if name not in known]
    assert not unknown, "\n".join(unknown)


def test_rules_do_not_call_numpy() -> None:
    """A rule that calls NumPy works on raw values only, and loses what ``create_graph`` should record."""
    harmless = {"broadcast_shapes", "dtype", "inf", "nan", "pi", "float32", "float64", "int64", "finfo"}
    wrong = [
        f"{place}: np.{name}" for place, node in _rule_functions() for name in _uses(node, "np") if name not in harmless
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.conformance
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ELEMENTWISE
        if isinstance(TABLE[name].vjp, tuple) and by_name(wengert, name) and not any(case.meta for case in cases(name))
    ],
)
def test_complex_numbers_are_taken_where_pytorch_takes_them(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = by_name(wengert, name), by_name(torch, name)
    assert ours is not None
    assert theirs is not None
    z = [0.5 + 0.25j, 1.5 - 0.5j]
    n = len(TABLE[name].vjp)
    refusal = None
    try:
        theirs(*[torch.tensor(z, dtype=torch.complex128)] * n)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        refusal = error
    if refusal is None:
        assert takes_complex(TABLE[name])
        return
    with pytest.raises((RuntimeError, NotImplementedError, TypeError)):
        ours(*[wengert.tensor(z, dtype=wengert.complex128)] * n)
    assert not takes_complex(TABLE[name]) or TABLE[name].check is None, refusal
