"""row: 12 memory grows: total += loss
ask: graph_report()
kind: kept_alive
says: `total_loss` keeps 40 graphs alive | total_loss += loss.item()
"""

import wengert as torch

x = torch.linspace(0, 1, 16)
w = torch.tensor(0.5, requires_grad=True)
total_loss = 0.0
for _ in range(40):
    loss = ((w * x).exp() - 2).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.01 * w.grad
    w.grad = None
    total_loss = total_loss + loss  # FAULT
