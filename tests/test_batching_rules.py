"""Every operation of the table on a whole batch gives what it gives for each member by itself."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest

from op_cases import NAMES, trials
from wengert._batched import Batched, enter, new_axis
from wengert.ops.record import TABLE
from wengert.spaces.batching import evaluate
from wengert.testing._trial import Trial, is_array

# Operations without a rule for a whole batch: applied to one member after the other.
ONE_BY_ONE = {
    **dict.fromkeys(("as_strided", "restride", "view_dtype"), "what it does depends on one member's memory"),
    "nonzero": "its result's size depends on values",
    **dict.fromkeys(("index", "masked_select", "masked_select_backward"), "so does that of a mask"),
    "index_put": "which writes as many values",
    **dict.fromkeys(("bincount", "bincount_weighted"), "so does that of the largest number"),
    **dict.fromkeys(("index_add", "index_copy", "index_fill", "index_fill_tensor", "index_select"), "of 0-d tensors"),
    "index_select_backward": "of 0-d tensors",
    "ctc_paths": "rare: its batch is the second axis",
    "lu_solved": "compiled programs have it, of which nobody makes batches any more",
}

SORTED = {"searchsorted"}  # they ask for values in order


def _members(x, count, *, scaled):
    """Values like ``x``: in another order, or scaled, so that domains are kept; indices and masks stay."""
    if x.dtype.kind not in "fc" or x.size < 2:
        return [np.array(x)] * count
    if scaled:
        return [x * (1 - k / 32) for k in range(count)]
    return [np.roll(np.reshape(x, -1), k).reshape(x.shape) for k in range(count)]


def _subsets(trial):
    arrays = [i for i, x in enumerate(trial.inputs) if is_array(x)]
    yield arrays
    if len(arrays) > 1:
        yield from ([i] for i in arrays)


def _check(trial: Trial, chosen: list[int], nested: bool) -> str | None:
    op, count = trial.op, 3
    outer, inner = new_axis(count), new_axis(count)
    axes = [inner if nested and i % 2 else outer for i in range(len(trial.inputs))]
    members = {i: _members(trial.inputs[i], count, scaled=op.batch == "..." or op.name in SORTED) for i in chosen}
    given = [enter(np.stack(members[i]), axes[i], 0) if i in members else x for i, x in enumerate(trial.inputs)]
    used = sorted({axes[i] for i in chosen})
    with np.errstate(all="ignore"):
        expected = {
            place: op.impl(
                *[members[i][place[used.index(axes[i])]] if i in members else x for i, x in enumerate(trial.inputs)],
                **trial.meta,
            )
            for place in product(range(count), repeat=len(used))
        }
        got = evaluate(op, given, trial.meta)
    for place, wanted in expected.items():
        pairs = zip(wanted, got, strict=True) if isinstance(wanted, tuple) else [(wanted, got)]
        for want, have in pairs:
            own = have.axes if isinstance(have, Batched) else ()  # fewer, where the result does not depend on all
            if not set(own) <= set(used):
                return f"the batch axes are {own}"
            member = np.asarray(have) if not own else have.array[tuple(place[used.index(axis)] for axis in own)]
            want = np.asarray(want)
            if member.shape != want.shape or member.dtype != want.dtype:
                return f"a member is {member.dtype}{member.shape} for {want.dtype}{want.shape}"
            close = (
                np.allclose(member, want, rtol=1e-12, atol=1e-14, equal_nan=True)
                if want.dtype.kind in "fc"
                else np.array_equal(member, want)
            )
            if not close:
                return f"a member is\n{member}\nfor\n{want}"
    return None


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("unique")])
def test_a_batch_gives_what_its_members_give(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if name in ONE_BY_ONE else "error", UserWarning)
        for trial in trials(name):
            for chosen in _subsets(trial):
                for nested in (False, True):
                    wrong = _check(trial, chosen, nested)
                    assert wrong is None, f"{trial!r}, inputs {chosen}, nested {nested}: {wrong}"


def test_what_goes_one_by_one_is_in_the_table() -> None:
    assert set(ONE_BY_ONE) <= set(TABLE.ops)


def test_results_of_different_sizes_are_refused() -> None:
    batch = enter(np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 3.0]]), new_axis(2), 0)
    meta = {"dim": None, "return_inverse": False, "return_counts": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(RuntimeError, match="results of different shapes"):
            evaluate(TABLE["unique"], (batch,), meta)
