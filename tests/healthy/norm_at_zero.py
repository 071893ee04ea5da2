"""result: loss
inputs: x
"""

import wengert as torch

x = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
lengths = torch.linalg.vector_norm(x, dim=1)
loss = (lengths - 1).pow(2).sum() + torch.xlogy(x.relu(), x.relu()).sum()
