"""Tensors that show their graphs in Jupyter, on request."""

import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

import wengert as torch
from wengert.cli.notebook.representations import representations


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    torch.show_graphs(False)


def _result() -> Any:
    x = torch.tensor(3.0, requires_grad=True)
    return x * x


def test_a_tensor_with_a_graph_is_a_picture() -> None:
    torch.show_graphs()
    assert _result()._repr_svg_().startswith("<svg")
    assert "image/svg+xml" in representations(_result())


def test_others_are_printed() -> None:
    torch.show_graphs()
    assert torch.ones(2)._repr_svg_() is None
    assert set(representations(torch.ones(2))) == {"text/plain"}
    assert set(representations(torch.ones(2, requires_grad=True))) == {"text/plain"}


def test_settings_are_those_of_pictures() -> None:
    torch.show_graphs(theme="dark")
    dark = _result()._repr_svg_()
    torch.show_graphs(theme="light")
    assert dark != _result()._repr_svg_()
    with pytest.raises(TypeError, match="colour"):
        torch.show_graphs(colour="red")


def test_nothing_is_shown_unasked() -> None:
    assert not hasattr(_result(), "_repr_svg_")
    torch.show_graphs()
    torch.show_graphs(False)
    torch.show_graphs(False)
    assert not hasattr(_result(), "_repr_svg_")


def test_the_picture_names_the_notebooks_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.slope = torch.tensor(2.0, requires_grad=True)  # type: ignore[attr-defined]
    main.height = main.slope * 3.0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)
    torch.show_graphs()
    picture = main.height._repr_svg_()
    assert ">slope</text>" in picture
    assert ">height</text>" in picture
