"""row: 5 a parameter replaced by its update
ask: why_none(loss, w)
kind: rebound
says: `w` is now the result of SubBackward0 | with torch.no_grad(): w -=
"""

import wengert as torch

x = torch.tensor([1.0, 2.0, 3.0])
w = torch.tensor(0.5, requires_grad=True)
for _ in range(2):
    loss = ((w * x - 2 * x) ** 2).mean()
    loss.backward(retain_graph=True)
    if w.is_leaf:
        w = w - 0.1 * w.grad  # FAULT
