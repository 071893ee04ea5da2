"""row: 12 a list of losses keeps every graph
ask: graph_report()
kind: kept_alive
says: `history` | store numbers, not tensors
"""

import wengert as torch

x = torch.randn(16, 4)
w = torch.zeros(4, requires_grad=True)
history = []
for _ in range(5):
    loss = ((x @ w - 1.0) ** 2).mean()  # FAULT
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
    history.append(loss)
