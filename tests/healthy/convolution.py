"""result: loss
inputs: model[0].weight, model[4].weight
"""

import wengert as torch

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(36, 2)
)
x = torch.rand(6, 1, 8, 8)
loss = torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 0, 1, 1, 0]))
loss.backward()
