"""Views under the names that give copies of them: for programs that must not share memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.out import deliver
from wengert.functions.axes import permute, select, squeeze, t, transpose, unsqueeze
from wengert.functions.diagonals import diagonal
from wengert.functions.elementwise import shown
from wengert.functions.movement import expanded
from wengert.functions.options import require_tensor
from wengert.functions.padding import as_strided
from wengert.functions.splitting import split_with_sizes, unbind
from wengert.ops.movement import ALIAS
from wengert.spaces.tensors import TENSOR

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "diagonal_copy",
    "expand_copy",
    "permute_copy",
    "select_copy",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsqueeze_copy",
    "view_copy",
]


def _copy_of(view: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function that gives a copy of a view, or of each of several."""

    def function(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        found = view(input, *args, **kwargs)
        if not isinstance(found, tuple):
            return deliver(out, TENSOR.clone(found), input)
        copies = tuple([TENSOR.clone(part) for part in found])
        if out is None:
            return copies
        for target, part in zip(out, copies, strict=True):
            deliver(target, part, input)
        return None

    function.__name__ = function.__qualname__ = f"{name}_copy"
    function.__doc__ = f"A copy of what :func:`torch.{name}` gives a view of; takes the same arguments, and ``out``."
    return function


def _method(name: str) -> Callable[..., Any]:
    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        require_tensor(f"{name}_copy", input)
        return getattr(input, name)(*args, **kwargs)

    return call


def _expand(input: Any, size: Any, *, implicit: bool = False) -> Any:  # noqa: ARG001 - PyTorch's, for its tracer
    require_tensor("expand_copy", input)
    return expanded(input, tuple(size))


def _alias(input: Any) -> Any:
    require_tensor("alias_copy", input)
    return TENSOR.alias(input) if ALIAS.view else input


_X = "torch.tensor([[1, 2]])"
alias_copy = shown(_copy_of(_alias, "alias"), __name__, f"alias_copy({_X})", "tensor([[1, 2]])")
as_strided_copy = shown(
    _copy_of(as_strided, "as_strided"), __name__, f"as_strided_copy({_X}, (2,), (1,))", "tensor([1, 2])"
)
diagonal_copy = shown(_copy_of(diagonal, "diagonal"), __name__, f"diagonal_copy({_X})", "tensor([1])")
expand_copy = shown(
    _copy_of(_expand, "expand"), __name__, f"expand_copy({_X}, (2, 2))", "tensor([[1, 2],\n        [1, 2]])"
)
permute_copy = shown(
    _copy_of(permute, "permute"), __name__, f"permute_copy({_X}, (1, 0))", "tensor([[1],\n        [2]])"
)
select_copy = shown(_copy_of(select, "select"), __name__, f"select_copy({_X}, 1, 0)", "tensor([1])")
split_with_sizes_copy = shown(
    _copy_of(split_with_sizes, "split_with_sizes"),
    __name__,
    f"split_with_sizes_copy({_X}, [1, 1], 1)",
    "(tensor([[1]]), tensor([[2]]))",
)
squeeze_copy = shown(_copy_of(squeeze, "squeeze"), __name__, f"squeeze_copy({_X})", "tensor([1, 2])")
t_copy = shown(_copy_of(t, "t"), __name__, f"t_copy({_X})", "tensor([[1],\n        [2]])")
transpose_copy = shown(
    _copy_of(transpose, "transpose"), __name__, f"transpose_copy({_X}, 0, 1)", "tensor([[1],\n        [2]])"
)
unbind_copy = shown(_copy_of(unbind, "unbind"), __name__, f"unbind_copy({_X}, 1)", "(tensor([1]), tensor([2]))")
unfold_copy = shown(
    _copy_of(_method("unfold"), "unfold"), __name__, f"unfold_copy({_X}, 1, 2, 1)", "tensor([[[1, 2]]])"
)
unsqueeze_copy = shown(_copy_of(unsqueeze, "unsqueeze"), __name__, f"unsqueeze_copy({_X}, 0)", "tensor([[[1, 2]]])")
view_copy = shown(_copy_of(_method("view"), "view"), __name__, f"view_copy({_X}, (2,))", "tensor([1, 2])")
