"""row: 19 log(1 - p) in a hand-made loss, with a clamp that does nothing in float32
ask: diagnose(loss, w)
kind: log_of_zero
says: `p` is exactly 1 there | the clamp at {file}:12 does not protect it: in float32, 1 - 1e-08 is
"""

import wengert as torch

x = torch.tensor([0.5, 30.0])
y = torch.tensor([1.0, 0.0])
w = torch.tensor(1.0, requires_grad=True)
p = torch.clamp(torch.sigmoid(w * x), 1e-8, 1 - 1e-8)
loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()  # FAULT
loss.backward()
