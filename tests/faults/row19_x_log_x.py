"""row: 19 x * log(x) at 0
ask: diagnose(entropy, p)
kind: log_of_zero
says: log(0) | p[1] = 0 | torch.xlogy(x, x)
"""

import wengert as torch

p = torch.tensor([0.5, 0.0, 0.5], requires_grad=True)
entropy = -(p * torch.log(p)).sum()  # FAULT
