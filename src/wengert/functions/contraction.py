"""Sums of products over named or numbered dimensions: ``einsum``, ``tensordot``, ``inner``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import EllipsisType
from typing import Any, Final

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.operands import not_implemented_for, raw_of_tensor, same_dtype
from wengert.functions.options import require_tensor, type_name
from wengert.ops.arithmetic import MUL
from wengert.ops.contraction import EINSUM, TENSORDOT
from wengert.ops.diagonals import DIAGONAL
from wengert.ops.movement import CAST, PERMUTE
from wengert.ops.reduce import SUM

__all__ = ["ContractionMethods", "einsum", "inner", "tensordot"]

Labels = tuple[int, ...]
Shapes = tuple[tuple[int, ...], ...]
Token = int | EllipsisType

_LETTERS: Final = 52  # labels 0..51 are A..Z and a..z; those above stand for the dimensions of an ellipsis

# --- reading an equation ---


def _label(letter: str) -> int:
    return ord(letter) - ord("A") if letter <= "Z" else ord(letter) - ord("a") + 26


def _letter(label: int) -> str:
    return chr(label + ord("A")) if label < 26 else chr(label - 26 + ord("a"))


def _tokens(text: str, place: str, offset: int) -> tuple[Token, ...]:
    """The subscripts of one operand or of the output, an ellipsis as one token."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter == ".":
            if ... in tokens:
                raise RuntimeError(f"einsum(): found '.' for {place} for which an ellipsis was already found")
            if text[position : position + 3] != "...":
                raise RuntimeError(f"einsum(): found '.' for {place} that is not part of any ellipsis")
            tokens.append(...)
            position += 3
            continue
        if letter != " ":
            if not (letter.isascii() and letter.isalpha()):
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {offset + position} in the equation string, "
                    f"subscripts must be in [a-zA-Z], and this is {letter!r}"
                )
            tokens.append(_label(letter))
        position += 1
    return tuple(tokens)


def _read(equation: str) -> tuple[tuple[tuple[Token, ...], ...], tuple[Token, ...] | None]:
    """The subscripts of the operands and of the output (None when the equation leaves it out)."""
    left, arrow, right = equation.partition("->")
    operands = []
    offset = 0
    for number, part in enumerate(left.split(",")):
        operands.append(_tokens(part, f"operand {number}", offset))
        offset += len(part) + 1
    return tuple(operands), _tokens(right, "the output", len(left) + 2) if arrow else None


def _plan(
    operands: tuple[tuple[Token, ...], ...], output: tuple[Token, ...] | None, shapes: Shapes
) -> tuple[tuple[Labels, ...], Labels]:
    """A label for every dimension of every operand, and the labels of the result; checks all sizes."""
    if len(operands) != len(shapes):
        which = "fewer" if len(shapes) < len(operands) else "more"
        raise RuntimeError(
            f"einsum(): {which} operands were provided than specified in the equation: {len(shapes)} operands, "
            f"{len(operands)} groups of subscripts"
        )
    hidden = [
        len(shape) - len([t for t in tokens if t is not ...]) for tokens, shape in zip(operands, shapes, strict=True)
    ]
    width = max((n for n, tokens in zip(hidden, operands, strict=True) if ... in tokens), default=0)
    subs = []
    for number, (tokens, covered) in enumerate(zip(operands, hidden, strict=True)):
        _check_count(number, tokens, covered, len(shapes[number]))
        subs.append(_spelled(tokens, range(_LETTERS + width - covered, _LETTERS + width)))
    if output is None:
        named = [s for labels in subs for s in labels if s < _LETTERS]
        out = (*range(_LETTERS, _LETTERS + width), *sorted(s for s in set(named) if named.count(s) == 1))
    else:
        out = _spelled(output, range(_LETTERS, _LETTERS + width))
        _check_output(out, subs)
    _check_sizes(tuple(subs), shapes)
    return tuple(subs), out


def _spelled(tokens: tuple[Token, ...], covered: range) -> Labels:
    return tuple(s for t in tokens for s in (covered if isinstance(t, EllipsisType) else (t,)))


def _check_count(number: int, tokens: tuple[Token, ...], covered: int, ndim: int) -> None:
    named = ndim - covered
    if ... in tokens and covered < 0:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) is more than the number of dimensions "
            f"({ndim}) for operand {number}"
        )
    if ... not in tokens and covered:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
            f"({ndim}) for operand {number} and no ellipsis was given"
        )


