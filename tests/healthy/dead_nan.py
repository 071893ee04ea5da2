"""result: loss
inputs: w
"""

import wengert as torch

w = torch.tensor([1.0, 2.0], requires_grad=True)
data = torch.tensor([float("nan"), 3.0])
known = ~torch.isnan(data)
filled = torch.where(known, data, torch.zeros(2))
loss = ((w - filled) ** 2 * known).sum()
