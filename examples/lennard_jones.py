"""Thirteen atoms that attract each other: the cluster with the least energy, found by basin hopping.

In the potential of Lennard-Jones, ``4 (r^-12 - r^-6)`` for each pair, the best cluster of 13 is an icosahedron around
an atom, with the energy -44.326801 (Hoare and Pal, 1971; the Cambridge Cluster Database).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import plot, progress, settings

import wengert as torch

ATOMS = 13
LEAST = -44.326801
FIRST, SECOND = np.triu_indices(ATOMS, 1)


def energy(places: Any) -> Any:
    """The sum over all pairs, ``places`` being ``[ATOMS, 3]``."""
    squared = (places[FIRST] - places[SECOND]).square().sum(1)
    sixth = squared**-3
    return 4 * (sixth * sixth - sixth).sum()


def relaxed(places: Any) -> tuple[Any, float]:
    """The bottom of the valley that ``places`` lie in."""
    places = places.clone().requires_grad_()
    steps = torch.optim.LBFGS(
        [places], max_iter=300, history_size=12, line_search_fn="strong_wolfe", tolerance_change=1e-14
    )

    def closure() -> Any:
        steps.zero_grad()
        value = energy(places)
        value.backward()
        return value

    steps.step(closure)
    return places.detach(), energy(places).item()


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    torch.manual_seed(1)
    places, value = relaxed(torch.randn(ATOMS, 3, dtype=torch.float64) * 1.2)
    best, least = places, value
    hops = 25 if asked.quick else 80
    values = [value]
    says: dict[str, float] = {}
    for _ in progress(range(hops), hops, says):
        moved = places + 0.45 * (2 * torch.rand(ATOMS, 3, dtype=torch.float64) - 1)
        there, found = relaxed(moved)
        if found < value or torch.rand(()).item() < np.exp((value - found) / 0.8):
            places, value = there, found
        if value < least:
            best, least = places, value
        values.append(value)
        says["energy"] = least

    force = torch.func.grad(energy)(best).abs().max().item()
    curvature = torch.func.hessian(lambda flat: energy(flat.reshape(ATOMS, 3)))(best.reshape(-1))
    frequencies = torch.linalg.eigvalsh(curvature)
    free = int((frequencies.abs() < 1e-3).sum())  # three ways to move the cluster and three to turn it
    print(f"energy {least:.6f} (known: {LEAST}), largest force {force:.0e}")
    softest = frequencies[free].item()
    print(f"{free} free motions, then {3 * ATOMS - free} vibrations, the softest with curvature {softest:.1f}")
    with plot(asked.plot, 2) as (left, beside):
        left.plot(values)
        left.axhline(LEAST, color="gray", linestyle=":")
        left.set(xlabel="hop", ylabel="energy", title="basin hopping")
        flat = (best - best.mean(0)).numpy()
        for i, j in zip(FIRST, SECOND, strict=True):
            if np.linalg.norm(flat[i] - flat[j]) < 1.3:
                beside.plot(flat[[i, j], 0], flat[[i, j], 1], color="tab:blue", alpha=0.4)
        beside.plot(flat[:, 0], flat[:, 1], "o", markersize=12)
        beside.set_aspect("equal")
        beside.set_axis_off()
    return {"energy": least, "force": force, "free": float(free)}


if __name__ == "__main__":
    main()
