"""row: 9 one branch goes through NumPy and back
ask: diagnose(loss, w)
kind: cut
says: numpy()
"""

import numpy as np

import wengert as torch

w = torch.tensor([0.3, 0.4], requires_grad=True)
b = torch.tensor([1.0, 1.0], requires_grad=True)
bent = torch.from_numpy(np.tanh(w.detach().numpy()))  # FAULT
loss = (bent * b).sum()
loss.backward()
