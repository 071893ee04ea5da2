"""Helpers around training: :mod:`wengert.utils.data`, :mod:`wengert.utils.dlpack`."""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use

if TYPE_CHECKING:
    from wengert.utils import data as data
    from wengert.utils import dlpack as dlpack
else:
    __getattr__ = on_first_use(__name__, {"data": "wengert.utils.data", "dlpack": "wengert.utils.dlpack"})

__all__ = ["data", "dlpack"]
