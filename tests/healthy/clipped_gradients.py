"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.nn.Parameter(torch.randn(5))
optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
x = torch.randn(20, 5)
target = x.sum(dim=1)
for _ in range(4):
    optimizer.zero_grad()
    loss = ((x @ w - target) ** 2).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([w], 1.0)
    optimizer.step()
loss = ((x @ w - target) ** 2).mean()
