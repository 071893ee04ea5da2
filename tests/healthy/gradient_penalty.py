"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.randn(3, 4, requires_grad=True)
x = torch.randn(6, 3, requires_grad=True)
y = torch.tanh(x @ w).sum(dim=1)
(slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
loss = ((slope.norm(dim=1) - 1.0) ** 2).mean()
