"""What programs ask about GPUs of Intel's, answered for a library that computes on the CPU: there are none.

The answers are those about any GPU, in :mod:`wengert.cuda`.
"""

from wengert.cuda import device_count, empty_cache, is_available, is_initialized, manual_seed, manual_seed_all

__all__ = ["device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all"]
