"""Programs of translation platforms, which tests run in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

APART = Path(sys.prefix) / "platforms"
"""Where `make test` installs them."""
READ = """\
import json, sys
from translate.storage import factory
store = factory.getobject(sys.argv[1])
print(json.dumps([
    [unit.getid() if hasattr(unit, "xmlelement") else "", unit.source, unit.target or "", unit.istranslated(),
     unit.isfuzzy(), unit.getnotes("developer"), unit.getnotes("translator"), unit.getlocations()]
    for unit in store.units if not unit.isheader()
]))
"""
TRANSLATE = """\
import json, sys
from translate.storage import factory
store = factory.getobject(sys.argv[1])
for unit in store.units:
    if unit.source in (given := json.loads(sys.argv[2])):
        unit.target = given[unit.source]
        unit.markfuzzy(False)
store.save()
"""


def run_toolkit(program: str, *arguments: str | Path) -> str:
    """Run a program with Translate Toolkit; return what it prints."""
    assert APART.is_dir(), "run `make .venv/platforms`"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(APART)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_with_toolkit(path: Path) -> list[list[Any]]:
    """Return the units of a file as the toolkit reads them: id, source, target, translated, fuzzy, notes, places."""
    found: list[list[Any]] = json.loads(run_toolkit(READ, path))
    return found


def translate_with_toolkit(path: Path, **texts: str) -> None:
    """Translate the units with some sources, and save the file."""
    run_toolkit(TRANSLATE, path, json.dumps(texts))


def convert(name: str, *arguments: str | Path) -> None:
    """Run a converter of the toolkit, such as `po2xliff`."""
    run_toolkit(
        f"import sys; sys.argv[0] = {name!r}; from translate.convert import {name}; {name}.main()", *arguments
    )


def component_schema() -> dict[str, Any]:
    """Return what Weblate accepts as the settings of a component."""
    path = APART / "weblate_schemas/schemas/weblate-component.schema.json"
    assert path.is_file(), "run `make .venv/platforms`"
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return dict(schema["properties"]["component"])
