"""Automatic differentiation: PyTorch's tensors and autograd on NumPy, with a graph that people can see into."""

# TEMPORARY while the families are being written: export whatever functions there are.
import importlib as _importlib
import pkgutil as _pkgutil

import wengert.functions as _functions
from wengert import autograd as autograd
from wengert._device import device as device
from wengert._dtypes import ALIASES as _ALIASES
from wengert._dtypes import ALL_DTYPES as _ALL
from wengert._size import Size as Size
from wengert.autograd.modes import *  # noqa: F403
from wengert.tensor import Tensor as Tensor

for _m in _pkgutil.iter_modules(_functions.__path__):
    try:
        _mod = _importlib.import_module(f"wengert.functions.{_m.name}")
    except Exception:  # noqa: BLE001
        continue
    for _name in getattr(_mod, "__all__", [n for n in vars(_mod) if not n.startswith("_")]):
        vars()[_name] = getattr(_mod, _name)
for _d in _ALL:
    vars()[_d.name] = _d
for _a, _d in _ALIASES.items():
    vars()[_a] = _d
