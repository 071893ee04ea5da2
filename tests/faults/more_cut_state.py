"""row: 1 a recurrent state that is cut at each step, so that the first input has no gradient
ask: diagnose(loss, first)
kind: cut
says: detach()
"""

import wengert as torch

first = torch.ones(3, requires_grad=True)
w = torch.full((3, 3), 0.2, requires_grad=True)
h = torch.tanh(first)
h = h.detach()  # FAULT
h = torch.tanh(w @ h)
loss = h.sum()
