"""Helpers around training: checkpoints, data, exchange of memory with other libraries."""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use

if TYPE_CHECKING:
    from wengert.utils import _pytree as _pytree
    from wengert.utils import checkpoint as checkpoint
    from wengert.utils import data as data
    from wengert.utils import dlpack as dlpack
    from wengert.utils import hooks as hooks
else:
    __getattr__ = on_first_use(
        __name__,
        {
            "_pytree": "wengert.utils._pytree",
            "checkpoint": "wengert.utils.checkpoint",
            "data": "wengert.utils.data",
            "dlpack": "wengert.utils.dlpack",
            "hooks": "wengert.utils.hooks",
        },
    )

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
