"""The site as a reader meets it, in a real browser: what can be clicked, and what is there without scripts."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from columns import NO_GUESS
from conftest import BEGUN, COMPLETE
from playwright.sync_api import Page, expect
from sampling import EVERYTHING, thinned
from site_fixtures import Open, choose_language, resnet_line, words_and_code

from pylit.api import open_configuration, open_site

RESNET = ("resnet/index.html", "zh/resnet/index.html")
SITE = open_site(open_configuration(Path(__file__).parents[2] / "pyproject.toml"), is_kept=False)
ALL = [SITE.navigation.address(page, lang) for lang in ("en", *COMPLETE) for page in SITE.pages] + [
    "404.html"
]
BRIEF = sorted(
    (page.file for page in SITE.pages if page.file.endswith(".py")),
    key=lambda file: len(SITE.sources.source(file).lines),
)
SOME = [
    SITE.navigation.address(SITE.pages[SITE.navigation.by_file[file]], lang)
    for lang, files in BEGUN.items()
    for file in (*files, next(file for file in BRIEF if file not in files))
]
"""Of a language that has only begun, the pages that are translated, and a short one that is not."""


def violations(page: Page, *rules: str) -> str:
    """What Axe finds wrong, by some rules or by all. Telling what is right takes it longer than finding out."""
    options: dict[str, object] = {"preload": False, "resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    result = Axe().run(page, options=options)
    return result.generate_report() if result.violations_count else ""


@pytest.mark.parametrize("path", thinned(ALL + SOME, 40))
def test_accessible_quiet_and_within_the_screen(read: Open, address: str, path: str) -> None:
    """Axe finds no violation, nothing is wider than the screen, no error, no request but KaTeX's."""
    for width in (1440, 390):
        reader = read(path, width=width)
        page = reader.page
        page.wait_for_load_state()
        page.evaluate(NO_GUESS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not reader.errors
        assert all(url.startswith((address, "data:")) for url in reader.requests)
        assert not violations(page), width
        page.emulate_media(color_scheme="dark")  # nothing but the colours is another
        assert not violations(page, "color-contrast"), (width, "dark")


@pytest.mark.parametrize("path", [*RESNET, "index.html", "guide/index.html"])
def test_targets_on_a_phone_are_large_enough(read: Open, path: str) -> None:
    assert not violations(read(path, width=390).page, "target-size")


def lit(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.lit:not(.chips *, .looks *)')]"
        ".map(e => e.closest('[id]:not(.l)').id + ' ' + e.textContent)"
    )
    return found


@pytest.mark.parametrize("path", RESNET)
def test_click_a_name_and_all_its_uses_light_up(read: Open, path: str) -> None:
    page = read(path).page
    name = page.locator("[id='ResidualBlock.forward'] .code [data-n]", has_text="shortcut").first
    name.click()
    found = lit(page)
    assert {text.split()[1] for text in found} == {"shortcut"}
    assert {text.split()[0].split(":")[0] for text in found} <= {
        "ResidualBlock.forward",
        "ResidualBlock.__init__",
        "ResidualBlock",
    }
    assert len(found) >= 2
    page.keyboard.press("Escape")
    assert lit(page) == []
    name.click()
    name.click()
    assert lit(page) == []


def test_a_click_beside_all_names_puts_the_light_out(read: Open) -> None:
    reader = read("resnet/index.html")
    reader.page.locator("[id='ResidualBlock.forward'] .code [data-n]", has_text="shortcut").first.click()
    assert lit(reader.page)
    reader.page.locator("h1").click()
    assert lit(reader.page) == []
    assert not reader.errors


@pytest.mark.parametrize("path", RESNET)
@pytest.mark.parametrize("katex", ["cold", "warm"])
def test_click_a_symbol_and_all_its_uses_light_up(read: Open, path: str, katex: str) -> None:
    page = read(path, katex=katex).page
    part = ".katex-html" if katex == "warm" else "math"
    symbol = page.locator(f".formula {part} [data-sym='W_s']:visible").first
    symbol.click()
    found = page.locator(".lit[data-sym='W_s']:visible").count()
    assert found == page.locator("[data-sym='W_s']:visible").count() >= 3
    assert page.locator(".katex .lit:not([data-sym='W_s'])").count() == 0
    page.keyboard.press("Escape")
    assert lit(page) == []


@pytest.mark.parametrize("path", RESNET)
def test_pointing_at_a_symbol_lights_up_its_code_and_the_other_way_round(read: Open, path: str) -> None:
    page = read(path).page
    page.locator(".formula math [data-sym='W_s']:visible").first.hover()
    names = page.locator(".lit[data-n]")
    assert set(names.all_text_contents()) == {"conv"}
    names.first.hover()
    assert page.locator("math .lit[data-sym='W_s']").count() >= 3
    page.mouse.move(1, 1)
    assert lit(page) == []


def test_a_plain_symbol_is_the_name_in_its_class(read: Open) -> None:
    page = read("resnet/index.html").page
    page.locator("[id='ResidualBlock.forward'] .code [data-n]", has_text="x").first.hover()
    expect(page.locator("math .lit[data-sym='x']").nth(3)).to_be_attached()
    rows = page.locator(".row:has(math .lit[data-sym='x'])")
    assert {row.get_attribute("data-in") for row in rows.all()} == {"ResidualBlock"}


def test_symbols_light_up_by_keyboard(read: Open) -> None:
    page = read("resnet/index.html").page
    name = page.locator("[id='ShortcutProjection'] [data-n][tabindex='0'], .code [role='button']").first
    name.focus()
    before = lit(page)
    assert before
    page.keyboard.press("Enter")
    page.locator(".skip").focus()
    assert lit(page) == before  # kept
    page.keyboard.press("Escape")
    assert lit(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_names_lead_to_their_definitions(read: Open, scripts: bool) -> None:
    page = read("zh/resnet/experiment.html", scripts=scripts).page
    link = page.locator(".code a:text-is('ResNetClassifier')").last
    assert (link.get_attribute("title") or "").startswith("ResNetClassifier(base, n_classes)\n")
    link.click()
    page.wait_for_url("**/zh/resnet/index.html#ResNetClassifier")
    users = page.locator("[id='ResNetClassifier'] .users a")
    assert "experiment.ResNetConfig.build" in users.all_text_contents()
    page.locator("[id='ResNetClassifier'] .users summary").press("Enter")
    users.filter(has_text="experiment.ResNetConfig.build").press("Enter")
    page.wait_for_url("**/zh/resnet/experiment.html#ResNetConfig.build")


def test_a_page_asks_no_other_host_for_anything(read: Open, address: str) -> None:
    reader = read("zh/resnet/index.html")
    reader.page.wait_for_load_state("networkidle")
    assert "katex.min.css" in reader.cdn.asked  # which is a copy on the site
    assert {urlsplit(url).netloc for url in reader.requests} == {urlsplit(address).netloc}


def test_theme_button_goes_round_and_is_remembered(read: Open) -> None:
    page = read("resnet/index.html").page
    button = page.locator("button.theme")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    button.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    button.click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark
    expect(button).to_have_attribute("aria-label", "Theme: dark")
    button.click()
    assert page.evaluate("document.documentElement.dataset.theme") is None
    assert page.evaluate(paper) == light


def test_copy_button_copies_without_line_numbers(read: Open) -> None:
    page = read("resnet/index.html").page
    row = page.locator("[id='ResidualBlock.residual']")
    row.hover()
    row.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("    def residual(\n        self, x: Float[Tensor, ")
    assert copied.endswith("        return x\n")
    expect(row.get_by_role("button", name="Copied")).to_be_visible()


SHAPES = "[id='ResidualBlock.residual'] .chips"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("path", thinned(RESNET, 2))
def test_shapes_stand_beside_the_code_until_they_are_switched_off(
    read: Open, path: str, scripts: bool
) -> None:
    page = read(path, scripts=scripts).page
    chips = page.locator(SHAPES)
    expect(chips.first).to_be_visible()
    chips.first.scroll_into_view_if_needed()
    expect(chips.first).to_have_text("x: 2×16×8×8", use_inner_text=True)
    switch = page.get_by_role("checkbox", name="形状" if path.startswith("zh/") else "Shapes")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(chips.first).to_be_hidden()
    switch.check()
    expect(chips.first).to_be_visible()


def test_switch_for_shapes_is_remembered(read: Open) -> None:
    page = read("resnet/index.html").page
    page.get_by_role("checkbox", name="Shapes").uncheck()
    choose_language(page, "中文")
    expect(page.locator("#shapes")).not_to_be_checked()
    expect(page.locator(SHAPES).first).to_be_hidden()
    page.reload()
    expect(page.locator(SHAPES).first).to_be_hidden()
    page.locator("#shapes").check()
    page.reload()
    expect(page.locator(SHAPES).first).to_be_visible()


def test_shapes_never_flash(read: Open) -> None:
    """Whether they are shown is decided before the page is painted, without waiting for the other script."""
    page = read("resnet/index.html").page
    page.get_by_role("checkbox", name="Shapes").uncheck()
    page.route("**/pylit.js", lambda route: route.abort())
    page.reload()
    expect(page.locator(SHAPES).first).to_be_hidden()


def test_shapes_are_off_on_a_phone_and_widen_no_code(read: Open) -> None:
    page = read("resnet/index.html", width=390).page
    expect(page.locator(SHAPES).first).to_be_hidden()
    page.get_by_role("button", name="Display").click()
    page.get_by_role("checkbox", name="Shapes").check()
    expect(page.locator(SHAPES).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.emulate_media(media="print")
    expect(page.locator(SHAPES).first).to_be_hidden()


@pytest.mark.parametrize("path", thinned(["guide/robustness.html", "zh/guide/robustness.html"], 2))
@pytest.mark.parametrize(("width", "least"), [(1440, 130), (390, 60)])
def test_long_names_leave_room_for_the_text_beside_them(
    read: Open, path: str, width: int, least: int
) -> None:
    page = read(path, width=width).page
    cells = page.locator("tbody td:first-child").all()
    assert cells
    for cell in cells:
        box = cell.bounding_box()
        assert box
        assert box["width"] >= least
    if width == 1440:
        for table in page.locator(".table").all():
            assert table.evaluate("element => element.scrollWidth - element.clientWidth") == 0


def test_paper_has_no_contents_and_no_bar(read: Open) -> None:
    page = read("resnet/index.html", width=1440).page
    page.emulate_media(media="print")
    for selector in ("nav.toc", ".bar"):
        expect(page.locator(selector).first).to_be_hidden()
    main = page.locator("main").bounding_box()
    assert main
    assert main["x"] < 100


def test_shapes_are_not_copied(read: Open) -> None:
    page = read("resnet/index.html").page
    row = page.locator("[id='ResidualBlock.residual']")
    expect(row.locator(".chips").first).to_be_visible()
    row.hover()
    row.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    code = "    def residual(\n        self, x: Float[Tensor, "
    assert copied.startswith(code)
    assert "×" not in copied
    selected = page.evaluate(
        "id => { getSelection().selectAllChildren(document.getElementById(id).querySelector('pre code'));"
        " return getSelection().toString(); }",
        "ResidualBlock.residual",
    )
    assert selected.strip() == copied.strip()


def test_copied_example_is_code_alone(read: Open) -> None:
    page = read("index.html").page
    example = page.locator(".example").first
    example.hover()
    example.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import torch\nfrom labml_nn.resnet import ResNetBase\n")
    assert "torch.Size" not in copied


def test_symbol_and_the_code_it_stands_for_light_up_together(read: Open) -> None:
    page = read("resnet/index.html").page
    page.locator("math [data-sym='W_s']:visible").first.click()
    code = page.locator(".code [data-n].lit")
    assert set(code.all_text_contents()) == {"conv"}
    assert {e.evaluate("e => e.closest('.row').id.split('.')[0]") for e in code.all()} == {
        "ShortcutProjection"
    }
    page.keyboard.press("Escape")
    code_name = page.locator("[id^='ShortcutProjection.'] [data-n]", has_text="conv").first
    code_name.click()
    assert page.locator("math .lit[data-sym='W_s']").count() >= 3


def test_languages_and_views_keep_the_place(read: Open) -> None:
    page = read("resnet/index.html").page
    page.evaluate("document.getElementById('ResidualBlock.forward').scrollIntoView()")
    # Playwright's own click would scroll first, although the bar is always in view.
    page.evaluate("document.querySelector('.languages [lang=zh]').click()")
    page.wait_for_url("**/zh/resnet/index.html#ResidualBlock.forward")
    top = "document.getElementById('ResidualBlock.forward').getBoundingClientRect().top"
    before = page.evaluate(top)
    box = page.locator("label", has_text="对照").bounding_box()
    assert box
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    expect(page.locator("#view-b")).to_be_checked()
    assert abs(page.evaluate(top) - before) < 3


def test_picture_opens_large_and_closes(read: Open) -> None:
    page = read("resnet/index.html").page
    page.locator("[id='ResidualBlock']").scroll_into_view_if_needed()
    opener = page.get_by_role("button", name="Enlarge the picture: A residual block").first
    drawing = page.locator("[id='ResidualBlock'] figure svg")
    for by_key in (True, False):
        if by_key:
            opener.press("Enter")
        else:
            drawing.click(position={"x": 3, "y": 3})
        expect(page.locator("dialog[open] svg")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog.large")).to_have_count(0)
        expect(opener).to_be_focused()


def test_language_links_lead_to_the_same_page_and_back(read: Open) -> None:
    page = read("resnet/index.html").page
    for name, lang in (("中文", "zh"), ("日本語", "ja")):
        choose_language(page, name)
        assert page.url.endswith(f"/{lang}/resnet/index.html")
        assert page.locator("html").get_attribute("lang") == lang
    choose_language(page, "English")
    assert page.url.endswith("/resnet/index.html")
    page.go_back()
    assert page.url.endswith("/ja/resnet/index.html")


def test_chinese_and_japanese_have_their_own_characters(read: Open) -> None:
    """The same code points are drawn differently, so each text asks for fonts of its language."""
    chinese, japanese = '"Noto Sans CJK SC"', '"Noto Sans CJK JP"'
    for path, own, other in (("zh/index.html", chinese, japanese), ("ja/index.html", japanese, chinese)):
        page = read(path).page
        for place in ("main h1", "main .t", "pre code", "button.copy"):
            fonts = page.locator(place).first.evaluate("e => getComputedStyle(e).fontFamily")
            assert own.replace("Sans", "Sans Mono" if "code" in place else "Sans") in fonts, (path, place)
            assert other not in fonts
        for lang, font in (("zh", chinese), ("ja", japanese)):
            link = page.locator(f".languages [lang={lang}]")
            assert font in link.evaluate("e => getComputedStyle(e).fontFamily")


@pytest.mark.parametrize("lang", ["zh", "ja"])
def test_emphasis_is_not_slanted_where_letters_are_square(read: Open, lang: str) -> None:
    page = read(f"{lang}/resnet/index.html").page
    style = "e => { const s = getComputedStyle(e); return [s.fontStyle, s.textEmphasisStyle, s.fontWeight]; }"
    found = page.locator("main .t em").first.evaluate(style)
    assert found == ["normal", "none", "650"]
    page.locator("#view-o").check()
    assert page.locator("main .o em").first.evaluate(style) == ["italic", "none", "400"]


def test_without_scripts_the_original_is_the_page_in_english(read: Open) -> None:
    page = read("zh/resnet/index.html", scripts=False).page
    expect(page.locator(".view")).to_be_hidden()
    choose_language(page, "English")
    page.wait_for_url("**/resnet/index.html")


def test_originals_come_when_they_are_asked_for(read: Open) -> None:
    reader = read("zh/resnet/index.html")
    page = reader.page
    page.wait_for_load_state()
    assert not any("originals" in url for url in reader.requests)
    page.locator("#view-o").check()
    expect(page.locator("main h1 .o")).to_contain_text("Residual Networks (ResNet)")
    count = page.locator("main .t").count()
    assert page.locator("main .t + .o").count() == count > 100
    expect(page.locator("main .t").first).to_be_hidden()
    # The next page has them at once, in the view that was chosen.
    page.goto(page.url.replace("resnet/index.html", "resnet/pitfalls.html"))
    expect(page.locator("main h1 .o")).to_be_visible()
    expect(page.locator("main h1 .t")).to_be_hidden()
    assert len([url for url in reader.requests if "originals" in url]) == 2
    assert not reader.errors


def test_originals_that_do_not_come_leave_the_translation(read: Open) -> None:
    page = read("zh/resnet/index.html").page
    page.route("**/*.originals.js*", lambda route: route.abort())
    page.locator("#view-o").click(force=True)
    expect(page.locator("#view-t")).to_be_checked()
    expect(page.locator("main .t").first).to_be_visible()
    page.unroute("**/*.originals.js*")
    page.locator("#view-o").check()
    expect(page.locator("main .o").first).to_be_visible()


def test_translation_both_or_original(read: Open) -> None:
    page = read("zh/resnet/index.html").page
    translation, original = page.locator("main .t").first, page.locator("main .o").first
    expect(translation).to_be_visible()
    expect(original).to_be_hidden()
    page.locator("#view-b").check()
    expect(translation).to_be_visible()
    expect(original).to_be_visible()
    page.locator("#view-o").check()
    expect(translation).to_be_hidden()
    expect(original).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_every_passage_leads_to_where_it_can_be_edited(read: Open, root: Path, scripts: bool) -> None:
    """In English to its line of the source, in Chinese to its entry of the catalog."""
    repository = SITE.settings.repository
    for path, name in (
        ("resnet/index.html", "labml_nn/resnet/__init__.py"),
        ("zh/resnet/index.html", "translations/zh/labml_nn/resnet/__init__.po"),
    ):
        page = read(path, scripts=scripts).page
        passage = page.locator(".row:first-of-type p", has_text="ImageNet").first
        pencil = passage.locator("a.edit").first
        expect(pencil).to_be_hidden()
        page.locator("#edit").check()
        expect(pencil).to_be_visible()
        address, _, line = (pencil.get_attribute("href") or "").partition("#L")
        assert address == f"{repository}/blob/main/{name}"
        lines = (root / name).read_text("utf-8").splitlines()
        words = passage.inner_text().split("✎")[0].split()[0][:6]
        assert words in " ".join(lines[int(line) - 1 : int(line) + 30])


def test_everything_can_be_read_without_scripts(read: Open) -> None:
    page = read("resnet/index.html", scripts=False, dark=True).page
    assert "Residual learning" in (page.text_content("main") or "")
    expect(page.locator(".formula math").first).to_be_visible()
    expect(page.locator("figure svg").first).to_be_visible()
    expect(page.locator("button.theme")).to_be_hidden()
    expect(page.locator("nav.toc a").first).to_be_visible()
    red, *_ = page.locator("body").evaluate(
        "e => getComputedStyle(e).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert red < 60


def test_phone_code_scrolls_and_never_breaks(read: Open) -> None:
    page = read("resnet/index.html", width=390).page
    for line in page.locator("[id='ResNetBase.__init__'] .l").all()[:8]:
        assert line.evaluate("e => getComputedStyle(e).whiteSpace") == "pre"
    pre = page.locator("pre.code").filter(has_text="batch in_channels").first
    assert pre.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'")
    row = page.locator("[id='ResidualBlock.forward']")
    prose, code = words_and_code(row)
    assert prose["y"] + prose["height"] <= code["y"] + 1


def test_desktop_prose_stands_beside_its_code(read: Open) -> None:
    page = read("resnet/index.html").page
    row = page.locator("[id='ResidualBlock.forward']")
    prose, code = words_and_code(row)
    assert abs(prose["y"] - code["y"]) < 9
    assert prose["x"] + prose["width"] <= code["x"] + 1


@pytest.mark.parametrize(
    ("path", "width", "scripts", "anchor"),
    thinned(
        product(
            RESNET,
            [1440, 390],
            [True, False],
            ["ResidualBlock.forward", "residual-learning", "line", "cifar_resnet"],
        ),
        7,
    ),
)
def test_deep_links_lead_there(read: Open, path: str, width: int, scripts: bool, anchor: str) -> None:
    """And stay there while what is above is laid out."""
    if anchor == "line":
        anchor = f"L{resnet_line('ShortcutKind = ')}"
    page = read(f"{path}#{anchor}", width=width, scripts=scripts, motion=True).page
    target = page.locator(f"[id='{anchor}']")
    page.wait_for_timeout(500)
    box = target.bounding_box()
    assert box and 0 <= box["y"] < 200


@pytest.mark.parametrize("path", thinned(RESNET, 2))
def test_no_line_begins_with_what_ends_a_formula(read: Open, path: str) -> None:
    """Such as a comma."""
    page = read(path).page
    broken = """() => [...document.querySelectorAll(".whole")].filter(whole => {
        const range = document.createRange(), formula = whole.querySelector("math").getBoundingClientRect();
        range.selectNodeContents(whole.lastChild);
        const mark = range.getBoundingClientRect();
        return whole.lastChild.nodeType === 3 && mark.width && mark.top > formula.bottom;
    }).length"""
    for width in range(1000, 1500, 20 if EVERYTHING else 100):
        page.set_viewport_size({"width": width, "height": 20_000})
        assert page.evaluate(broken) == 0, width


@pytest.mark.parametrize("path", [*RESNET, "guide/architecture.html", "resnet/preactivation.html"])
def test_drawings_can_be_read_on_a_phone(read: Open, path: str) -> None:
    page = read(path, width=390).page
    sizes = page.evaluate("""[...document.querySelectorAll(".picture svg[style] text")].map(text =>
        parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width
            / text.ownerSVGElement.viewBox.baseVal.width)""")
    assert sizes
    assert min(sizes) >= 8


def test_keyboard_alone(read: Open) -> None:
    page = read("resnet/index.html").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#:main")


def test_contents_follow_the_reader(read: Open) -> None:
    page = read("resnet/index.html").page
    links = page.locator("nav.toc a").all()
    for link in (*links[::12], *links[-3:]):  # the last ones are together at the end of the page
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        expect(link).to_be_in_viewport()
