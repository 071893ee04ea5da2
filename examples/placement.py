"""Who is placed? A small network on the marks of students, with the data in a CSV file beside this one.

The records are made up (data/make_placement.py draws them): they describe nobody.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import DATA, plot, progress, settings

import wengert as torch


def data() -> tuple[Any, Any, Any, Any]:
    """Features (each with mean 0 and deviation 1) and targets, for training and for testing."""
    table = np.loadtxt(DATA / "placement.csv", delimiter=",", skiprows=2, dtype=np.float32)
    features, placed = table[:, :-1], table[:, -1:]
    train, test = slice(0, 300), slice(300, None)
    features = (features - features[train].mean(0)) / features[train].std(0)
    return tuple(
        torch.from_numpy(part.copy()) for part in (features[train], placed[train], features[test], placed[test])
    )


def network() -> Any:
    return torch.nn.Sequential(torch.nn.Linear(5, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1))


def optimizer(net: Any) -> Any:
    return torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-3)


def loss_of(net: Any, x: Any, y: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(net(x), y)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    torch.manual_seed(0)
    x, y, x_test, y_test = data()
    net = network()
    steps = optimizer(net)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50, shuffle=True)
    epochs = 40 if asked.quick else 200
    losses: list[float] = []
    says: dict[str, float] = {}
    for _ in progress(range(epochs), epochs, says):
        for x_batch, y_batch in batches:
            steps.zero_grad()
            loss = loss_of(net, x_batch, y_batch)
            loss.backward()
            steps.step()
            losses.append(loss.item())
        says["loss"] = losses[-1]

    net.eval()
    with torch.no_grad():
        right = ((net(x_test) > 0) == (y_test > 0.5)).float().mean().item()
        always = max(y_test.mean().item(), 1 - y_test.mean().item())
    # How the chances of an average student change with the marks alone.
    marks = torch.linspace(-2.5, 2.5, 101)
    student = torch.zeros(101, 5)
    student[:, 0] = marks
    student.requires_grad_()
    chances = torch.sigmoid(net(student))[:, 0]
    (slope,) = torch.autograd.grad(chances.sum(), student)
    print(f"right for {right:.0%} of 100 students who were not in the training (always the same answer: {always:.0%})")
    print(f"one deviation more in CGPA changes an average student's chances by {slope[50, 0].item():+.2f}")
    with plot(asked.plot, 2) as (left, beside):
        left.plot(losses)
        left.set(xlabel="step", ylabel="cross-entropy", title="training")
        beside.plot(marks.numpy(), chances.detach().numpy(), label="chance of a place")
        beside.plot(marks.numpy(), slope[:, 0].numpy(), "--", label="its derivative")
        beside.set(xlabel="CGPA, in deviations from the mean", title="otherwise average")
        beside.legend()
    return {"right": right, "always": always, "loss": losses[-1]}


if __name__ == "__main__":
    main()
