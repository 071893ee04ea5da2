"""The benchmarks run and report; how fast anything is, no test says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

TIME = r"\d+(\.\d+)? (s|ms|µs|ns)"

DIFFERENT_RESULTS = """
import wengert
from benchmarks.timing import QUICK, compare_times

right = wengert.tensor([1.0, 2.0])
compare_times(lambda: (right,), lambda: (right.clone(),), QUICK)
for wrong in (wengert.tensor([1.0, 2.0001]), right.double(), right.reshape(1, 2), right * float("nan")):
    try:
        compare_times(lambda: (wrong,), lambda: (right,), QUICK)
    except ArithmeticError as error:
        print(error)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.slow
@pytest.mark.conformance
def test_quick_run_prints_and_writes_a_table(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    names = ["neuron, tensors made before", "(x**2).mean(), 10^3"]
    only = [word for name in names for word in ("--only", name)]
    done = run("-m", "benchmarks", "--quick", "--threads", "2", *only, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr

    lines = done.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| case"))
    assert cells(lines[start]) == ["case", "threads", "wengert", "torch", "torch / wengert", "middle half", "wanted"]
    rows = [cells(line) for line in lines[start + 2 :] if line.startswith("|")]
    assert [row[:2] for row in rows] == [[name, "2"] for name in names]
    for row in rows:
        assert re.fullmatch(TIME, row[2]), row
        assert re.fullmatch(TIME, row[3]), row
        assert re.fullmatch(r"\d+\.\d\d", row[4]), row
        assert re.fullmatch(r"\d+\.\d\d\.\.\d+\.\d\d", row[5]), row
    assert len({len(line) for line in lines[start:] if line.startswith("|")}) == 1  # aligned

    (markdown,), (data,) = tmp_path.glob("*-part.md"), tmp_path.glob("*-part.json")
    assert markdown.read_text(encoding="utf-8").strip() == done.stdout.strip()
    results = json.loads(data.read_text(encoding="utf-8"))
    assert results["quick"] is True
    assert {"date", "CPU", "Python", "wengert", "torch", "NumPy"} <= set(results["machine"])
    for case in results["cases"]:
        assert case["ratio"] == case["torch"] / case["wengert"]


JAX_BESIDE = """
from benchmarks.report import render
times = {"wengert": 1e-3, "torch": 2e-3, "ratio": 2.0, "ratio_quartiles": [1.9, 2.1]}
case = {"name": "Hessian", "threads": 1, "wanted": 1.0} | times
jax = {"JAX": 0.03, "ratio": 30.0, "ratio_quartiles": [28.0, 31.0]}
results = {"machine": {}, "operations": [], "imports": {}, "chains": []}
print(render(results | {"cases": [case | {"beside": {"JAX": jax}}]}))
print(render(results | {"cases": [case], "without_jax": True}))
"""


def test_jax_stands_beside_where_it_is_installed() -> None:
    done = run("-c", JAX_BESIDE)
    assert done.returncode == 0, done.stderr
    rows = [cells(line) for line in done.stdout.splitlines() if line.startswith("| Hessian")]
    assert rows[1] == ["Hessian", "1", "JAX", "30 ms", "30.00", "28.00..31.00"]
    assert "JAX is not installed" in done.stdout


@pytest.mark.slow
@pytest.mark.conformance
def test_the_same_programs_in_jax_give_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    done = run("-m", "benchmarks", "--quick", "--threads", "1", "--only", "Hessian", "--only", "per-sample", "--only",
               "Jacobian", "--results", str(tmp_path))  # fmt: skip
    assert done.returncode == 0, done.stderr
    (data,) = tmp_path.glob("*-part.json")
    for case in json.loads(data.read_text(encoding="utf-8"))["cases"]:
        assert set(case["beside"]) == {"JAX", "JAX, jit"}


@pytest.mark.slow
def test_long_chain_reports_memory_and_leaves_nothing_to_the_garbage_collector() -> None:
    done = run("-m", "benchmarks.worker", "chain", "wengert", "20000")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"forward", "backward", "freed", "gc", "peak_bytes", "collected"}
    assert result["peak_bytes"] > 0
    assert result["collected"] == 0


def test_steps_that_compute_different_things_are_not_timed() -> None:
    done = run("-c", DIFFERENT_RESULTS)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    assert "off by" in done.stdout


@pytest.mark.conformance
def test_unknown_name_is_answered_with_the_names(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = run("-m", "benchmarks", "--only", "nothing", "--results", str(tmp_path))
    assert done.returncode == 1
    assert "long chains" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.conformance
def test_compiled_functions_are_timed_beside_their_peers() -> None:
    pytest.importorskip("torch")
    done = run("-m", "benchmarks.compiled", "--quick", "--threads", "1", "--only", "neuron")
    assert done.returncode == 0, done.stderr
    header, _, row = [cells(line) for line in done.stdout.splitlines() if line.startswith("|")]
    assert header[:4] == ["case", "threads", "wengert", "torch"]
    assert row[:2] == ["neuron", "1"]
    assert re.fullmatch(TIME, row[2].replace("e+", "")), row


@pytest.mark.slow
@pytest.mark.conformance
def test_ordinary_programs_are_timed_beside_their_peers() -> None:
    pytest.importorskip("torch")
    done = run(
        "-m", "benchmarks.programs", "--quick", "--threads", "1", "--only", "n-body, 30", "--only", "Jacobian, 40"
    )
    assert done.returncode == 0, done.stderr
    header, _, *rows = [cells(line) for line in done.stdout.splitlines() if line.startswith("|")]
    assert header[:4] == ["case", "threads", "wengert", "torch"]
    assert [row[0] for row in rows] == ["Jacobian, 40", "n-body, 30", "n-body, 300"]
