"""result: loss
inputs: layer.linear1.weight, layer.norm1.bias
"""

import wengert as torch

torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1)
x = torch.randn(5, 3, 8)
mask = torch.nn.Transformer.generate_square_subsequent_mask(5)
loss = ((layer(x, src_mask=mask) - x) ** 2).mean()
