"""Pages of the site that are made from the package itself: the reference, the table of derivatives, the benchmarks."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from wengert.ops.record import MISSING, TABLE, EachInput, Kind, Op
from wengert.see.notation import Writer
from wengert.spaces.expression import Name
from wengert.spaces.simplify import simplified
from wengert.spaces.symbol import SYMBOLS, Symbol

# The public modules, and what each is about.
MODULES = {
    "wengert": "tensors and functions of tensors",
    "wengert.autograd": "gradients: `backward`, `grad`, functions of one's own, modes",
    "wengert.autograd.graph": "nodes of the graph and hooks on saved tensors",
    "wengert.func": "transforms of functions: `grad`, `vjp`, `jvp`, `vmap`, `jacrev`, `hessian`",
    "wengert.linalg": "equations, factorisations, eigenvalues",
    "wengert.fft": "Fourier transforms",
    "wengert.special": "special functions",
    "wengert.nn": "layers and losses as modules",
    "wengert.nn.functional": "layers and losses as functions",
    "wengert.nn.init": "how weights begin",
    "wengert.nn.attention": "which implementation computes attention",
    "wengert.nn.attention.flex_attention": "attention with scores and masks of one's own",
    "wengert.nn.grad": "gradients of convolutions",
    "wengert.nn.utils": "gradients cut to size, parameters as one vector",
    "wengert.distributions": "distributions",
    "wengert.optim": "optimizers",
    "wengert.optim.lr_scheduler": "learning rates that change",
    "wengert.utils.data": "data sets and loaders",
    "wengert.serialization": "files",
    "wengert.signal.windows": "windows for Fourier transforms",
    "wengert.masked": "tensors of which some elements do not count",
    "wengert.implicit": "derivatives of solutions: of equations, of fixed points, of minima",
    "wengert.array_api": "the array API standard",
    "wengert.interop.scipy": "SciPy's solvers with derivatives supplied",
    "wengert.optim.swa_utils": "averages of weights",
    "wengert.nn.utils.parametrize": "parameters that are computed from others",
    "wengert.nn.utils.parametrizations": "norms of weights",
    "wengert.nn.utils.prune": "parts of parameters set to zero",
    "wengert.nn.utils.rnn": "sequences of different lengths",
    "wengert.random": "the generator of random numbers",
    "wengert.testing": "checks for tests",
    "wengert.backends": "what computes",
    "wengert.amp": "mixed precision",
    "wengert.accelerator": "the answer that there is no accelerator",
    "wengert.cuda": "the answer that there is no GPU",
    "wengert.compiler": "what programs ask about compilation",
    "wengert.library": "operations of one's own by name",
    "wengert.profiler": "where time goes",
    "wengert.jit": "the answer that nothing is compiled to TorchScript",
    "wengert.version": "the version",
}


def write(folder: Path, root: Path) -> None:
    """Write all of them into a folder; a page that has not changed is left alone."""
    folder.mkdir(exist_ok=True)
    made = {f"{name}.md": _module_page(name, about) for name, about in MODULES.items()}
    made["api.md"] = _index()
    made["derivatives.md"] = _derivatives()
    made["benchmark-results.md"] = _benchmarks(root / "benchmarks" / "results")
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.md"):
        if path.name not in made:
            path.unlink()


# --- the reference ---


def _index() -> str:
    rows = "\n".join([f"| [`{name}`]({name}.md) | {about} |" for name, about in MODULES.items()])
    names = "\n".join(MODULES)
    return (
        "# Reference\n\nEvery public name. The examples are run by the tests.\n\n"
        f"| module | about |\n|---|---|\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    )


def _module_page(name: str, about: str) -> str:
    module = importlib.import_module(name)
    parts = [f"# `{name}`", about[0].upper() + about[1:] + "."]
    for item in module.__all__:
        value = getattr(module, item)
        if isinstance(value, ModuleType):
            continue
        parts.append(_entry(item, value))
        if item == "Tensor":
            parts += [_entry(f"Tensor.{method}", f, level=3) for method, f in _methods(value)]
    return "\n\n".join(parts) + "\n"


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(cls)):
        value = inspect.getattr_static(cls, name)
        if not name.startswith("_") and callable(value) and inspect.getdoc(value):
            yield name, value


def _entry(name: str, value: Any, level: int = 2) -> str:
    heading = f"{'#' * level} `{name}`"
    if not callable(value):
        return f"{heading}\n\n```text\n{_plain(repr(value))}\n```"
    text = inspect.getdoc(value) or ""
    return f"{heading}\n\n```python\n{name}{_signature(value)}\n```\n\n{_markdown(text)}"


def _signature(value: Any) -> str:
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        return "(...)"
    text = text.replace("typing.", "")
    return _plain(re.sub(r"<function (\w+)[^>]*>", r"\1", text))


def _plain(text: str) -> str:
    """Without addresses, which change from run to run."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _markdown(text: str) -> str:
    """A docstring as Markdown: examples and indented blocks as code, the marks of reStructuredText as those of it."""
    out = []
    for block in re.split(r"\n\s*\n", text):
        lines = block.splitlines()
        section = re.fullmatch(r"(Raises|Args|Returns|Yields|Note|Shape|Example|Examples):", lines[0].strip())
        if section:
            out.append(f"**{section[1]}**\n\n{_items(lines[1:])}" if len(lines) > 1 else f"**{section[1]}**")
        elif lines[0].lstrip().startswith(">>>"):
            out.append(_fenced("pycon", lines))
        elif "::" in block[-2:] or lines[0].startswith("    ") or lines[0].startswith("==="):
            out.append(_fenced("text", lines))
        else:
            cut = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
            out.append(_inline("\n".join(lines[:cut])))
            if cut < len(lines):
                out.append(_fenced("pycon", lines[cut:]))
    return "\n\n".join(out)