def _check_output(out: Labels, subs: Sequence[Labels]) -> None:
    for label in out:
        if label < _LETTERS and out.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {_letter(label)} appears more than once in the output")
        if not any(label in labels for labels in subs):
            raise RuntimeError(
                f"einsum(): output subscript {_letter(label)} does not appear in the equation for any input operand"
            )


def _check_sizes(subs: tuple[Labels, ...], shapes: Shapes) -> None:
    seen: dict[int, int] = {}
    for number, (labels, shape) in enumerate(zip(subs, shapes, strict=True)):
        own: dict[int, int] = {}
        for dim, (label, size) in enumerate(zip(labels, shape, strict=True)):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {_letter(label)} is repeated for operand {number} but the sizes don't match, "
                    f"{size} != {own[label]}"
                )
            known = seen.get(label, 1)
            if size not in (1, known) and known != 1:
                if label >= _LETTERS:
                    raise RuntimeError(
                        f"einsum(): dimension {dim} covered by ellipsis in operand {number} has size {size} which does "
                        f"not broadcast with previously seen ellipsis with size {known} for the respective dimension"
                    )
                raise RuntimeError(
                    f"einsum(): subscript {_letter(label)} has size {size} for operand {number} which does not "
                    f"broadcast with previously seen size {known}"
                )
            seen[label] = size if known == 1 else known


@lru_cache(maxsize=512)
def _plan_of_equation(equation: str, shapes: Shapes) -> tuple[tuple[Labels, ...], Labels]:
    return _plan(*_read(equation), shapes)


# --- running it ---


def _arguments(args: tuple[Any, ...]) -> tuple[list[Any], tuple[tuple[Labels, ...], Labels]]:
    """The operands, and the labels of their dimensions and of the result's."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        operands = list(args[1]) if len(args) == 2 and isinstance(args[1], (list, tuple)) else list(args[1:])
        shapes = tuple(raw_of_tensor("einsum", x, "operands", 2).shape for x in operands)
        return operands, _plan_of_equation(args[0], shapes)
    if not isinstance(args[0], TensorBase):
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type(args[0]).__name__}")
    operands = list(args[: len(args) - len(args) % 2 : 2])
    lists = [_subscripts(part) for part in args[1::2]]
    output = _subscripts(args[-1]) if len(args) % 2 else None
    shapes = tuple(raw_of_tensor("einsum", x, "operands", 2).shape for x in operands)
    return operands, _plan(tuple(lists), output, shapes)


def _subscripts(part: Any) -> tuple[Token, ...]:
    tokens = tuple(part)
    for token in tokens:
        if token is not ... and not 0 <= token < _LETTERS:
            raise ValueError(
                f"einsum(): subscript in subscript list is not within the valid range [0, {_LETTERS}): {token}"
            )
    return tokens


def _without_repeats(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """Take the diagonal of dimensions that have the same label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = apply(DIAGONAL, x, offset=0, dim1=first, dim2=second)
            labels = (*(s for i, s in enumerate(labels) if i not in (first, second)), label)
    return x, labels


def _one_operand(x: Any, labels: Labels, out: Labels) -> Any:
    summed = tuple(s for s in labels if s not in out)
    x = apply(PERMUTE, x, dims=tuple(labels.index(s) for s in (*out, *summed)))
    if not summed:
        return x
    if x._data.dtype.kind in "biu" and x._data.dtype.itemsize < 8:
        x = apply(CAST, x, dtype=np.dtype(np.int64))
    return apply(SUM, x, dim=tuple(range(len(out), len(labels))), keepdim=False)


def einsum(*args: Any) -> Any:
    """The sum of products that an equation in Einstein's notation states.

    ``einsum("ij,jk->ik", a, b)``: each letter names a dimension; dimensions with the same letter are multiplied along,
    letters that the output lacks are summed over. Without ``->`` the output has the letters that occur once, in
    alphabetical order (capitals first). ``...`` stands for further dimensions, which broadcast. A letter twice in
    one operand takes the diagonal. The other form has numbers for letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    Three operands or more are multiplied pair by pair in the cheapest order.

    Raises:
        RuntimeError: an equation that cannot be read or does not fit the operands; products of different dtypes.
        ValueError: no operands, or subscript numbers out of range.

    >>> import wengert as torch
    >>> a = torch.tensor([[1., 2.], [3., 4.]])
    >>> torch.einsum("ij,jk->ik", a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    >>> torch.einsum("ii", a), torch.einsum(a, [0, 1], [1, 0])
    (tensor(5.), tensor([[1., 3.],
            [2., 4.]]))
    """
    operands, (subs, out) = _arguments(args)
    pairs = [
        _without_repeats(x, labels) if len(set(labels)) != len(labels) else (x, labels)
        for x, labels in zip(operands, subs, strict=True)
    ]
    if len(pairs) == 1:
        return _one_operand(*pairs[0], out)
    dtypes = [x._data.dtype for x, _ in pairs]
    labels = tuple([own for _, own in pairs])
    if (dtypes[0].kind == "b" or dtypes.count(dtypes[0]) != len(dtypes)) and set().union(*labels) - set(out):
        different = next((d for d in dtypes if d is not dtypes[0]), dtypes[0])
        said = f"expected scalar type {type_name(dtypes[0])} but found {type_name(different)}"
        same_dtype(said, *[x._data for x, _ in pairs])
        raise not_implemented_for("bmm", dtypes[0])
    return apply(EINSUM, *[x for x, _ in pairs], subs=labels, out=out)


