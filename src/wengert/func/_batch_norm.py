"""Batch normalisation without running statistics, which a function without side effects cannot keep."""

from __future__ import annotations

from wengert.nn.modules.batchnorm import _BatchNorm
from wengert.nn.modules.module import Module

__all__ = ["replace_all_batch_norm_modules_"]


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Take the running statistics from all batch normalisations in a module, in place; returns the module.

    >>> import wengert as torch
    >>> net = torch.func.replace_all_batch_norm_modules_(torch.nn.Sequential(torch.nn.BatchNorm1d(2)))
    >>> net[0].track_running_stats, list(net.buffers())
    (False, [])
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
