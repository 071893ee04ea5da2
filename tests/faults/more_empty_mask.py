"""row: 21 the mean over a mask that selects nothing is 0 / 0
ask: diagnose(loss, w)
kind: zero_by_zero
says: 0 / 0
"""

import wengert as torch

w = torch.tensor([0.5, -1.5, 2.0], requires_grad=True)
mask = torch.tensor([0.0, 0.0, 0.0])
errors = (w - 1.0) ** 2
loss = (errors * mask).sum() / mask.sum()  # FAULT
