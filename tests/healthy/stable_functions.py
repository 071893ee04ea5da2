"""result: loss
inputs: x
"""

import wengert as torch

x = torch.tensor([-500.0, -1e-9, 0.0, 1e-9, 500.0], requires_grad=True)
f = torch.nn.functional
loss = f.softplus(x).sum() + f.logsigmoid(x).sum() + torch.logsumexp(x, 0) + torch.log1p(x.abs()).sum()
