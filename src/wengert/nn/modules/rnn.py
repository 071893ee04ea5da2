"""Recurrent networks: ``RNN``, ``LSTM``, ``GRU``."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from wengert.functions.creation import empty, zeros
from wengert.functions.joining import cat, stack
from wengert.nn import functional as F
from wengert.nn import init
from wengert.nn.modules._recurrence import GATES, run_packed, run_padded, shared
from wengert.nn.modules._rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter
from wengert.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNNBase(Module):
    """What recurrent networks share: layers, directions, their weights, and going through them.

    >>> import wengert as torch
    >>> sorted(name for name, _ in torch.nn.RNNBase("GRU", 2, 3).named_parameters())
    ['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0']
    """

    _states: ClassVar[int] = 1

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_settings(mode, hidden_size, num_layers, dropout, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._factory = {"device": device, "dtype": dtype}
        directions = 2 if bidirectional else 1
        self._flat_weights_names: list[str] = []
        for layer in range(num_layers):
            size = input_size if layer == 0 else (proj_size or hidden_size) * directions
            for suffix in self._suffixes(layer):
                self._add_weights(size, suffix)
        del self._factory
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"] if self.bidirectional else [f"_l{layer}"]

    def _add_weights(self, size: int, suffix: str) -> None:
        rows, hidden = GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, size), "weight_hh": (rows, hidden)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(empty(shape, **self._factory)))
            self._flat_weights_names.append(name + suffix)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        n = len(self._flat_weights_names) // (self.num_layers * (2 if self.bidirectional else 1))
        weights = [getattr(self, name) for name in self._flat_weights_names]
        return [weights[i : i + n] for i in range(0, len(weights), n)]

    def reset_parameters(self) -> None:
        """Draw all weights anew, uniform in ``±1/sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: there is no other order of memory that would be faster here."""

    # --- going through ---

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The outputs of the last layer at all steps, and the last state of all layers.

        Raises:
            ValueError: an input with neither 2 nor 3 dimensions.
            RuntimeError: features or states of another size.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        single = input.dim() == 2
        if single:
            input = input.unsqueeze(0 if self.batch_first else 1)
            hx = _each(hx, lambda h: h.unsqueeze(1))
        x = input.transpose(0, 1) if self.batch_first else input
        output, last = self._through_layers(x, None, self._first_state(x, hx, x.shape[1]))
        if self.batch_first:
            output = output.transpose(0, 1)
        if single:
            output = output.squeeze(0 if self.batch_first else 1)
            last = [h.squeeze(1) for h in last]
        return output, tuple(last) if self._states > 1 else last[0]

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> Any:
        sizes: list[int] = packed.batch_sizes.tolist()
        if hx is not None and packed.sorted_indices is not None:
            hx = _each(hx, lambda h: h.index_select(1, packed.sorted_indices))
        output, last = self._through_layers(packed.data, sizes, self._first_state(packed.data, hx, sizes[0]))
        if packed.unsorted_indices is not None:
            last = [h.index_select(1, packed.unsorted_indices) for h in last]
        return packed._replace(data=output), tuple(last) if self._states > 1 else last[0]

    def _through_layers(self, x: Any, sizes: list[int] | None, first: list[Any]) -> tuple[Any, list[Any]]:
        """Outputs and last states; ``sizes`` where the sequences are packed."""
        weights = self.all_weights
        last: list[list[Any]] = [[] for _ in first]
        number = 0
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            outputs = []
            for backwards in (False, True) if self.bidirectional else (False,):
                w = weights[number]
                into, own = ((w[0], w[2]), (w[1], w[3], *w[4:])) if self.bias else ((w[0], None), (w[1], None, *w[2:]))
                state = tuple([f[number] for f in first])
                share, own = shared(self.mode, x, into, own)
                if sizes is None:
                    y, state = run_padded(self.mode, share, state, own, backwards)
                else:
                    y, state = run_packed(self.mode, share, sizes, state, own, backwards)
                outputs.append(y)
                for kept, s in zip(last, state, strict=True):
                    kept.append(s)
                number += 1
            x = cat(outputs, -1) if self.bidirectional else outputs[0]
        return x, [stack(states) for states in last]

    def _first_state(self, x: Any, hx: Any, batch: int) -> list[Any]:
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )
        number = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(number, batch, size) for size in (self.proj_size or self.hidden_size, self.hidden_size)]
        shapes = shapes[: self._states]
        if hx is None:
            return [zeros(shape, dtype=x.dtype) for shape in shapes]
        states = list(hx) if self._states > 1 else [hx]
        for i, (state, shape) in enumerate(zip(states, shapes, strict=True)):
            if tuple(state.shape) != shape:
                which = "hidden" if self._states == 1 else f"hidden[{i}]"
                raise RuntimeError(f"Expected {which} size {shape}, got {list(state.shape)}")
        return states

    def extra_repr(self) -> str:
        """Sizes, and what is not as usual."""
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        changed = [f", {k}={getattr(self, k)}" for k, value in usual.items() if getattr(self, k) != value]
        return text + "".join(changed)


def _each(hx: Any, f: Any) -> Any:
    if hx is None:
        return None
    return tuple([f(h) for h in hx]) if isinstance(hx, (tuple, list)) else f(hx)


def _check_settings(mode: str, hidden_size: int, num_layers: int, dropout: float, proj_size: int) -> None:
    if isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            UserWarning,
            stacklevel=4,
        )
    if not isinstance(hidden_size, int):
        raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if mode not in GATES:
        raise ValueError(f"Unrecognized RNN mode: {mode}")


class RNN(RNNBase):
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` at each step; ``nonlinearity`` may be ``"relu"``.

    Input ``[steps, batch, input_size]`` (``batch_first``: batch, steps), one sequence ``[steps, input_size]``, or
    packed sequences. Gives all outputs and the last state ``[layers * directions, batch, hidden_size]``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> output, last = torch.nn.RNN(10, 20, 2)(torch.ones(5, 3, 10))
    >>> output.shape, last.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    ``i, f, g, o = W_ih x + b_ih + W_hh h + b_hh``, ``c = sigmoid(f) c + sigmoid(i) tanh(g)``,
    ``h = sigmoid(o) tanh(c)``, and with ``proj_size`` ``h = W_hr h``. Input as for :class:`RNN`; gives all outputs and
    the last ``(h, c)``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> output, (h, c) = torch.nn.LSTM(10, 20, bidirectional=True)(torch.ones(5, 3, 10))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]), torch.Size([2, 3, 20]))
    """

    _states = 2

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014).

    ``r = sigmoid(W_ir x + W_hr h)``, ``z = sigmoid(W_iz x + W_hz h)``, ``n = tanh(W_in x + r (W_hn h))`` (each product
    with its bias), ``h = (1 - z) n + z h``. Input and results as for :class:`RNN`.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> output, last = torch.nn.GRU(10, 20, batch_first=True)(torch.ones(3, 5, 10))
    >>> output.shape, last.shape
    (torch.Size([3, 5, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)
