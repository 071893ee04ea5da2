"""result: loss
inputs: q, k
"""

import wengert as torch

torch.manual_seed(0)
q = torch.randn(5, 4, requires_grad=True)
k = torch.randn(5, 4, requires_grad=True)
scores = (q @ k.T) / 2.0
future = torch.triu(torch.ones(5, 5), diagonal=1) > 0
weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
loss = ((weights @ torch.randn(5, 4)) ** 2).mean()
