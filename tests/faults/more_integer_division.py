"""row: 20 a floor division where a division was meant
ask: diagnose(loss, w)
kind: no_rule
says: floor_divide has no derivative
"""

import wengert as torch

w = torch.tensor([7.0, 9.0], requires_grad=True)
half = w // 2  # FAULT
loss = (half**2).sum()
