"""Which code is folded: imports, `__all__` and checks of arguments, unless a comment explains them."""

from __future__ import annotations

import pytest

from pylit.defaults import Conventions
from pylit.parsing.model import Fold
from pylit.parsing.source import parse_python

IMPORTS = "import a\nimport b\n\nfrom c import (\n    d,\n)\n"


def folds(text: str) -> dict[int, Fold]:
    source = parse_python(text, "a.py")
    shown = [number for section in source.sections for number in (*section.prose, *section.code)]
    assert sorted(shown) == list(range(1, len(source.lines) + 1)), "every line is still in one place"
    return dict(source.folds)


def test_imports_are_folded_with_the_blank_lines_after_them() -> None:
    found = folds(f'"""Words."""\n{IMPORTS}\nx = 1\n')
    assert found == dict.fromkeys(range(2, 9), Fold.IMPORTS)


@pytest.mark.parametrize(
    "text",
    [
        "import a\nimport b\nx = 1\n",  # as short as their fold
        f"# Why these are needed.\n{IMPORTS}x = 1\n",
        f"if x:\n    pass\nelse:\n{''.join(f'    {line}' for line in IMPORTS.splitlines(True) if line.strip())}",
        "def f(x):\n    # Zero is allowed.\n    _require(\n        x >= 0,\n    )\n",
    ],
)
def test_what_is_not_folded(text: str) -> None:
    assert folds(text) == {}


def test_names_that_a_module_exports() -> None:
    names = '__all__ = [\n    "a",\n]\n'
    assert folds(f'"""Words."""\n{names}x = 1\n') == dict.fromkeys(range(2, 5), Fold.EXPORTS)
    assert set(folds(f'"""Words."""\n{IMPORTS}\n{names}x = 1\n')) == set(range(2, 12))
    assert set(folds(f'"""Words."""\n{IMPORTS}\n{names}x = 1\n').values()) == {Fold.IMPORTS}


def test_imports_for_types() -> None:
    found = folds(f'"""Words."""\n{IMPORTS}if TYPE_CHECKING:\n    import e\nx = 1\n')
    assert found == dict.fromkeys(range(2, 10), Fold.IMPORTS)


def test_checks_and_those_who_make_them() -> None:
    text = (
        'def f(x):\n    """Words."""\n    _require_positive(\n        x=x,\n    )\n    return x\n\n\n'
        "def _require_positive(**sizes):\n    # A comment.\n    for size in sizes:\n        g(size)\n        h(size)\n"
    )
    assert folds(text) == {
        **dict.fromkeys(range(3, 6), Fold.CHECKS),
        **dict.fromkeys(range(11, 14), Fold.HELPER),
    }


def test_nothing_is_folded_if_so_configured() -> None:
    source = parse_python(f'"""Words."""\n{IMPORTS}x = 1\n', "a.py", Conventions(fold_noise=False))
    assert source.folds == {}
