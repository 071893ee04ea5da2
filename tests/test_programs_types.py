"""Types of results of large inputs, which are found on small ones: the same as those of the real results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.compile.trace import Trace  # noqa: F401 - binds what a trace needs
from wengert.ops.record import TABLE
from wengert.program import infer
from wengert.program.values import Value

LONG, TALL, SQUARE, CUBE = (5000,), (900, 14), (70, 70), (3, 40, 50)

# Operations with their inputs' shapes and metadata; among them those that work lengths out.
CASES: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("sum", [TALL], {"dim": (0,), "keepdim": False}),
    ("sum", [CUBE], {"dim": (0, 2), "keepdim": True}),
    ("sum", [LONG], {"dim": None, "keepdim": False}),
    ("logsumexp", [TALL], {"dim": (1,), "keepdim": True}),
    ("softmax", [TALL], {"dim": 0}),
    ("cumsum", [TALL], {"dim": 1}),
    ("mm", [TALL, (14, 11)], {}),
    ("mm", [SQUARE, SQUARE], {}),
    ("matmul", [CUBE, (3, 50, 7)], {}),
    ("kron", [TALL, (2, 2)], {}),
    ("kron", [LONG, (11,)], {}),
    ("outer", [LONG, (13,)], {}),
    ("einsum", [TALL, (14, 900)], {"subs": ((20, 21), (21, 22)), "out": (20, 22)}),
    ("inv", [SQUARE], {}),
    ("cross", [(3000, 3), (3000, 3)], {"dim": 1}),
    ("flip", [TALL], {"dims": (0,)}),
    ("argsort", [LONG], {"dim": 0, "descending": False, "stable": True}),
    ("stack", [LONG, LONG], {"dim": 1}),
    ("cat", [LONG, LONG], {"dim": 0, "sizes": (5000, 5000)}),
    ("cat", [(8, 900), (3, 900)], {"dim": 0, "sizes": (8, 3)}),
    ("slice_backward", [LONG], {"shape": (6000,), "dim": 0, "start": 5, "stop": 5005, "step": 1}),
]


@pytest.mark.parametrize(("name", "shapes", "meta"), CASES)
def test_types(name: str, shapes: list[tuple[int, ...]], meta: dict[str, Any]) -> None:
    op = TABLE[name]
    values = [Value(np.dtype("f4"), shape) for shape in shapes]
    assert infer.result_types(op, values, meta) == infer._tried(op, values, meta)


def test_nothing_large_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    tried = infer._tried

    def noted(op: Any, inputs: Any, meta: Any) -> Any:
        sizes.extend([x.size for x in inputs if not op.view])
        return tried(op, inputs, meta)

    monkeypatch.setattr(infer, "_tried", noted)
    infer.result_types(TABLE["mm"], [Value(np.dtype("f4"), (3001, 2999)), Value(np.dtype("f4"), (2999, 2003))], {})
    assert sizes
    assert max(sizes) < 4096


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "half of a length": lambda x: torch.fft.rfft(x).abs(),
    "one less": lambda x: torch.diff(x, dim=0),
    "several results": lambda x: torch.svd(x)[1],
    "the shorter of two lengths": lambda x: torch.linalg.qr(x).Q,
    "some of the largest": lambda x: torch.topk(x, 5, dim=0).values,
    "windows": lambda x: x.unfold(0, 7, 3).sum(2),
    "pooling": lambda x: torch.nn.functional.max_pool1d(x.T[None], 4),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    f = FUNCTIONS[name]
    x = torch.tensor(np.random.default_rng(0).standard_normal((500, 12)))
    got, want = torch.compile(f)(x), f(x)
    assert got.shape == want.shape
    np.testing.assert_allclose(got.abs().numpy(), want.abs().numpy(), rtol=1e-9, atol=1e-12)
