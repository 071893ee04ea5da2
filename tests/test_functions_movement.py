"""Shapes, axes, joining, splitting, padding against PyTorch: values, strides, shared memory, node names, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from cases import Function, r, table
from torch_pairs import compare, same_error


def nn(lib: Any) -> Any:
    return lib.nn.functional


def layout(lib: Any, f: Function, a: np.ndarray) -> tuple[Any, ...]:
    """Shape, strides (of axes longer than one) and whether the result shares memory with the input."""
    x = lib.from_numpy(a.copy("K")) if a.ndim else lib.tensor(a.item())
    y = f(lib, x)
    strides = tuple(s for n, s in zip(y.shape, y.stride(), strict=True) if n > 1) if y.numel() else ()
    return tuple(y.shape), strides, y.is_contiguous(), y.numel() > 0 and np.shares_memory(x.numpy(), y.numpy())


# f(lib, x) for a 2 x 3 x 4 tensor
VIEWS: dict[str, Function] = {
    "reshape": lambda lib, x: x.reshape(6, 4),
    "reshape -1": lambda lib, x: lib.reshape(x, (-1, 2)),
    "reshape as": lambda lib, x: x.reshape_as(lib.zeros(24)),
    "view": lambda lib, x: x.view(2, 12),
    "view tuple": lambda lib, x: x.view((4, -1)),
    "view as": lambda lib, x: x.view_as(lib.zeros(3, 8)),
    "view size": lambda lib, x: x.view(size=(24,)),
    "flatten": lambda lib, x: lib.flatten(x, 1),
    "flatten part": lambda lib, x: x.flatten(0, 1),
    "unflatten": lambda lib, x: x.unflatten(2, (2, -1)),
    "ravel": lambda lib, x: x.ravel(),
    "permute": lambda lib, x: x.permute(2, 0, 1),
    "permute list": lambda lib, x: lib.permute(x, [-1, 1, 0]),
    "transpose": lambda lib, x: x.transpose(0, -1),
    "swapaxes": lambda lib, x: lib.swapaxes(x, 0, 1),
    "swapdims": lambda lib, x: x.swapdims(0, 1),
    "t": lambda lib, x: x[0].t(),
    "T": lambda lib, x: x[0].T,
    "mT": lambda lib, x: x.mT,
    "H": lambda lib, x: x[1].H,
    "mH": lambda lib, x: x.mH,
    "adjoint": lambda lib, x: lib.adjoint(x),
    "movedim": lambda lib, x: x.movedim(0, 2),
    "movedim several": lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)),
    "moveaxis": lambda lib, x: lib.moveaxis(x, 2, 0),
    "squeeze": lambda lib, x: x[:1, :, :1].squeeze(),
    "squeeze one": lambda lib, x: x[:1].squeeze(0),
    "squeeze not one": lambda lib, x: x.squeeze(0),
    "squeeze several": lambda lib, x: x[:1, :, :1].squeeze((0, -1)),
    "unsqueeze": lambda lib, x: x.unsqueeze(-1),
    "unsqueeze first": lambda lib, x: lib.unsqueeze(x, 0),
    "expand": lambda lib, x: x[:, :1].expand(5, -1, 3, -1),
    "expand nothing": lambda lib, x: x.expand(2, 3, 4),
    "expand as": lambda lib, x: x[:1].expand_as(lib.zeros(2, 3, 4)),
    "broadcast to": lambda lib, x: lib.broadcast_to(x, (2, 2, 3, 4)),
    "broadcast tensors": lambda lib, x: lib.broadcast_tensors(x[:, :1], lib.zeros(3, 1))[0],
    "select": lambda lib, x: x.select(1, -1),
    "narrow": lambda lib, x: x.narrow(2, -3, 2),
    "narrow tensor": lambda lib, x: lib.narrow(x, 0, lib.tensor(1), 1),
    "diagonal": lambda lib, x: x.diagonal(),
    "diagonal above": lambda lib, x: lib.diagonal(x, 1, 2, 0),
    "diagonal none": lambda lib, x: x.diagonal(9),
    "unfold": lambda lib, x: x.unfold(1, 2, 1),
    "unfold apart": lambda lib, x: x.unfold(2, 1, 3),
    "as strided": lambda lib, x: x.as_strided((2, 3), (1, 2)),
    "as strided offset": lambda lib, x: lib.as_strided(x, (2, 2), (3, 4), 5),
    "as strided of part": lambda lib, x: x[1].as_strided((2,), (3,)),
    "split": lambda lib, x: x.split(2, 1)[0],
    "split sizes": lambda lib, x: lib.split(x, [1, 3], -1)[1],
    "chunk": lambda lib, x: x.chunk(3, 2)[-1],
    "tensor split": lambda lib, x: x.tensor_split(3, 2)[0],
    "tensor split places": lambda lib, x: lib.tensor_split(x, (1, 3), -1)[1],
    "hsplit": lambda lib, x: lib.hsplit(x, 3)[1],
    "vsplit": lambda lib, x: lib.vsplit(x, 2)[1],
    "dsplit": lambda lib, x: lib.dsplit(x, [1])[1],
    "unbind": lambda lib, x: x.unbind(1)[2],
    "iteration": lambda lib, x: list(x)[1],
    "atleast": lambda lib, x: lib.atleast_3d(x[0, 0]),
    "atleast 2d": lambda lib, x: lib.atleast_2d(x[0, 0]),
    "meshgrid": lambda lib, x: lib.meshgrid(x[0, 0], x[0, 1], indexing="xy")[1],
}
COPIES: dict[str, Function] = {
    "reshape copy": lambda lib, x: x.permute(2, 0, 1).reshape(4, 6),
    "ravel copy": lambda lib, x: x.mT.ravel(),
    "clone": lambda lib, x: x.clone(),
    "clone transposed": lambda lib, x: x.permute(2, 0, 1).clone(),
    "clone row-major": lambda lib, x: x.mT.clone(memory_format=lib.contiguous_format),
    "contiguous": lambda lib, x: x.mT.contiguous(),
    "repeat": lambda lib, x: x.repeat(2, 1, 1, 3),
    "tile": lambda lib, x: lib.tile(x, (2, 2)),
    "repeat interleave": lambda lib, x: lib.repeat_interleave(x, 2),
    "repeat interleave dim": lambda lib, x: x.repeat_interleave(3, dim=-1),
    "repeat interleave counts": lambda lib, x: x.repeat_interleave(lib.tensor([2, 0, 1]), 1),
    "flip": lambda lib, x: x.flip(0, 2),
    "fliplr": lambda lib, x: lib.fliplr(x),
    "flipud": lambda lib, x: lib.flipud(x),
    "roll": lambda lib, x: x.roll(5),
    "roll dims": lambda lib, x: lib.roll(x, (1, -1), (0, 2)),
    "rot90": lambda lib, x: lib.rot90(x, 1, (1, 2)),
    "rot90 back": lambda lib, x: x.rot90(-1),
    "diag": lambda lib, x: x[0].diag(1),
    "diag of vector": lambda lib, x: lib.diag(x[0, 0], -1),
    "diag embed": lambda lib, x: x.diag_embed(1, 0, -1),
    "diagflat": lambda lib, x: lib.diagflat(x[0]),
    "tril": lambda lib, x: x.tril(),
    "triu": lambda lib, x: lib.triu(x, 1),
    "cat": lambda lib, x: lib.cat([x, x[:1]]),
    "cat dim": lambda lib, x: lib.concat((x, x * 2), -1),
    "cat one empty": lambda lib, x: lib.cat([x, lib.zeros(0, dtype=lib.float64)]),
    "stack": lambda lib, x: lib.stack([x[0], x[1]], -1),
    "hstack": lambda lib, x: lib.hstack([x, x]),
    "vstack": lambda lib, x: lib.vstack([x[0, 0], x[1, 0]]),
    "dstack": lambda lib, x: lib.dstack([x[0, 0], x[1, 0]]),
    "column stack": lambda lib, x: lib.column_stack([x[0, :, 0], x[0]]),
    "block diag": lambda lib, x: lib.block_diag(x[0], x[1, 0], x[0, 0, 0]),
    "cartesian prod": lambda lib, x: lib.cartesian_prod(x[0, 0], x[0, 1]),
    "pad": lambda lib, x: nn(lib).pad(x, (1, 2, 0, 1), value=0.5),
    "pad cut": lambda lib, x: nn(lib).pad(x, (-1, 1)),
    "pad reflect": lambda lib, x: nn(lib).pad(x, (3, 1), mode="reflect"),
    "pad reflect 2d": lambda lib, x: nn(lib).pad(x, (1, 0, 2, 1), mode="reflect"),
    "pad replicate": lambda lib, x: nn(lib).pad(x, (2, 2, 1, 0), mode="replicate"),
    "select scatter": lambda lib, x: lib.select_scatter(x, x[:, 0] * 2, 1, -1),
    "slice scatter": lambda lib, x: x.slice_scatter(x[:, :2] * 2, 1, 0, None, 2),
    "diagonal scatter": lambda lib, x: x.diagonal_scatter(x[:, 0].T * 3, 0, 0, 1),
    "to": lambda lib, x: x.float(),
}


@table(VIEWS | COPIES)
def test_values_nodes_and_derivatives(f: Function) -> None:
    compare(f, r(2, 3, 4))


@table(VIEWS | COPIES)
def test_layout_and_shared_memory(f: Function) -> None:
    assert layout(wengert, f, r(2, 3, 4)) == layout(torch, f, r(2, 3, 4))


def _permuted(f: Function) -> Function:
    return lambda lib, x: f(lib, x.permute(2, 0, 1))


@table({name: _permuted(f) for name, f in (VIEWS | COPIES).items() if "view" not in name and "as strided" not in name})
def test_permuted_memory(f: Function) -> None:
    # Some of these shapes fit the permuted tensor too; the others must fail alike.
    try:
        want = f(torch, torch.from_numpy(r(3, 4, 2)))
    except (RuntimeError, IndexError) as error:
        with pytest.raises(type(error)):
            f(wengert, wengert.from_numpy(r(3, 4, 2)))
        return
    compare(f, r(3, 4, 2), order=1, name=False)
    assert layout(wengert, f, r(3, 4, 2))[:2] == layout(torch, f, r(3, 4, 2))[:2], want


@table({name: f for name, f in VIEWS.items() if not name.startswith(("expand", "broadcast", "meshgrid", "unfold"))})
def test_writing_into_a_view(f: Function) -> None:
    multiple = {"split", "chunk", "unbind", "iteration"}

    def written(lib: Any, x: Any) -> Any:
        y = x * 1
        f(lib, y).mul_(3)
        return y * x

    name = next(name for name, g in VIEWS.items() if g is f)
    if any(name.startswith(word) for word in multiple) or name == "split sizes":
        same_error(written, r(2, 3, 4), beginning=8)
    else:
        compare(written, r(2, 3, 4))


@table({name: f for name, f in (VIEWS | COPIES).items() if name not in ("to", "mH", "H")})
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64", "bool"])
def test_dtypes(f: Function, dtype: str) -> None:
    a = r(2, 3, 4, dtype=dtype) if dtype[0] in "fc" else (np.arange(24).reshape(2, 3, 4) % 3).astype(dtype)
    try:
        f(torch, torch.from_numpy(a.copy()).requires_grad_(dtype[0] in "fc"))
    except (RuntimeError, NotImplementedError):  # no mirrored bools, no derivative of a complex slice_scatter
        f(wengert, wengert.from_numpy(a))
        return
    compare(f, a, order=1)


def test_conjugate_transpose() -> None:
    compare(
        lambda lib, x: x.H.resolve_conj() if hasattr(x, "resolve_conj") else x.H,
        r(2, 3, dtype="complex128"),
        name=False,
    )
    compare(lambda lib, x: x.mH * 2, r(2, 3, 2, dtype="complex128"))


SCALARS: dict[str, Function] = {
    "reshape": lambda lib, x: x.reshape(1, 1),
    "view": lambda lib, x: x.view(()),
    "flatten": lambda lib, x: x.flatten(),
    "ravel": lambda lib, x: x.ravel(),
    "expand": lambda lib, x: x.expand(2, 2),
    "repeat": lambda lib, x: x.repeat(3),
    "tile": lambda lib, x: x.tile((2,)),
    "repeat interleave": lambda lib, x: x.repeat_interleave(2),
    "squeeze": lambda lib, x: x.squeeze(),
    "squeeze 0": lambda lib, x: x.squeeze(0),
    "unsqueeze": lambda lib, x: x.unsqueeze(-1),
    "transpose": lambda lib, x: x.transpose(0, -1),
    "t": lambda lib, x: x.t(),
    "permute": lambda lib, x: x.permute(()),
    "movedim": lambda lib, x: x.movedim(0, 0),
    "flip": lambda lib, x: x.flip(0),
    "roll": lambda lib, x: x.roll(1),
    "stack": lambda lib, x: lib.stack([x, x]),
    "hstack": lambda lib, x: lib.hstack([x, x]),
    "atleast": lambda lib, x: lib.atleast_2d(x),
    "unfold": lambda lib, x: x.unfold(0, 1, 1),
    "clone": lambda lib, x: x.clone(),
    "diagflat": lambda lib, x: lib.diagflat(x),
}


@table(SCALARS)
def test_no_dimension(f: Function) -> None:
    compare(f, np.array(0.75))


EMPTY: dict[str, Function] = {
    "reshape": lambda lib, x: x.reshape(3, 0),
    "reshape -1": lambda lib, x: x.reshape(-1),
    "flatten": lambda lib, x: x.flatten(),
    "cat": lambda lib, x: lib.cat([x, x], 1),
    "stack": lambda lib, x: lib.stack([x, x]),
    "repeat": lambda lib, x: x.repeat(2, 2),
    "flip": lambda lib, x: x.flip(0, 1),
    "roll": lambda lib, x: x.roll(1, 0),
    "split": lambda lib, x: x.split(2, 1)[0],
    "split none": lambda lib, x: x.split(0)[0],
    "chunk": lambda lib, x: x.chunk(2)[1],
    "tril": lambda lib, x: x.tril(),
    "diagonal": lambda lib, x: x.diagonal(),
    "pad": lambda lib, x: nn(lib).pad(x, (1, 1, 2, 0)),
    "expand": lambda lib, x: x.expand(2, 0, 3),
    "unbind": lambda lib, x: x.unbind(1)[0],
}


@table(EMPTY)
def test_no_elements(f: Function) -> None:
    compare(f, r(0, 3), order=1)
