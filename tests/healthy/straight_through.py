"""result: loss
inputs: w
"""

import wengert as torch

w = torch.tensor([0.2, 1.7, -0.6], requires_grad=True)
rounded = w + (torch.round(w) - w).detach()
loss = ((rounded - 0.5) ** 2).sum()
