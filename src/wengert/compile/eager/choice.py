"""Which operations the eager engine runs as machine code: those that were measured to be quicker so.

Measured against NumPy 2.4 with AVX-512, on 10^3, 10^5 and 3 10^6 elements. Forward, NumPy's own vectorised functions
win here and there; backward, where a rule is several passes for NumPy and one here, machine code always does.

Metadata and exponents are written into the code. So that not every number makes another kernel, these are made for
usual numbers only.
"""

from __future__ import annotations

from typing import Any, Final

from wengert.ops.record import Op


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- what runs forward ------------------------------------------------------------------------------------------------

_ARITHMETIC: Final = _names(
    "add sub rsub rsub_number mul div neg reciprocal add_alpha sub_alpha rsub_alpha addcmul addcdiv lerp_number lerp "
    "where zero_where clamp clamp_min clamp_max clamp_tensor clamp_min_tensor clamp_max_tensor clamp_from clamp_to "
    "maximum minimum fmax fmin nan_to_num abs sign sgn copysign floor ceil trunc round round_decimals frac sqrt rsqrt "
    "deg2rad rad2deg pow_number"
)
_ACTIVATIONS: Final = _names(
    "relu threshold leaky_relu hardtanh softshrink hardshrink hardsigmoid hardswish prelu rrelu sigmoid elu celu silu "
    "mish softplus logsigmoid gelu gelu_tanh batch_norm_fixed"
)
_FUNCTIONS: Final = _names(
    "exp exp2 expm1 log log1p sin cos tan asin acos atan atan2 sinc sinh cosh tanh logaddexp logaddexp2 xlogy "
    "xlogy_from_number xlogy_number xlog1py erf erfc erfinv logit normal_cdf lgamma digamma hypot "
    "ldexp ndtr entr"
)
_TOTALS: Final = _names("sum mean")  # of all elements
_FORWARD: Final = _ARITHMETIC | _ACTIVATIONS | _FUNCTIONS | _TOTALS

# Beyond so many elements NumPy's vector code gains more than the cheaper call here: 0.17 ns an element for tanh in
# float32, against 0.28.
_FEW: Final = 4096
_UP_TO: Final = {
    ("tan", "f4"): 0,
    ("tanh", "f4"): _FEW,
    ("atan", "f4"): _FEW,
    ("atan", "f8"): _FEW,
    ("atan2", "f4"): _FEW,
    ("softplus", "f8"): _FEW,
}

# --- what runs backward, beside these ---------------------------------------------------------------------------------

_BACKWARD: Final = _FORWARD | _names("log2 log10 asinh acosh atanh pow masked_fill copysign_number ndtri erfcx")
_BACKWARD_UP_TO: Final = {("pow", "f4"): _FEW, ("pow", "f8"): _FEW}

# --- numbers in the code ----------------------------------------------------------------------------------------------

_EXPONENTS: Final = {False: (2, 3, 0.5, -0.5, -1, -2), True: (2, 3, 4, 0.5, 1.5, -1)}
_USUAL: Final = frozenset(
    [
        *(0.0, 1.0, 2.0, 3.0, 6.0, 20.0, 0.5, 0.1, 0.2, 0.01, 1e-3, 1e-5, 1e-6, 1e-8, 1e-12),
        *(1.6732632423543772, 1.0507009873554805),  # of selu
    ]
)
MOST: Final = (1 << 62) - 1


def most_forward(op: Op, arguments: tuple[Any, ...], meta: dict[str, Any]) -> int:
    """The number of elements up to which machine code is used for an operation; 0 for never."""
    if op.name in _TOTALS and (meta["dim"] is not None or meta["keepdim"]):
        return 0
    if op.name not in _FORWARD or not is_usual(arguments, meta, backward=False):
        return 0
    return _UP_TO.get((op.name, arguments[0]), MOST)


def most_backward(op: Op, arguments: tuple[Any, ...], meta: dict[str, Any]) -> int:
    """The number of elements up to which machine code is used for an operation's rules; 0 for never."""
    if op.name not in _BACKWARD or not is_usual(arguments, meta, backward=True):
        return 0
    return _BACKWARD_UP_TO.get((op.name, arguments[0]), MOST)


def is_usual(arguments: tuple[Any, ...], meta: dict[str, Any], *, backward: bool) -> bool:
    """Whether all numbers that would be written into the code are usual ones."""
    exponents = [number for number in arguments if not isinstance(number, str)]
    if any([number not in _EXPONENTS[backward] for number in exponents]):
        return False
    numbers = [number for number in meta.values() if isinstance(number, float)]
    return all([abs(number) in _USUAL for number in numbers])


__all__ = ["is_usual", "most_backward", "most_forward"]
