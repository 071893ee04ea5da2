"""Random numbers in the graph: results that were drawn, whose derivative by the parameters of the draw is zero.

The drawn values are an input, so that an operation gives the same result each time it is run on the same inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.record import Kind, Op, defop


def _drawn(x: Any, values: Any) -> Any:
    return np.array(values, x.dtype)[()]


def _drawn_of_two(x: Any, other: Any, values: Any) -> Any:
    return np.array(values, x.dtype)[()]


def _draw(name: str, node: str) -> Op:
    return defop(
        name,
        _drawn,
        Kind.OTHER,
        batch=lambda xp, x, values: xp.cast(values, dtype=x.dtype),
        vjp=(lambda xp, g, y, x, values: xp.zeros_like(g), None),
        args=("self", "values"),
        node=node,
        jvp=lambda xp, ts, y, x, values: xp.zeros_like(y),
        formula="values",
        doc="Numbers drawn at random in the place of the input's.",
    )


BERNOULLI = _draw("bernoulli", "BernoulliBackward0")
POISSON = _draw("poisson", "PoissonBackward0")
BINOMIAL = _draw("binomial", "BinomialBackward0")
NORMAL_AROUND = _draw("normal_around", "NormalBackward1")
NORMAL_SPREAD = _draw("normal_spread", "NormalBackward2")
NORMAL_BOTH = defop(
    "normal_both",
    _drawn_of_two,
    Kind.OTHER,
    batch=lambda xp, x, other, values: xp.cast(values, dtype=x.dtype),
    vjp=(
        lambda xp, g, y, x, other, values: xp.zeros_like(g),
        lambda xp, g, y, x, other, values: xp.zeros_like(g),
        None,
    ),
    args=("mean", "std", "values"),
    node="NormalBackward3",
    jvp=lambda xp, ts, y, x, other, values: xp.zeros_like(y),
    formula="values",
    doc="Normal numbers drawn with the inputs as means and standard deviations.",
)

FILL_UNIFORM = _draw("fill_uniform", "UniformBackward0")
FILL_NORMAL = _draw("fill_normal", "NormalBackward0")
FILL_LOG_NORMAL = _draw("fill_log_normal", "LogNormalBackward0")
FILL_EXPONENTIAL = _draw("fill_exponential", "ExponentialBackward0")
FILL_CAUCHY = _draw("fill_cauchy", "CauchyBackward0")
FILL_GEOMETRIC = _draw("fill_geometric", "GeometricBackward0")
FILL_BERNOULLI_EACH = _draw("fill_bernoulli_each", "BernoulliBackward1")
FILL_BERNOULLI = _draw("fill_bernoulli", "BernoulliBackward2")
FILL_INTEGERS_BETWEEN = _draw("fill_integers_between", "RandomBackward0")
FILL_INTEGERS_BELOW = _draw("fill_integers_below", "RandomBackward1")
FILL_INTEGERS = _draw("fill_integers", "RandomBackward2")
