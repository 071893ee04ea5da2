"""Modules on several GPUs, of which there are none."""

from wengert.nn.parallel.data_parallel import DataParallel

__all__ = ["DataParallel"]
