"""Programs of SciPy's array functions on tensors, run by `test_ecosystem` in a process of its own: SciPy reads its
switch when it is imported. Prints one line for each: its name, and the largest difference of the gradient from
central differences, or why there is none."""

import os
import warnings

os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats

import wengert

RNG = np.random.default_rng(0)
PROGRAMS = {
    "special.erf": scipy.special.erf,
    "special.gammaln": scipy.special.gammaln,
    "special.log1p": scipy.special.log1p,
    "special.logsumexp": scipy.special.logsumexp,
    "special.log_softmax": lambda x: scipy.special.log_softmax(x)[0],
    "special.xlogy": lambda x: scipy.special.xlogy(x, x + 1),
    "special.stdtr": lambda x: scipy.special.stdtr(wengert.tensor(3.0, dtype=wengert.float64), x),
    "special.betainc": lambda x: scipy.special.betainc(2.0 + 0 * x.detach(), 3.0 + 0 * x.detach(), x),
    "stats.zscore": lambda x: scipy.stats.zscore(x)[:3],
    "stats.skew": scipy.stats.skew,
    "stats.kurtosis": scipy.stats.kurtosis,
    "stats.pearsonr p-value": lambda x: scipy.stats.pearsonr(x, x**3 + x.flip(0)).pvalue,
    "stats.ttest_ind p-value": lambda x: scipy.stats.ttest_ind(x, 2 * x.sin() - 0.3).pvalue,
    "stats.chisquare p-value": lambda x: scipy.stats.chisquare(10 * x).pvalue,
    "stats.gmean": scipy.stats.gmean,
    "stats.entropy": scipy.stats.entropy,
    "stats.variation": scipy.stats.variation,
    "fft.rfft": lambda x: abs(scipy.fft.rfft(x)),
    "signal.fftconvolve": lambda x: scipy.signal.fftconvolve(x, x),
    "signal.hilbert": lambda x: abs(scipy.signal.hilbert(x)),
    "signal.resample": lambda x: scipy.signal.resample(x, 5),
    "integrate.trapezoid": scipy.integrate.trapezoid,
    "integrate.cumulative_trapezoid": scipy.integrate.cumulative_trapezoid,
    "optimize.rosen": scipy.optimize.rosen,
}


def difference(program, values):
    x = wengert.from_numpy(values.copy()).requires_grad_()
    (program(x) ** 2).sum().backward()
    numeric = np.empty_like(values)
    for i in range(values.size):
        sides = []
        for step in (1e-6, -1e-6):
            moved = values.copy()
            moved[i] += step
            sides.append(float((program(wengert.from_numpy(moved)) ** 2).sum()))
        numeric[i] = (sides[0] - sides[1]) / 2e-6
    return np.max(np.abs(x.grad.numpy() - numeric) / (1 + np.abs(numeric)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name, program in PROGRAMS.items():
        try:
            print(f"{name}: {difference(program, RNG.uniform(0.2, 0.8, 8)):.1e}")
        except Exception as error:  # noqa: BLE001 - it is the line's text
            print(f"{name}: {type(error).__name__} {str(error)[:200]!r}")
