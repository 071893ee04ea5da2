"""row: 5 a parameter that was replaced after the loss was computed from the old one
ask: diagnose(loss, w)
kind: rebound
says: `loss` was computed from another tensor that was called `w`
"""

import wengert as torch

x = torch.tensor([1.0, 2.0, 3.0])
w = torch.ones(3, requires_grad=True)
loss = ((w * x).sum() - 2.0) ** 2
loss.backward()
w = torch.zeros(3, requires_grad=True)  # FAULT
