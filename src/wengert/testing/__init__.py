"""Checks: of values, of derivatives of your own functions, and of the operations that the library is made of."""

from wengert.autograd.gradcheck import GradcheckError as GradcheckError
from wengert.autograd.gradcheck import gradcheck as gradcheck
from wengert.autograd.gradcheck import gradgradcheck as gradgradcheck
from wengert.testing._assert_close import assert_close as assert_close
from wengert.testing._check_grads import check_grads as check_grads
from wengert.testing._make_tensor import make_tensor as make_tensor
from wengert.testing._op import OpError as OpError
from wengert.testing._op import check_op as check_op

__all__ = [
    "GradcheckError",
    "OpError",
    "assert_close",
    "check_grads",
    "check_op",
    "gradcheck",
    "gradgradcheck",
    "make_tensor",
]
