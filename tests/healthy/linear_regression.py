"""result: loss
inputs: w, b
"""

import wengert as torch

torch.manual_seed(0)
x = torch.randn(32, 3)
target = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for _ in range(20):
    loss = ((x @ w + b - target) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = b.grad = None
loss = ((x @ w + b - target) ** 2).mean()
