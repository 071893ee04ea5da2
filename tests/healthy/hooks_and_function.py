"""result: loss
inputs: w
"""

import wengert as torch


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


w = torch.tensor([1.0, -2.0], requires_grad=True)
seen = []
h = Cube.apply(w)
h.register_hook(lambda g: seen.append(g.sum().item()))
loss = (h - 1.0).abs().sum()
loss.backward()
