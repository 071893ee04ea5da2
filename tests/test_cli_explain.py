"""`wengert explain`: the derivation of a result of a program."""

from pathlib import Path

from command import wengert

PROGRAM = """\
import sys
import torch

w = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(1.0, requires_grad=True)
loss = (w * 3 + b) ** 2
print("computed", sys.argv[1:])
"""


def program(folder: Path, source: str = PROGRAM) -> Path:
    path = folder / "train.py"
    path.write_text(source, encoding="utf-8")
    return path


def test_a_result_is_explained_after_what_the_program_prints(tmp_path: Path) -> None:
    done = wengert("explain", "--target", "loss", program(tmp_path), "--", "one", "--two")
    assert done.stderr == ""
    assert done.stdout.startswith("computed ['one', '--two']\nloss = 49\n\nValues\n  w    = 2\n")
    assert "dloss/dw = 6(3w + b) = 42" in done.stdout
    assert "dloss/db = 2(3w + b) = 14" in done.stdout
    assert done.returncode == 0


def test_by_what_and_in_which_form(tmp_path: Path) -> None:
    path = program(tmp_path)
    done = wengert("explain", path, "--target", "loss", "--wrt", "b", "--format", "latex")
    assert "\\frac{\\partial \\mathit{loss}}{\\partial b} &= 14" in done.stdout
    assert "\\partial w" not in done.stdout
    done = wengert("explain", path, "--target", "loss", "--wrt", "b", "--wrt", "w", "--format", "markdown")
    assert "### $\\mathit{loss} = 49$" in done.stdout
    assert "\\partial w" in done.stdout


def test_after_an_error_the_result_is_looked_up_where_it_was_raised(tmp_path: Path) -> None:
    source = """\
import torch


def train(w):
    loss = w * w
    raise RuntimeError("stopped")


train(torch.tensor(3.0, requires_grad=True))
"""
    done = wengert("explain", program(tmp_path, source), "--target", "loss")
    assert "RuntimeError: stopped" in done.stderr
    assert "dloss/dw = 2w = 6" in done.stdout
    assert done.returncode == 1


def test_what_cannot_be_explained(tmp_path: Path) -> None:
    path = program(tmp_path)
    done = wengert("explain", path, "--target", "losss")
    assert done.returncode == 2
    assert "name 'losss' is not defined" in done.stderr
    done = wengert("explain", path, "--target", "sys.argv")
    assert done.returncode == 2
    assert "explain() takes a tensor, and got list" in done.stderr
    done = wengert("explain", tmp_path / "nothing.py", "--target", "loss")
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_options_stand_before_or_behind_the_file_and_the_programs_own_behind_two_dashes(tmp_path: Path) -> None:
    path = program(tmp_path)
    for order in (
        ("explain", path, "--target", "loss", "--", "one", "--target"),
        ("explain", "--target", "loss", path, "--", "one", "--target"),
        ("explain", path, "one", "--target", "loss", "--", "--target"),
    ):
        done = wengert(*order)
        assert done.stdout.startswith("computed ['one', '--target']\nloss = 49\n"), done.stderr
