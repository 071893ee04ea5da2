"""The page that walks through a graph: its steps, its numbers, and that nothing of the program can break out of it."""

import json
import re
from html.parser import HTMLParser
from itertools import islice
from typing import Any

import numpy as np
import pytest

import wengert
import wengert as torch
from op_cases import DIFFERENTIABLE, trials
from test_see_draw import neuron, random_graph
from wengert.engine.apply import apply
from wengert.ops.record import TABLE
from wengert.see.chain_rule import ChainRule
from wengert.see.explore import Exploration
from wengert.see.graph import read
from wengert.see.replay import replay


def data_of(page: Exploration) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.html(), re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def told(page: Exploration, phase: str) -> dict[str, list[str]]:
    """For each step of a phase its title and what it tells."""
    return {
        step["title"]: [text for _, text in step["lines"]] for step in data_of(page)["steps"] if step["phase"] == phase
    }


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_neuron_forward() -> None:
    loss = neuron()
    steps = told(wengert.explore(loss), "forward")
    assert list(steps)[:4] == [
        "v1 = w·x",
        "z = v1 + b",
        "y_pred = sigmoid(z)",
        "prediction = clamp(y_pred, 1e−08, 0.99999999)",
    ]
    assert steps["v1 = w·x"][:3] == ["w = 1", "x = 6.7", "v1 = 6.7"]


def test_the_neuron_backward_has_the_chain_rule_with_formulas_and_numbers() -> None:
    loss = neuron()
    steps = told(wengert.explore(loss), "backward")
    sigmoid = steps["back through y_pred = sigmoid(z)"]
    assert "dloss/dz = dloss/dy_pred · dy_pred/dz" in sigmoid
    assert "dy_pred/dz = y_pred(1 − y_pred) = 0.001228" in sigmoid
    last = steps["back through v1 = w·x"]
    assert "dv1/dw = x = 6.7" in last
    assert "dloss/dw = 0.9988 · 6.7 = 6.6918" in last


def test_ways_are_added_up() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    a = x * 3
    b = x.exp()
    y = a + b
    steps = told(wengert.explore(y), "backward")
    texts = [text for lines in steps.values() for text in lines]
    assert "1 more way to x will be added" in texts
    assert "dy/dx = 7.3891 + 3 = 10.3891" in texts


def test_folded_ways_are_not_forgotten() -> None:
    w = torch.tensor(0.5, requires_grad=True)
    h = torch.tensor(1.0, requires_grad=True)
    for _ in range(9):
        h = torch.sin(h * w)
    h.backward()
    texts = [text for lines in told(wengert.explore(h), "backward").values() for text in lines]
    (total,) = [text for text in texts if text.startswith("with 8 folded ways: dh/dw = ")]
    assert float(total.rpartition(" ")[2].replace("−", "-")) == pytest.approx(w.grad.item(), rel=1e-3)


def test_it_is_the_same_after_backward() -> None:
    loss = neuron()
    before = told(wengert.explore(loss), "backward")
    loss.backward()
    assert told(wengert.explore(loss), "backward") == before


def test_each_step_back_names_the_nodes_that_get_a_gradient() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    k = torch.tensor([3.0, 4.0])
    y = (x * k).sum()
    data = data_of(wengert.explore(y))
    backward = [step for step in data["steps"] if step["phase"] == "backward"]
    names = [[data["nodes"][key]["name"] for key in step["reached"]] for step in backward]
    assert names == [["v1"], ["x"]]


def test_the_source_is_shown_with_the_line_marked() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    step = data_of(wengert.explore(y))["steps"][0]
    excerpt = step["excerpt"]
    marked = excerpt["lines"][excerpt["marked"][0] - excerpt["first"]]
    assert marked.strip() == "y = x**2"
    assert excerpt["where"].startswith("test_see_explore.py:")


def test_tensors_matrices_and_several_results() -> None:
    w = torch.ones(3, 2, requires_grad=True)
    x = torch.ones(4, 3)
    h = x @ w
    top, where = h.max(0)
    y = top.sum()
    page = wengert.explore(y)
    backward = told(page, "backward")
    assert any("dy/dw = x^T @ (dy/dh)" in text for lines in backward.values() for text in lines)
    assert where.shape == (2,)
    assert len(data_of(wengert.explore([h, y]))["steps"]) == 6


