"""result: loss
inputs: x
"""

import wengert as torch

torch.manual_seed(0)
x = torch.randn(2, 12, requires_grad=True)
pooled = x.reshape(2, 4, 3).amax(dim=2)
loss = (torch.clamp(pooled, -1, 1) * torch.tensor([0.0, 1.0, 2.0, 3.0])).sum()