def _fenced(language: str, lines: list[str]) -> str:
    return f"```{language}\n" + inspect.cleandoc("\n".join(lines)) + "\n```"


def _items(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        if line.startswith("     ") and items:
            items[-1] += " " + line.strip()
        else:
            items.append(line.strip())
    return "\n".join([f"- {_inline(item)}" for item in items])


def _inline(text: str) -> str:
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"``\1``", text)
    pieces = re.split(r"(``.+?``|`[^`]+`)", text, flags=re.DOTALL)
    for i, piece in enumerate(pieces):
        # Outside of code everything is text: stars, brackets and underscores are multiplication, indices and names.
        pieces[i] = piece if i % 2 else re.sub(r"([\\*_\[\]<>#$|{}~])", r"\\\1", piece)
    return "".join(pieces)


# --- the table of derivatives ---


def _derivatives() -> str:
    elementwise, others = [], []
    for op in TABLE.ops.values():
        shown = _formulas(op) if op.kind is Kind.ELEMENTWISE and isinstance(op.vjp, tuple) else None
        row = [f"`{op.name}`", _code(op.formula)]
        if shown:
            elementwise.append([*row, "<br>".join(shown)])
        else:
            others.append([*row, op.doc.replace("|", "\\|"), _inputs(op)])
    return (
        "# Derivatives\n\nWhat each operation does to the gradient `g` that arrives at its result `y`, made "
        "from the table that "
        "all of wengert works with (`wengert.ops`). An operation has one rule for each input; the engine, "
        "the compiler and the "
        "explanations read the same one. Here the rule has been run on symbols. For real inputs.\n\n"
        "## Element by element\n\n"
        + _table(["operation", "formula", "gradient of each input"], elementwise)
        + "\n\n## All others\n\nTheir rules are sums, moves and products of other operations, which no "
        "short formula says.\n\n"
        + _table(["operation", "formula", "what it is", "inputs with a derivative"], others)
        + "\n"
    )


def _formulas(op: Op) -> list[str] | None:
    """The rules of an elementwise operation as formulas; None where they do not run on symbols without metadata."""
    letters = ["x"] if len(op.vjp) == 1 else ["a", "b", "c", "d", "e", "f"][: len(op.vjp)]  # type: ignore[arg-type]
    symbols = [Symbol(Name(text, i), np.float64(0.5)) for i, text in enumerate(["g", "y", *letters])]
    lines = []
    for rule, letter in zip(op.vjp, letters, strict=True):  # type: ignore[call-overload]
        if rule is None or rule is MISSING:
            continue
        try:
            found = rule(SYMBOLS, *symbols)
            text = Writer().write(simplified(found.expression))
        except (TypeError, AttributeError, KeyError, NotImplementedError):
            return None
        if len(text) > 120:  # a fit, whose coefficients tell nobody anything
            return None
        lines.append(f"{letter}: {_code(text)}")
    return lines


def _inputs(op: Op) -> str:
    if isinstance(op.vjp, EachInput):
        return "all"
    return ", ".join([f"`{a}`" for a, rule in zip(op.args, op.vjp, strict=False) if rule is not None]) or "none"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


# --- benchmarks ---


def _benchmarks(results: Path) -> str:
    latest = max(path for path in results.glob("*.md") if not path.stem.endswith("-part"))
    text = latest.read_text(encoding="utf-8")
    return text.replace(
        "# Benchmarks", "# Benchmark results\n\nThe latest complete run. [](../benchmarks.md) says what is measured.", 1
    )
