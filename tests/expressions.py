"""Expressions that are evaluated by wengert and by PyTorch, and must give the same text or the same class of error."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from types import ModuleType
from typing import Any

import numpy as np

import wengert


class IndexOnly:
    def __index__(self) -> int:
        return 3


class FloatOnly:
    def __float__(self) -> float:
        return 3.0


class ArrayOnly:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.arange(3)


def lines(text: str) -> list[str]:
    """The expressions of a text, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def names(torch: ModuleType) -> dict[str, Any]:
    """What the expressions may use, fresh for each: `leaf`, `result`, `floats`, `counts`, `z` are tensors."""
    leaf = torch.ones(2, requires_grad=True)
    return {
        "torch": torch,
        "np": np,
        "copy": copy,
        "pickle": pickle,
        "IndexOnly": IndexOnly,
        "FloatOnly": FloatOnly,
        "ArrayOnly": ArrayOnly,
        "leaf": leaf,
        "result": leaf * 2,
        "floats": torch.ones(2),
        "counts": torch.arange(6).reshape(2, 3),
        "z": torch.tensor([1 + 2j]),
        "is_set": lambda x: x is not None,
    }


def answer(expression: str, torch: ModuleType) -> tuple[str, str]:
    """The text of the value, or the class and the text of the error; warnings are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = eval(expression, names(torch))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            return f"raises {type(error).__name__}", str(error)
    text = re.sub(r"<(?:torch\.autograd\.function\.)?(\w+) object at 0x\w+>", r"<\1>", repr(value))
    return text, ""


def values_as_in_torch(torch: ModuleType, expression: str) -> None:
    """Assert that an expression has the same value with both libraries."""
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert not theirs[0].startswith("raises"), f"PyTorch itself raises: {theirs}"
    assert ours == theirs


def error_as_in_torch(torch: ModuleType, expression: str) -> None:
    """Assert that an expression raises the same error with both libraries; wengert's message may go on."""
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert theirs[0].startswith("raises"), f"PyTorch itself answers: {theirs[0]}"
    assert ours[0] == theirs[0]
    start = theirs[1].split("(Triggered")[0].rstrip(". ")[:30]
    assert start in ours[1], f"PyTorch says {theirs[1]!r}, we say {ours[1]!r}"
