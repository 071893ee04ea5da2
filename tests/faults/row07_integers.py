"""row: 7 integers cannot be tracked
ask: error
says: Only Tensors of floating point | `torch.tensor([1, 2], requires_grad=True)` is torch.int64 | tensor([1., 2.])
"""

import wengert as torch

w = torch.tensor([1, 2], requires_grad=True)  # FAULT: raised here
