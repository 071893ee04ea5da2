"""row: 19 log(1 + exp(x)) for a large x
ask: explain_nan(loss, x)
kind: overflow
says: `grown` is inf at [1] | exp overflows | softplus(x)
"""

import wengert as torch

x = torch.tensor([1.0, 200.0], requires_grad=True)
grown = torch.exp(x)  # FAULT
loss = torch.log(1 + grown).sum()
