"""``save`` and ``load``."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import numpy as np

from wengert._device import require_cpu
from wengert.serialization import _safetensors
from wengert.serialization._atomic import replacing
from wengert.serialization._errors import FileError
from wengert.serialization._structure import flattened, restored, tensor_on
from wengert.serialization._torch_zip import read_checkpoint

__all__ = ["load", "load_npz", "save", "save_npz"]

_STRUCTURE: Final = "wengert.structure"


def save(obj: Any, f: Any) -> None:
    """Write tensors, and containers of tensors, numbers and strings, to a file in the safetensors format.

    A dict of tensors becomes a file that any reader of safetensors understands. The file takes the place of an older
    one only when it is complete; what is written can be read back without running anything.

    Args:
        obj: tensors, or dicts, lists, tuples, sets of them and of numbers and strings; ``state_dict()`` of modules and
            optimizers is such.
        f: a path, or an object with ``write``.

    Raises:
        TypeError: something else in ``obj``. Nothing has been written then.

    >>> import os, tempfile
    >>> import wengert as torch
    >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
    >>> torch.save({"epoch": 3, "net": torch.nn.Linear(2, 1).state_dict()}, path)
    >>> loaded = torch.load(path)
    >>> loaded["epoch"], list(loaded["net"])
    (3, ['weight', 'bias'])
    """
    arrays, text = flattened(obj)
    with replacing(f) as file:
        _safetensors.write(file, arrays, {"format": "pt", _STRUCTURE: text})


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Read a file: safetensors, PyTorch's checkpoints (without PyTorch), ``.npz`` and ``.npy``.

    Nothing in a file is ever executed, whatever ``weights_only`` says. bfloat16 numbers become float32. Which format it
    is, is seen from the file's beginning.

    Args:
        f: a path, or an object with ``read`` and ``seek``.
        map_location: has no effect unless it names a device that is not the CPU.
        pickle_module: has no effect.
        weights_only: has no effect: it is always so.
        mmap: has no effect.

    Raises:
        RuntimeError: the file is damaged or of another format.
        pickle.UnpicklingError: a PyTorch checkpoint with objects in it that are no tensors or containers.

    >>> import io
    >>> import wengert as torch
    >>> buffer = io.BytesIO()
    >>> torch.save([torch.ones(2), "text"], buffer)
    >>> _ = buffer.seek(0)
    >>> torch.load(buffer)
    [tensor([1., 1.]), 'text']
    """
    del pickle_module, weights_only, mmap
    if isinstance(map_location, str):
        require_cpu(map_location)
    with _opened(f) as file:
        start = file.read(8)
        file.seek(-len(start), io.SEEK_CUR)
        if start.startswith(b"PK\x03\x04"):
            return _from_zip(file)
        if start.startswith(b"\x93NUMPY"):
            return tensor_on(_npy(file))
        if start.startswith(b"\x80") and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and start[2:3] != b"\x00":
            raise FileError(
                "this is a bare pickle, for example a checkpoint of PyTorch before version 1.6: unpickling it would "
                "run code. Load it in PyTorch and save it again"
            )
        here = file.tell()
        size = file.seek(0, io.SEEK_END) - here
        file.seek(here)
        arrays, metadata = _safetensors.read(file, size)
    if _STRUCTURE in metadata:
        return restored(arrays, metadata[_STRUCTURE])
    return {name: tensor_on(a) for name, a in arrays.items()}


@contextlib.contextmanager
def _opened(f: Any) -> Iterator[IO[bytes]]:
    if hasattr(f, "read"):
        yield f
        return
    with open(os.fspath(f), "rb") as file:
        yield file


def _from_zip(file: IO[bytes]) -> Any:
    try:
        names = zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileError(f"the archive is damaged: {error}") from None
    file.seek(0)
    if names and all([name.endswith(".npy") for name in names]):
        return load_npz(file)
    return read_checkpoint(file)


def _npy(file: Any) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except Exception as error:  # noqa: BLE001 - a damaged file can raise anything
        raise FileError(f"the .npy file cannot be read: {error}") from None


def save_npz(f: Any, tensors: Mapping[str, Any], *, compressed: bool = False) -> None:
    """Write tensors by name to NumPy's ``.npz`` format; the file takes the place of an older one when it is complete.

    >>> import io
    >>> import wengert as torch
    >>> buffer = io.BytesIO()
    >>> torch.serialization.save_npz(buffer, {"w": torch.ones(2)})
    >>> _ = buffer.seek(0)
    >>> torch.serialization.load_npz(buffer)
    {'w': tensor([1., 1.])}
    """
    arrays = {name: np.asarray(t.detach().resolve_conj().numpy()) for name, t in tensors.items()}
    with replacing(f) as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)  # type: ignore[arg-type]


def load_npz(f: Any) -> dict[str, Any]:
    """The arrays of an ``.npz`` file as tensors by name. Arrays of Python objects are refused.

    Raises:
        RuntimeError: the file is damaged, or holds something else than numbers.

    >>> import io
    >>> import numpy as np
    >>> import wengert as torch
    >>> buffer = io.BytesIO()
    >>> np.savez(buffer, a=np.arange(3))
    >>> _ = buffer.seek(0)
    >>> torch.serialization.load_npz(buffer)
    {'a': tensor([0, 1, 2])}
    """
    try:
        with np.load(f, allow_pickle=False) as archive:
            return {name: tensor_on(np.array(archive[name])) for name in archive.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file can raise anything
        raise FileError(f"the .npz file cannot be read: {error}") from None
