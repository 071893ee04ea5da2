"""row: 20 a gradient that explodes on the way through time
ask: diagnose(loss, w)
kind: exploding
says: mv stands 40 times | multiplies the gradient by about 3 | clip
"""

import wengert as torch

w = torch.eye(2) * 3
h = start = torch.ones(2, requires_grad=True)
for _ in range(40):
    h = w @ h  # FAULT
loss = h.sum()
w = start
