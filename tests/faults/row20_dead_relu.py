"""row: 20 a gradient of exactly 0: dead units
ask: diagnose(loss, w)
kind: relu_off
says: relu is off, since `z` is between | all 12 elements | leaky_relu
"""

import wengert as torch

torch.manual_seed(0)
x = torch.rand(4, 2)
w = torch.randn(2, 3, requires_grad=True)
z = x @ w - 100
hidden = torch.relu(z)  # FAULT
loss = hidden.mean()
loss.backward()
