"""row: 19 the logarithm of a softmax that underflows
ask: diagnose(loss, logits)
kind: log_of_zero
says: log_softmax
"""

import wengert as torch

logits = torch.tensor([[200.0, 0.0, -50.0]], requires_grad=True)
weights = torch.softmax(logits, dim=1)
loss = -torch.log(weights)[0, 2]  # FAULT
