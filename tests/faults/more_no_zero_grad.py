"""row: 15 zero_grad() is called before the loop only
ask: diagnose(loss, w)
kind: not_zeroed
says: optimizer.zero_grad()
"""

import wengert as torch

w = torch.tensor([1.0, -1.0], requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.05)
optimizer.zero_grad()
for _ in range(4):
    loss = ((w - 3.0) ** 2).sum()
    loss.backward()  # FAULT
    optimizer.step()
