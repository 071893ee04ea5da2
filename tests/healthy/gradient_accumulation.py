"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.zeros(3, requires_grad=True)
for _ in range(4):
    w.grad = None
    for _ in range(3):  # three small batches for each update
        x = torch.randn(8, 3)
        loss = ((x @ w - 1.0) ** 2).mean() / 3
        loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
