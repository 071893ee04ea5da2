"""`wengert run FILE.ipynb` executes a notebook as Jupyter would, and saves it."""

import base64
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from command import code, read, shown, wengert, write

nbformat = pytest.importorskip("nbformat")


def run(path: Path, *options: str) -> tuple[list[list[tuple[str, str]]], str, int]:
    """What each cell put out, what stood on standard error, and the exit code."""
    done = wengert("run", path, *options)
    output = path.with_name(f"{path.stem}.executed.ipynb")
    content = read(output)
    nbformat.validate(nbformat.from_dict(content))
    return [shown(cell) for cell in content["cells"] if cell["cell_type"] == "code"], done.stderr, done.returncode


def outputs(folder: Path, *cells: dict[str, Any] | str) -> list[list[tuple[str, str]]]:
    return run(write(folder / "book.ipynb", *cells))[0]


def test_outputs_are_recorded_in_order_and_printed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "book.ipynb",
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text"]},
        "import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)\nprint('d', end='')",
        "import torch\nx = torch.tensor(2.0)\nx * 3",
        "y = x",
        "None",
    )
    done = wengert("run", path)
    assert done.returncode == 0
    assert done.stdout == "a\nb\nd\ntensor(6.)\n"
    progress = [line.rsplit(" ", 2)[0] for line in done.stderr.splitlines() if line.startswith("[")]
    assert progress == ["[1/4] ok", "[2/4] ok", "[3/4] ok", "[4/4] ok"]
    assert done.stderr.splitlines()[-1] == f"saved {tmp_path / 'book.executed.ipynb'}"
    cells = read(tmp_path / "book.executed.ipynb")["cells"]
    assert [shown(cell) for cell in cells[1:]] == [
        [("stdout", "a\nb\n"), ("stderr", "c\n"), ("stdout", "d")],
        [("execute_result", "tensor(6.)")],
        [],
        [],
    ]
    assert [cell["execution_count"] for cell in cells[1:]] == [1, 2, 3, 4]
    assert cells[2]["outputs"][0]["execution_count"] == 2
    assert cells[0]["source"] == ["# Title\n", "text"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 1", [("execute_result", "2")]),
        ("1 + 1;", []),
        ("1 + 1  # no semicolon;", [("execute_result", "2")]),
        ("1 + 1;  # one", []),
        ("'text;'", [("execute_result", "'text;'")]),
        ("x = 1", []),
        ("for i in range(2):\n    i", []),
        ("print('x')\n'y'", [("stdout", "x\n"), ("execute_result", "'y'")]),
        ("", []),
        ("# only a comment", []),
        ("display(1, 'two')\n3", [("display_data", "1"), ("display_data", "'two'"), ("execute_result", "3")]),
        ("_", [("execute_result", "'before'")]),
        ("(1\n % 2)", [("execute_result", "1")]),
        ("'''\n%time\n!ls\n'''", [("execute_result", r"'\n%time\n!ls\n'")]),
        ("__name__", [("execute_result", "'__main__'")]),
        ("from __future__ import annotations", []),
    ],
)
def test_what_a_cell_shows(tmp_path: Path, source: str, expected: list[tuple[str, str]]) -> None:
    assert outputs(tmp_path, "'before'", source)[1] == expected


def test_a_future_import_holds_for_the_cells_after_it(tmp_path: Path) -> None:
    later = "def f(x: no_such_type): pass\nf.__annotations__"
    assert outputs(tmp_path, "from __future__ import annotations", later)[1] == [
        ("execute_result", "{'x': 'no_such_type'}")
    ]


