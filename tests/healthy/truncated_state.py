"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.tensor([[0.3, 0.1], [0.2, 0.4]], requires_grad=True)
h = torch.ones(2)
for _ in range(30):
    h = torch.tanh(w @ h.detach())
    loss = ((h - 0.2) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
loss = ((torch.tanh(w @ h.detach()) - 0.7) ** 2).sum()
