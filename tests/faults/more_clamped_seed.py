"""row: 19 a clamp that float32 rounds away, in the loss of a saturated neuron
ask: diagnose(loss, w)
kind: log_of_zero
says: in float32, 1 - 1e-08 is exactly 1 | binary_cross_entropy_with_logits
"""

import wengert as torch

x = torch.tensor(6.7)
y = torch.tensor(0.0)
w = torch.tensor(10.0, requires_grad=True)
eps = 1e-8
p = torch.clamp(torch.sigmoid(w * x), eps, 1 - eps)
loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p))  # FAULT
