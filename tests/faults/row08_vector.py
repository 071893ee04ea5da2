"""row: 8 backward() of a vector
ask: error
says: `y` has shape [3] | y.sum().backward() | y.mean().backward() | gradient=v
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
y = w * 2
y.backward()  # FAULT: raised here
