"""Uses of the same thing light up together, and only they."""

from __future__ import annotations

from textwrap import dedent

from pylit.parsing.source import parse_python
from pylit.rendering.code_html import ColouredCode, highlight
from pylit.resolve.uses import find_uses, uses


def groups(text: str) -> set[str]:
    """The groups of names in `text`, each as `name:line.column ...`."""
    source = parse_python(dedent(text), "x.py")
    found: dict[int, list[tuple[int, int]]] = {}
    for place, number in uses(source.text, source.lines).places.items():
        found.setdefault(number, []).append(place)
    result = set()
    for places in found.values():
        line, column = min(places)
        name = source.lines[line - 1][column:].split("(")[0].split(" ")[0].strip(":,.)=")
        result.add(" ".join([name, *(f"{a}.{b}" for a, b in sorted(places))]))
    return result


def test_locals_of_two_functions_are_different() -> None:
    assert groups("def f(x):\n    return x\ndef g(x):\n    return x\n") == {"x 1.6 2.11", "x 3.6 4.11"}


def test_closures_globals_and_nonlocals() -> None:
    text = """\
    n = 0
    def f():
        global n
        m = n
        def g():
            nonlocal m
            m = m + n
        return g
    """
    assert groups(text) == {"n 1.0 4.8 7.16", "m 4.4 7.8 7.12", "g 5.8 8.11"}


def test_global_is_the_modules_whatever_is_between() -> None:
    text = "x = 0\ndef f():\n    x = 1\n    def g():\n        global x\n        x = 2\n    return x\n"
    assert groups(text) == {"x 1.0 6.8", "x 3.4 7.11"}


def test_exceptions_have_names() -> None:
    assert groups("try: f()\nexcept E as e:\n    print(e)\n") == {"e 2.12 3.10"}


def test_static_methods_have_no_self() -> None:
    text = "class A:\n    @staticmethod\n    def f(o): o.x = o.x\n    def g(self): self.x\n"
    assert "x 3.16 3.22" in groups(text)


def test_class_scope_is_not_seen_by_its_methods() -> None:
    text = "x = 1\nclass A:\n    x = x\n    def f(self):\n        return x\n"
    assert groups(text) == {"x 1.0 5.15", "x 3.4 3.8"}


def test_attributes_of_self_belong_to_the_class() -> None:
    text = """\
    class A:
        def __init__(self):
            self.conv = 1
        def forward(self):
            return self.conv + self.helper()
        def helper(this):
            return this.conv
    class B:
        def f(self):
            return self.conv + self.conv
    """
    found = groups(text)
    assert "conv 3.13 5.20 7.20" in found
    assert "conv 10.20 10.32" in found
    assert "helper 5.32 6.8" in found


def test_names_that_can_be_asked_for() -> None:
    text = (
        "class A:\n    def f(self):\n        self.x = 1\n        self.x\nclass B:\n    y = 1\ndef g(): ...\n"
    )
    source = parse_python(text, "x.py")
    assert set(uses(source.text, source.lines).numbers) == {"A.x"}
    kept = uses(source.text, source.lines, keep={"A.f", "B.y", "g"}).numbers
    assert set(kept) == {"A.f", "A.x", "B.y", "g"}


def test_comprehensions_have_their_own_names() -> None:
    text = "x = [1]\ny = [x for x in x]\nz = [(w := x) for _ in x]\nw\n"
    assert groups(text) == {"x 1.0 2.16 3.11 3.23", "x 2.5 2.11", "w 3.6 4.0"}


def test_imports_definitions_and_decorators() -> None:
    text = "import a.b as c\nfrom d import e\n@e\ndef f(p=c): return f\nclass G(f): pass\nG\n"
    assert groups(text) == {"c 1.14 4.8", "e 2.14 3.1", "f 4.4 4.19 5.8", "G 5.6 6.0"}


def test_columns_count_characters_even_after_wide_ones() -> None:
    assert groups('é = "残差"; x = é + é\nx') == {"é 1.0 1.14 1.18", "x 1.10 2.0"}


def test_lines_of_strings_keep_their_colour() -> None:
    source = parse_python('x = """a\n<b>\n"""\ny = x\n', "x.py")
    uses = find_uses(source)
    assert ColouredCode(source, uses).lines() == [
        '<span data-n="0">x</span> = <span class="s">&#34;&#34;&#34;a</span>',
        '<span class="s">&lt;b&gt;</span>',
        '<span class="s">&#34;&#34;&#34;</span>',
        'y = <span data-n="0">x</span>',
    ]
    assert uses.numbers == {"x": 0}


def test_every_line_is_there_and_says_what_it_said() -> None:
    import html
    import re

    source = parse_python("if x:\n\ty = 1\n\n\n\x0c\nz = 'ä'\n\n", "x.py")
    lines = ColouredCode(source, find_uses(source)).lines()
    assert [html.unescape(re.sub(r"<[^>]*>", "", line)) for line in lines] == list(source.lines)


def test_code_in_an_unknown_language_is_plain() -> None:
    assert highlight("a < b", "nonsense") == "a &lt; b"
    assert highlight("a < b", "") == "a &lt; b"
    assert 'class="k"' in highlight("return x", "python")
