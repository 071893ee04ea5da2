"""row: 18 sqrt(sum(x**2)) at 0
ask: diagnose(loss, x)
kind: sqrt_at_zero
says: its derivative by `squares` is inf | multiplies it by 0 and makes nan | vector_norm
"""

import wengert as torch

x = torch.zeros(3, requires_grad=True)
squares = (x**2).sum()
length = torch.sqrt(squares)  # FAULT
loss = length * 2
