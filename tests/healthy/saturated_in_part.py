"""result: loss
inputs: z
"""

import wengert as torch

z = torch.tensor([-200.0, -3.0, 0.5, 4.0, 200.0], requires_grad=True)
target = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0])
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, target)
