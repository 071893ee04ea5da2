"""row: 1 the loss is computed from `.data`
ask: diagnose(loss, w)
kind: cut
says: .data
"""

import wengert as torch

x = torch.tensor([1.0, 2.0])
w = torch.tensor([0.3, 0.4], requires_grad=True)
scores = w.data * x  # FAULT
loss = (scores - 1.0).abs().sum()
