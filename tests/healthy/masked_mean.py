"""result: loss
inputs: x
"""

import wengert as torch

x = torch.tensor([[1.0, 2.0, 9.0], [3.0, 9.0, 9.0]], requires_grad=True)
mask = torch.tensor([[True, True, False], [True, False, False]])
kept = torch.where(mask, x, torch.zeros(2, 3))
means = kept.sum(1) / mask.sum(1)
loss = (means**2).sum()
