"""One step of a recurrent network as a module: ``RNNCell``, ``LSTMCell``, ``GRUCell``."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from wengert.engine.composites import composite
from wengert.functions.creation import empty, zeros
from wengert.nn import init
from wengert.nn.modules._recurrence import STEPS, shared, turned
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What cells share: their weights, and one step.

    >>> import wengert as torch
    >>> torch.nn.RNNCellBase(2, 3, True, num_chunks=1)
    RNNCellBase(2, 3)
    """

    _mode: ClassVar[str] = ""
    _states: ClassVar[int] = 1
    bias_ih: Any
    bias_hh: Any

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        factory = {"device": device, "dtype": dtype}
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), **factory))
        self.weight_hh = Parameter(empty((rows, hidden_size), **factory))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, **factory)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, uniform in ``±1/sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    @composite
    def _step(self, mode: str, input: Any, hx: Any) -> tuple[Any, ...]:
        if input.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        single = input.dim() == 1
        x = input.unsqueeze(0) if single else input
        if hx is None:
            state = (zeros(x.shape[0], self.hidden_size, dtype=x.dtype),) * self._states
        else:
            given = tuple(hx) if self._states > 1 else (hx,)
            state = tuple([h.unsqueeze(0) if h.dim() == 1 else h for h in given])
        if state[0].shape[-1] != self.hidden_size:
            raise RuntimeError(
                f"hidden has inconsistent hidden_size: got {state[0].shape[-1]}, expected {self.hidden_size}"
            )
        share, own = shared(mode, x, (self.weight_ih, self.bias_ih), (self.weight_hh, self.bias_hh))
        state = STEPS[mode](share, state, turned(mode, own))
        return tuple([h.squeeze(0) for h in state]) if single else state

    def extra_repr(self) -> str:
        """Sizes, and what is not as usual."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`: ``tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    >>> import wengert as torch
    >>> torch.nn.RNNCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state.

        Raises:
            RuntimeError: another nonlinearity than tanh and relu; sizes that do not fit.
        """
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, hx)[0]


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`; gives the next ``(h, c)``.

    >>> import wengert as torch
    >>> h, c = torch.nn.LSTMCell(10, 20)(torch.ones(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    _states = 2

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step("LSTM", input, hx)


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`.

    >>> import wengert as torch
    >>> torch.nn.GRUCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step("GRU", input, hx)[0]
