"""row: 10 torch.tensor(t) of a tracked tensor
ask: why_none(loss, w)
kind: cut
says: torch.tensor(...) | .clone() for a copy in the graph
"""

import warnings

import wengert as torch

warnings.simplefilter("ignore")
w = torch.ones(3, requires_grad=True)
copy = torch.tensor(w * 2)  # FAULT
loss = copy.sum()
