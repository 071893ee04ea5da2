"""``device``: the place a tensor lives. wengert computes on the CPU; other places can be named, not used."""

from typing import Any, NoReturn, Self, TypeAlias

__all__ = ["CPU", "DeviceLike", "device", "require_cpu"]

# The device types PyTorch knows by name, so that code which compares devices keeps running.
_TYPES = (
    "cpu",
    "cuda",
    "ipu",
    "xpu",
    "mkldnn",
    "opengl",
    "opencl",
    "ideep",
    "hip",
    "ve",
    "fpga",
    "maia",
    "xla",
    "lazy",
    "vulkan",
    "mps",
    "meta",
    "hpu",
    "mtia",
    "privateuseone",
)

_CPU_ONLY = "wengert computes on the CPU only"
_PORTABLE = "Portable code chooses the device once: device = 'cuda' if torch.cuda.is_available() else 'cpu'"

_set_field = object.__setattr__


class device:  # PyTorch's name
    """The place of a tensor: ``device("cpu")``, ``device("cpu:0")``, ``device("cpu", 0)`` or a device of another type.

    Every type that PyTorch names can be constructed; using one other than the CPU, also as a context manager, raises
    a RuntimeError that says how to write portable code. ``with device("cpu"):`` is allowed and changes nothing.
    Raises RuntimeError for an unknown type or a malformed string, TypeError for what is neither device nor string.

    >>> import wengert as torch
    >>> torch.device("cpu"), str(torch.device("cuda", 1))
    (device(type='cpu'), 'cuda:1')
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: "DeviceLike" = None, index: int | None = None, *, device: "DeviceLike" = None) -> None:
        name, number = _resolve(type if device is None else device, index)
        _set_field(self, "type", name)
        _set_field(self, "index", number)

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type,) if self.index is None else (self.type, self.index)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute {name!r} of 'torch.device' objects is not writable")

    def __enter__(self) -> Self:
        require_cpu(self)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        return None


DeviceLike: TypeAlias = str | int | device | None
"""What a ``device=`` argument may be; None means the CPU."""


def _resolve(place: object, index: object) -> tuple[str, int | None]:
    """The type and index that the arguments of ``device(...)`` mean."""
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise TypeError(f"device(): argument 'index' (position 2) must be int, not {type(index).__name__}")
    if isinstance(place, str):
        return _parse(place, index)
    if isinstance(place, device):
        if index is None:
            return place.type, place.index
        raise TypeError("device(): argument 'type' (position 1) must be str, not torch.device, when an index is given")
    if isinstance(place, int) and not isinstance(place, bool):
        raise RuntimeError(  # PyTorch's class, not a TypeError
            f"Cannot access accelerator device when none is available. A number alone ({place}) means an accelerator, "
            f"but {_CPU_ONLY}. {_PORTABLE}"
        )
    raise TypeError(
        f"device() expects a string such as 'cpu' or 'cpu:0', or a torch.device, not {type(place).__name__}"
    )


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    if not text:
        raise RuntimeError("Device string must not be empty: expected for example 'cpu'")
    name, colon, digits = text.partition(":")
    if name not in _TYPES:
        raise RuntimeError(f"Expected one of {', '.join(_TYPES)} device type at start of device string: {text}")
    if index is None and not colon:
        return name, None
    if index is not None:
        if colon:
            raise RuntimeError(
                f"type (string) must not include an index because index was passed explicitly: {text}. "
                f"Write device({name!r}, {index}) or device({text!r})"
            )
        if index < 0:
            raise RuntimeError(f"Device index must not be negative, got {index}")
        return name, index
    if not (digits.isascii() and digits.isdecimal()) or (digits[0] == "0" and digits != "0"):
        raise RuntimeError(
            f"Invalid device string: {text!r}. Expected {name!r} or {name!r}, a colon and an index: {name}:0"
        )
    return name, int(digits)


CPU = device("cpu")


def require_cpu(place: DeviceLike) -> device:
    """The CPU, if `place` (a device, its string, or None) means it; else a RuntimeError that says what to write."""
    if place is None or place is CPU or place == "cpu":
        return CPU
    wanted = place if isinstance(place, device) else device(place)
    if wanted.type == "cpu":
        return CPU
    if wanted.type == "meta":
        remedy = "There are no tensors without data here: leave the device argument out"
    else:
        remedy = f"{_PORTABLE}. That runs unchanged here and on PyTorch"
    raise RuntimeError(f"got device {str(wanted)!r}, but {_CPU_ONLY}. {remedy}")
