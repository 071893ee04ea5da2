"""What a compiled gradient takes in memory: its inputs, its results, and for each thread no more than a tile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

PROGRAM = """
import wengert as torch

def chain(x):
    y = x
    for op in (torch.sin, torch.exp, torch.tanh, torch.sigmoid, torch.cos, torch.log1p, torch.atan, torch.sqrt):
        y = op(y * 0.5 + 1)
    return (y * y).sum()

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

torch.set_num_threads(2)
gradient = torch.compile(torch.func.grad(chain))
gradient(torch.ones(1000))  # the kernel is for every length
x = torch.ones({size})
gradient(x[:100_000].clone())  # threads and their stacks
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak begins anew
before = status("VmRSS")
gradient(x)
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak from Linux")
def test_a_chain_keeps_nothing() -> None:
    size = 4_000_000
    program = PROGRAM.replace("{size}", str(size))
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    more, result = int(done.stdout), 4 * size
    assert result <= more <= result + (4 << 20)
