"""Checks the paths of files to be written: clean relative addresses, never through a symlink that leaves the folder.

All code in the engine that writes below a folder calls `locate` or `locate_all` as the last step before writing. So no
name from a source tree, catalog or cache can lead out of the folder, regardless of earlier checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NewType

from ..errors import Problem, PylitError
from .reading import resolves_below

Address = NewType("Address", str)
"""A path that has passed `parse_address`."""

LONGEST = 1024
"""Maximum length of an address in bytes of UTF-8."""
LONGEST_NAME = 255
"""Maximum length of each part in bytes, the limit of most file systems."""
_OFFENCE = re.compile(
    r"""
    (?P<absolute>\A/)
    |(?P<empty>(?:\A|/)(?=/|\Z))
    |(?P<dots>(?:\A|/)\.\.?(?=/|\Z))
    |(?P<end>[. ](?=/|\Z))
    |(?P<reserved>(?:\A|/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?=[./]|\Z))
    |(?P<character>[\\:\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_REASONS = {
    "absolute": "it is absolute",
    "empty": "it has an empty part",
    "dots": "it has a part `.` or `..`",
    "end": "a part of it ends in a dot or a space, which Windows drops",
    "reserved": "a part of it is a name that Windows reserves for a device",
    "character": "it has a backslash, a colon, a control character or a lone surrogate",
}


class AddressError(ValueError):
    """A path is not a valid address to write to; the message says why."""


def parse_address(value: object) -> Address:
    """Validate an address: a relative path with forward slashes that means the same on every system.

    Raises:
        AddressError: if `value` is not valid.
    """
    if not isinstance(value, str):
        raise AddressError("it is not a string")
    if found := _OFFENCE.search(value):
        raise AddressError(_REASONS[found.lastgroup or ""])
    size = len(value.encode())
    if size > LONGEST:
        raise AddressError(f"it has {size} bytes; at most {LONGEST} are allowed")
    if (
        size > LONGEST_NAME
        and (longest := max(len(part.encode()) for part in value.split("/"))) > LONGEST_NAME
    ):
        raise AddressError(f"a part of it has {longest} bytes; at most {LONGEST_NAME} are allowed")
    return Address(value)


def is_address(value: object) -> bool:
    """Return whether `value` is a valid address."""
    try:
        parse_address(value)
    except AddressError:
        return False
    return True


def check_address(folder: Path, address: str) -> Address:
    """Validate the address of a file in `folder`, without following symlinks.

    Raises:
        PylitError: if it is not clean.
    """
    try:
        return parse_address(address)
    except AddressError as error:
        hint = f"Rename its source file. Addresses are relative paths in `{folder}`."
        raise PylitError(Problem(ascii(address)[1:-1], 0, f"cannot be written: {error}", hint)) from error


def locate(folder: Path, address: str) -> Path:
    """Return the path of `address` in `folder`, for writing or removing.

    Raises:
        PylitError: if the address is not clean, or a symlink on the way leads out of `folder`.
    """
    return locate_all(folder, [address])[address]


def locate_all(folder: Path, addresses: Iterable[str]) -> dict[str, Path]:
    """Return the paths of several addresses in `folder`; see `locate`.

    Raises:
        PylitError: if one of them is not clean, or a symlink on the way leads out of `folder`.
    """
    found: dict[str, Path] = {}
    checked = {""}
    for address in addresses:
        parent = check_address(folder, address).rpartition("/")[0]
        if parent not in checked:
            _check_folders(folder, parent, checked)
        found[address] = folder / address
    return found


def _check_folders(folder: Path, address: str, checked: set[str]) -> None:
    """Check that the folder at `address` and all its parents are below `folder`."""
    names = address.split("/")
    for end in range(1, len(names) + 1):
        part = "/".join(names[:end])
        path = folder / part
        if part not in checked and path.is_symlink() and not resolves_below(path, folder):
            hint = "Symlinks to other places are not followed. Remove it, or choose another folder."
            raise PylitError(Problem(str(path), 0, f"is a symlink that leads out of `{folder}`", hint))
        checked.add(part)
