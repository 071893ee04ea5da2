"""row: 3 a value that backward needs was changed
ask: error
says: modified by an inplace operation | its result `a`, which was changed in place | out-of-place
"""

import wengert as torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
a = x.exp()
a += 1  # FAULT
loss = a.sum()
loss.backward()
