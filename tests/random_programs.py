"""Random programs of tensor operations, as Hypothesis draws them, that run on wengert and on PyTorch alike.

A program is a list of numbers. Whatever they are, they mean something: a step picks an operation and operands among the
values so far by remainders, and does nothing where the shapes do not fit. So programs shrink well, and both libraries
take the same decisions as long as their shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st

SHAPES = ((2, 3), (3,), (), (2, 1), (3, 3))

Operation = Callable[..., Any]


def _dim(x: Any, k: int) -> int:
    return k % x.ndim - (x.ndim if k & 64 else 0) if x.ndim else 0


def _other(x: Any, k: int) -> tuple[int, ...]:
    """A permutation of the axes."""
    axes = list(range(x.ndim))
    for i in range(len(axes)):
        j = (k * 7 + i * 3) % len(axes)
        axes[i], axes[j] = axes[j], axes[i]
    return tuple(axes)


UNARY: dict[str, Operation] = {
    "sin": lambda lib, x, k: x.sin(),
    "cos": lambda lib, x, k: lib.cos(x),
    "tanh": lambda lib, x, k: x.tanh(),
    "sigmoid": lambda lib, x, k: lib.sigmoid(x),
    "exp of tanh": lambda lib, x, k: x.tanh().exp(),
    "log1p of square": lambda lib, x, k: lib.log1p(x * x),
    "root": lambda lib, x, k: (x * x + 1).sqrt(),
    "square": lambda lib, x, k: x**2,
    "power": lambda lib, x, k: (x * x + 0.5) ** (k % 5 - 1.5),
    "negative": lambda lib, x, k: -x,
    "affine": lambda lib, x, k: 2 - x * 0.5,
    "quotient": lambda lib, x, k: (k % 3 + 1) / (x * x + 1),
    "abs": lambda lib, x, k: x.abs(),
    "relu": lambda lib, x, k: x.relu(),
    "clamp": lambda lib, x, k: x.clamp(-0.5, 0.25 * (k % 4)),
    "sign": lambda lib, x, k: x.sign() + x,
    "atan2": lambda lib, x, k: lib.atan2(x, x + 1),
    "where": lambda lib, x, k: lib.where(x > 0, x * 2, x * x),
    "masked": lambda lib, x, k: x.masked_fill(x > 0.5, 0.25),
    "clone": lambda lib, x, k: x.clone(),
    "detached factor": lambda lib, x, k: x * x.detach(),
    "complex": lambda lib, x, k: ((1j * x).exp() * lib.complex(x, x * 0.5)).real,
    "modulus": lambda lib, x, k: lib.complex(x, x * 0 + 1).abs(),
}
REDUCTION: dict[str, Operation] = {
    "sum": lambda lib, x, k: x.sum() if k % 3 == 0 or not x.ndim else x.sum(_dim(x, k), keepdim=k % 2 == 0),
    "mean": lambda lib, x, k: x.mean() if k % 3 == 0 or not x.ndim else x.mean(_dim(x, k), keepdim=k % 2 == 0),
    "prod": lambda lib, x, k: x.prod() if k % 3 == 0 or not x.ndim else x.prod(_dim(x, k)),
    "amax": lambda lib, x, k: x.amax(_dim(x, k), keepdim=k % 2 == 0) if x.ndim else x * 1,
    "max": lambda lib, x, k: x.max() if k % 3 == 0 or not x.ndim else x.max(_dim(x, k)).values,
    "min": lambda lib, x, k: x.min() if k % 3 == 0 or not x.ndim else x.min(_dim(x, k), keepdim=True)[0],
    "logsumexp": lambda lib, x, k: x.logsumexp(_dim(x, k)) if x.ndim else x * 1,
    "softmax": lambda lib, x, k: lib.softmax(x, _dim(x, k)) if x.ndim else x * 1,
    "var": lambda lib, x, k: x.var(_dim(x, k), correction=0) if x.ndim else x * 1,
    "norm": lambda lib, x, k: x.norm() if k % 2 else (x.norm(p=1, dim=_dim(x, k)) if x.ndim else x.norm(p=1)),
    "cumsum": lambda lib, x, k: x.cumsum(_dim(x, k)),
    "cumprod": lambda lib, x, k: x.cumprod(_dim(x, k)),
    "sort": lambda lib, x, k: x.sort(stable=True, dim=_dim(x, k)).values,
}
MOVEMENT: dict[str, Operation] = {
    "reshape": lambda lib, x, k: x.reshape(-1) if k % 2 else x.reshape(tuple(x.shape)[::-1]),
    "permute": lambda lib, x, k: x.permute(_other(x, k)),
    "transpose": lambda lib, x, k: x.transpose(0, _dim(x, k)) if x.ndim else x * 1,
    "unsqueeze": lambda lib, x, k: x.unsqueeze(k % (x.ndim + 1)) if x.ndim < 4 else x * 1,
    "squeeze": lambda lib, x, k: x.squeeze(),
    "expand": lambda lib, x, k: x.expand(2, *x.shape) if x.ndim < 3 else x.expand(x.shape),
    "flip": lambda lib, x, k: x.flip(_dim(x, k)) if x.ndim else x * 1,
    "roll": lambda lib, x, k: x.roll(k % 5 - 2, _dim(x, k)) if x.ndim else x * 1,
    "slice": lambda lib, x, k: x[k % x.shape[0] :] if x.ndim else x[()],
    "item": lambda lib, x, k: x[k % x.shape[0]] if x.ndim else x[None],
    "last": lambda lib, x, k: x[..., -1] if x.ndim else x[...],
    "indices": lambda lib, x, k: x[[0, k % x.shape[0], 0]] if x.ndim else x * 1,
    "index_select": lambda lib, x, k: lib.index_select(x, 0, lib.tensor([k % x.shape[0]] * 2)) if x.ndim else x * 1,
    "tril": lambda lib, x, k: x.tril(k % 3 - 1) if x.ndim >= 2 else x * 1,
    "diagonal": lambda lib, x, k: x.diagonal() if x.ndim >= 2 else x * 1,
    "chunk": lambda lib, x, k: x.chunk(2)[0] if x.ndim else x * 1,
    "unbind": lambda lib, x, k: x.unbind()[-1] if x.ndim else x * 1,
    "narrow": lambda lib, x, k: x.narrow(0, 0, 1) if x.ndim else x * 1,
    "contiguous": lambda lib, x, k: x.contiguous(),
    "repeat": lambda lib, x, k: x.repeat(2, *[1] * (x.ndim - 1)) if 1 <= x.ndim < 3 else x * 1,
}
BINARY: dict[str, Operation] = {
    "add": lambda lib, x, y, k: x + y,
    "subtract": lambda lib, x, y, k: x - y,
    "multiply": lambda lib, x, y, k: x * y,
    "divide": lambda lib, x, y, k: x / (y * y + 1),
    "maximum": lambda lib, x, y, k: lib.maximum(x, y),
    "minimum": lambda lib, x, y, k: lib.minimum(x, y),
    "choose": lambda lib, x, y, k: lib.where(x < y, x * 2, y),
    "hypot": lambda lib, x, y, k: lib.hypot(x, y + 3),
    "lerp": lambda lib, x, y, k: lib.lerp(x, y, 0.25 * (k % 5)),
    "matmul": lambda lib, x, y, k: x @ y if _fits(x, y) else x + 1,
    "stack": lambda lib, x, y, k: lib.stack([x, y]) if x.shape == y.shape and x.ndim < 3 else x * 2,
    "cat": lambda lib, x, y, k: lib.cat([x, y, x]) if x.ndim == y.ndim > 0 and x.shape[1:] == y.shape[1:] else y * 2,
    "outer": lambda lib, x, y, k: lib.outer(x, y) if x.ndim == y.ndim == 1 else x * 3,
}
IN_PLACE: dict[str, Operation] = {
    "add_": lambda lib, x, y, k: x.add_(y),
    "mul_": lambda lib, x, y, k: x.mul_(y),
    "sin_": lambda lib, x, y, k: x.sin_(),
    "exp_ of small": lambda lib, x, y, k: x.mul_(0.1).exp_(),
    "zero_": lambda lib, x, y, k: x.zero_() if k % 4 == 0 else x.neg_(),
    "write a part": lambda lib, x, y, k: _write(x, y, k),
    "write a view": lambda lib, x, y, k: x.reshape(-1)[: k % 3 + 1].mul_(2) if x.ndim else x.mul_(2),
    "write a transposed view": lambda lib, x, y, k: x.t().sub_(1) if x.ndim == 2 else x.sub_(1),
    "copy_": lambda lib, x, y, k: x.copy_(y),
}
FAMILIES = (UNARY, REDUCTION, MOVEMENT, BINARY, IN_PLACE)


def _fits(x: Any, y: Any) -> bool:
    if not x.ndim or not y.ndim or x.ndim + y.ndim > 5:
        return False
    return x.shape[-1] == y.shape[0 if y.ndim == 1 else -2] and (x.ndim <= 2 or y.ndim <= 2)


def _write(x: Any, y: Any, k: int) -> Any:
    if x.ndim:
        x[k % x.shape[0]] = y.sum() if k % 2 else 0.5
    else:
        x.fill_(0.5)
    return x


@dataclass(frozen=True)
class Program:
    """Leaves as nested lists, and steps as (family, operation, first operand, second operand, number)."""

    leaves: tuple[Any, ...]
    steps: tuple[tuple[int, int, int, int, int], ...]

    def __repr__(self) -> str:
        lines = [f"Program({self.leaves}, ["]
        lines += [f"    {step},  # {self.names(step)}" for step in self.steps]
        return "\n".join([*lines, "])"])

    @staticmethod
    def names(step: tuple[int, int, int, int, int]) -> str:
        """The operation that a step means."""
        family = FAMILIES[step[0] % len(FAMILIES)]
        return list(family)[step[1] % len(family)]

    def run(self, lib: Any, leaves: list[Any]) -> list[Any]:
        """All values that the program computes, without the leaves."""
        values = [*leaves]
        for family_number, number, i, j, k in self.steps:
            family = FAMILIES[family_number % len(FAMILIES)]
            operation = family[list(family)[number % len(family)]]
            x, y = values[-1 - i % len(values)], values[-1 - j % len(values)]
            if family is IN_PLACE:
                if x.is_leaf or (x.ndim and y.ndim):  # leaves cannot be written; broadcasting is another matter
                    x, y = (x * 1 if x.is_leaf else x), y.sum()
                result = operation(lib, x, y, k)
            elif family is BINARY:
                result = operation(lib, x, y if _broadcasts(x, y) else y.sum(), k)
            else:
                result = operation(lib, x, k)
            values.append(result if _size(result) <= 64 else result.mean())
        return values[len(leaves) :]


def _size(x: Any) -> int:
    return int(x.numel())


def _broadcasts(x: Any, y: Any) -> bool:
    return all(n == m or 1 in (n, m) for n, m in zip(reversed(x.shape), reversed(y.shape), strict=False))


_number = st.integers(-8, 8).map(lambda n: n / 4)  # ties and zeros are not rare
_digit = st.integers(0, 127)


@st.composite
def _leaf(draw: Any) -> Any:
    def nested(shape: tuple[int, ...]) -> Any:
        return [nested(shape[1:]) for _ in range(shape[0])] if shape else draw(_number)

    return nested(draw(st.sampled_from(SHAPES)))


def programs(in_place: bool) -> st.SearchStrategy[Program]:
    """Programs of up to eight steps on one to three leaves."""
    family = st.integers(0, len(FAMILIES) - (1 if in_place else 2))
    step = st.tuples(family, _digit, st.integers(0, 5), st.integers(0, 5), _digit)
    return st.builds(
        Program, st.lists(_leaf(), min_size=1, max_size=3).map(tuple), st.lists(step, min_size=1, max_size=8).map(tuple)
    )
