"""Hares and lynxes: the parameters of a differential equation, fitted by going backward through its solver.

The data are the pelts, in thousands, that the Hudson's Bay Company bought in 1900 to 1920, as they are often reprinted
(after Elton and Nicholson, 1942). The equation is Lotka's and Volterra's: hares grow and are eaten, lynxes eat and die.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import plot, progress, settings

import wengert as torch

HARES = [30, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22, 25.4, 27.1, 40.3, 57, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7]  # fmt: skip  # noqa: E501
LYNXES = [4, 6.1, 9.8, 35.2, 59.4, 41.7, 19, 13, 8.3, 9.1, 7.4, 8, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6]  # fmt: skip  # noqa: E501

pelts = torch.tensor([HARES, LYNXES], dtype=torch.float64).T.contiguous()


def rate(p: Any, state: Any) -> Any:
    """How fast ``log(hares)`` and ``log(lynxes)`` change."""
    hares, lynxes = torch.exp(state)
    return torch.stack([p[0] - p[1] * lynxes, p[3] * hares - p[2]])


def solution(logs: Any, per_year: int) -> Any:
    """Logarithms of both populations for each year, by the classical method of Runge and Kutta."""
    p, state, h = torch.exp(logs[:4]), logs[4:], 1.0 / per_year
    years = [state]
    for _ in range(len(HARES) - 1):
        for _ in range(per_year):
            k1 = rate(p, state)
            k2 = rate(p, state + h / 2 * k1)
            k3 = rate(p, state + h / 2 * k2)
            k4 = rate(p, state + h * k3)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        years.append(state)
    return torch.stack(years)


def misfit(logs: Any, per_year: int) -> Any:
    """Mean squared error of the logarithms: pelts are uncertain by a factor, not by a number."""
    return (solution(logs, per_year) - torch.log(pelts)).square().mean()


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    per_year = 4 if asked.quick else 12
    guess = [0.6, 0.03, 0.7, 0.02, 30.0, 4.0]
    logs = torch.tensor(np.log(guess), requires_grad=True)
    steps = torch.optim.LBFGS([logs], max_iter=4, line_search_fn="strong_wolfe")
    evaluations = 0

    def closure() -> Any:
        nonlocal evaluations
        evaluations += 1
        steps.zero_grad()
        loss = misfit(logs, per_year)
        loss.backward()
        return loss

    rounds = 6 if asked.quick else 12
    says: dict[str, float] = {}
    for _ in progress(range(rounds), rounds, says):
        says["misfit"] = steps.step(closure).item()
    loss = closure()
    names = ["hares' growth", "hares eaten", "lynxes' death", "lynxes fed", "hares in 1900", "lynxes in 1900"]
    for name, value in zip(names, torch.exp(logs).tolist(), strict=True):
        print(f"{name:>15} {value:8.4f}")
    error = loss.item() ** 0.5
    slope = logs.grad.abs().max().item()
    factor = np.exp(error)
    print(f"{evaluations} solutions; the typical error is a factor of {factor:.2f}; largest derivative {slope:.0e}")
    with plot(asked.plot) as axes, torch.no_grad():
        years = np.arange(1900, 1921)
        found = torch.exp(solution(logs, per_year)).numpy()
        for column, (name, colour) in enumerate([("hares", "tab:blue"), ("lynxes", "tab:orange")]):
            axes.plot(years, pelts[:, column].numpy(), "o", color=colour, label=name)
            axes.plot(years, found[:, column], color=colour)
        axes.set(xlabel="year", ylabel="thousands of pelts")
        axes.set_xticks(years[::5])
        axes.legend()
    return {"error": error, "slope": slope, "growth": torch.exp(logs)[0].item()}


if __name__ == "__main__":
    main()
