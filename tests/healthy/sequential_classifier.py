"""result: loss
inputs: model[0].weight, model[2].bias
"""

import wengert as torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(40, 2)
target = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
history = []
for _ in range(5):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), target)
    loss.backward()
    optimizer.step()
    history.append(loss.item())
    with torch.no_grad():
        accuracy = (model(x).argmax(1) == target).float().mean()
loss = torch.nn.functional.cross_entropy(model(x), target)
