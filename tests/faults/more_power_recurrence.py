"""row: 20 a recurrence that multiplies by more than 1 at each step
ask: diagnose(loss, w)
kind: exploding
says: clip the gradient's norm
"""

import wengert as torch

w = torch.tensor(1.8, requires_grad=True)
h = torch.tensor(1.0)
for _ in range(40):
    h = h * w  # FAULT
loss = h
