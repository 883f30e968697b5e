"""Parses untrusted YAML or JSON, and refuses values that a page cannot show, with their lines.

All scalars of YAML are strings here, so no types are guessed. The parsers raise undocumented exceptions (for example
for a character beyond Unicode). All of them are reported as problems of the text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import yaml

MAX_LENGTH = 500_000
"""Maximum number of characters of YAML. The largest glossaries have a tenth of it."""
DEPTH = 50
"""Maximum nesting of lists and mappings."""
NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, lone surrogates and noncharacters, which neither a page nor XML can contain."""
_BREAKS = dict.fromkeys(map(ord, "\r\x85\u2028\u2029"), " ")
"""Line breaks in YAML that editors do not count as such, replaced to keep line numbers correct."""
_SHOWN = 40
"""Maximum number of characters quoted from a value."""


class ValuesError(ValueError):
    """Text that cannot be parsed, with the reason, and its `line`, counted from 0."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


def refused_character(text: str) -> str:
    """Return the code point of the first character that a page cannot show; empty if there is none."""
    match = NO_TEXT.search(text)
    return f"U+{ord(match[0]):04X}" if match else ""


@dataclass(frozen=True, slots=True)
class YamlValue:
    """A YAML value and its line."""

    line: int
    """Counted from 0, like all lines here."""
    content: str | tuple[YamlValue, ...] | Mapping[str, YamlEntry]

    @property
    def plain(self) -> Any:
        """The value as strings, lists and dictionaries, without lines."""
        match self.content:
            case str():
                return self.content
            case tuple():
                return [item.plain for item in self.content]
        return {key: entry.value.plain for key, entry in self.content.items()}


class YamlEntry(NamedTuple):
    """The line of a key, and its value."""

    line: int
    """Line of the key."""
    value: YamlValue


def read_yaml(text: str) -> YamlValue | None:
    """Parse YAML with all scalars as strings; return `None` if it is empty.

    Raises:
        ValuesError: if it is not valid YAML, nested too deeply, or contains characters that a page cannot show.
    """
    import yaml

    class Loader(yaml.BaseLoader):
        """A loader that refuses aliases: each may repeat everything before it, so that a few lines become gigabytes.

        It stops where the nesting is too deep, as each level costs the scanner more than the one before.
        """

        depth = 0

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            events: Any = self  # its methods are untyped
            if self.check_event(yaml.AliasEvent):
                line = events.peek_event().start_mark.line
                raise ValuesError("aliases such as `*name` are not allowed; write the value out", line)
            self.depth += 1
            if self.depth > DEPTH + 1:
                raise ValuesError("it is nested too deeply", events.peek_event().start_mark.line)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    if len(text) > MAX_LENGTH:
        raise ValuesError(f"it has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed")
    loader: yaml.BaseLoader | None = None
    try:
        loader = Loader(text.translate(_BREAKS))
        node: yaml.Node | None = loader.get_single_node()
    except (MemoryError, ValuesError):
        raise
    except RecursionError as error:
        raise ValuesError("it is nested too deeply") from error
    except yaml.reader.ReaderError as error:
        raise ValuesError(str(error).partition("\n")[0], text.count("\n", 0, error.position)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ValuesError(error.problem or str(error), mark.line if mark else 0) from error
    except OverflowError as error:  # raised by `chr`
        raise ValuesError("it contains an escape beyond Unicode", loader.line if loader else 0) from error
    except Exception as error:
        raise ValuesError(f"a value is not valid: {error}", loader.line if loader else 0) from error
    return None if node is None else _value(node)


def _value(node: yaml.Node, depth: int = 1) -> YamlValue:
    """Convert a node. Refuses keys that are not strings, characters that a page cannot show, and deep nesting."""
    import yaml

    line = node.start_mark.line
    if isinstance(node, yaml.ScalarNode):
        if character := refused_character(node.value):
            raise ValuesError(f"it contains the character {character}, which a page cannot show", line)
        return YamlValue(line, node.value)
    if depth > DEPTH:
        raise ValuesError("it is nested too deeply", line)
    if isinstance(node, yaml.SequenceNode):
        return YamlValue(line, tuple(_value(item, depth + 1) for item in node.value))
    entries = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValuesError("found unhashable key", key.start_mark.line)
        entries[str(_value(key).content)] = YamlEntry(key.start_mark.line, _value(value, depth + 1))
    return YamlValue(line, entries)


def read_json(data: bytes) -> Any:
    """Parse JSON.

    Raises:
        ValuesError: if it is not JSON in UTF-8, nested too deeply, or contains a number that is not finite.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValuesError("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValuesError(f"it is not UTF-8: {error.reason}", data.count(b"\n", 0, error.start)) from error
    except json.JSONDecodeError as error:
        raise ValuesError(str(error), error.lineno - 1) from error
    except ValueError as error:
        raise ValuesError(str(error)) from error
    level = [value]
    for _ in range(DEPTH):
        level = [item for part in level for item in _items(part)]
    if level:
        raise ValuesError(f"it is nested more than {DEPTH} levels deep")
    return value


def _items(value: Any) -> list[Any]:
    """Return the lists and mappings in a list or mapping."""
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in found if isinstance(item, dict | list)]


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a valid JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:_SHOWN]} is too large")
    return number