def test_folded_graphs_have_a_step_for_each_node_that_is_shown() -> None:
    y = random_graph(400, 1)
    page = wengert.explore(y, max_nodes=30)
    data = data_of(page)
    shown = [key for key, node in data["nodes"].items() if node["kind"] not in ("leaf", "constant", "sources")]
    assert [step["key"] for step in data["steps"]] == [*shown, *reversed(shown)]


@pytest.mark.slow
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_numbers_of_every_operation_are_those_of_backward(name: str) -> None:
    """What a step back says that an operation adds to a gradient is what its rule adds; and each page can be made."""
    for trial in islice(trials(name), 2):
        tensors = [torch.tensor(np.asarray(x)) if hasattr(x, "dtype") else x for x in trial.inputs]
        for slot in trial.tracked:
            tensors[slot].requires_grad_()
        if not trial.tracked:
            continue
        made = apply(TABLE[name], *tensors, **trial.meta)
        results = [t for t in (made if isinstance(made, tuple) else (made,)) if t.requires_grad]
        graph = read(results[0])
        replayed = replay(graph)
        added: dict[Any, list[Any]] = {}
        for operation in graph.operations:
            for one in ChainRule(graph, replayed).pulled(operation):
                added.setdefault(one.value, []).append(one.added)
        for value, parts in added.items():
            if all(part is not None for part in parts) and replayed.gradient(value) is not None:
                np.testing.assert_allclose(sum(parts), replayed.gradient(value), rtol=1e-5, atol=1e-7)
        assert wengert.explore(results).html()


class TestTheDocument:
    def test_it_loads_nothing(self) -> None:
        parser = Elements()
        parser.feed(wengert.explore(neuron()).html())
        for tag, attributes in parser.tags:
            assert tag not in ("link", "iframe", "object", "embed", "base", "img")
            assert not {"src", "href"} & attributes.keys()
        assert [attributes for tag, attributes in parser.tags if tag == "script"] == [
            {"type": "application/json", "id": "data"},
            {},
        ]
        (policy,) = [a["content"] for tag, a in parser.tags if tag == "meta" and "http-equiv" in a]
        assert policy is not None
        assert policy.startswith("default-src 'none'")
        assert "script-src 'sha256-" in policy

    @pytest.mark.parametrize(
        "name", ["</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<!--", "%%DATA%%"]
    )
    def test_hostile_names(self, name: str) -> None:
        holder = {name: torch.ones(2, requires_grad=True)}
        y = holder[name].sum()
        page = wengert.explore(y)
        parser = Elements()
        parser.feed(page.html())
        tags = [tag for tag, _ in parser.tags]
        assert tags.count("script") == 2
        assert "img" not in tags
        names = {node["name"] for node in data_of(page)["nodes"].values()}
        assert f"holder[{name!r}]" in names or any(repr(name)[:20] in shown for shown in names)

    def test_jupyter_shows_it_in_a_frame_that_reaches_nothing(self) -> None:
        page = wengert.explore(neuron())
        parser = Elements()
        parser.feed(page._repr_html_())
        ((tag, attributes),) = parser.tags
        assert tag == "iframe"
        assert attributes["sandbox"] == "allow-scripts"
        assert attributes["srcdoc"] == page.html()

    def test_files(self, tmp_path: Any) -> None:
        page = wengert.explore(neuron())
        assert page.save(tmp_path / "page.html").read_text(encoding="utf-8") == page.html()
        with pytest.raises(ValueError, match=r"expected a file with the suffix .html, but got 'page.svg'"):
            page.save("page.svg")

    def test_options(self) -> None:
        x = torch.ones(2, requires_grad=True)
        assert 'data-theme="dark"' in wengert.explore(x, theme="dark").html()
        with pytest.raises(ValueError, match="expected theme to be one of auto, light, dark, but got 'blue'"):
            wengert.explore(x, theme="blue")
        with pytest.raises(ValueError, match="has no graph"):
            wengert.explore(torch.ones(2))
