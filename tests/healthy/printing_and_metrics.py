"""result: loss
inputs: w
"""

import wengert as torch

torch.manual_seed(0)
w = torch.zeros(3, requires_grad=True)
x = torch.randn(16, 3)
labels = (x[:, 0] > 0).float()
total, correct = 0.0, 0
for _ in range(5):
    logits = x @ w
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    loss.backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
        correct += int(((logits > 0).float() == labels).sum())
    w.grad.zero_()
    total += float(loss)
    text = f"{loss:.3f} {loss.item():.3f} {w.detach().numpy()}"
loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ w, labels)
