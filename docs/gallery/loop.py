import wengert as torch

x = torch.linspace(-1.0, 1.0, 12)
w = torch.tensor(0.5, requires_grad=True)
u = torch.tensor(-1.0, requires_grad=True)

h = torch.tensor(0.0)
for step in x:
    h = torch.tanh(w * h + u * step)
loss = (h - 0.25) ** 2
