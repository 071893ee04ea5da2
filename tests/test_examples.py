"""The programs in examples/ reach what they promise, and their networks learn as PyTorch's do, step by step."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
NETWORKS = ("placement", "breast_cancer", "digits", "characters")

# What a short run must print, as a pattern with one number, and what the number must be.
REACHES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "placement": (r"right for (\d+)% of 100 students", lambda right: right >= 80),
    "breast_cancer": (r"right for ([\d.]+)% of 169 samples", lambda right: right >= 95),
    "digits": (r"right for ([\d.]+)% of 397 pictures", lambda right: right >= 90),
    "curve_fitting": (r"certified values: parameters (\S+),", lambda error: error < 1e-9),
    "predator_prey": (r"typical error is a factor of ([\d.]+);", lambda factor: factor <= 1.25),
    "lennard_jones": (r"energy (-[\d.]+) \(known", lambda energy: abs(energy + 44.326801) < 2e-6),
    "characters": (r"([\d.]+) bits a character", lambda bits: bits < 2.9),
}


def test_every_example_is_tested_and_has_a_page() -> None:
    programs = {path.stem for path in EXAMPLES.glob("*.py")} - {"showing"}
    assert programs == set(REACHES)
    assert {path.stem for path in (ROOT / "docs" / "examples").glob("*.md")} == programs | {"index"}


@pytest.mark.slow
@pytest.mark.parametrize("name", REACHES)
def test_a_short_run_reaches_what_it_should(name: str, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), "--quick", "--plot", str(plot)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    pattern, reached = REACHES[name]
    [number] = re.findall(pattern, done.stdout)
    assert reached(float(number)), done.stdout
    assert re.search(r"\[#{30}\] +(\d+)/\1", done.stderr)  # the progress bar went to its end
    assert plot.read_bytes().startswith(b"\x89PNG")


def _losses(example: Any, monkeypatch: pytest.MonkeyPatch, lib: Any, steps: int) -> list[float]:
    """The example's losses with this library, in float64, from weights and on batches that are the same for each."""
    monkeypatch.setattr(example, "torch", lib)
    random = np.random.default_rng(7)
    x, y = example.data()[:2]
    x, y = (part.double() if part.is_floating_point() else part for part in (x, y))
    net = example.network().double()
    net.eval()  # dropout draws differently
    with lib.no_grad():
        for p in net.parameters():
            p.copy_(lib.from_numpy(random.normal(0, 0.2, tuple(p.shape))))
    optimizer = example.optimizer(net)
    losses = []
    for _ in range(steps):
        batch = lib.from_numpy(random.integers(0, len(y), 50))
        optimizer.zero_grad()
        loss = example.loss_of(net, x[batch], y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.conformance
@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_losses_as_pytorch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    example = importlib.import_module(name)
    got = _losses(example, monkeypatch, wengert, 200)
    want = _losses(example, monkeypatch, torch, 200)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=0)
    assert np.mean(got[-20:]) < 0.8 * np.mean(got[:20])
