"""result: loss
inputs: model[0].weight, model[2].bias
"""

import wengert as torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
x = torch.randn(24, 4)
labels = torch.randint(0, 3, (24,))
history = []
for _ in range(10):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    history.append(loss.item())
loss = torch.nn.functional.cross_entropy(model(x), labels)
