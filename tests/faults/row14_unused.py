"""row: 14 an input that is not used
ask: error
says: index 1 appears to not have been used in the graph | `bias` does not lead to `loss` | allow_unused=True
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
bias = torch.zeros(3, requires_grad=True)
loss = (w * 2).sum()
torch.autograd.grad(loss, [w, bias])  # FAULT: raised here
