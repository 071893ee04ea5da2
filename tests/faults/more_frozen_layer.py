"""row: 1 a layer that was frozen and never thawed
ask: diagnose(loss, model[0].weight)
kind: frozen
says: `model[0].weight` does not require grad | switched off
"""

import wengert as torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
for p in model[0].parameters():
    p.requires_grad_(False)  # FAULT
x = torch.randn(8, 3)
loss = (model(x) ** 2).mean()
loss.backward()
