"""row: 1 backward() of an untracked result
ask: error
says: `loss` has no gradient path | Inside of `evaluate`, it was computed under torch.no_grad()
"""

import wengert as torch


@torch.no_grad()
def evaluate(weights, inputs):
    return (inputs * weights).sum()  # FAULT


w = torch.ones(3, requires_grad=True)
loss = evaluate(w, torch.ones(3))
loss.backward()
