"""row: 21 a NaN loss: the first operation that made it, not a later one
ask: diagnose(loss, w)
kind: zero_by_zero
says: `scaled` is nan at [2]: 0 / 0 | x[2] = 0
"""

import wengert as torch

w = torch.tensor(2.0, requires_grad=True)
x = torch.tensor([1.0, 2.0, 0.0])
scaled = (w * x) / x  # FAULT
squashed = torch.tanh(scaled)
logs = torch.log(squashed + 2)
loss = torch.sqrt(logs.sum())
