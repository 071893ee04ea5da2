"""Imports point down: the layer table of docs/design/architecture.md, held as data."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# Lowest first. A module belongs to the layer that names it, else to the first with a pattern that fits, and imports
# only from its own layer and those before it.
LAYERS = (
    ("leaf modules", ("wengert._*",)),
    ("the record of an operation", ("wengert.ops.record", "wengert.ops.reads", "wengert.ops")),
    # The worlds look operations up by name, so they know the record and no operation.
    ("spaces", ("wengert.spaces", "wengert.spaces.*")),
    ("operations", ("wengert.ops.*",)),
    (
        "machine code",
        ("wengert.compile.nest*", "wengert.compile.llvm*", "wengert.compile.runtime*"),
    ),
    ("program", ("wengert.program", "wengert.program.*")),
    ("engine", ("wengert.engine", "wengert.engine.*")),
    ("functions", ("wengert.functions", "wengert.functions.*")),
    ("tensor", ("wengert._tensor", "wengert._method_functions")),
    (
        "public modules",
        tuple(
            pattern
            for name in (
                "accelerator",
                "amp",
                "array_api",
                "autograd",
                "backends",
                "compile",
                "compiler",
                "cpu",
                "cuda",
                "distributed",
                "distributions",
                "fft",
                "func",
                "implicit",
                "interop",
                "jit",
                "library",
                "linalg",
                "masked",
                "mps",
                "nn",
                "optim",
                "profiler",
                "random",
                "signal",
                "serialization",
                "special",
                "testing",
                "types",
                "utils",
                "version",
                "xpu",
            )
            for pattern in (f"wengert.{name}", f"wengert.{name}.*")
        ),
    ),
    ("seeing", ("wengert.see", "wengert.see.*")),
    ("command", ("wengert.cli", "wengert.cli.*", "wengert.tour")),
    ("package", ("wengert", "wengert.__main__")),
)

# Who may import what besides the standard library, NumPy and wengert: optional dependencies, each in one place.
OPTIONAL = {"wengert.cli.notebook.agg_backend": {"matplotlib"}, "wengert.interop.einops": {"einops"}}

# Imports inside functions: (module, what it imports). Only optional dependencies are loaded so.
LAZY: set[tuple[str, str]] = {
    ("wengert.compile.llvm.machine", "llvmlite"),
    ("wengert.compile.llvm.machine", "llvmlite.binding"),
}


def _module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {_module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def layer_of(module: str) -> int:
    for fits in (str.__eq__, fnmatchcase):
        for number, (_, patterns) in enumerate(LAYERS):
            if any(fits(module, pattern) for pattern in patterns):
                return number
    raise LookupError(f"{module} belongs to no layer: add it to LAYERS here and to docs/design/architecture.md")


@cache
def imports_of(module: str) -> list[tuple[str, int, bool]]:
    """What a module imports: (module, line, whether inside a function)."""
    tree = ast.parse(PATHS[module].read_text(encoding="utf-8"))
    inside = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for inner in ast.walk(node)
    }
    return [
        (target, node.lineno, node in inside)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in _targets(module, node)
    ]


def _targets(module: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (item.name for item in node.names)
        return
    base = node.module or ""
    if node.level:
        package = module if PATHS[module].name == "__init__.py" else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}" if base else package
    for item in node.names:
        inner = f"{base}.{item.name}"
        yield inner if inner in PATHS else base


def _is_ours(module: str) -> bool:
    return module == "wengert" or module.startswith("wengert.")


@pytest.mark.parametrize("module", PATHS)
def test_imports_point_down(module: str) -> None:
    own = layer_of(module)
    wrong = [
        f"{PATHS[module]}:{line}: {module} ({LAYERS[own][0]}) imports {target} ({LAYERS[layer_of(target)][0]})"
        for target, line, _ in imports_of(module)
        if _is_ours(target) and layer_of(target) > own
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", PATHS)
def test_imports_stand_at_the_top(module: str) -> None:
    wrong = [
        f"{PATHS[module]}:{line}: {module} imports {target} inside a function"
        for target, line, inside in imports_of(module)
        if inside and (module, target) not in LAZY
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", PATHS)
def test_the_core_needs_numpy_alone(module: str) -> None:
    wrong = [
        f"{PATHS[module]}:{line}: {module} imports {target}"
        for target, line, _ in imports_of(module)
        if (top := target.partition(".")[0]) not in sys.stdlib_module_names
        and top not in {"numpy", "wengert"} | OPTIONAL.get(module, set())
        and (module, target) not in LAZY
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_cycle() -> None:
    graph = {module: {target for target, _, _ in imports_of(module) if target in PATHS} - {module} for module in PATHS}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' <- '.join(error.args[1])}")


def test_every_layer_has_a_module() -> None:
    present = {layer_of(module) for module in PATHS}
    assert [name for number, (name, _) in enumerate(LAYERS) if number not in present] == []


class TestTheTest:
    """The checks above find what they are for."""

    def test_layers_are_told_apart(self) -> None:
        order = [
            "wengert._size",
            "wengert.ops.record",
            "wengert.spaces.raw",
            "wengert.ops.reduce",
            "wengert.compile.llvm.ir",
            "wengert.program.values",
            "wengert.engine.apply",
        ]
        order += [
            "wengert.functions.x",
            "wengert._tensor",
            "wengert.nn.functional",
            "wengert.see.graph",
            "wengert.cli.run",
            "wengert.__main__",
        ]
        assert [layer_of(module) for module in order] == list(range(len(LAYERS)))
        with pytest.raises(LookupError, match="belongs to no layer"):
            layer_of("wengert.elsewhere")

    def test_each_form_of_import_is_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        path = tmp_path / "probe.py"
        path.write_text(
            "import os, numpy as np\nfrom wengert import _size\nfrom wengert.engine.apply import apply\n"
            "from . import base\nfrom .node import Node\nfrom ..ops import record\n"
            "def f():\n    import scipy.linalg\n"
        )
        monkeypatch.setitem(PATHS, "wengert.engine.probe", path)
        assert imports_of("wengert.engine.probe") == [
            ("os", 1, False),
            ("numpy", 1, False),
            ("wengert._size", 2, False),
            ("wengert.engine.apply", 3, False),
            ("wengert.engine.base", 4, False),
            ("wengert.engine.node", 5, False),
            ("wengert.ops.record", 6, False),
            ("scipy.linalg", 8, True),
        ]
