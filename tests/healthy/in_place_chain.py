"""result: loss
inputs: w
"""

import wengert as torch

w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
buffer = torch.zeros(3, 2)
buffer[:, 0] = w * 2
buffer[:, 1] = torch.exp(w)
buffer += 1.0
buffer.mul_(0.5)
view = buffer.T.reshape(-1)
loss = (view**2).mean()
