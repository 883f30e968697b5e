"""Adds a language to a site: to its configuration, and a glossary to its translations.

The rest of the configuration is left unchanged. Refuses to edit a list of languages in an unusual notation.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from ..errors import Problem, PylitError
from ..site import Configuration, Site, key_line, parse_config, table_name
from .changes import Change

GLOSSARY = """\
# One entry for each term: `use` lists correct renderings, `never` wrong ones, and `why` explains the choice:
#
# - term: residual
#   use: [...]
#   never: [...]
#   why: ...
[]
"""
_YAML = re.compile(r"^(\s*languages:\s*\[[^\]\n]*)\]", re.MULTILINE)


def add_language(site: Site, configuration: Configuration, lang: str) -> list[Change]:
    """Return the changes that add a language to the configuration of a site, and an empty glossary for it.

    Raises:
        PylitError: if the configuration has no list of languages that can be extended.
    """
    path, folder = configuration.path, site.settings.translations
    assert path is not None and folder is not None
    glossary = site.files.locate(folder, f"{lang}/glossary.yml")
    text = path.read_text("utf-8-sig")
    languages = (*configuration.options.languages, lang)
    if path.suffix == ".toml":
        changed, line = _in_toml(text, languages, path), _line(languages)
    else:
        changed, line = (
            _YAML.sub(rf"\1, {_yaml(lang)}]", text, count=1),
            f"languages: [{', '.join(languages)}]",
        )
    if changed == text:
        message = f"has no list of languages that {lang} can be added to"
        raise PylitError(Problem(*configuration.place("languages"), message, f"Write `{line}` there."))
    added = [Change(path, changed.encode())]
    if not os.path.lexists(glossary):
        added.append(Change(glossary, GLOSSARY.encode()))
    return added


def _in_toml(text: str, languages: tuple[str, ...], path: Path) -> str:
    """Return a TOML configuration with these languages; unchanged if they cannot be inserted."""
    table = table_name(path)
    parsed = parse_config(path, text)
    lines = text.split("\n")
    if "languages" in parsed.given:
        number = key_line(text, "languages", table) - 1
        rest = "\n".join(lines[number:])
        last = re.compile(rf"""(["'])({re.escape(languages[-2])})\1""")
        lines[number:] = [last.sub(rf'\g<0>, "{languages[-1]}"', rest, count=1)]
    else:
        header = key_line(text, "", table)
        lines.insert(header, _line(languages))
    changed = "\n".join(lines)
    try:
        wanted = replace(parsed.options, languages=languages)
        return changed if parse_config(path, changed).options == wanted else text
    except PylitError:  # it would no longer be valid
        return text


def _yaml(lang: str) -> str:
    """Return a language code in YAML, where a bare `no` is a truth value."""
    return f'"{lang}"' if lang == "no" else lang


def _line(languages: tuple[str, ...]) -> str:
    return "languages = [" + ", ".join(f'"{lang}"' for lang in languages) + "]"
