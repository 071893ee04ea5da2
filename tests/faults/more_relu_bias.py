"""row: 20 a bias that switches all units off
ask: diagnose(loss, model[0].weight)
kind: relu_off
says: relu is off | leaky_relu
"""

import wengert as torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 1))
with torch.no_grad():
    model[0].bias.fill_(-10.0)
x = torch.rand(5, 4)
loss = model(x).mean()  # FAULT
loss.backward()
