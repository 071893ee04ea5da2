"""result: loss
inputs: lstm.weight_ih_l0, readout.weight
"""

import wengert as torch

torch.manual_seed(0)
lstm = torch.nn.LSTM(3, 8)
readout = torch.nn.Linear(8, 1)
x = torch.randn(12, 4, 3)
state = (torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))
for chunk in x.split(6):
    output, state = lstm(chunk, state)
    loss = (readout(output) ** 2).mean()
    loss.backward()
    lstm.zero_grad()
    readout.zero_grad()
    state = tuple(part.detach() for part in state)
output, state = lstm(x)
loss = (readout(output) ** 2).mean()
