"""Checks of derivatives: of your own functions, and of the operations that the library is made of."""

from wengert.testing._op import OpError as OpError
from wengert.testing._op import check_op as check_op

__all__ = ["OpError", "check_op"]
