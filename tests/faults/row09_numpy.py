"""row: 9 numpy() of a tracked tensor
ask: error
says: Can't call numpy() on Tensor that requires grad | it is `w` | detach()
"""

import numpy as np

import wengert as torch

w = torch.ones(3, requires_grad=True)
norm = np.linalg.norm(w.numpy())  # FAULT: raised here
