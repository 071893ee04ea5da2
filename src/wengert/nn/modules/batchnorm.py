"""Normalisation of channels: over a batch, or of each sample by itself."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert._dtypes import int64
from wengert.engine.state import STATE
from wengert.functions.creation import empty, ones, zeros
from wengert.functions.data import tensor
from wengert.nn import functional as F
from wengert.nn import init
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """Parameters and running statistics for each channel."""

    _version = 2
    _dims: ClassVar[tuple[int, ...]] = ()
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        factory = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(empty(num_features, **factory)) if affine else None)
        self.register_parameter("bias", Parameter(empty(num_features, **factory)) if affine and bias else None)
        if track_running_stats:
            self.register_buffer("running_mean", zeros(num_features, **factory))
            self.register_buffer("running_var", ones(num_features, **factory))
            self.register_buffer("num_batches_tracked", tensor(0, dtype=int64))
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set the running statistics to mean 0 and variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set statistics and parameters to what they begin with."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() not in self._dims:
            wanted = " or ".join([f"{n}D" for n in self._dims])
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        """Size and settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Normalisation over the batch in training, by the running statistics in evaluation."""

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain mean of all batches so far
                count = self.num_batches_tracked
                momentum = 1.0 / (float(count) if STATE.trace is None else count.double())
        by_batch = self.training or (self.running_mean is None and self.running_var is None)
        keeps = not self.training or self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if keeps else (None, None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel of ``[N, C]`` or ``[N, C, L]``.

    In training mean and variance are those of the batch, and running ones follow them by ``momentum`` (None: the mean
    of all batches); in evaluation the running ones are used.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.BatchNorm1d(1, affine=False)(torch.tensor([[1.], [3.]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """:class:`BatchNorm1d` for ``[N, C, H, W]``.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.BatchNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """:class:`BatchNorm1d` for ``[N, C, D, H, W]``.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.BatchNorm3d(3)(torch.ones(2, 3, 2, 4, 4)).shape
    torch.Size([2, 3, 2, 4, 4])
    """

    _dims = (5,)


class _InstanceNorm(_NormBase):
    """Normalisation of each channel of each sample; parameters and statistics only if asked for."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Any) -> Any:
        """The normalised input; a sample without the batch's dimension is one of a batch of one."""
        self._check_input_dim(input)
        single = input.dim() == self._dims[0]
        x = input.unsqueeze(0) if single else input
        if x.shape[1] != self.num_features and self.affine:
            raise ValueError(
                f"expected input's size at dim={0 if single else 1} to match num_features ({self.num_features}), but "
                f"got: {x.shape[1]}."
            )
        y = F.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """:class:`BatchNorm1d` of each sample by itself: ``[N, C, L]`` or ``[C, L]``.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.InstanceNorm1d(1)(torch.tensor([[[1., 3.]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """:class:`InstanceNorm1d` for ``[N, C, H, W]`` or ``[C, H, W]``.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.InstanceNorm2d(3)(torch.rand(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """:class:`InstanceNorm1d` for ``[N, C, D, H, W]`` or ``[C, D, H, W]``.

    Raises:
        ValueError: another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.InstanceNorm3d(3)(torch.rand(3, 2, 4, 4)).shape
    torch.Size([3, 2, 4, 4])
    """

    _dims = (4, 5)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation whose statistics several processes share; there is one here, so it is :class:`BatchNorm2d`.

    It takes inputs of any number of dimensions from two. ``process_group`` is kept and not used.

    Raises:
        ValueError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.nn.SyncBatchNorm(1, affine=False)(torch.tensor([[1.], [3.]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Any:
        """The module with each batch normalisation in it as one of this class: the same parameters and statistics.

        >>> import wengert as torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
        >>> type(torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)[1]).__name__
        'SyncBatchNorm'
        """
        made: Any = module
        if isinstance(module, _BatchNorm):
            made = cls(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats)
            made.process_group = process_group
            made.weight, made.bias = module.weight, module.bias
            made.running_mean, made.running_var = module.running_mean, module.running_var
            made.num_batches_tracked = module.num_batches_tracked
            made.training = module.training
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made