def test_rich_forms_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "book.ipynb",
        "class Rich:\n"
        "    def __repr__(self): return 'plain'\n"
        "    def _repr_html_(self): return '<b>rich</b>'\n"
        "    def _repr_png_(self): return b'not really'\n"
        "    def _repr_svg_(self): return None\n"
        "    def _repr_latex_(self): raise ValueError('no formula')\n"
        "Rich()",
        "Rich",
    )
    done = wengert("run", path)
    assert done.stdout.splitlines()[0] == "plain  [image/png: in the saved notebook]"
    instance, cls = read(tmp_path / "book.executed.ipynb")["cells"]
    assert shown(instance)[0] == ("stderr", "Rich._repr_latex_ failed: ValueError: no formula\n")
    assert instance["outputs"][1]["data"] == {
        "text/plain": "plain",
        "text/html": "<b>rich</b>",
        "image/png": base64.b64encode(b"not really").decode(),
    }
    assert list(cls["outputs"][0]["data"]) == ["text/plain"]


def test_the_first_error_ends_the_run_and_is_recorded(tmp_path: Path) -> None:
    path = write(
        tmp_path / "book.ipynb",
        "def f():\n    return 1 / 0",
        {**code("print('x')\nf()"), "outputs": []},
        "print('never')",
    )
    cells, said, exit_code = run(path)
    assert exit_code == 1
    assert cells == [[], [("stdout", "x\n"), ("error", "ZeroDivisionError: division by zero")], []]
    error = read(tmp_path / "book.executed.ipynb")["cells"][1]["outputs"][1]
    trace = [line for line in error["traceback"] if "^" not in line]
    assert trace == [
        "Traceback (most recent call last):",
        '  File "In[2]", line 2, in <module>',
        "    f()",
        '  File "In[1]", line 2, in f',
        "    return 1 / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert "\n".join(error["traceback"]) in said
    assert "[2/3] error" in said
    assert "[3/3]" not in said


def test_errors_may_be_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", "1 / 0", "raise SystemExit(3)", "x = (", "'goes on'")
    cells, _, exit_code = run(path, "--allow-errors")
    assert exit_code == 0
    assert cells == [
        [("error", "ZeroDivisionError: division by zero")],
        [("error", "SystemExit: 3")],
        [("error", "SyntaxError: '(' was never closed (In[3], line 1)")],
        [("execute_result", "'goes on'")],
    ]


def test_an_interrupt_ends_the_run_whatever_is_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", "raise KeyboardInterrupt", "'never'")
    cells, _, exit_code = run(path, "--allow-errors")
    assert (cells, exit_code) == ([[("error", "KeyboardInterrupt: ")], []], 130)


def test_ctrl_c_saves_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", "print('begun')\nimport time\ntime.sleep(60)", "'never'")
    command = [sys.executable, "-m", "wengert", "run", path]
    # A process started in the background ignores Ctrl-C, and its children would too.
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    set_up = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, **pipes, preexec_fn=set_up) as run:  # noqa: PLW1509 - no thread of ours runs
        assert run.stdout is not None
        assert run.stdout.readline() == b"begun\n"
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
    assert run.returncode == 130
    cells = read(tmp_path / "book.executed.ipynb")["cells"]
    assert [shown(cell) for cell in cells] == [[("stdout", "begun\n"), ("error", "KeyboardInterrupt: ")], []]


def test_a_cell_may_say_that_it_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", code("1 / 0", tags=["raises-exception"]), "'goes on'")
    cells, _, exit_code = run(path)
    assert exit_code == 0
    assert cells[1] == [("execute_result", "'goes on'")]


def test_magics_are_carried_out_or_left_out_aloud(tmp_path: Path) -> None:
    cells = outputs(
        tmp_path,
        "%matplotlib inline\nimport torch\n!pip install torch  # it's there\nprint('ran')",
        "%time 6 * 7",
        "%timeit pass",
        "%%time\nx = 3\nx",
        "torch.tensor?",
        "if x == 3:\n    %no_such_magic 1",
        "%%bash\necho 'no",
        "%%capture\nprint('shown')",
    )
    assert cells[0] == [
        ("stderr", "left out: !pip install torch  # it's there (wengert run starts no shell commands)\n"),
        ("stdout", "ran\n"),
    ]
    (kind, text), result = cells[1]
    assert (kind, text.startswith("Wall time: "), result) == ("stdout", True, ("execute_result", "42"))
    assert "per loop (best of 5 runs of" in cells[2][0][1]
    assert cells[3][1] == ("execute_result", "3")
    assert cells[4] == [("stderr", "left out: torch.tensor? (help is for interactive use)\n")]
    assert cells[5] == [("stderr", "left out: %no_such_magic 1 (wengert run does not know this magic)\n")]
    assert cells[6] == [("stderr", "left out: a cell of %%bash (wengert run does not know this magic)\n")]
    assert cells[7][-1] == ("stdout", "shown\n")


def test_it_runs_in_its_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deeper"
    folder.mkdir()
    (folder / "beside.py").write_text("value = 5\n")
    path = write(folder / "book.ipynb", "import os, beside\nos.getcwd(), beside.value")
    done = wengert("run", "deeper/book.ipynb", "--output", "result.ipynb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shown(read(tmp_path / "result.ipynb")["cells"][0]) == [("execute_result", f"('{folder}', 5)")]
    assert read(path)["cells"][0]["outputs"] == []


def test_wengerts_messages_name_the_cell(tmp_path: Path) -> None:
    cells = outputs(
        tmp_path,
        "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x.exp()\ny.backward()",
        "try:\n    y.backward()\nexcept RuntimeError as error:\n    print(error)",
    )
    assert "In[1]" in cells[1][0][1]


def test_missing_names_are_listed_by_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", "import torch", "# a comment\nif False:\n    torch.no_such_name()")
    _, said, exit_code = run(path)
    assert exit_code == 0
    assert said.splitlines()[:2] == [
        "wengert: this uses 1 name that wengert does not have yet, and fails where it reaches one:",
        "  torch.no_such_name  cell 2 line 3",
    ]


def test_older_outputs_are_cleared(tmp_path: Path) -> None:
    stale = {"output_type": "stream", "name": "stdout", "text": ["stale\n"]}
    cells, _, _ = run(write(tmp_path / "book.ipynb", "1 / 0", {**code("2"), "outputs": [stale], "execution_count": 9}))
    assert cells[1] == []


def test_what_writers_forget_is_added(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    path.write_text('{"nbformat": 4, "nbformat_minor": 5, "cells": [{"cell_type": "code", "source": "1"}]}')
    assert run(path)[0] == [[("execute_result", "1")]]


def test_odd_text_survives(tmp_path: Path) -> None:
    assert outputs(tmp_path, r"print('é\ud800\r\x1b[1m')")[0] == [("stdout", "é\ud800\r\x1b[1m\n")]


@pytest.mark.parametrize(
    ("output", "message"), [("folder", "is a directory"), ("missing/book.ipynb", "there is no folder")]
)
def test_a_bad_output_is_refused_before_anything_runs(tmp_path: Path, output: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    path = write(tmp_path / "book.ipynb", "print('ran')")
    done = wengert("run", path, "--output", tmp_path / output)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_nothing_is_left_beside_the_result(tmp_path: Path) -> None:
    path = write(tmp_path / "book.ipynb", "1")
    result = tmp_path / "result.ipynb"
    result.write_text("older")
    assert wengert("run", "--output", result, path).returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["book.ipynb", "result.ipynb"]
    assert read(result)["cells"][0]["execution_count"] == 1


def test_figures_become_images(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = write(
        tmp_path / "book.ipynb",
        "import matplotlib.pyplot as plt",
        "plt.plot([1, 2]);\nprint('before')\nplt.show()\nprint('after')",
        "fig, ax = plt.subplots()",
        "plt.get_fignums()",
        "fig",
    )
    cells, said, exit_code = run(path)
    assert exit_code == 0, said
    figure = ("display_data", "<Figure size 640x480 with 1 Axes>")
    assert cells[1] == [("stdout", "before\n"), figure, ("stdout", "after\n")]
    assert cells[2] == [figure]
    assert cells[3] == [("execute_result", "[]")]
    last = read(tmp_path / "book.executed.ipynb")["cells"][4]["outputs"][0]
    assert base64.b64decode(last["data"]["image/png"]).startswith(b"\x89PNG")
