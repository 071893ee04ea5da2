"""row: 6 .grad of a result: the leaf has no name
ask: diagnose(loss, w)
kind: not_leaf
says: not the leaf that was made with requires_grad=True | convert first
"""

import wengert as torch

w = torch.ones(3, requires_grad=True).to(torch.float64)  # FAULT
loss = (w * w).sum()
loss.backward()
