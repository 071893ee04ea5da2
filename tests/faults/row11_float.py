"""row: 11 float(t) inside of the computation
ask: why_none(loss, scale)
kind: cut
says: `factor` was cut from `scale` by float(...) | a Python number carries no gradient
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
scale = torch.tensor(2.0, requires_grad=True)
factor = float(scale) ** 2  # FAULT
loss = (w * factor).sum()
loss.backward()
