"""What looking at graphs costs: questions to graphs of 100,000 operations, and eager operations beside them.

``python -m benchmarks.seeing`` prints both as tables, in processor time of one process each. It needs no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS, QUICK_OPERATIONS = 100_000, 1_000
QUESTIONS = (
    *("explain", "draw", "explore", "diagnose", "graph_report", "why_none", "explain_nan", "explain_zero"),
)  # fmt: skip
STATES = ("see not loaded", "see imported", "see used")


# --- graphs ----------------------------------------------------------------------------------------------------------


def chain(torch: Any, operations: int) -> tuple[Any, Any]:
    """One scalar through very many operations."""
    x = torch.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(operations // 2):
        y = y * 1.0000001 + 0.0000001
    return y, x


def wide(torch: Any, operations: int) -> tuple[Any, Any]:
    """Very many short ways from one vector, stacked."""
    w = torch.linspace(0.1, 1.0, 8, requires_grad=True)
    terms = []
    for k in range(operations // 5):
        total = torch.sin(w * (k % 7 + 1.0)).sum()
        terms.append(torch.tanh(total * total))
    return torch.stack(terms).mean(), w


def perceptron(torch: Any, operations: int) -> tuple[Any, Any]:
    """A residual network of a perceptron that is used again and again, with a loss now and then."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    h, target, loss = torch.randn(3, 4), torch.zeros(3, 4), 0.0
    for step in range(operations * 10 // 54):
        h = h + 0.1 * model(h)
        if step % 10 == 0:
            loss = loss + ((h - target) ** 2).mean()
    return loss, model[0].weight


GRAPHS: dict[str, Callable[[Any, int], tuple[Any, Any]]] = {"chain": chain, "wide": wide, "perceptron": perceptron}


def measure_question(graph: str, question: str, operations: int) -> dict[str, float]:
    """Seconds of processor time to ask and to write out the answer; MiB of memory that it takes at most."""
    import wengert  # noqa: PLC0415 - the other measurement begins without it

    y, x = GRAPHS[graph](wengert, operations)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    if question == "draw":
        wengert.draw(y).svg()
    elif question == "explore":
        wengert.explore(y).html()
    elif question == "graph_report":
        str(wengert.graph_report())
    else:
        str(getattr(wengert, question)(y, x))
    seconds = time.process_time() - begin
    return {"seconds": seconds, "mebibytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


# --- eager operations ------------------------------------------------------------------------------------------------


def eager_operations(torch: Any) -> dict[str, Callable[[], Any]]:
    """Short loops of operations, with and without gradients."""
    w, x = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0)
    v, u = torch.ones(1000, requires_grad=True), torch.ones(1000)

    def scalars(a: Any, b: Any) -> None:
        for _ in range(200):
            torch.tanh(a * b + 1.0)

    def without(a: Any, b: Any) -> None:
        with torch.no_grad():
            scalars(a, b)

    def step() -> None:
        for _ in range(20):
            loss = torch.sigmoid(w * x - 1.0) ** 2
            loss.backward()
        w.grad = None

    return {
        "0-d, tracked": lambda: scalars(w, x),
        "0-d, untracked": lambda: scalars(x, x),
        "0-d, under no_grad": lambda: without(w, x),
        "1000 elements, tracked": lambda: scalars(v, u),
        "forward and backward": step,
    }


def measure_eager(state: str, samples: int) -> dict[str, float]:
    """The least processor time of each loop, with what looks at graphs in one of three states."""
    import wengert  # noqa: PLC0415

    if state != STATES[0]:
        import wengert.see.diagnose  # noqa: PLC0415
        import wengert.see.drawing  # noqa: PLC0415
        import wengert.see.explain  # noqa: PLC0415
    if state == STATES[2]:
        y, x = perceptron(wengert, 100)
        for answer in (wengert.explain(y), wengert.draw(y), wengert.diagnose(y, x), wengert.graph_report()):
            str(answer)
        del y, x
    elif state == STATES[0] and any(name.startswith("wengert.see") for name in sys.modules):
        raise RuntimeError("wengert.see is loaded without having been asked for")
    loops = eager_operations(wengert)
    least = dict.fromkeys(loops, float("inf"))
    for _ in range(samples):
        for name, loop in loops.items():
            begin = time.process_time()
            loop()
            least[name] = min(least[name], time.process_time() - begin)
    return least


# --- both, in processes of their own ---------------------------------------------------------------------------------


def _in_process(*arguments: str) -> dict[str, float]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.seeing", "--one", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _questions(operations: int) -> None:
    print(f"| question to {operations:,} operations | {' | '.join(GRAPHS)} |\n| --- |{' ---: |' * len(GRAPHS)}")
    for question in QUESTIONS:
        found = [_in_process("question", graph, question, str(operations)) for graph in GRAPHS]
        cells = [f"{one['seconds']:.1f} s, {one['mebibytes']:.0f} MiB" for one in found]
        print(f"| `{question}` | {' | '.join(cells)} |", flush=True)


def _eager(rounds: int, samples: int) -> None:
    """Processes in turn; a ratio is the median of those of neighbours."""
    taken: dict[str, list[dict[str, float]]] = {state: [] for state in STATES}
    for _ in range(rounds):
        for state in STATES:
            taken[state].append(_in_process("eager", state, str(samples)))
    print(
        "\n| eager operations | see not loaded | imported / not loaded | used / not loaded |\n| --- |" + " ---: |" * 3
    )
    first = taken[STATES[0]]
    for name in first[0]:
        ratios = [
            statistics.median([other[name] / one[name] for one, other in zip(first, taken[state], strict=True)])
            for state in STATES[1:]
        ]
        least = min(one[name] for one in first)
        print(f"| {name} | {least * 1e6:.0f} µs | {ratios[0]:.3f} | {ratios[1]:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small graphs and few samples: does it run?")
    parser.add_argument("--only", choices=["questions", "eager"], help="one of the two tables")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        kind, *rest = asked.one
        one = measure_eager(rest[0], int(rest[1])) if kind == "eager" else measure_question(*rest[:2], int(rest[2]))
        print(json.dumps(one))
        return
    if asked.only != "eager":
        _questions(QUICK_OPERATIONS if asked.quick else OPERATIONS)
    if asked.only != "questions":
        _eager(*((1, 3) if asked.quick else (7, 300)))


if __name__ == "__main__":
    main()
