"""row: 2 a second backward()
ask: error
says: Trying to backward through the graph a second time | ExpBackward0 | move it into the loop
"""

import wengert as torch

w = torch.ones(3, requires_grad=True)
scale = (w * 0.5).exp()  # FAULT
for _ in range(2):
    loss = (scale * w).sum()
    loss.backward()
