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
NOTHING, IMPORTED, USED = BETWEEN = ("nothing", "imported", "used")


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


def _least(loops: dict[str, Callable[[], Any]], samples: int) -> dict[str, float]:
    """The least processor time of each loop."""
    least = dict.fromkeys(loops, float("inf"))
    for _ in range(samples):
        for name, loop in loops.items():
            begin = time.process_time()
            loop()
            least[name] = min(least[name], time.process_time() - begin)
    return least


def measure_eager(between: str, samples: int) -> dict[str, list[float]]:
    """The least time of each loop, before and after nothing is done, `wengert.see` is imported, or it is used.

    Both are taken in one process, since where its memory lies makes one process slower than its like by some percent.
    """
    import wengert  # noqa: PLC0415

    loops = eager_operations(wengert)
    if any(name.startswith("wengert.see") for name in sys.modules):
        raise RuntimeError("wengert.see is loaded without having been asked for")
    _least(loops, max(1, samples // 10))
    before = _least(loops, samples)
    if between != NOTHING:
        import wengert.see.diagnose  # noqa: PLC0415
        import wengert.see.drawing  # noqa: PLC0415
        import wengert.see.explain  # noqa: PLC0415
    if between == USED:
        y, x = perceptron(wengert, 100)
        for answer in (wengert.explain(y), wengert.draw(y), wengert.diagnose(y, x), wengert.graph_report()):
            str(answer)
        del y, x, answer
    after = _least(loops, samples)
    return {name: [before[name], after[name]] for name in loops}


# --- both, in processes of their own ---------------------------------------------------------------------------------


def _in_process(*arguments: str) -> dict[str, Any]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.seeing", "--one", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _questions(operations: int) -> None:
    print(f"| question to {operations:,} operations | {' | '.join(GRAPHS)} |\n| --- |{' ---: |' * len(GRAPHS)}")
    for question in QUESTIONS:
        found = [_in_process("question", graph, question, str(operations)) for graph in GRAPHS]
        cells = [f"{one['seconds']:.1f} s, {one['mebibytes']:.0f} MiB" for one in found]
        print(f"| `{question}` | {' | '.join(cells)} |", flush=True)


def _eager(rounds: int, samples: int) -> None:
    """Processes in turn, each time in another order; those that do nothing in between tell what a ratio is worth."""
    taken: dict[str, list[dict[str, list[float]]]] = {between: [] for between in BETWEEN}
    for k in range(rounds):
        for between in BETWEEN[k % len(BETWEEN) :] + BETWEEN[: k % len(BETWEEN)]:
            taken[between].append(_in_process("eager", between, str(samples)))
    print("\n| eager operations, after / before | time before | nothing | see is imported | see is used |")
    print("| --- |" + " ---: |" * 4)
    for name in taken[NOTHING][0]:
        least = min(one[name][0] for found in taken.values() for one in found)
        cells = [_spread([one[name][1] / one[name][0] for one in taken[between]]) for between in BETWEEN]
        print(f"| {name} | {least * 1e6:.0f} µs | {' | '.join(cells)} |")


def _spread(ratios: list[float]) -> str:
    """The median, and the middle half."""
    if len(ratios) < 2:
        return f"{ratios[0]:.3f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small graphs and few samples: does it run?")
    parser.add_argument("--only", choices=["questions", "eager"], help="one of the two tables")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        kind, *rest = asked.one
        *words, number = rest
        measure: Callable[..., Any] = measure_eager if kind == "eager" else measure_question
        print(json.dumps(measure(*words, int(number))))
        return
    if asked.only != "eager":
        _questions(QUICK_OPERATIONS if asked.quick else OPERATIONS)
    if asked.only != "questions":
        _eager(*((1, 3) if asked.quick else (9, 300)))


if __name__ == "__main__":
    main()
