"""row: 17 where with a bad branch
ask: diagnose(loss, x)
kind: unselected_branch
says: Branch 1 of `where` | is not selected at [0] | 0 * inf = nan | double where
"""

import wengert as torch

x = torch.tensor([0.0, 4.0], requires_grad=True)
root = torch.sqrt(x)  # FAULT
safe = torch.where(x > 0, root, torch.zeros(2))
loss = safe.sum()
