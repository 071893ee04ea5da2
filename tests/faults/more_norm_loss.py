"""row: 18 a distance that is 0 for one pair, by hand
ask: diagnose(loss, a)
kind: sqrt_at_zero
says: sqrt
"""

import wengert as torch

a = torch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
b = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
squares = ((a - b) ** 2).sum(dim=1)
distances = squares.sqrt()  # FAULT
loss = distances.mean()
