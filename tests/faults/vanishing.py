"""row: 20 a gradient that vanishes on the way through time
ask: diagnose(loss, w)
kind: vanishing
says: sigmoid stands 60 times | multiplies the gradient by about 0.2 | residual connections
"""

import wengert as torch

w = torch.tensor(0.5, requires_grad=True)
h = w * 1.0
for _ in range(60):
    h = torch.sigmoid(h)  # FAULT
loss = h * 2
