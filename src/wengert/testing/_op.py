"""Check an operation of the table: what must hold for its rules, on inputs that you give."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from wengert.ops.record import Op
from wengert.testing._op_checks import CHECKS
from wengert.testing._trial import Trial


class OpError(AssertionError):
    """An operation's record is wrong; the message lists everything that was found."""


def check_op(op: Op, *inputs: Any, only: Collection[str] | None = None, **meta: Any) -> None:
    """Check implementation and rules of one operation on the given inputs.

    Derivatives of order 1 and 2 against finite differences, raw values against tensors, the forward rule, the save
    plan, that nothing is written to what is given, that float32 stays float32, and that rules use operations of the
    table only.

    Args:
        op: a record, as :func:`wengert.ops.record.defop` makes it.
        inputs: raw inputs as ``impl`` gets them (float64 or complex128, integers, booleans, Python numbers), away from
            points where the operation has no derivative.
        only: the names of the checks to make, all by default.
        meta: the operation's metadata.

    Raises:
        OpError: something does not hold; the message says what, and for which operation and input.

    >>> import numpy as np
    >>> from wengert.ops.elementary import SIN
    >>> check_op(SIN, np.array([0.3, -1.2]))
    """
    trial = Trial(
        op,
        [
            x if isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic) else np.asarray(x)[()]
            for x in inputs
        ],
        meta,
    )
    found = []
    for name, check in CHECKS.items():
        if only is not None and name not in only:
            continue
        try:
            found += [f"{name}: {sentence}" for sentence in check(trial)]
        except Exception as error:  # noqa: BLE001 - a rule may raise anything; the other checks still tell something
            found.append(f"{name}: it raised {type(error).__name__}: {error}")
    if found:
        raise OpError("\n  ".join([f"{trial!r} is wrong:", *found]))
