"""The verdicts as numbers and as the page docs/conformance.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exclusions import reason
from judge import Verdict

# Aspect -> what it is called on the page. Those of the first kind are shares of all entries that count.
COLUMNS = {
    "forward float64": "f64",
    "forward float32": "f32",
    "forward complex128": "c128",
    "forward int64": "i64",
    "method variant": "method",
    "inplace variant": "in-place",
    "gradient": "grad",
    "second order": "grad²",
    "forward mode": "jvp",
    "error inputs": "errors",
}

Verdicts = Mapping[tuple[str, str], Verdict | None]


def counts(verdicts: Verdicts) -> dict[str, tuple[int, int]]:
    """Of each aspect: (entries that pass, entries of implemented operations where it was tried)."""
    found = {}
    for aspect in COLUMNS:
        tried = [v[aspect] for v in verdicts.values() if v is not None and aspect in v]
        found[aspect] = sum([a.passed for a in tried]), len(tried)
    return found


def summary(verdicts: Verdicts, excluded: int) -> str:
    """The figures, a line each."""
    absent = [key for key, v in verdicts.items() if v is None]
    applicable = f"{len(verdicts) + excluded} entries, {excluded} excluded, {len(verdicts)} applicable"
    lines = [f"{applicable}, {len(verdicts) - len(absent)} implemented, {len(absent)} absent"]
    for aspect, (passed, tried) in counts(verdicts).items():
        share = f"{100 * passed / tried:.1f} %" if tried else "-"
        lines.append(f"{aspect:20} {passed:4} of {tried:4} implemented  {share}")
    samples = [v["error inputs"] for v in verdicts.values() if v is not None and "error inputs" in v]
    refused = sum([a.tried - len(a.failures) for a in samples])
    lines.append(f"{'error inputs':20} {refused:4} of {sum([a.tried for a in samples]):4} samples")
    return "\n".join(lines)


def page(verdicts: Verdicts, entries: list[Any], version: str) -> str:
    """The page: figures, a line for each entry, the reasons of the exclusions, what fails and how."""
    excluded = [(e.name, e.variant_test_name) for e in entries if reason(e.name, e.variant_test_name)]
    lines = [
        "# Conformance with PyTorch's operator database",
        "",
        "Made by `python tests/conformance --write`; do not edit.",
        "",
        f"PyTorch {version} describes its operations in a database: names, sample inputs, inputs that must be refused.",
        "Each entry is called with the same inputs in both libraries. `✓` means that every sample agrees; a number",
        "says how many samples of how many do not; `·` that there is nothing to compare.",
        "",
        "```",
        summary(verdicts, len(excluded)),
        "```",
        "",
        f"| entry | {' | '.join(COLUMNS.values())} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for key in sorted(verdicts):
        verdict = verdicts[key]
        if verdict is not None:
            cells = [_cell(verdict, aspect) for aspect in COLUMNS]
            lines.append(f"| {label(key)} | {' | '.join(cells)} |")
    lines += [
        "",
        "## Not there yet",
        "",
        ", ".join([f"`{label(key)}`" for key in sorted(verdicts) if verdicts[key] is None]),
    ]
    lines += ["", "## Excluded", ""]
    lines += [f"- `{label(key)}`: {reason(*key)}" for key in sorted(set(excluded))]
    lines += ["", "## What differs", ""]
    for key in sorted(verdicts):
        for aspect, tried in (verdicts[key] or {}).items():
            if tried.failures:
                text = tried.failures[0].replace("\n", " ").replace("`", "'")
                lines.append(f"- `{label(key)}`, {aspect}: `{text}`")
    return "\n".join(lines) + "\n"


def recorded_passes(text: str) -> set[tuple[str, str]]:
    """(entry's label, aspect) of each pass that a page records."""
    found = set()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 1 + len(COLUMNS):
            pairs = zip(COLUMNS, cells[1:], strict=True)
            found |= {(cells[0], aspect) for aspect, cell in pairs if cell == "✓"}
    return found


def lost(verdicts: Verdicts, text: str) -> list[str]:
    """What passed when the page was made and fails now, or is not there any more."""
    passes = recorded_passes(text)
    found = []
    for key, verdict in verdicts.items():
        recorded = sorted([aspect for name, aspect in passes if name == label(key)])
        if verdict is None and recorded:
            found.append(f"{label(key)}: there is no such function any more")
        for aspect in recorded:
            tried = (verdict or {}).get(aspect)  # fewer samples may leave nothing to try
            if tried is not None and tried.failures:
                found.append(f"{label(key)}, {aspect}: {tried.failures[0]}")
    return found


def label(key: tuple[str, str]) -> str:
    """An entry's name and variant in one word."""
    return f"{key[0]}:{key[1]}" if key[1] else key[0]


def _cell(verdict: Verdict, aspect: str) -> str:
    tried = verdict.get(aspect)
    if tried is None or not tried.tried:
        return "·"
    return "✓" if tried.passed else f"{len(tried.failures)}/{tried.tried}"
