"""Activations that are linear piece by piece, as modules; each is the function of ``nn.functional`` that it names."""

from __future__ import annotations

import warnings
from typing import Any

from wengert.engine.composites import placed
from wengert.functions.creation import empty
from wengert.nn import functional as F
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = [
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "InPlace",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Softshrink",
    "Threshold",
]


class InPlace(Module):
    """An activation that may write its result over its input."""

    inplace: bool

    def extra_repr(self) -> str:
        """``inplace=True`` where it is."""
        return "inplace=True" if self.inplace else ""

    def _and_inplace(self, text: str) -> str:
        return f"{text}, inplace=True" if self.inplace else text


class ReLU(InPlace):
    """``max(x, 0)``.

    >>> import wengert as torch
    >>> torch.nn.ReLU()(torch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.relu(input, self.inplace))


class Hardtanh(InPlace):
    """Elements cut off at ``min_val`` and ``max_val``.

    Raises:
        AssertionError: ``max_val`` is not above ``min_val``, as in PyTorch.

    >>> import wengert as torch
    >>> torch.nn.Hardtanh(-2, 2)(torch.tensor([-3., 1.]))
    tensor([-2.,  1.])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        min_val = _renamed("min_value", "min_val", min_value, min_val)
        max_val = _renamed("max_value", "max_val", max_value, max_val)
        if max_val <= min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.hardtanh(input, self.min_val, self.max_val, self.inplace))

    def extra_repr(self) -> str:
        """The limits."""
        return self._and_inplace(f"min_val={self.min_val}, max_val={self.max_val}")


def _renamed(old: str, new: str, given: float | None, value: float) -> float:
    """A setting that PyTorch once had under another name."""
    if given is None:
        return value
    warnings.warn(f"keyword argument `{old}` is deprecated and rename to `{new}`", FutureWarning, stacklevel=3)
    return given


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)``.

    >>> import wengert as torch
    >>> torch.nn.ReLU6()(torch.tensor([-1., 7.]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """``inplace=True`` where it is."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(InPlace):
    """``x`` where it is positive, else ``negative_slope * x``.

    >>> import wengert as torch
    >>> torch.nn.LeakyReLU(0.1)(torch.tensor([-1., 2.]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.leaky_relu(input, self.negative_slope, self.inplace))

    def extra_repr(self) -> str:
        """The slope."""
        return self._and_inplace(f"negative_slope={self.negative_slope}")


class PReLU(Module):
    """``x`` where it is positive, else ``weight * x`` with a learned weight: one, or one for each channel.

    >>> import wengert as torch
    >>> torch.nn.PReLU()(torch.tensor([-1., 2.]))
    tensor([-0.2500,  2.0000], grad_fn=<PreluKernelBackward0>)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to its first value."""
        self.weight.data.fill_(self.init)

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many weights there are."""
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """``x`` where it is positive, else ``a * x``, with ``a`` drawn from [lower, upper] in training, else their mean.

    >>> import wengert as torch
    >>> torch.nn.RReLU(0.1, 0.3).eval()(torch.tensor([-1., 2.]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The limits."""
        return self._and_inplace(f"lower={self.lower}, upper={self.upper}")


class Threshold(InPlace):
    """``x`` where it is above ``threshold``, else ``value``.

    >>> import wengert as torch
    >>> torch.nn.Threshold(1, 20)(torch.tensor([0., 2.]))
    tensor([20.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.threshold(input, self.threshold, self.value, self.inplace))

    def extra_repr(self) -> str:
        """Threshold and value."""
        return self._and_inplace(f"threshold={self.threshold}, value={self.value}")


class Hardsigmoid(InPlace):
    """``min(max(x / 6 + 1 / 2, 0), 1)``.

    >>> import wengert as torch
    >>> torch.nn.Hardsigmoid()(torch.tensor([-4., 0.]))
    tensor([0.0000, 0.5000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.hardsigmoid(input, self.inplace))

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class Hardshrink(Module):
    """``x`` where ``|x| > lambd``, else 0.

    >>> import wengert as torch
    >>> torch.nn.Hardshrink()(torch.tensor([-0.2, 1.]))
    tensor([0., 1.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.hardshrink(input, self.lambd))

    def extra_repr(self) -> str:
        """The limit."""
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """``x`` moved towards 0 by ``lambd``, and 0 in between.

    >>> import wengert as torch
    >>> torch.nn.Softshrink()(torch.tensor([0.2, 1.]))
    tensor([0.0000, 0.5000])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.softshrink(input, self.lambd))
