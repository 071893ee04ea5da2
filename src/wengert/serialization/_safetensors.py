"""The safetensors format: a JSON header with names, dtypes, shapes and places, then the numbers.

Eight bytes give the header's length (little-endian), the header maps names to ``dtype``, ``shape`` and
``data_offsets``, and the rest of the file is the tensors' memory without holes or overlaps. Nothing in it can be
executed. Reading checks all of this before it makes a tensor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

import numpy as np

from wengert.serialization._errors import FileError

__all__ = ["read", "write"]

_CODES: Final = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "complex64": "C64",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
}
_DTYPES: Final = {code: np.dtype(name) for name, code in _CODES.items()}
_BF16: Final = "BF16"  # the upper half of a float32
_LONGEST_HEADER: Final = 100_000_000
_MOST_ELEMENTS: Final = 2**59
_METADATA: Final = "__metadata__"


def write(file: IO[bytes], arrays: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, str]) -> None:
    """Write arrays by name. Larger dtypes come first, so that all are aligned.

    Raises:
        TypeError: a dtype that the format does not have.
    """
    for name, a in arrays.items():
        if a.dtype.name not in _CODES:
            raise TypeError(f"safetensors has no dtype for {a.dtype} (tensor {name!r})")
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    header: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        a = arrays[name]
        start, end = end, end + a.nbytes
        header[name] = {"dtype": _CODES[a.dtype.name], "shape": list(a.shape), "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        a = arrays[name]
        if a.nbytes:
            little = np.ascontiguousarray(a, a.dtype.newbyteorder("<"))
            file.write(little.reshape(-1).view(np.uint8).data)


def read(file: IO[bytes], size: int) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """The arrays by name, and the metadata, of a file of ``size`` bytes.

    Raises:
        FileError: anything that is not as the format says.
    """
    header, data_size = _header(file, size)
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileError("the header's __metadata__ must map strings to strings")
    entries = {name: _entry(name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, start, stop) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if start != end:
            raise FileError(f"the data of tensor {name!r} begin at byte {start}, and should begin at {end}")
        end = stop
    if end != data_size:
        raise FileError(f"the header describes {end} bytes of data, and the file has {data_size}")
    begin = file.tell()
    return {name: _array(file, begin, *entry) for name, entry in entries.items()}, metadata


def _header(file: IO[bytes], size: int) -> tuple[dict[str, Any], int]:
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(size - 8, _LONGEST_HEADER):
        raise FileError(f"no safetensors file: its first 8 bytes give a header of {length} bytes, in a file of {size}")
    text = file.read(length)
    if len(text) != length or not text.startswith(b"{"):
        raise FileError("no safetensors file: the header does not begin with {")
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_repetition)
    except FileError:
        raise
    except (ValueError, RecursionError) as error:
        raise FileError(f"the header is no JSON: {error}") from None
    return header, size - 8 - length


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise FileError("a name stands twice in the header")
    return made


def _is_count(n: Any) -> bool:
    return type(n) is int and 0 <= n < 2**63


def _entry(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    """Dtype, shape, first and last byte of a tensor."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FileError(f"tensor {name!r} needs dtype, shape and data_offsets, and nothing else")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or (code not in _DTYPES and code != _BF16):
        raise FileError(f"tensor {name!r} has the unknown dtype {code!r}")
    if not isinstance(shape, list) or not all(map(_is_count, shape)) or len(shape) > 64:
        raise FileError(f"tensor {name!r} has the shape {shape!r}: expected a list of sizes")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_count, offsets)):
        raise FileError(f"tensor {name!r} has the data_offsets {offsets!r}: expected first and last byte")
    need = math.prod(shape) * (2 if code == _BF16 else _DTYPES[code].itemsize)
    if math.prod([n for n in shape if n]) >= _MOST_ELEMENTS:  # NumPy has no such array, even where it is empty
        raise FileError(f"tensor {name!r} has the shape {shape!r}, which is too large")
    if offsets[1] - offsets[0] != need:
        raise FileError(f"tensor {name!r} needs {need} bytes for {shape} of {code}, and has {offsets[1] - offsets[0]}")
    return code, tuple(shape), offsets[0], offsets[1]


def _array(file: IO[bytes], begin: int, code: str, shape: tuple[int, ...], start: int, stop: int) -> Any:
    memory = np.empty(stop - start, np.uint8)
    file.seek(begin + start)
    if stop > start and file.readinto(memory.data) != stop - start:  # type: ignore[attr-defined]
        raise FileError("the file ends before its data do")
    if code == _BF16:
        return widened(memory.view("<u2")).reshape(shape)
    dtype = _DTYPES[code]
    if dtype.kind == "b" and memory.size and memory.max() > 1:
        raise FileError("a BOOL tensor holds bytes other than 0 and 1")
    return memory.view(dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def widened(halves: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """bfloat16 numbers, given by their bits, as float32: exact."""
    return (halves.astype(np.uint32) << 16).view(np.float32)
