"""Benign or malignant? Logistic regression on 30 measurements of cell nuclei, fitted by L-BFGS.

The data are the Wisconsin diagnostic records (Wolberg, Street and Mangasarian, 1993), which scikit-learn brings along.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import plot, progress, settings
from sklearn.datasets import load_breast_cancer

import wengert as torch

PENALTY = 1.0  # on the squared weights: scikit-learn's C = 1


def data() -> tuple[Any, Any, Any, Any]:
    """Features (each with mean 0 and deviation 1) and targets, for training and for testing."""
    bunch = load_breast_cancer()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    features, benign = bunch.data[order].astype(np.float32), bunch.target[order].astype(np.float32)[:, None]
    train, test = slice(0, 400), slice(400, None)
    features = (features - features[train].mean(0)) / features[train].std(0)
    return tuple(
        torch.from_numpy(part.copy()) for part in (features[train], benign[train], features[test], benign[test])
    )


def network() -> Any:
    return torch.nn.Linear(30, 1)


def optimizer(net: Any) -> Any:
    return torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def loss_of(net: Any, x: Any, y: Any) -> Any:
    """Mean cross-entropy, and the penalty's share for each sample."""
    fit = torch.nn.functional.binary_cross_entropy_with_logits(net(x), y)
    return fit + PENALTY / 2 * net.weight.square().sum() / 400


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    torch.manual_seed(0)
    x, y, x_test, y_test = (part.double() for part in data())
    net = network().double()
    steps = torch.optim.LBFGS(net.parameters(), max_iter=10, line_search_fn="strong_wolfe")

    def closure() -> Any:
        steps.zero_grad()
        loss = loss_of(net, x, y)
        loss.backward()
        return loss

    rounds = 8 if asked.quick else 20
    losses: list[float] = []
    says: dict[str, float] = {}
    for _ in progress(range(rounds), rounds, says):
        losses.append(steps.step(closure).item())
        says["loss"] = losses[-1]
    loss = closure()
    slope = max(p.grad.abs().max().item() for p in net.parameters())

    with torch.no_grad():
        logits = net(x_test)[:, 0]
        right = ((logits > 0) == (y_test[:, 0] > 0.5)).double().mean().item()
    print(f"loss {loss.item():.6f}, largest derivative {slope:.1e}")
    print(f"right for {right:.1%} of {len(y_test)} samples that were not in the training")
    with plot(asked.plot, 2) as (left, beside):
        left.semilogy(np.array(losses) - loss.item() + 1e-16)
        left.set(xlabel="round of 10 steps", ylabel="loss above the last", title="training")
        benign = y_test[:, 0].numpy() > 0.5
        beside.hist([logits.numpy()[benign], logits.numpy()[~benign]], 30, label=["benign", "malignant"], stacked=True)
        beside.set(xlabel="logit", title="samples of the test")
        beside.legend()
    return {"right": right, "loss": loss.item(), "slope": slope}


if __name__ == "__main__":
    main()
