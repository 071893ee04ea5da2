"""result: penalty
inputs: w
"""

import wengert as torch

w = torch.tensor([0.3, -0.7], requires_grad=True)
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
y = torch.tanh(x @ w).sum()
(slope,) = torch.autograd.grad(y, x, create_graph=True)
penalty = ((slope.pow(2).sum(1) - 1) ** 2).mean()
