"""result: loss
inputs: w1, w2
"""

import wengert as torch

torch.manual_seed(1)
x = torch.randn(16, 8)
w1 = torch.randn(8, 32, requires_grad=True)
w2 = torch.randn(32, 1, requires_grad=True)
hidden = torch.relu(x @ w1 - 3.0)
loss = (hidden @ w2).pow(2).mean() / 100
