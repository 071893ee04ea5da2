"""row: 21 data with a missing value
ask: diagnose(loss, w)
kind: input
says: `x` itself is nan at [2, 1] | isfinite
"""

import wengert as torch

x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, float("nan")]])
w = torch.tensor([0.1, 0.2], requires_grad=True)
scores = (x * w).sum(dim=1)  # FAULT
loss = (scores**2).mean()
