"""result: loss
inputs: head.weight
"""

import wengert as torch

torch.manual_seed(0)
features = torch.nn.Linear(4, 8)
for p in features.parameters():
    p.requires_grad_(False)
head = torch.nn.Linear(8, 1)
x = torch.randn(10, 4)
loss = (head(torch.tanh(features(x))) ** 2).mean()
