"""The text form of a tensor, equal to PyTorch's to the character.

Each value that will be seen becomes text once, the column width follows from these texts, and the brackets are built
from the innermost axis outwards. A summarised tensor reads only the elements that it shows.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert._print_options import PrintOptions, current_options

_ROW_GAP = " ..."  # with the leading space, the gap between elements of a row reads ",  ...,"
_BLOCK_GAP = "..."


def tensor_text(
    data: NDArray[Any],
    *,
    default_float: np.dtype[Any],
    grad_fn_name: str | None = None,
    requires_grad: bool = False,
    class_name: str = "tensor",
    device: str | None = None,
    tangent_text: str | None = None,
) -> str:
    """Return what `repr` and `str` of a tensor with these values give.

    `default_float` decides whether the dtype is named. `device` is given only where it differs from the default one.
    `grad_fn_name` takes the place of `requires_grad`. `class_name` is "tensor", "Parameter" or a subclass's own name.
    `tangent_text` is the text of a dual tensor's tangent.

    >>> import numpy as np
    >>> from wengert._printing import tensor_text
    >>> print(tensor_text(np.array(9.0), default_float=np.dtype("float32"), grad_fn_name="PowBackward0"))
    tensor(9., dtype=torch.float64, grad_fn=<PowBackward0>)
    """
    options = current_options()
    is_parameter = class_name == "Parameter"
    opening = "tensor(" if is_parameter else f"{class_name}("
    suffixes = [] if device is None else [f"device='{device}'"]
    suffixes += _size_and_dtype(data, default_float, options)
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    if tangent_text is not None:
        suffixes.append(f"tangent={tangent_text}")
    values = _values_text(data, len(opening), options)
    text = _with_suffixes(opening + values, suffixes, len(opening), options.linewidth)
    return f"Parameter containing:\n{text}" if is_parameter else text


def format_tensor(data: NDArray[Any], spec: str, *, text: Callable[[], str], type_name: str = "Tensor") -> str:
    """Return `f"{tensor:{spec}}"`: the Python number's format for a 0-d `Tensor`, else the tensor's text.

    `text` makes the full text when it is needed. Raises `TypeError` for a format specification on a tensor with
    dimensions or, as in PyTorch, on any subclass of Tensor (so also on a Parameter).

    >>> import numpy as np
    >>> from wengert._printing import format_tensor
    >>> format_tensor(np.array(2.5, np.float32), ".3f", text=str)
    '2.500'
    """
    if data.ndim == 0 and type_name == "Tensor":
        return format(data.item(), spec)
    if not spec:
        return text()
    if data.ndim == 0:
        remedy = (
            f"only a plain 0-d Tensor takes one, and this is a {type_name}; format its value: f'{{t.item():{spec}}}'."
        )
    else:
        remedy = (
            f"only a 0-d tensor takes one, and this tensor has shape {data.shape}; pick one element with t[i].item(), "
            "or set the digits of printed tensors with set_printoptions(precision=...)."
        )
    raise TypeError(f"unsupported format string passed to {type_name}.__format__: {spec!r}: {remedy}")


def _size_and_dtype(data: NDArray[Any], default_float: np.dtype[Any], options: PrintOptions) -> list[str]:
    """Name the shape and dtype that the values alone do not tell."""
    names_without_suffix = {default_float.name}
    if data.size == 0:
        size_is_told = data.ndim == 1
    else:
        size_is_told = options.edgeitems > 0
        default_complex = "complex128" if default_float.name == "float64" else "complex64"
        names_without_suffix |= {default_complex, "int64", "bool"}
    suffixes = [] if size_is_told else [f"size={data.shape}"]
    if data.dtype.name not in names_without_suffix:
        suffixes.append(f"dtype=torch.{data.dtype.name}")
    return suffixes


def _with_suffixes(body: str, suffixes: Sequence[str], indent: int, linewidth: float) -> str:
    pieces = [body]
    # PyTorch counts two characters more than the last line has: the first suffix moves to a new line that much sooner.
    used = len(body.rpartition("\n")[2]) + 2
    for suffix in suffixes:
        if used + len(suffix) + 2 > linewidth:
            pieces.append(",\n" + " " * indent + suffix)
            used = indent + len(suffix)
        else:
            pieces.append(", " + suffix)
            used += len(suffix) + 2
    return "".join(pieces) + ")"


def _values_text(data: NDArray[Any], indent: int, options: PrintOptions) -> str:
    if data.size == 0:
        return "[]"
    summarise = data.size > options.threshold
    if summarise and data.ndim > 0 and options.edgeitems == 0:
        return "[...]"
    cut = [summarise and length > 2 * options.edgeitems for length in data.shape]
    shown = _edges(data, cut, options.edgeitems) if any(cut) else data
    cells, width = _cells(shown, options)
    if data.ndim == 0:
        return cells[0]
    return _brackets(cells, shown.shape, cut, width, indent, options.linewidth)


def _edges(data: NDArray[Any], cut: Sequence[bool], edgeitems: int) -> NDArray[Any]:
    """The first and last `edgeitems` along each cut axis, copied next to each other."""
    positions = [
        [*range(edgeitems), *range(length - edgeitems, length)] if is_cut else range(length)
        for length, is_cut in zip(data.shape, cut, strict=True)
    ]
    edges: NDArray[Any] = data[np.ix_(*positions)]
    return edges


def _cells(shown: NDArray[Any], options: PrintOptions) -> tuple[list[str], int]:
    """The aligned text of each element in row-major order, and the width that line breaking counts for one."""
    if shown.dtype.kind == "c":
        real, real_width = _float_texts(shown.real.ravel().tolist(), options)
        imag, imag_width = _float_texts(shown.imag.ravel().tolist(), options)
        cells = [
            f"{re.rjust(real_width)}{'' if im.startswith('-') else '+'}{im}j" for re, im in zip(real, imag, strict=True)
        ]
        return cells, real_width + imag_width + len("j")
    values = shown.ravel().tolist()
    if shown.dtype.kind == "f":
        texts, width = _float_texts(values, options)
    else:
        texts = [str(value) for value in values]
        width = max(map(len, texts))
    return [text.rjust(width) for text in texts], width


def _float_texts(values: list[float], options: PrintOptions) -> tuple[list[str], int]:
    """One text per value in a common notation, and the column width.

    Only finite nonzero values choose the notation and the width: "nan" and "inf" may stand out of a narrow column.
    """
    telling = [bool(value) and math.isfinite(value) for value in values]
    deciding = [value for value, tells in zip(values, telling, strict=True) if tells]
    if _is_scientific(deciding, options.sci_mode):
        texts = [f"{value:.{options.precision}e}" for value in values]
    elif all(value.is_integer() for value in deciding):
        texts = [f"{value:.0f}." if math.isfinite(value) else f"{value}" for value in values]
    else:
        texts = [f"{value:.{options.precision}f}" for value in values]
    width = max((len(text) for text, tells in zip(texts, telling, strict=True) if tells), default=1)
    return texts, width


def _is_scientific(deciding: list[float], sci_mode: bool | None) -> bool:
    if not deciding:
        return False
    if sci_mode is not None:
        return bool(sci_mode)
    smallest, largest = min(map(abs, deciding)), max(map(abs, deciding))
    return largest / smallest > 1e3 or largest > 1e8 or smallest < 1e-4


def _brackets(
    cells: list[str], shape: tuple[int, ...], cut: Sequence[bool], width: int, indent: int, linewidth: float
) -> str:
    """Join the cells of an array of this shape (1-d or more) into nested brackets, the innermost axis first."""
    depth = len(shape)
    row_start = indent + depth
    available = min(linewidth, sys.maxsize) - row_start + 1
    per_line = max(1, math.floor(available / (width + len(", "))))
    blocks = [_row(row, per_line, row_start) for row in _groups(cells, shape[-1], _ROW_GAP if cut[-1] else None)]
    for axis in reversed(range(depth - 1)):
        separator = "," + "\n" * (depth - 1 - axis) + " " * (indent + axis + 1)
        groups = _groups(blocks, shape[axis], _BLOCK_GAP if cut[axis] else None)
        blocks = [f"[{separator.join(group)}]" for group in groups]
    return blocks[0]


def _groups(items: list[str], length: int, gap: str | None) -> Iterator[list[str]]:
    """Cut `items` into lists of `length`, with `gap` in the middle of each where elements were left out."""
    for start in range(0, len(items), length):
        group = items[start : start + length]
        if gap is not None:
            group.insert(length // 2, gap)
        yield group


def _row(cells: list[str], per_line: int, row_start: int) -> str:
    lines = [", ".join(cells[start : start + per_line]) for start in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * row_start).join(lines) + "]"
