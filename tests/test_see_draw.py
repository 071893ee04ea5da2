"""Pictures of graphs: what they show, in every form, and that nothing in them overlaps."""

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import wengert
import wengert as torch
from pictures import faults
from wengert import nn
from wengert.see.drawing import Drawing
from wengert.see.placed import Placed

SVG = "{http://www.w3.org/2000/svg}"
WITH_PNG = importlib.util.find_spec("resvg_py") is not None


def neuron() -> torch.Tensor:
    def binary_loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        epsilon = 1e-8
        prediction = torch.clamp(prediction, epsilon, 1 - epsilon)
        return -(target * torch.log(prediction) + (1 - target) * torch.log(1 - prediction))

    x, y = torch.tensor(6.7), torch.tensor(0.0)
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    z = w * x + b
    y_pred = torch.sigmoid(z)
    return binary_loss(y_pred, y)


def random_graph(operations: int, seed: int) -> torch.Tensor:
    r = random.Random(seed)
    pool = [torch.tensor(r.uniform(0.5, 1.5), requires_grad=True) for _ in range(4)]
    total = pool[0] * 1.5
    for _ in range(operations // 2):
        a, b = [pool[-1 - min(len(pool) - 1, int(r.expovariate(0.2)))] for _ in range(2)]
        made = r.choice([lambda a, b: a.tanh(), torch.add, torch.mul, torch.sub, lambda a, b: b.sigmoid()])(a, b)
        if r.random() < 0.15:
            pool.append(torch.tensor(r.uniform(0.5, 1.5), requires_grad=True))
        pool.append(made)
        total = total + made
    return total


def placed(drawing: Drawing) -> Placed:
    return drawing._placed


def texts(document: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}text")]


def tips(document: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}title")]


def kinds(drawing: Drawing) -> dict[str, str]:
    return {item.name: item.kind for item in drawing._diagram.items() if item.name}


def test_the_neuron_of_the_notebook() -> None:
    loss = neuron()
    shown = texts(wengert.draw(loss).svg())
    for name in ("w", "x", "b", "z", "y_pred", "prediction", "loss"):
        assert name in shown
    for text in (
        "6.7",
        "0.9988",
        "6.7012",
        "grad 6.6918",
        "grad 0.9988",
        "sigmoid",
        "clamp 1e−08 … 0.99999999",
        "1 −",
    ):
        assert text in shown
    loss.backward()
    assert "grad 6.6918" in texts(wengert.draw(loss).svg())


def test_leaves_constants_results_and_roots_are_told_apart() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    product = w * x
    y = product.sum()
    drawing = wengert.draw(y)
    assert kinds(drawing) == {"w": "leaf", "x": "constant", "product": "result", "y": "root"}
    groups = [g.get("class") for g in ElementTree.fromstring(drawing.svg()).iter(f"{SVG}g")]
    assert [g for g in groups if g and g.startswith("node")] == [
        "node leaf",
        "node constant",
        "node result",
        "node root",
    ]


def test_source_lines_shapes_dtypes_and_saved_values_stand_in_the_tips() -> None:
    w = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    y = w.exp().sum()
    document = wengert.draw(y).svg()
    tip = next(tip for tip in tips(document) if tip.startswith("ExpBackward0"))
    assert "test_see_draw.py:" in tip
    assert "y = w.exp().sum()" in tip
    assert "keeps for backward: result 3×2 float64, 48 B" in tip
    assert "3×2" in texts(document)
    assert any("all float64" in text and "48 B kept for backward" in text for text in texts(document))


def test_a_value_used_twice_has_two_lines() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    assert len(placed(wengert.draw(y)).lines) == 2


def test_what_is_shown_can_be_chosen() -> None:
    x = torch.tensor([2.0, 5.0], requires_grad=True)
    y = (x**2).sum()
    bare = texts(wengert.draw(y, values=False, gradients=False, shapes=False, saved=False, legend=False).svg())
    assert bare == ["x", "^ 2", "sum", "y"]


def test_nothing_of_the_program_is_changed() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    calls: list[int] = []
    x.register_hook(lambda g: calls.append(1))
    y = x * 3
    y.backward()
    before = x.grad.clone()
    wengert.draw(y).svg()
    assert x.grad == before
    assert calls == [1]


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize(("operations", "seeds"), [(10, 8), (100, 4), pytest.param(1000, 1, marks=pytest.mark.slow)])
def test_nothing_overlaps_and_no_line_crosses_a_text(operations: int, seeds: int, direction: str) -> None:
    for seed in range(seeds):
        y = random_graph(operations, seed)
        for options in ({"fold": False, "max_nodes": None}, {"max_nodes": 40}):
            picture = placed(wengert.draw(y, direction=direction, **options))
            assert faults(picture) == []
            if options["max_nodes"] is None:
                assert len(picture.cards) >= operations
            else:
                assert len(picture.cards) < 120


def test_the_checks_of_pictures_find_what_they_are_for() -> None:
    picture = placed(wengert.draw(random_graph(30, 0)))
    assert faults(picture) == []
    first, second = picture.cards[3], picture.cards[7]
    at = first.x, first.y
    first.x, first.y = second.x + 3, second.y + 3
    found = faults(picture)
    assert any("overlap" in fault for fault in found)
    (x0, y0), (x1, y1) = picture.lines[-1].points[:2]
    first.x, first.y = (x0 + x1 - first.card.width) / 2, (y0 + y1 - first.card.height) / 2
    assert any("crosses" in fault for fault in faults(picture))
    first.x, first.y = at
    first.card.words[0].y += 300
    assert any("leaves card" in fault for fault in faults(picture))


def test_the_same_graph_is_always_the_same_text() -> None:
    program = "import wengert as t; x = t.ones(3, requires_grad=True); y = (x.exp() * x).sum(); print(t.draw(y).svg())"
    runs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


class TestFolding:
    def test_the_body_of_a_loop_is_shown_once(self) -> None:
        w = torch.tensor(0.9, requires_grad=True)
        h = torch.tensor(0.5, requires_grad=True)
        for _ in range(12):
            a = h * w
            h = torch.tanh(a)
        drawing = wengert.draw(h)
        (box,) = placed(drawing).frames
        assert box.title.startswith("× 12")
        assert len(placed(drawing).cards) == 4
        assert len(placed(wengert.draw(h, fold=False)).cards) == 26
        assert faults(placed(drawing)) == []

    def test_loops_in_loops(self) -> None:
        w = torch.tensor(0.9, requires_grad=True)
        h = w
        for _ in range(5):
            for _ in range(4):
                h = torch.tanh(h * w)
            h = h + 1
        outer, inner = placed(wengert.draw(h)).frames
        assert (outer.title[:3], inner.title[:3]) == ("× 5", "× 4")

    def test_each_time_with_leaves_of_its_own(self) -> None:
        weights = [torch.ones(2, 2, requires_grad=True) for _ in range(6)]
        h = torch.ones(2, 2)
        for weight in weights:
            h = torch.relu(h @ weight)
        h = h.sum()
        drawing = wengert.draw(h)
        notes = [text for item in drawing._diagram.items() for style, text in item.facts if style == "note"]
        assert "one of 6" in notes
        assert len([item for item in drawing._diagram.items() if item.kind == "leaf"]) == 1

    def test_what_is_not_repeated_is_not_folded(self) -> None:
        assert all(frame.frame.kind != "repeat" for frame in placed(wengert.draw(neuron())).frames)

    def test_a_limit_on_nodes(self) -> None:
        y = random_graph(400, 1)
        drawing = wengert.draw(y, max_nodes=30)
        assert len(placed(drawing).cards) <= 60
        assert any(item.kind == "closed" for item in drawing._diagram.items())
        counted = [text for item in drawing._diagram.items() for _, text in item.facts if "operation" in text]
        shown = sum(int(text.split()[0].replace(",", "")) for text in counted)
        assert shown + len([i for i in drawing._diagram.items() if i.kind in ("result", "root")]) >= 400

    @pytest.mark.slow
    def test_a_hundred_thousand_operations_are_summarised(self) -> None:
        x = torch.tensor(0.5, requires_grad=True)
        h = x
        for _ in range(50_000):
            h = torch.sin(h) * 1.01
        start = time.perf_counter()
        drawing = wengert.draw(h)
        drawing.svg()
        print(f"{time.perf_counter() - start:.1f} s")
        assert len(placed(drawing).cards) == 3
        assert placed(drawing).frames[0].title.startswith("× 50000")


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(4, 8)
        self.down = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(torch.relu(self.up(x)))


class TestBoxes:
    def test_functions(self) -> None:
        loss = neuron()
        doubled = 2 * loss
        titles = [frame.title for frame in placed(wengert.draw(doubled)).frames]
        assert "binary_loss" in titles
        assert placed(wengert.draw(doubled, boxes=False)).frames == []

    def test_modules_by_the_names_of_their_parameters(self) -> None:
        model = nn.Sequential(nn.Linear(2, 4), Block(), Block())
        y = model(torch.ones(3, 2)).sum()
        drawing = wengert.draw(y)
        titles = [frame.title for frame in placed(drawing).frames]
        assert titles == ["model", "model[0]", "model[1]", "up", "down", "model[2]", "up", "down"]
        inside = {frame.frame.title: [one.key for one in frame.frame.items] for frame in placed(drawing).frames}
        assert len(inside["model[1]"]) == 4  # up, relu, down, the sum
        assert faults(placed(drawing)) == []

    def test_equal_modules_in_a_row_are_one(self) -> None:
        model = nn.Sequential(*[Block() for _ in range(12)])
        y = model(torch.ones(3, 4)).sum()
        assert placed(wengert.draw(y)).frames[0].title == "model[0] × 12 · first shown"


class TestHostileNames:
    NAME = '<script>alert(\'"&\\x00]]>")</script>'

    def test_svg_is_well_formed_and_runs_nothing(self) -> None:
        holder = {self.NAME: torch.ones(2, requires_grad=True)}
        y = holder[self.NAME].sum()
        document = wengert.draw(y).svg()
        assert "<script" not in document
        assert any("<script>" in tip for tip in tips(document))

    def test_dot_and_mermaid_are_quoted(self) -> None:
        holder = {'"] -> x [label="<b>': torch.ones(2, requires_grad=True)}
        y = next(iter(holder.values())).sum()
        drawing = wengert.draw(y)
        assert '\\"] -> x [label=\\"<b>' in drawing.dot()
        assert "<b>" not in drawing.mermaid()
        assert all(line.count('"') in (0, 2) for line in drawing.mermaid().splitlines())

    def test_long_and_wide_names_stay_in_their_cards(self) -> None:
        long = torch.ones(2, requires_grad=True)
        holder = {"a" * 38: long}
        del long
        y = next(iter(holder.values())).sum()
        wide = {"漢字の変数": (y * 2).requires_grad_()}
        assert faults(placed(wengert.draw(wide["漢字の変数"]))) == []


class TestForms:
    def test_text(self) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        assert wengert.draw(y).text() == "x = 3, grad 6\ny = ^ 2 (x) = 9, grad 1"
        assert str(wengert.draw(y)) == wengert.draw(y).text()

    def test_dot(self) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        lines = wengert.draw(y).dot().splitlines()
        assert lines[0] == "digraph {"
        assert '  "v0" -> "o0"' in lines

    def test_mermaid(self) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        assert wengert.draw(y).mermaid().splitlines()[:4] == [
            "flowchart TB",
            '  v0(["x<br>3<br>grad 6"]):::leaf',
            '  o0[["#94; 2<br>y<br>9<br>grad 1"]]:::root',
            "  v0 --> o0",
        ]

    def test_files(self, tmp_path: Path) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        drawing = wengert.draw(y)
        for suffix in (".svg", ".dot", ".gv", ".mmd", ".md", ".txt"):
            path = drawing.save(tmp_path / f"picture{suffix}")
            assert path.read_text(encoding="utf-8")
        with pytest.raises(ValueError, match=r"expected a file with one of the suffixes .svg .* got 'picture.bmp'"):
            drawing.save("picture.bmp")

    def test_jupyter_shows_svg(self) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        drawing = wengert.draw(y)
        assert drawing._repr_svg_() == drawing.svg()
        assert repr(drawing) == "<drawing of 1 operation>"

    def test_themes(self) -> None:
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        drawing = wengert.draw(y)
        assert "prefers-color-scheme" in drawing.svg()
        light, dark = drawing.svg("light"), drawing.svg("dark")
        assert "prefers-color-scheme" not in light + dark
        assert "#14181d" in dark
        assert "#14181d" not in light

    @pytest.mark.skipif(not WITH_PNG, reason="needs the extra [see]")
    def test_png(self, tmp_path: Path) -> None:
        loss = neuron()
        drawing = wengert.draw(loss)
        picture = drawing.png(scale=1)
        assert picture[:8] == b"\x89PNG\r\n\x1a\n"
        width = int.from_bytes(picture[16:20], "big")
        assert abs(width - placed(drawing).width) < 60
        assert drawing.save(tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
        with pytest.raises(ValueError, match="expected a scale above 0"):
            drawing.png(scale=0)

    def test_png_without_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "resvg_py", None)
        x = torch.tensor(3.0, requires_grad=True)
        y = x**2
        with pytest.raises(ImportError, match=r"pip install 'wengert\[see\]'"):
            wengert.draw(y).png()


class TestArguments:
    def test_what_is_no_graph(self) -> None:
        with pytest.raises(ValueError, match="has no graph"):
            wengert.draw(torch.ones(2))
        with pytest.raises(TypeError, match="got int"):
            wengert.draw([3])

    def test_options(self) -> None:
        x = torch.ones(2, requires_grad=True)
        with pytest.raises(ValueError, match="expected direction to be one of down, right, but got 'up'"):
            wengert.draw(x, direction="up")
        with pytest.raises(ValueError, match="expected theme"):
            wengert.draw(x).svg(theme="blue")
        with pytest.raises(ValueError, match="at least 2"):
            wengert.draw(x, max_nodes=1)

    def test_a_leaf_alone_and_several_results(self) -> None:
        x = torch.ones(2, requires_grad=True)
        assert texts(wengert.draw(x, legend=False).svg()) == ["x", "[2]", "[1, 1]", "grad [1, 1]"]
        a, b = x.exp(), x.sin()
        assert kinds(wengert.draw([a, b])) == {"x": "leaf", "a": "root", "b": "root"}


def test_importing_wengert_loads_nothing_that_draws() -> None:
    program = "import sys, wengert; print([m for m in sys.modules if m.startswith('wengert.see')])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_a_loop_whose_first_round_is_built_otherwise() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    h, target, loss = torch.ones(3, 4), torch.zeros(3, 4), 0.0
    for step in range(100):
        h = h + 0.1 * model(h)
        if step % 10 == 0:
            loss = loss + ((h - target) ** 2).mean()
    assert "operations" in torch.draw(loss).svg()


def test_many_values_of_one_repeat_that_go_to_one_operation_are_one_line() -> None:
    w = torch.ones(3, requires_grad=True)
    y = torch.stack([torch.tanh((w * k).sum()) for k in range(1, 400)]).mean()
    assert torch.draw(y).dot().count("->") < 20


def test_a_result_in_a_later_time_of_a_repeat_is_shown_as_asked_for() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + 1
    (root,) = [one.card.item for one in placed(wengert.draw(y)).cards if one.card.item.kind == "root"]
    assert ("value", "the last: 61") in root.facts
