"""Value and gradient of compiled functions beside PyTorch, ``jax.jit`` and C++: ``python -m benchmarks.compiled``.

``--only NAME`` takes what has this in its name, ``--threads 1`` one number of threads, ``--quick`` few samples. Each
case runs in a process of its own for each number of threads; the libraries take turns. JAX and C++ (``g++ -O3
-march=native``) take part where they are installed, ``torch.compile`` with ``--torch-compile`` (it needs a C++
compiler, and seconds for each case). What compiling costs is measured in fresh processes, too.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import side_by_side
from benchmarks.compiled_cases import CASES, LAYERS, WIDTH, Case, Library, Problem
from benchmarks.jax_transforms import installed
from benchmarks.processes import ROOT
from benchmarks.side_by_side import Step, text, torch_scan

NATIVE = Path(__file__).parent / "native"
RATE = 1e-7  # so small that the results of all steps are the same

# --- the libraries ---------------------------------------------------------------------------------------------------


def _library(torch: Any, scan: Callable[..., Any]) -> Library:
    """What PyTorch and wengert call things."""

    def jacobians(function: Callable[..., Any], by: tuple[int, ...]) -> Any:
        return torch.vmap(torch.func.jacrev(function, by))

    return Library(torch, torch.logsumexp, torch.sigmoid, scan, torch.linalg.cross, jacobians)


def wengert_step(case: Case) -> Step:
    torch = importlib.import_module("wengert")
    problem = case.problem(_library(torch, torch.func.scan))
    if not case.trains:
        return side_by_side.wengert_step(problem)
    arrays = [torch.tensor(a) for a in problem.arrays]
    derivatives = torch.func.grad_and_value(problem.function, problem.by)

    def update(*arrays: Any) -> Any:
        gradients, value = derivatives(*arrays)
        for i, g in zip(problem.by, gradients, strict=True):
            arrays[i].sub_(g * RATE)
        return value

    training = torch.compile(update)
    return lambda: (training(*arrays), *[arrays[i] for i in problem.by])


def torch_step(case: Case, *, compiled: bool = False) -> Step:
    """PyTorch as it runs programs, or with ``torch.compile``, which takes the backward pass along."""
    torch = importlib.import_module("torch")
    problem = case.problem(_library(torch, torch_scan))
    if compiled:
        problem = problem._replace(function=torch.compile(problem.function))
    if not case.trains:
        return side_by_side.torch_step(problem)
    arrays = [torch.tensor(a, requires_grad=i in problem.by) for i, a in enumerate(problem.arrays)]
    leaves = [arrays[i] for i in problem.by]

    def step() -> tuple[Any, ...]:
        value = problem.function(*arrays)
        gradients = torch.autograd.grad(value, leaves)
        with torch.no_grad():
            for leaf, g in zip(leaves, gradients, strict=True):
                leaf.sub_(g, alpha=RATE)
        return (value.detach(), *[leaf.detach() for leaf in leaves])

    return step


def jax_step(case: Case) -> Step:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    nn = jax.nn

    def jacobians(function: Callable[..., Any], by: tuple[int, ...]) -> Any:
        return jax.vmap(jax.jacrev(function, by))  # a third of the time of jacfwd: there are fewer outputs

    problem = case.problem(Library(jax.numpy, nn.logsumexp, nn.sigmoid, jax.lax.scan, jax.numpy.cross, jacobians))
    if not case.trains:
        return side_by_side.jax_step(problem)
    arrays = [jax.numpy.asarray(a) for a in problem.arrays]
    return _jax_training(jax, jax.value_and_grad(problem.function, problem.by), arrays, problem.by)


def _jax_training(jax: Any, derivatives: Callable[..., Any], arrays: list[Any], by: tuple[int, ...]) -> Step:
    """The updated arrays take the memory of the old ones."""

    def update(*arrays: Any) -> Any:
        value, gradients = derivatives(*arrays)
        return value, *[arrays[i] - RATE * g for i, g in zip(by, gradients, strict=True)]

    training = jax.jit(update, donate_argnums=by)

    def step() -> tuple[Any, ...]:
        value, *updated = jax.block_until_ready(training(*arrays))
        for i, array in zip(by, updated, strict=True):
            arrays[i] = array
        return (value, *updated)

    return step


def _native(name: str) -> Any:
    """The function of this name in its C++ source."""
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/{name}.so"
        command = ["g++", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, str(NATIVE / f"{name}.cpp")]
        subprocess.run(command, check=True)
        return ctypes.CDLL(library)[name]


def _addresses(*arrays: Any) -> list[Any]:
    return [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]


def lstm_step(problem: Problem) -> Step:
    """The LSTM with its adjoint written out."""
    function = _native("lstm")
    function.restype = ctypes.c_double
    main, extra, state, rows = problem.arrays

    def step() -> tuple[Any, ...]:
        of_main, of_extra = np.zeros_like(main), np.zeros_like(extra)
        value = function(LAYERS, WIDTH, len(rows), *_addresses(main, extra, state, rows, of_main, of_extra))
        return value, of_main, of_extra

    return step


def bundle_adjustment_step(problem: Problem) -> Step:
    """One observation after the other, on numbers that carry their derivatives."""
    function = _native("bundle_adjustment")
    n = len(problem.arrays[2])

    def step() -> tuple[Any, ...]:
        found = np.empty((n, 2, 11)), np.empty((n, 2, 3)), np.empty((n, 2))
        function(ctypes.c_int64(n), *_addresses(*problem.arrays, *found))
        return found

    return step


_NATIVE_STEPS = {"LSTM": lstm_step, "bundle": bundle_adjustment_step}


def cpp_step(case: Case) -> Step | None:
    """Straightforward C++, where it was written."""
    make = _NATIVE_STEPS.get(case.name.replace(",", " ").split()[0])
    if make is None or not shutil.which("g++"):
        return None
    nothing: Any = None
    return make(case.problem(Library(np, nothing, nothing, nothing, nothing, nothing)))


def _steps(case: Case, torch_compile: bool) -> dict[str, Step]:
    steps = {"wengert": wengert_step(case)}
    if "torch" not in case.without:
        steps["torch"] = torch_step(case)
    if torch_compile and "torch.compile" not in case.without:
        steps["torch.compile"] = torch_step(case, compiled=True)
    if installed():
        steps["jax.jit"] = jax_step(case)
    if (native := cpp_step(case)) is not None:
        steps["C++"] = native
    return steps


# --- what compiling costs --------------------------------------------------------------------------------------------

_COLD = """
import sys, time, numpy as np, wengert as torch
from benchmarks import side_by_side
from benchmarks.compiled_cases import CASES
from benchmarks.compiled import wengert_step
def long(x):
    for i in range(500):
        x = x * 1.0001 + (x.sin() if i % 10 == 0 else 0.1)
    return x.sum()
