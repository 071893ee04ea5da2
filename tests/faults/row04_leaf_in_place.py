"""row: 4 a leaf changed in place
ask: error
says: a leaf Variable that requires grad is being used in an in-place operation: `w` | torch.no_grad(): w -=
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
loss = (w * w).sum()
loss.backward()
w -= 0.1 * w.grad  # FAULT: raised here
