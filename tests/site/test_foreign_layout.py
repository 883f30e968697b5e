"""Pages of modules as others write them: nothing lies over something else, or is out of reach, at any width."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from cdn import Cdn
from columns import NO_GUESS
from playwright.sync_api import Browser, Page
from servers import serving
from site_fixtures import QuietHandler

import pylit

LONG = "Words that go on for a line or so, and then for another one. " * 6
SOURCE = f'''"""Module.

- [x] done

- [ ] not done

Then $${" + ".join(f"a_{n}b_{n}c_{n}" for n in range(30))}$$ and more.
"""


class ALayerWithAVeryLongNameOfManyWords:
    """A layer.

    # Example

    ```python
    layer = ALayerWithAVeryLongNameOfManyWords(3)
    ```

    # Arguments
        units: {LONG}
        activation: {LONG}

    # References
        {LONG}
    """

    def a_method_with_a_long_name_of_many_words(self):
        "Do it."
'''
CROSSING = """() => {
    const ink = (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
    };
    const found = [];
    for (const text of document.querySelectorAll("main :is(p, dt, dd, li, h2)")) {
        if (text.closest(".side, .formula, .katex") || text.querySelector(".formula")) continue;
        const code = text.closest(".row")?.querySelector(".code-box")?.getBoundingClientRect();
        const edge = code && code.left > 200 ? code.left : innerWidth;
        const left = document.querySelector("main").getBoundingClientRect().left + 12;
        for (const box of ink(text)) {
            if (box.right > edge || box.left < left) found.push([text.textContent, box.left, box.right]);
        }
    }
    return found;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "tree").mkdir()
    (folder / "tree/layers.py").write_text(SOURCE, "utf-8")
    (folder / "tree/other.py").write_text("x = 1\n", "utf-8")
    report = pylit.render(folder / "tree", folder / "pages", jobs=1, cache="", search=False)
    assert list(report.problems) == []
    with serving(partial(QuietHandler, directory=str(folder / "pages"))) as served:
        yield f"{served}layers.html"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context()
    Cdn(context)
    found = context.new_page()
    found.goto(address)
    found.evaluate(NO_GUESS)
    yield found
    context.close()


@pytest.mark.parametrize("width", [390, 800, 1000, 1440, 2560])
def test_text_keeps_to_its_column(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(CROSSING) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_task_stands_beside_its_box(page: Page) -> None:
    box, words = (
        page.locator("li input").first.bounding_box(),
        page.get_by_text("done", exact=True).bounding_box(),
    )
    assert box and words and abs(box["y"] + box["height"] / 2 - words["y"] - words["height"] / 2) < 6


def test_the_way_to_all_pages_stands_beside_the_name_of_the_site(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    home, tree = (
        page.locator(".crumbs a").first.bounding_box(),
        page.locator(".tree > summary").bounding_box(),
    )
    assert home and tree and tree["x"] >= home["x"] + home["width"] and abs(tree["y"] - home["y"]) < 20


def test_names_in_the_contents_break_between_words(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    lines = page.locator("nav.toc code").first.evaluate("""(code) => {
        const range = document.createRange(), found = [];
        for (const node of [...code.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
            range.selectNodeContents(node);
            found.push(range.getClientRects().length);
        }
        return found;
    }""")
    assert len(lines) == 10 and set(lines) == {1}
