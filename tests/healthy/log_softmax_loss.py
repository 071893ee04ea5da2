"""result: loss
inputs: logits
"""

import wengert as torch

logits = torch.tensor([[1000.0, 0.0, -1000.0], [3.0, 2.0, 1.0]], requires_grad=True)
labels = torch.tensor([1, 2])
loss = torch.nn.functional.nll_loss(torch.log_softmax(logits, dim=1), labels)
