"""Helpers around training: :mod:`wengert.utils.data`."""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use

if TYPE_CHECKING:
    from wengert.utils import data as data
else:
    __getattr__ = on_first_use(__name__, {"data": "wengert.utils.data"})

__all__ = ["data"]
