"""The results as text: tables in Markdown, aligned so that they read well in a terminal too."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.operations import OPERATIONS

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def render(results: dict[str, Any]) -> str:
    """The whole report, with the sections that were measured."""
    sections = ["# Benchmarks", _render_machine(results["machine"])]
    if results["cases"]:
        sections += ["## Steps", _render_cases(results["cases"])]
        beside = [case for case in results["cases"] if "beside" in case]
        if beside or results.get("without_jax"):
            sections += ["## JAX beside", _render_beside(beside)]
    if results["operations"]:
        sections += ["## Operations", _render_operations(results["operations"])]
    if results["imports"]:
        sections += ["## Imports", _render_imports(results["imports"])]
    if results["chains"]:
        sections += ["## Chains, per operation", _render_chains(results["chains"])]
    return "\n\n".join(sections) + "\n"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is aligned left and the others right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [_line(headings, widths), "| " + "-" * widths[0] + " | "]
    lines[1] += " | ".join(["-" * (width - 1) + ":" for width in widths[1:]]) + " |"
    return "\n".join(lines + [_line(row, widths) for row in rows])


def seconds(value: float) -> str:
    """A time with three digits and its unit.

    >>> seconds(0.0000312), seconds(2.0), seconds(-0.0123)
    ('31.2 µs', '2 s', '-12.3 ms')
    """
    size, unit = next((pair for pair in _UNITS if abs(value) >= pair[0]), _UNITS[-1])
    return f"{float(f'{value / size:.3g}'):g} {unit}"


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return " | ".join([f"| {first[0]:<{first[1]}}", *[f"{cell:>{width}}" for cell, width in others]]) + " |"


def _render_machine(machine: dict[str, str]) -> str:
    return "\n".join([f"- {what}: {value}" for what, value in machine.items()])


def _render_cases(cases: list[dict[str, Any]]) -> str:
    rows = []
    for case in cases:
        low, high = case["ratio_quartiles"]
        wanted = "" if case["wanted"] is None else f"{case['wanted']:.1f}"
        times = [seconds(case["wengert"]), seconds(case["torch"])]
        rows.append(
            [case["name"], str(case["threads"]), *times, f"{case['ratio']:.2f}", f"{low:.2f}..{high:.2f}", wanted]
        )
    return table(["case", "threads", "wengert", "torch", "torch / wengert", "middle half", "wanted"], rows)


def _render_beside(cases: list[dict[str, Any]]) -> str:
    """What JAX takes for the same programs, in the same run."""
    if not cases:
        return "JAX is not installed (`pip install -e '.[peers]'`), so nothing was timed beside."
    rows = []
    for case in cases:
        for name, times in case["beside"].items():
            low, high = times["ratio_quartiles"]
            ratios = [f"{times['ratio']:.2f}", f"{low:.2f}..{high:.2f}"]
            rows.append([case["name"], str(case["threads"]), name, seconds(times[name]), *ratios])
    return table(["case", "threads", "library", "time", "its time / wengert", "middle half"], rows)


def _render_operations(operations: list[dict[str, Any]]) -> str:
    """PyTorch's time over wengert's, forward alone and with backward; each slow operation with its reason."""
    ratios = {(o["name"], o["size"], o["threads"], o["phase"]): o["ratio"] for o in operations}
    threads = sorted({key[2] for key in ratios})
    columns = [(number, phase) for number in threads for phase in ("forward", "backward")]
    rows = [
        [name, f"{size:,}", *[f"{ratios[name, size, number, phase]:.2f}" for number, phase in columns]]
        for name, size in dict.fromkeys((o["name"], o["size"]) for o in operations)
    ]
    lines = [
        f"{len({key[0] for key in ratios})} operations; torch time / wengert time; `backward` is forward and backward.",
        "",
        table(["operation", "size", *[f"{phase}, {number}" for number, phase in columns]], rows),
        "",
    ]
    for number in threads:
        of_number = [ratio for key, ratio in ratios.items() if key[2] == number]
        at_least = sum(ratio >= 1 for ratio in of_number)
        lines.append(
            f"- {number} thread{'s' if number > 1 else ''}: median ratio {statistics.median(of_number):.2f}, "
            f"at least 1 in {at_least} of {len(of_number)}, below 0.2 in {sum(r < 0.2 for r in of_number)}"
        )
    slow = {key[0] for key, ratio in ratios.items() if ratio < 0.2}
    lines += [f"- {o.name}: {o.slow or 'nobody has said why it is slow'}" for o in OPERATIONS if o.name in slow]
    return "\n".join(lines)


def _render_imports(imports: dict[str, float]) -> str:
    over_numpy = {library: seconds(value - imports["numpy"]) for library, value in imports.items()}
    wanted = {"wengert": "100 ms"}
    rows = [[library, seconds(t), over_numpy[library], wanted.get(library, "")] for library, t in imports.items()]
    return table(["import", "whole process", "over NumPy", "wanted, at most"], rows)


def _render_chains(chains: list[dict[str, Any]]) -> str:
    rows = [
        [chain["library"], f"{chain['operations']:,}"]
        + [seconds(chain[phase]) for phase in ("forward", "backward", "freed", "gc")]
        + [f"{chain['peak_bytes']:,.0f} B", str(chain["collected"])]
        for chain in chains
    ]
    return table(
        ["library", "operations", "forward", "backward", "freed", "of these gc", "peak memory", "objects for gc"], rows
    )
