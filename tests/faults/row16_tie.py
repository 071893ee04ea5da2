"""row: 16 a kink: relu at exactly 0
ask: diagnose(loss, w)
kind: kink
says: exactly 0 there, where relu has a kink | convention
"""

import wengert as torch

w = torch.zeros(4, requires_grad=True)
hidden = torch.relu(w)  # FAULT
loss = hidden.sum()
