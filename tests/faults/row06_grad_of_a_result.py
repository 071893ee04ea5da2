"""row: 6 .grad of a result
ask: why_none(loss, hidden)
kind: not_retained
says: `hidden` is a result, of MulBackward0 | computed from `w` | hidden.retain_grad()
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
hidden = w * 2  # FAULT
loss = hidden.sum()
loss.backward()
