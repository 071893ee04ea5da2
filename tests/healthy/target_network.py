"""result: loss
inputs: online
"""

import wengert as torch

torch.manual_seed(0)
online = torch.randn(4, 2, requires_grad=True)
frozen = online.detach().clone()
state, later = torch.randn(8, 4), torch.randn(8, 4)
reward = torch.randn(8)
with torch.no_grad():
    best = (later @ frozen).max(dim=1).values
values = (state @ online).gather(1, torch.zeros(8, 1, dtype=torch.int64)).squeeze(1)
loss = ((values - (reward + 0.9 * best)) ** 2).mean()
