import wengert as torch
from wengert import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(x)))


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 8), *[Block(8) for _ in range(12)], nn.Linear(8, 1))
points, target = torch.randn(32, 2), torch.randn(32, 1)
loss = ((model(points) - target) ** 2).mean()
