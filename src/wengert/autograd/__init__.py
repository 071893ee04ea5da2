"""Automatic differentiation: backward, grad, custom functions, modes, hooks."""

import typing as _typing

from wengert._lazy import on_first_use as _on_first_use
from wengert.autograd import forward_ad as forward_ad
from wengert.autograd import functional as functional
from wengert.autograd import graph as graph
from wengert.autograd.anomaly_mode import detect_anomaly as detect_anomaly
from wengert.autograd.anomaly_mode import set_detect_anomaly as set_detect_anomaly
from wengert.autograd.api import backward as backward
from wengert.autograd.api import grad as grad
from wengert.autograd.function import Function as Function
from wengert.autograd.grad_mode import enable_grad as enable_grad
from wengert.autograd.grad_mode import inference_mode as inference_mode
from wengert.autograd.grad_mode import no_grad as no_grad
from wengert.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from wengert.autograd.grad_mode import set_multithreading_enabled as set_multithreading_enabled
from wengert.autograd.gradcheck import gradcheck as gradcheck
from wengert.autograd.gradcheck import gradgradcheck as gradgradcheck
from wengert.autograd.variable import Variable as Variable

if _typing.TYPE_CHECKING:
    from wengert.autograd import profiler as profiler
else:
    __getattr__ = _on_first_use(__name__, {"profiler": "wengert.autograd.profiler"})

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]
