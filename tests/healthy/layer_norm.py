"""result: loss
inputs: x, gain
"""

import wengert as torch

torch.manual_seed(0)
x = torch.randn(4, 8, requires_grad=True)
gain = torch.ones(8, requires_grad=True)
normed = torch.nn.functional.layer_norm(x, (8,), gain)
loss = (torch.nn.functional.gelu(normed) * torch.randn(4, 8)).sum()
