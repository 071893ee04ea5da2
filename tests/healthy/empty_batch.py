"""result: loss
inputs: w
"""

import wengert as torch

w = torch.tensor([0.5, 0.25], requires_grad=True)
full, empty = torch.ones(3, 2), torch.ones(0, 2)
loss = sum([((batch @ w - 1.0) ** 2).sum() for batch in (full, empty, full * 2)])
