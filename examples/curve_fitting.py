"""A curve through measurements, and how uncertain its parameters are, from exact first and second derivatives.

The measurements are NIST's reference problem Misra1a (dental research: the volume of gas that a monomolecular layer
takes up at a pressure), for which NIST certifies the parameters and their standard deviations to eleven digits:
https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import plot, progress, settings

import wengert as torch

VOLUME = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
PRESSURE = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
CERTIFIED = [2.3894212918e02, 5.5015643181e-04]
CERTIFIED_DEVIATION = [2.7070075241, 7.2668688436e-06]

x = torch.tensor(PRESSURE, dtype=torch.float64)
y = torch.tensor(VOLUME, dtype=torch.float64)


def curve(b: Any, x: Any) -> Any:
    return b[0] * (1 - torch.exp(-b[1] * x))


def squares(b: Any) -> Any:
    return (curve(b, x) - y).square().sum()


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    b = torch.tensor([500.0, 0.0001], dtype=torch.float64)  # the harder of NIST's two starts
    damping, value = 1e-3, squares(b).item()
    rounds = 36 if asked.quick else 60
    says: dict[str, float] = {}
    values = []
    for _ in progress(range(rounds), rounds, says):  # Levenberg and Marquardt
        jacobian = torch.func.jacfwd(lambda b: curve(b, x))(b)
        normal = jacobian.T @ jacobian
        step = torch.linalg.solve(normal + damping * torch.diag(normal.diagonal()), jacobian.T @ (y - curve(b, x)))
        better = squares(b + step).item() <= value
        if better:
            b = b + step
            value = squares(b).item()
        damping = damping / 5 if better else damping * 2
        says["squares"] = value
        values.append(value)

    # The covariance of the parameters: by the curve's slopes, and by the exact second derivatives.
    variance = value / (len(VOLUME) - 2)
    jacobian = torch.func.jacfwd(lambda b: curve(b, x))(b)
    covariance = variance * torch.linalg.inv(jacobian.T @ jacobian)
    exact = variance * torch.linalg.inv(torch.func.hessian(squares)(b) / 2)
    deviation = covariance.diagonal().sqrt()
    error = max([abs(got / want - 1) for got, want in zip(b.tolist(), CERTIFIED, strict=True)])
    of_deviation = max([abs(got / want - 1) for got, want in zip(deviation.tolist(), CERTIFIED_DEVIATION, strict=True)])
    for i in range(2):
        print(f"b{i + 1} = {b[i].item():.10g} +- {deviation[i].item():.6g}")
        print(f"     with exact second derivatives +- {exact[i, i].sqrt().item():.6g}")
    print(f"furthest from NIST's certified values: parameters {error:.1e}, deviations {of_deviation:.1e}")

    far = torch.linspace(0.0, 3000.0, 200, dtype=torch.float64)
    slopes = torch.func.jacfwd(lambda b: curve(b, far))(b)
    band = 2 * ((slopes @ covariance) * slopes).sum(1).sqrt()
    with plot(asked.plot, 2) as (left, beside):
        left.semilogy(values)
        left.set(xlabel="step", ylabel="sum of squares", title="fitting")
        middle = curve(b, far)
        beside.fill_between(far.numpy(), (middle - band).numpy(), (middle + band).numpy(), alpha=0.3)
        beside.plot(far.numpy(), middle.numpy(), label="curve, two deviations")
        beside.plot(np.array(PRESSURE), np.array(VOLUME), "k.", label="measured")
        beside.set(xlabel="pressure", ylabel="volume")
        beside.legend()
    return {"error": error, "error of deviations": of_deviation}


if __name__ == "__main__":
    main()
