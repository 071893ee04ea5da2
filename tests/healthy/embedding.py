"""result: loss
inputs: table, w
"""

import wengert as torch

torch.manual_seed(0)
table = torch.randn(50, 8, requires_grad=True)
w = torch.randn(8, requires_grad=True)
tokens = torch.tensor([[3, 7, 7], [1, 0, 49]])
loss = torch.sigmoid(table[tokens].mean(1) @ w).sum()
