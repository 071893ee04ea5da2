"""Mixed precision, as programs written for GPUs ask for it: casting is off on the CPU, scaling of gradients works."""

from wengert.amp.autocast_mode import autocast as autocast
from wengert.amp.autocast_mode import custom_bwd as custom_bwd
from wengert.amp.autocast_mode import custom_fwd as custom_fwd
from wengert.amp.autocast_mode import is_autocast_available as is_autocast_available
from wengert.amp.grad_scaler import GradScaler as GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
