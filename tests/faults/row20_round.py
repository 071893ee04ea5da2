"""row: 20 a gradient of exactly 0: rounding
ask: diagnose(loss, w)
kind: step_function
says: round is constant between its jumps | (round(x) - x).detach()
"""

import wengert as torch

w = torch.tensor([0.2, 1.7], requires_grad=True)
levels = torch.round(w * 4)  # FAULT
loss = ((levels / 4 - 1) ** 2).sum()
