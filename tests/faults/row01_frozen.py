"""row: 1 backward() of an untracked result
ask: why_none(loss, model.weight)
kind: frozen
says: `model.weight` does not require grad: that was switched off | requires_grad_()
"""

import wengert as torch

model = torch.nn.Linear(2, 1)
for parameter in model.parameters():
    parameter.requires_grad_(False)  # FAULT
loss = model(torch.ones(4, 2)).mean()
