"""result: loss
inputs: w, u
"""

import wengert as torch

torch.manual_seed(0)
w = (0.5 * torch.randn(6, 6)).requires_grad_()
u = (0.5 * torch.randn(3, 6)).requires_grad_()
h = torch.zeros(2, 6)
loss = torch.tensor(0.0)
for _ in range(15):
    h = torch.tanh(h @ w + torch.randn(2, 3) @ u)
    loss = loss + (h**2).mean()
loss.backward()
w.grad = u.grad = None
h = h.detach()
loss = torch.tensor(0.0)
for _ in range(15):
    h = torch.tanh(h @ w + torch.randn(2, 3) @ u)
    loss = loss + (h**2).mean()
