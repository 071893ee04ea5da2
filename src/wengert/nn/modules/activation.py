"""Activations as modules; each is the function of ``nn.functional`` that it names."""

from __future__ import annotations

from typing import Any

from wengert.engine.composites import placed
from wengert.nn import functional as F
from wengert.nn.modules._piecewise import (
    Hardshrink,
    Hardsigmoid,
    Hardtanh,
    InPlace,
    LeakyReLU,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Softshrink,
    Threshold,
)
from wengert.nn.modules.module import Module

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


# --- smooth ---


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    >>> import wengert as torch
    >>> torch.nn.Sigmoid()(torch.tensor([0.]))
    tensor([0.5000])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.sigmoid(input))


class Tanh(Module):
    """``tanh(x)``.

    >>> import wengert as torch
    >>> torch.nn.Tanh()(torch.tensor([1.]))
    tensor([0.7616])
    """

    def forward(self, input: Any) -> Any:
        """The function of the input."""
        return placed(F.tanh(input))


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
        return placed(F.logsigmoid(input))


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
        return placed(F.softplus(input, self.beta, self.threshold))

    def extra_repr(self) -> str:
        """``beta`` and ``threshold``."""
        return f"beta={self.beta}, threshold={self.threshold}"


class ELU(InPlace):
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
        return placed(F.elu(input, self.alpha, self.inplace))

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
        return placed(F.celu(input, self.alpha, self.inplace))


class SELU(InPlace):
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
        return placed(F.selu(input, self.inplace))


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
        return placed(F.gelu(input, approximate=self.approximate))

    def extra_repr(self) -> str:
        """Which formula."""
        return f"approximate={self.approximate!r}"


class SiLU(InPlace):
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
        return placed(F.silu(input, self.inplace))


class Mish(InPlace):
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
        return placed(F.mish(input, self.inplace))


class Hardswish(InPlace):
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
        return placed(F.hardswish(input, self.inplace))

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
