"""row: 20 a gradient of exactly 0: a saturated sigmoid
ask: diagnose(loss, w)
kind: saturated
says: sigmoid is saturated | all 3 elements | binary_cross_entropy_with_logits
"""

import wengert as torch

x = torch.tensor([100.0, 200.0, 300.0])
w = torch.tensor(1.0, requires_grad=True)
p = torch.sigmoid(w * x)  # FAULT
loss = ((p - 0.5) ** 2).mean()
loss.backward()
