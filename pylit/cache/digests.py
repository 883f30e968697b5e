"""Digests, which are the keys of a store, and canonical JSON."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

_KEY = re.compile(r"[0-9a-f]{40}")


def digest(*parts: str | bytes) -> str:
    """Return a digest of `parts`. Their order and boundaries matter."""
    found = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(b"%d:" % len(data))
        found.update(data)
    return found.hexdigest()[:40]


def canonical(value: Any) -> str:
    """Return `value` as canonical JSON: equal values give equal text. A dataclass becomes a list of its fields."""
    return _ENCODER.encode(value)


def _as_list(value: Any) -> list[Any]:
    if not is_dataclass(value):
        raise TypeError(f"JSON cannot hold {value!r}")
    return [getattr(value, field.name) for field in fields(value)]


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_as_list)


def is_key(value: Any) -> bool:
    """Return whether `value` is a key as returned by `digest`."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None
