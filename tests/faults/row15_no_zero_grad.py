"""row: 15 zero_grad() forgotten
ask: diagnose(loss, w)
kind: not_zeroed
says: `w.grad` is the sum of 5 backward passes | the last time at {file}:15 | zero_grad()
"""

import wengert as torch

x = torch.linspace(0, 1, 16)
w = torch.tensor(0.5, requires_grad=True)
for _ in range(5):
    loss = ((w * x - 2 * x) ** 2).mean()
    loss.backward()  # FAULT
    with torch.no_grad():
        w -= 0.1 * w.grad
