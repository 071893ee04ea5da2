"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.randn(8, requires_grad=True)
spectrum = torch.fft.rfft(w)
loss = (spectrum.abs() ** 2).sum() + (spectrum * (1 + 2j)).real.sum()
