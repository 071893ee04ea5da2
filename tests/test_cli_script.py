"""`wengert run FILE.py` runs a program as Python would."""

from pathlib import Path

import pytest

from command import wengert


def program(folder: Path, source: str) -> Path:
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    return path


def test_it_runs_as_main_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import torch\nvalue = torch.tensor(2.0)\n")
    path = program(
        tmp_path,
        "import sys, torch, beside\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:], __file__, sys.modules['__main__'].__dict__ is globals(), beside.value * 2)\n",
    )
    done = wengert("run", path, "--output", "-x", "word")
    assert done.stderr == ""
    assert done.stdout == f"['--output', '-x', 'word'] {path} True tensor(4.)\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("raise SystemExit('gone')", 1, "gone\n"),
        ("import sys; sys.exit()", 0, ""),
        ("raise KeyboardInterrupt", 130, None),
        ("1 / 0", 1, None),
    ],
)
def test_its_exit_code_is_pythons(tmp_path: Path, ending: str, code: int, said: str | None) -> None:
    done = wengert("run", program(tmp_path, f"print('here')\n{ending}\n"))
    assert done.stdout == "here\n"
    assert done.returncode == code
    assert said is None or done.stderr == said


def test_a_traceback_shows_the_program_only(tmp_path: Path) -> None:
    path = program(tmp_path, "def f():\n    raise ValueError('wrong')\n\nf()\n")
    said = wengert("run", path).stderr.splitlines(keepends=True)
    # From 3.13 on Python marks the failing part of a line.
    assert "".join(line for line in said if line.strip(" ~^\n")) == (
        "Traceback (most recent call last):\n"
        f'  File "{path}", line 4, in <module>\n'
        "    f()\n"
        f'  File "{path}", line 2, in f\n'
        "    raise ValueError('wrong')\n"
        "ValueError: wrong\n"
    )


def test_a_syntax_error_is_told_as_python_tells_it(tmp_path: Path) -> None:
    path = program(tmp_path, "x = (1 +\n")
    done = wengert("run", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f'  File "{path}", line 1\n')
    assert done.stderr.endswith("SyntaxError: '(' was never closed\n")


def test_the_source_may_state_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nprint(len('é'))\n".encode("latin-1"))
    assert wengert("run", path).stdout == "1\n"


def test_missing_names_are_listed_once_and_fail_only_when_reached(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        "import torch\n"
        "from torch import nn\n"
        "import torch.nn.functional as F\n"
        "print(torch.tensor(1.0))\n"
        "def unused():\n"
        "    return torch.no_such_name(nn.NoSuchLayer(), F.no_such_function, torch.Tensor.no_such_method)\n"
        "def shadowed(F):\n"
        "    return F.anything\n"
        "torch.no_such_name\n",
    )
    done = wengert("run", path)
    assert done.stdout == "tensor(1.)\n"
    assert done.returncode == 1
    warning, trace = done.stderr.split("Traceback", 1)
    assert warning == (
        "wengert: this uses 3 names that wengert does not have yet, and fails where it reaches one:\n"
        "  torch.Tensor.no_such_method  line 6\n"
        "  torch.nn.NoSuchLayer         line 6\n"
        "  torch.no_such_name           line 6, line 9\n"
    )
    assert trace == (
        " (most recent call last):\n"
        f'  File "{path}", line 9, in <module>\n'
        "    torch.no_such_name\n"
        "AttributeError: wengert has no torch.no_such_name yet\n"
    )


def test_a_missing_module_is_told_without_our_frames(tmp_path: Path) -> None:
    path = program(tmp_path, "from torch.utils.no_such_module import Name\n")
    done = wengert("run", path)
    assert done.returncode == 1
    assert "  torch.utils" in done.stderr.splitlines()[1]
    assert done.stderr.count("File") == 1
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: wengert has no torch.utils")


def test_wengerts_own_errors_reach_the_program(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        "import torch\n"
        "x = torch.tensor([1.0, 2.0], requires_grad=True)\n"
        "try:\n"
        "    (x * 2).backward()\n"
        "except RuntimeError as error:\n"
        "    print('scalar' in str(error))\n",
    )
    assert wengert("run", path).stdout == "True\n"


def test_help_and_version(tmp_path: Path) -> None:
    assert wengert("--help").stdout.startswith("usage: wengert")
    assert "--allow-errors" in wengert("run", "--help").stdout
    assert wengert("--version").stdout.startswith("wengert 0.")
    assert wengert().returncode == 2
    assert wengert("no-such-command").returncode == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.py", None, "no such file"),
        ("missing.ipynb", None, "no such file"),
        ("program.txt", "", "neither a program (.py) nor a notebook (.ipynb)"),
        ("folder.py", Path, "is a directory"),
        ("folder.ipynb", Path, "is a directory"),
        ("broken.ipynb", "{", "is not JSON, so no notebook"),
        ("latin.ipynb", b"\xe9", "is not UTF-8 text, so no notebook"),
        ("list.ipynb", "[]", "is JSON, but no notebook"),
        ("old.ipynb", '{"nbformat": 3, "worksheets": []}', "is a notebook of format 3; wengert reads format 4"),
        ("new.ipynb", '{"nbformat": 5, "cells": []}', "newer than format 4"),
        ("empty.ipynb", '{"nbformat": 4}', "has no list of cells"),
        ("typeless.ipynb", '{"nbformat": 4, "cells": [{}]}', "cell 1 has no cell_type"),
        ("sourceless.ipynb", '{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "the source of cell 1"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path: Path, name: str, content: object, message: str) -> None:
    path = tmp_path / name
    if content is Path:
        path.mkdir()
    elif isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    done = wengert("run", path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"wengert: error: {path}: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.glob("*executed*")) == []


def test_a_program_takes_no_notebook_options(tmp_path: Path) -> None:
    done = wengert("run", "--allow-errors", program(tmp_path, "print(1)\n"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "are for notebooks" in done.stderr


def test_what_a_program_leaves_running_still_finds_torch(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        "import atexit, threading, time\n"
        "def late(who):\n"
        "    time.sleep(0.1)\n"
        "    import torch, __main__\n"
        "    print(who, torch.tensor(1.0), __main__.late is late)\n"
        "atexit.register(late, 'exit')\n"
        "threading.Thread(target=late, args=('thread',)).start()\n",
    )
    done = wengert("run", path)
    assert (done.stdout, done.stderr) == ("thread tensor(1.) True\nexit tensor(1.) True\n", "")
