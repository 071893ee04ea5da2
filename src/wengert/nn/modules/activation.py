"""Activations as modules; each is the function of ``nn.functional`` that it names."""

from __future__ import annotations

import warnings
from typing import Any

from wengert.functions.creation import empty
from wengert.nn import functional as F
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _InPlace(Module):
    """An activation that may write its result over its input."""

    inplace: bool

    def extra_repr(self) -> str:
        """``inplace=True`` where it is."""
        return "inplace=True" if self.inplace else ""

    def _and_inplace(self, text: str) -> str:
        return f"{text}, inplace=True" if self.inplace else text


# --- piecewise linear ---


class ReLU(_InPlace):
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
        return F.relu(input, self.inplace)


class Hardtanh(_InPlace):
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
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

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


class LeakyReLU(_InPlace):
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
        return F.leaky_relu(input, self.negative_slope, self.inplace)

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


class RReLU(_InPlace):
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


class Threshold(_InPlace):
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
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """Threshold and value."""
        return self._and_inplace(f"threshold={self.threshold}, value={self.value}")


class Hardsigmoid(_InPlace):
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
        return F.hardsigmoid(input, self.inplace)

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
        return F.hardshrink(input, self.lambd)

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
        return F.softshrink(input, self.lambd)


# --- smooth ---


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    >>> import wengert as torch
    >>> torch.nn.Sigmoid()(torch.tensor([0.]))
    tensor([0.5000])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.sigmoid(input)


class Tanh(Module):
    """``tanh(x)``.

    >>> import wengert as torch
    >>> torch.nn.Tanh()(torch.tensor([1.]))
    tensor([0.7616])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.tanh(input)


class Tanhshrink(Module):
    """``x - tanh(x)``.

    >>> import wengert as torch
    >>> torch.nn.Tanhshrink()(torch.tensor([1.]))
    tensor([0.2384])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.tanhshrink(input)


class Softsign(Module):
    """``x / (1 + |x|)``.

    >>> import wengert as torch
    >>> torch.nn.Softsign()(torch.tensor([3.]))
    tensor([0.7500])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.softsign(input)


class LogSigmoid(Module):
    """``log(1 / (1 + exp(-x)))``.

    >>> import wengert as torch
    >>> torch.nn.LogSigmoid()(torch.tensor([0.]))
    tensor([-0.6931])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.logsigmoid(input)


class Softplus(Module):
    """``log(1 + exp(beta x)) / beta``, and ``x`` where ``beta x`` is above ``threshold``.

    >>> import wengert as torch
    >>> torch.nn.Softplus()(torch.tensor([0.]))
    tensor([0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """``beta`` and ``threshold``."""
        return f"beta={self.beta}, threshold={self.threshold}"


class ELU(_InPlace):
    """``x`` where it is positive, else ``alpha (exp(x) - 1)``.

    >>> import wengert as torch
    >>> torch.nn.ELU()(torch.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """``alpha``."""
        return self._and_inplace(f"alpha={self.alpha}")


class CELU(ELU):
    """``max(0, x) + min(0, alpha (exp(x / alpha) - 1))``.

    >>> import wengert as torch
    >>> torch.nn.CELU()(torch.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """:class:`ELU` with the slope and scale that keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> import wengert as torch
    >>> torch.nn.SELU()(torch.tensor([-1., 1.]))
    tensor([-1.1113,  1.0507])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.selu(input, self.inplace)


class GELU(Module):
    """``x Phi(x)`` with the normal distribution function; ``approximate="tanh"`` takes a formula near it.

    >>> import wengert as torch
    >>> torch.nn.GELU()(torch.tensor([1.]))
    tensor([0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Which formula."""
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """``x * sigmoid(x)``.

    >>> import wengert as torch
    >>> torch.nn.SiLU()(torch.tensor([1.]))
    tensor([0.7311])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """``x * tanh(softplus(x))``.

    >>> import wengert as torch
    >>> torch.nn.Mish()(torch.tensor([1.]))
    tensor([0.8651])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.mish(input, self.inplace)


class Hardswish(_InPlace):
    """``x * min(max(x + 3, 0), 6) / 6``.

    >>> import wengert as torch
    >>> torch.nn.Hardswish()(torch.tensor([1.]))
    tensor([0.6667])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


# --- over a dimension ---


class GLU(Module):
    """``a * sigmoid(b)`` with the two halves of the input along ``dim``.

    >>> import wengert as torch
    >>> torch.nn.GLU()(torch.tensor([3., 0.]))
    tensor([1.5000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmax(Module):
    """``exp(x)``, divided by its sum along ``dim``.

    >>> import wengert as torch
    >>> torch.nn.Softmax(dim=0)(torch.tensor([0., 0.]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of :class:`Softmax`.

    >>> import wengert as torch
    >>> torch.nn.LogSoftmax(dim=0)(torch.tensor([0., 0.]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmin(Module):
    """:class:`Softmax` of ``-x``.

    >>> import wengert as torch
    >>> torch.nn.Softmin(dim=0)(torch.tensor([0., 0.]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return F.softmin(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """:class:`Softmax` over the channels of images: of the third dimension from the end.

    Raises:
        ValueError: not 3 or 4 dimensions.

    >>> import wengert as torch
    >>> torch.nn.Softmax2d()(torch.zeros(1, 4, 1, 1)).reshape(-1)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3, _stacklevel=5)
