"""row: 20 fifty layers of sigmoids
ask: diagnose(loss, layers[0])
kind: vanishing
says: sigmoid stands 50 times | residual connections
"""

import wengert as torch

torch.manual_seed(0)
layers = [(0.5 * torch.randn(4, 4)).requires_grad_() for _ in range(50)]
h = torch.rand(3, 4)
for layer in layers:
    h = torch.sigmoid(h @ layer)  # FAULT
loss = h.sum()
