"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.randn(20, requires_grad=True)
x = torch.randn(10, 20)
hidden = torch.nn.functional.dropout(x * w, p=0.5)
loss = hidden.pow(2).mean()
