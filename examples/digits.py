"""Which digit? A convolutional network on the 1,797 pictures of 8 by 8 pixels that scikit-learn brings along.

The pictures are from the UCI collection "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import plot, progress, settings
from sklearn.datasets import load_digits

import wengert as torch


def data() -> tuple[Any, Any, Any, Any]:
    """Pictures with values from 0 to 1 and their digits, for training and for testing."""
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    pictures = (bunch.images[order] / 16).astype(np.float32)[:, None]
    digit = bunch.target[order].astype(np.int64)
    train, test = slice(0, 1400), slice(1400, None)
    return tuple(torch.from_numpy(part.copy()) for part in (pictures[train], digit[train], pictures[test], digit[test]))


def network() -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def optimizer(net: Any) -> Any:
    return torch.optim.AdamW(net.parameters(), lr=3e-3)


def loss_of(net: Any, x: Any, y: Any) -> Any:
    return torch.nn.functional.cross_entropy(net(x), y)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    torch.manual_seed(0)
    x, y, x_test, y_test = data()
    net = network()
    steps = optimizer(net)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50, shuffle=True)
    epochs = 4 if asked.quick else 20
    rates = torch.optim.lr_scheduler.OneCycleLR(steps, max_lr=6e-3, total_steps=epochs * len(batches))
    losses: list[float] = []
    says: dict[str, float] = {}
    for _ in progress(range(epochs), epochs, says):
        net.train()
        for x_batch, y_batch in batches:
            steps.zero_grad()
            loss = loss_of(net, x_batch, y_batch)
            loss.backward()
            steps.step()
            rates.step()
            losses.append(loss.item())
        net.eval()
        with torch.no_grad():
            says["right"] = (net(x_test).argmax(1) == y_test).float().mean().item()
        says["loss"] = losses[-1]

    with torch.no_grad():
        answers = net(x_test).argmax(1)
    wrong = (answers != y_test).nonzero()[:, 0].tolist()
    print(f"right for {says['right']:.1%} of {len(y_test)} pictures that were not in the training")
    with plot(asked.plot, 2) as (left, beside):
        left.semilogy(losses)
        left.set(xlabel="step", ylabel="cross-entropy", title="training")
        shown = (wrong + [i for i in range(10) if i not in wrong])[:10]
        tiles = x_test[shown][:, 0].numpy().reshape(2, 5, 8, 8).transpose(0, 2, 1, 3).reshape(16, 40)
        beside.imshow(tiles, cmap="gray_r")
        beside.set_axis_off()
        named = ", ".join([f"{y_test[i].item()} taken for {answers[i].item()}" for i in wrong[:4]])
        beside.set_title(named or "all right", fontsize=8)
    return {"right": says["right"], "loss": losses[-1]}


if __name__ == "__main__":
    main()