torch.compile(lambda x: x + 1)(torch.ones(3))  # LLVM itself is loaded
seconds = []
compiled, x = torch.compile(long), torch.ones(1000)
for step in (wengert_step(CASES[0]), lambda: compiled(x)):
    begin = time.perf_counter(); step(); seconds.append(time.perf_counter() - begin)
f = torch.compile(torch.func.grad(lambda x: (x.sin() * x).sum()))
f(torch.ones(1000)); x = torch.ones(1001)
begin = time.perf_counter(); f(x); seconds.append(time.perf_counter() - begin)
later = []
for length in range(1002, 1013):
    x = torch.ones(length)
    begin = time.perf_counter(); f(x); later.append(time.perf_counter() - begin)
print(*seconds, sorted(later)[5])
"""
_COSTS = (
    ("neuron", 0.06, 0.01),
    ("1,000 operations", 0.6, 0.01),
    ("a new length, the first one", 0.001, 0.001),
    ("... later ones", 0.001, 0.001),
)


def compiling() -> list[tuple[str, float, float, float, float]]:
    """Name, seconds from nothing and from the cache on disk, and what is wanted of each."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"WENGERT_CACHE_DIR": folder}
        runs = []
        for _ in range(2):
            command = [sys.executable, "-c", _COLD]
            done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            runs.append([float(word) for word in done.stdout.split()])
    return [
        (name, cold, warm, of_cold, of_warm) for (name, of_cold, of_warm), cold, warm in zip(_COSTS, *runs, strict=True)
    ]


def main() -> None:
    parser = side_by_side.parser_of("benchmarks.compiled")
    parser.add_argument("--torch-compile", action="store_true", help="a peer too: seconds to compile for each case")
    asked = parser.parse_args()
    options = ["--torch-compile"] * asked.torch_compile
    side_by_side.run("benchmarks.compiled", CASES, asked, lambda case: _steps(case, asked.torch_compile), options)
    if not asked.only and asked.case is None:
        print("\n| compiling | from nothing | wanted | from the disk cache | wanted |\n| --- | --- | --- | --- | --- |")
        for name, cold, warm, cold_wanted, warm_wanted in compiling():
            print(f"| {name} | {text(cold)} | {text(cold_wanted)} | {text(warm)} | {text(warm_wanted)} |")


if __name__ == "__main__":
    main()