def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """The product of two tensors summed over pairs of dimensions.

    ``dims=n`` pairs the last ``n`` of ``a`` with the first ``n`` of ``b``; ``dims=(list_a, list_b)`` pairs those given.
    The result has the other dimensions of ``a``, then those of ``b``.

    Raises:
        RuntimeError: sizes of paired dimensions differ, lists of different lengths, or dtypes that differ.
        IndexError: no such dimension.

    >>> import wengert as torch
    >>> torch.tensordot(torch.ones(2, 3, 4), torch.ones(3, 4, 5), dims=2).shape
    torch.Size([2, 5])
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=([0, 1], [1, 0]))
    tensor(6.)
    """
    x, y = raw_of_tensor("tensordot", a, "a"), raw_of_tensor("tensordot", b, "b", 2)
    dims_a, dims_b = _paired(x, y, dims)
    names = list(range(x.ndim))
    others: list[int] = [x.ndim + i for i in range(y.ndim)]
    for i, j in zip(dims_a, dims_b, strict=True):
        if x.shape[i] != y.shape[j] and 1 not in (x.shape[i], y.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and second has size "
                f"{y.shape[j]} in dim {j}"
            )
        others[j] = i
    same_dtype("both inputs should have same dtype", x, y)
    if x.dtype.kind == "b":
        raise not_implemented_for("addmm_impl_cpu_", x.dtype)
    kept = (*(s for i, s in enumerate(names) if i not in dims_a), *(s for j, s in enumerate(others) if j not in dims_b))
    return deliver(out, apply(TENSORDOT, a, b, subs=(tuple(names), tuple(others)), out=kept), a, b)


def _paired(x: Any, y: Any, dims: Any) -> tuple[list[int], list[int]]:
    if isinstance(dims, TensorBase):
        dims = dims._data.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(x.ndim - dims, x.ndim)), list(range(dims))
    pair = tuple(dims)
    if len(pair) != 2 or any(isinstance(part, int) for part in pair):
        got = type(pair[0]).__name__ if pair else "an empty sequence"
        raise TypeError(
            f"tensordot(): argument 'dims_self' (position 3) must be tuple of ints, not {got}: dims is one number, or "
            "two lists such as ([1], [0])"
        )
    first, second = ([wrap_dim(d, raw.ndim) for d in part] for raw, part in zip((x, y), pair, strict=True))
    if len(first) != len(second):
        raise RuntimeError(
            f"both dimension lists should have same length, and these have {len(first)} and {len(second)} entries"
        )
    for which, listed in (("first", first), ("second", second)):
        if len(set(listed)) != len(listed):
            raise RuntimeError(f"a dim appears multiple times in the {which} list of dims: {listed}")
    return first, second


def inner(input: Any, other: Any, *, out: Any = None) -> Any:
    """The sum of products over the last dimension of both tensors; with a single number, the plain product.

    ``y[..., i, ..., j] = sum_k input[..., i, k] other[..., j, k]``.

    Raises:
        RuntimeError: the last dimensions differ, or the dtypes do.

    >>> import wengert as torch
    >>> torch.inner(torch.tensor([1., 2.]), torch.tensor([[1., 0.], [0., 1.]]))
    tensor([1., 2.])
    """
    a, b = raw_of_tensor("inner", input), raw_of_tensor("inner", other, "other", 2)
    if not a.ndim or not b.ndim:
        return deliver(out, apply(MUL, input, other), input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(a.shape)} and "
            f"{list(b.shape)}"
        )
    return tensordot(require_tensor("inner", input), other, ([-1], [-1]), out=out)


class ContractionMethods:
    """Contractions as methods of tensors."""

    __slots__ = ()

    inner = inner
