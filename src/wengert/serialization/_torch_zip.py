"""Reading PyTorch's checkpoints without PyTorch, and without running anything that is in them.

A checkpoint is a zip archive of uncompressed files: ``data.pkl``, a pickle of the object in which tensors refer to
their memory, and the memory itself, ``data/0``, ``data/1``... A pickle is a program; the one here can only call what
:data:`_ALLOWED` maps its names to, which are functions of ours that make tensors and containers.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import IO, Any, Final, NamedTuple

import numpy as np

from wengert._dtypes import BY_NUMPY
from wengert._size import Size
from wengert.nn.parameter import Parameter
from wengert.serialization._errors import FileError
from wengert.serialization._safetensors import widened
from wengert.serialization._structure import tensor_on

__all__ = ["read_checkpoint"]


class _Storage(NamedTuple):
    """A kind of memory: the dtype of its elements by NumPy's name, or bfloat16."""

    dtype: str


class _Memory(NamedTuple):
    array: np.ndarray[Any, Any]
    raw: bytes


_STORAGES: Final = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
_DTYPE_NAMES: Final = {dtype.name: dtype for dtype in BY_NUMPY}
_TORCH_DTYPES: Final = {**{name: name for name in _DTYPE_NAMES}, "bfloat16": "bfloat16"}


def _elements(raw: bytes, dtype: str, count: int | None) -> np.ndarray[Any, Any]:
    """Memory as numbers, checked to be as many as were said."""
    size = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
    if len(raw) % size or (count is not None and len(raw) != count * size):
        raise FileError(f"a storage of {count} {dtype} has {len(raw)} bytes")
    if dtype == "bfloat16":
        return widened(np.frombuffer(raw, "<u2"))
    if dtype == "bool" and any(byte > 1 for byte in set(raw)):
        raise FileError("a storage of booleans holds bytes other than 0 and 1")
    return np.frombuffer(bytearray(raw), np.dtype(dtype).newbyteorder("<")).astype(dtype, copy=False)


def _strided(array: np.ndarray[Any, Any], offset: Any, size: Any, stride: Any) -> Any:
    """A tensor on part of the memory; all of it must lie inside."""
    numbers = [offset, *size, *stride]
    if len(size) != len(stride) or not all([type(n) is int and 0 <= n < 2**62 for n in numbers]) or len(size) > 64:
        raise FileError(f"a tensor of size {size!r} with the strides {stride!r} at {offset!r}")
    empty = 0 in size
    last = offset + sum([(n - 1) * s for n, s in zip(size, stride, strict=True)])
    if not empty and last >= array.size:
        raise FileError(f"a tensor reaches to element {last} of a storage of {array.size}")
    strides = [s * array.itemsize for s in stride]
    if empty:
        return tensor_on(np.empty(tuple(size), array.dtype))
    view = np.lib.stride_tricks.as_strided(array[offset:], tuple(size), strides)
    return tensor_on(view)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, *_: Any) -> Any:
    if not isinstance(storage, _Memory):
        raise FileError("a tensor without memory")
    made = _strided(storage.array, offset, size, stride)
    return made.requires_grad_() if requires_grad is True else made


def _tensor_of_bytes(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, dtype: Any, *_: Any
) -> Any:
    if not isinstance(storage, _Memory) or not isinstance(dtype, str):
        raise FileError("a tensor without memory or dtype")
    del hooks
    made = _strided(_elements(storage.raw, dtype, None), offset, size, stride)
    return made.requires_grad_() if requires_grad is True else made


def _parameter(data: Any, requires_grad: Any = True, *_: Any) -> Any:
    return Parameter(data, requires_grad=requires_grad is True)


def _defaultdict(factory: Any = None, *items: Any) -> Any:
    del factory  # it would be called
    return dict(*items)


def _device(*_: Any) -> str:
    return "cpu"


_ALLOWED: Final[dict[tuple[str, str], Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _defaultdict,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in (set, dict, complex)},
    ("torch", "Size"): Size,
    ("torch", "device"): _device,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_bytes,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch.storage", "UntypedStorage"): _Storage("uint8"),
    **{("torch", name): _Storage(dtype) for name, dtype in _STORAGES.items()},
    **{("torch", name): dtype for name, dtype in _TORCH_DTYPES.items()},
}


class _Unpickler(pickle._Unpickler):
    """An unpickler that knows no names but the allowed ones, and finds tensors' memory in the archive.

    It is the one in Python: that in C takes memory by the numbers in the file, so that 10 bytes can ask for 32 GB (its
    memo is as long as the largest index in it). Descriptions of tensors are short; their memory is not in the pickle.
    """

    def __init__(self, file: IO[bytes], archive: _Archive) -> None:
        super().__init__(file)
        self.archive = archive

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the checkpoint wants {module}.{name}, which is none of the names that belong to tensors: loading "
                "runs no code. Save a state_dict() in place of the object"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        """A tensor's memory."""
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage" or not isinstance(pid[1], _Storage):
            raise FileError(f"a reference to memory of an unknown form: {str(pid)[:80]}")
        _, storage, key, _, count = pid
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise FileError("a reference to memory without a name or length")
        return self.archive.memory(key, storage.dtype, count)


class _Archive:
    """The files of a checkpoint."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file)
        found = [name for name in self.zip.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(found) != 1:
            raise FileError("no PyTorch checkpoint: the archive has no data.pkl, or several")
        self.folder = found[0].removesuffix("data.pkl")
        self.made: dict[tuple[str, str], _Memory] = {}
        if self.folder + "byteorder" in self.zip.namelist() and self.read("byteorder") != b"little":
            raise FileError("a checkpoint with big-endian numbers")

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        info = self.zip.getinfo(self.folder + name)
        if info.compress_type != zipfile.ZIP_STORED:
            raise FileError(f"{name} is compressed, which PyTorch's checkpoints are not")
        return self.zip.read(info)

    def memory(self, key: str, dtype: str, count: int) -> _Memory:
        """Memory by its name, the same object for all tensors on it."""
        if (key, dtype) not in self.made:
            raw = self.read(f"data/{key}")
            self.made[key, dtype] = _Memory(_elements(raw, dtype, count), raw)
        return self.made[key, dtype]


def read_checkpoint(file: IO[bytes]) -> Any:
    """The object in a PyTorch checkpoint.

    Raises:
        FileError: a damaged file.
        pickle.UnpicklingError: a name that is not allowed.
    """
    try:
        archive = _Archive(file)
        return _Unpickler(io.BytesIO(archive.read("data.pkl")), archive).load()
    except (FileError, pickle.UnpicklingError):
        raise
    except MemoryError:
        raise FileError("the checkpoint asks for more memory than there is") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle can raise anything
        raise FileError(f"the checkpoint is damaged: {type(error).__name__}: {error}") from None
