"""Pictures and pages in a real Chromium: the texts' true boxes, and what keys, buttons and the pointer do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wengert
import wengert as torch
from browser import chromium
from test_see_draw import Block, neuron, random_graph
from wengert import nn

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page without a network, on which no error may occur."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True, color_scheme="light")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
    yield opened
    context.close()
    assert errors == []


# What overlaps or crosses in an SVG as the browser has laid it out, in words.
FAULTS = """
() => {
  const faults = [];
  const box = (element) => element.getBoundingClientRect();
  const overlap = (a, b, by) =>
    a.left < b.right - by && b.left < a.right - by && a.top < b.bottom - by && b.top < a.bottom - by;
  const nodes = [...document.querySelectorAll("svg .node")];
  const texts = [...document.querySelectorAll("svg text")].filter((text) => text.textContent.trim());
  const boxes = texts.map(box);
  const cells = new Map();
  const near = (x, y) => `${Math.floor(x / 60)}:${Math.floor(y / 60)}`;
  boxes.forEach((b, index) => {
    for (let x = b.left; ; x = Math.min(b.right, x + 60)) {
      for (let y = b.top; ; y = Math.min(b.bottom, y + 60)) {
        const key = near(x, y);
        if (!cells.has(key)) cells.set(key, new Set());
        cells.get(key).add(index);
        if (y >= b.bottom) break;
      }
      if (x >= b.right) break;
    }
  });
  for (const node of nodes) {
    const shapes = [...node.querySelectorAll("rect")].map(box);
    for (const text of node.querySelectorAll("text")) {
      const b = box(text);
      const inside = shapes.some((s) => s.left <= b.left + 0.5 && b.right <= s.right + 0.5);
      if (!inside) faults.push(`${text.textContent} leaves its node`);
    }
  }
  for (const cell of cells.values()) {
    const inside = [...cell];
    inside.forEach((i, at) => inside.slice(at + 1).forEach((j) => {
      // Lines of text may share a pixel row of their line boxes, not more.
      if (overlap(boxes[i], boxes[j], 2)) faults.push(`${texts[i].textContent} overlaps ${texts[j].textContent}`);
    }));
  }
  for (const path of document.querySelectorAll("svg path.line")) {
    const matrix = path.getScreenCTM();
    const length = path.getTotalLength();
    for (let at = 0; at <= length; at += 3) {
      const p = path.getPointAtLength(at).matrixTransform(matrix);
      for (const index of cells.get(near(p.x, p.y)) ?? []) {
        const b = boxes[index];
        if (b.left + 1 < p.x && p.x < b.right - 1 && b.top + 2 < p.y && p.y < b.bottom - 2) {
          faults.push(`a line crosses ${texts[index].textContent}`);
        }
      }
    }
  }
  return [...new Set(faults)];
}
"""


def modules() -> torch.Tensor:
    model = nn.Sequential(nn.Linear(4, 4), *[Block() for _ in range(3)])
    return model(torch.ones(3, 4)).sum()


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize(
    "make",
    [neuron, modules, *[lambda n=n: random_graph(n, 0) for n in (10, 100, 1000)]],
    ids=["neuron", "modules", "10", "100", "1000"],
)
def test_no_text_overlaps_or_is_crossed(page: Any, make: Any, direction: str) -> None:
    y = make()
    page.set_content(wengert.draw(y, direction=direction, fold=False, max_nodes=None).svg())
    assert page.evaluate(FAULTS) == []


def test_the_check_finds_what_it_is_for(page: Any) -> None:
    page.set_content(wengert.draw(neuron()).svg().replace(">z<", ">a text that is much too long for its node<"))
    faults = page.evaluate(FAULTS)
    assert any("leaves its node" in fault for fault in faults)


@pytest.fixture
def walk(page: Any, tmp_path: Path) -> Any:
    loss = neuron()
    page.goto(wengert.explore(loss).save(tmp_path / "page.html").as_uri())
    return page


def where(page: Any) -> str:
    return str(page.inner_text("#where"))


class TestWalk:
    def test_keys_step_forward_and_back(self, walk: Any) -> None:
        assert where(walk) == "forward 1 of 11"
        assert walk.inner_text("#title") == "v1 = w·x"
        walk.keyboard.press("ArrowRight")
        assert walk.inner_text("#title") == "z = v1 + b"
        walk.keyboard.press("ArrowLeft")
        assert where(walk) == "forward 1 of 11"
        walk.keyboard.press("End")
        assert where(walk) == "backward 11 of 11"
        assert "dloss/dw = 0.9988 · 6.7 = 6.6918" in walk.inner_text("#lines")
        walk.keyboard.press("Home")
        assert where(walk) == "forward 1 of 11"

    def test_buttons(self, walk: Any) -> None:
        assert walk.is_disabled("#back")
        walk.click("#next")
        assert where(walk) == "forward 2 of 11"
        walk.click("#last")
        assert walk.is_disabled("#next")
        walk.click("#back")
        assert where(walk) == "backward 10 of 11"
        walk.click("#first")
        assert where(walk) == "forward 1 of 11"

    def test_play_and_pause(self, page: Any, tmp_path: Path) -> None:
        page.clock.install()
        page.goto(wengert.explore(neuron()).save(tmp_path / "page.html").as_uri())
        page.keyboard.press(" ")
        assert page.inner_text("#play") == "❚❚ pause"
        page.clock.run_for(3100)
        assert where(page) == "forward 3 of 11"
        page.keyboard.press(" ")
        page.clock.run_for(5000)
        assert where(page) == "forward 3 of 11"
        page.click("#play")
        page.clock.run_for(60_000)
        assert where(page) == "backward 11 of 11"
        assert page.inner_text("#play") == "▶ play"

    def test_what_lies_ahead_is_pale_and_gradients_appear_on_the_way_back(self, walk: Any) -> None:
        pale = "document.querySelectorAll('.node.ahead').length"
        visible = "t => getComputedStyle(t).visibility === 'visible'"
        shown = f"[...document.querySelectorAll('.gradient')].filter({visible}).length"
        assert walk.evaluate(pale) == 10
        assert walk.evaluate(shown) == 0
        for _ in range(10):
            walk.keyboard.press("ArrowRight")
        assert walk.evaluate(pale) == 0
        assert walk.evaluate(shown) == 0
        walk.keyboard.press("ArrowRight")
        assert walk.evaluate(shown) == 2  # the result's own, and that of its operand
        walk.keyboard.press("End")
        assert walk.evaluate(shown) == 13

    def test_the_line_of_the_program_is_marked(self, walk: Any) -> None:
        assert walk.inner_text("#code .marked").endswith("z = w * x + b")
        assert "test_see_draw.py" in walk.inner_text("#place")

    def test_hovering_tells_of_a_node(self, walk: Any) -> None:
        assert walk.is_hidden("#tip")
        walk.hover(".node.leaf")
        assert walk.is_visible("#tip")
        assert "leaf w scalar float32" in walk.inner_text("#tip")

    def test_a_click_goes_to_the_step_of_a_node(self, walk: Any) -> None:
        walk.click("#fit")
        walk.click(".node:has-text('y_pred') .value")
        assert walk.inner_text("#title") == "y_pred = sigmoid(z)"
        walk.keyboard.press("End")
        walk.click(".node:has-text('y_pred') .value")
        assert walk.inner_text("#title") == "back through y_pred = sigmoid(z)"

    def test_search(self, walk: Any) -> None:
        walk.keyboard.press("/")
        walk.keyboard.type("log")
        assert walk.inner_text("#found") == "1/2"
        assert walk.evaluate("document.querySelectorAll('.node.found').length") == 2
        walk.keyboard.press("Enter")
        assert walk.inner_text("#found") == "2/2"
        walk.keyboard.press("Escape")
        assert walk.evaluate("document.querySelectorAll('.node.found').length") == 0
        walk.keyboard.press("ArrowRight")
        assert where(walk) == "forward 2 of 11"

    def test_zoom_and_pan(self, walk: Any) -> None:
        width = "document.querySelector('#canvas svg').viewBox.baseVal.width"
        before = walk.evaluate(width)
        walk.keyboard.press("+")
        assert walk.evaluate(width) == pytest.approx(before / 1.25, rel=1e-3)
        walk.mouse.move(400, 400)
        walk.mouse.wheel(0, 400)
        walk.wait_for_function(f"{width} > {before / 1.25 + 1}")
        left = "document.querySelector('#canvas svg').viewBox.baseVal.x"
        at = walk.evaluate(left)
        walk.mouse.down()
        walk.mouse.move(300, 380, steps=4)
        walk.mouse.up()
        assert walk.evaluate(left) > at
        assert where(walk) == "forward 1 of 11"  # a drag is no click
        walk.keyboard.press("0")
        height = walk.evaluate("document.querySelector('#canvas svg').viewBox.baseVal.height")
        assert height >= wengert.draw(neuron())._placed.height

    def test_light_and_dark(self, walk: Any) -> None:
        colour = "getComputedStyle(document.body).backgroundColor"
        assert walk.evaluate(colour) == "rgb(255, 255, 255)"
        walk.keyboard.press("t")
        assert walk.evaluate(colour) == "rgb(20, 24, 29)"
        walk.keyboard.press("t")
        walk.emulate_media(color_scheme="dark")
        assert walk.evaluate(colour) == "rgb(255, 255, 255)"  # chosen by hand
        walk.reload()
        assert walk.evaluate(colour) == "rgb(20, 24, 29)"

    def test_the_page_never_scrolls_sideways(self, walk: Any) -> None:
        for width in (1280, 800, 420):
            walk.set_viewport_size({"width": width, "height": 700})
            assert walk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_thousand_nodes_can_be_walked_through(page: Any, tmp_path: Path) -> None:
    y = random_graph(1000, 0)
    page.goto(wengert.explore(y, max_nodes=None, fold=False).save(tmp_path / "page.html").as_uri())
    assert where(page) == "forward 1 of 1001"
    size = page.evaluate("getComputedStyle(document.querySelector('.node.current .name')).fontSize")
    scale = page.evaluate("document.querySelector('#canvas svg').getScreenCTM().a")
    assert float(size.removesuffix("px")) * scale >= 11  # large enough to read without zooming
    inside = """() => {
      const node = document.querySelector(".node.current").getBoundingClientRect();
      const canvas = document.querySelector("#canvas").getBoundingClientRect();
      return node.left >= canvas.left && node.right <= canvas.right && node.top >= canvas.top &&
        node.bottom <= canvas.bottom;
    }"""
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowLeft"):
        page.keyboard.press(key)
        assert page.evaluate(inside)


def test_hostile_names_run_nothing(page: Any, tmp_path: Path) -> None:
    holder = {"<img src=x onerror=alert(1)>": torch.ones(2, requires_grad=True), "</script>": torch.ones(2)}
    y = (holder["<img src=x onerror=alert(1)>"] * holder["</script>"]).sum()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(wengert.explore(y).save(tmp_path / "page.html").as_uri())
    page.hover(".node.leaf")
    assert "onerror" in page.inner_text("#tip")
    assert page.evaluate("document.querySelectorAll('img').length") == 0


def test_inside_jupyter(page: Any) -> None:
    """The frame of the notebook is its own world: no script of it reaches the page around."""
    page.set_content(wengert.explore(neuron())._repr_html_())
    frame = page.frame_locator("iframe")
    assert frame.locator("#where").inner_text() == "forward 1 of 11"
    frame.locator("#next").click()
    assert frame.locator("#title").inner_text() == "z = v1 + b"


def test_pictures_follow_the_system_or_what_was_asked_for(page: Any) -> None:
    picture = wengert.draw(neuron())
    fill = "getComputedStyle(document.querySelector('.ground')).fill"
    for theme, scheme, expected in [
        ("auto", "light", "rgb(255, 255, 255)"),
        ("auto", "dark", "rgb(20, 24, 29)"),
        ("light", "dark", "rgb(255, 255, 255)"),
        ("dark", "light", "rgb(20, 24, 29)"),
    ]:
        page.emulate_media(color_scheme=scheme)
        page.set_content(picture.svg(theme))
        assert page.evaluate(fill) == expected
