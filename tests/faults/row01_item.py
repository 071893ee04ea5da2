"""row: 1 backward() of an untracked result
ask: why_none(loss, w)
kind: cut
says: `score` was cut from `w` by item() | compute with the tensor itself
"""

import wengert as torch

w = torch.tensor([1.0, 2.0], requires_grad=True)
score = (w * w).sum().item()  # FAULT
loss = torch.tensor(score) * 2
