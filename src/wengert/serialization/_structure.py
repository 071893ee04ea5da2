"""Nested containers as named arrays and a text that says how they belong together, and back.

The text is JSON: ``{"dict": [[key, value], ...]}``, ``{"list": [...]}``, ``{"tuple": [...]}``, ``{"tensor": name}``,
``{"number": "inf"}``, and plain strings, numbers, booleans and null. It can name no class and call nothing.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert._dtypes import dtype as dtype_class
from wengert._size import Size
from wengert._tensor import Tensor
from wengert.engine.base import wrap_plain
from wengert.functions.data import adopted
from wengert.nn.parameter import Parameter
from wengert.serialization._errors import FileError

__all__ = ["flattened", "restored", "tensor_on"]


def flattened(obj: Any) -> tuple[dict[str, np.ndarray[Any, Any]], str]:
    """The tensors in ``obj`` as arrays by their place in it, and the text.

    Raises:
        TypeError: something that is neither a tensor nor a container, number or string.
    """
    writer = _Writer()
    text = json.dumps(writer.node(obj, ""), ensure_ascii=False, separators=(",", ":"))
    return writer.arrays, text


class _Writer:
    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.names: dict[int, str] = {}

    def node(self, value: Any, path: str) -> Any:
        """What stands for a value."""
        if isinstance(value, Tensor):
            return self.tensor(value, path)
        if isinstance(value, np.ndarray):
            return {**self.array(value, path), "kind": "array"}
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (bool, str)) or type(value) is int:
            return value
        if isinstance(value, (float, complex)):
            return value if type(value) is float and value - value == 0 else {"number": repr(value)}
        if isinstance(value, Mapping):
            kind = "ordered" if isinstance(value, OrderedDict) else "dict"
            return {kind: [[self.key(k), self.node(v, _joined(path, k))] for k, v in value.items()]}
        if isinstance(value, Size):
            return {"size": list(value)}
        if isinstance(value, dtype_class):
            return {"dtype": value.np.name}
        if isinstance(value, (list, tuple, set, frozenset)):
            kind = next(k.__name__ for k in (list, tuple, frozenset, set) if isinstance(value, k))
            return {kind: [self.node(v, _joined(path, i)) for i, v in enumerate(value)]}
        raise TypeError(
            f"cannot save {path or 'this'}: it is a {type(value).__module__}.{type(value).__qualname__}. Tensors, "
            "numbers, strings, and lists, tuples, sets and dicts of them can be saved; of a module or an optimizer its "
            "state_dict()"
        )

    def key(self, key: Any) -> Any:
        """A key of a dict."""
        if isinstance(key, (str, bool, int, float)) or key is None:
            return self.node(key, "a key")
        if isinstance(key, tuple):
            return {"tuple": [self.key(k) for k in key]}
        raise TypeError(f"cannot save a dict with a key of type {type(key).__name__}: {key!r}")

    def tensor(self, t: Any, path: str) -> dict[str, Any]:
        """A tensor; one that stands in several places is written once."""
        if id(t) in self.names:
            return {"tensor": self.names[id(t)]}
        made = self.array(np.asarray(t.detach().resolve_conj().numpy()), path)
        if isinstance(t, Parameter):
            made["kind"] = "parameter"
        if t.requires_grad:
            made["requires_grad"] = True
        self.names[id(t)] = made["tensor"]
        return made

    def array(self, a: np.ndarray[Any, Any], path: str) -> dict[str, Any]:
        """An array under a name of its own."""
        name = path or "tensor"
        while name in self.arrays or name == "__metadata__":
            name += "_"
        if a.dtype == np.complex128:  # the format has none: real and imaginary parts
            self.arrays[name] = np.stack([a.real, a.imag], -1)
            return {"tensor": name, "complex": True}
        self.arrays[name] = a
        return {"tensor": name}


def _joined(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def tensor_on(array: np.ndarray[Any, Any]) -> Any:
    """A tensor on the memory of an array."""
    return wrap_plain(adopted(array))


def restored(arrays: dict[str, np.ndarray[Any, Any]], text: str) -> Any:
    """What :func:`flattened` was given.

    Raises:
        FileError: a text that is not as it should be, or names tensors that are not there.
    """
    try:
        tree = json.loads(text)
        reader = _Reader(arrays)
        made = reader.value(tree)
    except FileError:
        raise
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise FileError(f"the description of the saved object cannot be read: {error}") from None
    unused = set(arrays) - reader.used
    if unused:
        raise FileError(f"tensors that nothing refers to: {sorted(unused)[:3]}")
    return made


class _Reader:
    def __init__(self, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
        self.arrays = arrays
        self.used: set[str] = set()
        self.tensors: dict[str, Any] = {}

    def value(self, node: Any) -> Any:
        """What a node stands for."""
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise FileError("a bare list in the description")
            return node
        if "tensor" in node:
            return self.tensor(node)
        if len(node) != 1:
            raise FileError(f"a node with the keys {sorted(node)}")
        kind, content = next(iter(node.items()))
        if kind in ("dict", "ordered"):
            made: Any = OrderedDict() if kind == "ordered" else {}
            for key, inner in content:
                made[self.value(key)] = self.value(inner)
            return made
        if kind in ("list", "tuple", "set", "frozenset"):
            builder = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind]
            return builder([self.value(inner) for inner in content])
        if kind == "number":
            return _number(content)
        if kind == "size":
            return Size([int(n) for n in content])
        if kind == "dtype":
            return tensor_on(np.empty(0, content)).dtype
        raise FileError(f"a node of the unknown kind {kind!r}")

    def tensor(self, node: dict[str, Any]) -> Any:
        """A tensor, parameter or array; the same one wherever it stands."""
        name = node["tensor"]
        if not isinstance(name, str) or name not in self.arrays:
            raise FileError(f"the description names the tensor {name!r}, and the file has none of that name")
        if name in self.tensors:
            return self.tensors[name]
        a = self.arrays[name]
        self.used.add(name)
        if node.get("complex"):
            if a.dtype != np.float64 or a.shape[-1:] != (2,):
                raise FileError(f"tensor {name!r} is said to be complex, and is {a.dtype} of shape {a.shape}")
            a = a.view(np.complex128)[..., 0]
        tracked = node.get("requires_grad") is True
        made: Any = tensor_on(a) if node.get("kind") != "array" else a
        if node.get("kind") == "parameter":
            made = Parameter(made, requires_grad=tracked)
        elif tracked:
            made.requires_grad_()
        self.tensors[name] = made
        return made


def _number(text: Any) -> Any:
    """A float or complex number from its text."""
    if not isinstance(text, str):
        raise FileError(f"{text!r} is no text of a number")
    return complex(text) if "j" in text else float(text)
