"""row: 24 a user's function returns a gradient of another shape
ask: error
says: Function ScaleBackward returned an invalid gradient at index 0 - got [3] | [1] | sum
"""

import wengert as torch


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * torch.ones(3)

    @staticmethod
    def backward(ctx, g):
        return g * torch.ones(3)


x = torch.ones(1, requires_grad=True)
y = Scale.apply(x)  # FAULT
y.sum().backward()
