"""result: loss
inputs: w
"""

import wengert as torch

w = torch.tensor([1.0, 2.0], requires_grad=True)
target = torch.tensor([1.0, 2.0])
loss = ((w - target) ** 2).sum()
loss.backward()
