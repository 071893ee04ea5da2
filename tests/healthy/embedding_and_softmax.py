"""result: loss
inputs: table, w
"""

import wengert as torch

torch.manual_seed(0)
table = torch.randn(10, 4, requires_grad=True)
w = torch.randn(4, 10, requires_grad=True)
words = torch.tensor([1, 4, 4, 7, 2])
logits = table[words[:-1]] @ w
log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
loss = -log_p[torch.arange(4), words[1:]].mean()
loss.backward()
