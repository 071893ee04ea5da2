"""row: 1 backward() of an untracked result
ask: error
says: element 0 of tensors does not require grad | `hidden` was cut from `w` by detach() | will not help
"""

import wengert as torch

torch.manual_seed(0)
x = torch.randn(8, 3)
target = torch.randn(8)
w = torch.randn(3, requires_grad=True)
hidden = (x @ w).detach()  # FAULT
loss = ((hidden - target) ** 2).mean()
loss.backward()
