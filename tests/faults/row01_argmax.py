"""row: 1 backward() of an untracked result
ask: why_none(loss, w)
kind: cut
says: argmax(), whose result is an index | softmax for argmax
"""

import wengert as torch

w = torch.tensor([[0.1, 0.7], [0.9, 0.3]], requires_grad=True)
labels = torch.tensor([1, 0])
predicted = w.argmax(dim=1)  # FAULT
loss = (predicted != labels).float().mean()
