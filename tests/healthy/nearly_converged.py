"""result: loss
inputs: w
"""

import wengert as torch

x = torch.linspace(0, 1, 20, dtype=torch.float64)
w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
for _ in range(200):
    loss = ((torch.tanh(w * x) - torch.tanh(2 * x)) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 2.0 * w.grad
    w.grad = None
loss = ((torch.tanh(w * x) - torch.tanh(2 * x)) ** 2).mean()
