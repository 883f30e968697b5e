"""Decides which requests a preview answers: those for this machine, or for the host that it was started with.

Otherwise, another website could read the preview through a domain name that resolves to this machine (DNS rebinding).
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_REFUSED = """\
This preview does not answer requests for the host {host}.

Expected: localhost or an address of this machine such as 127.0.0.1, with the port {port}, or the host of {option}.
To open it under another name, start it with {option} NAME:{port}.
"""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]+))?")
_HIDDEN = re.compile(r"\0|/\.(?!\.?(?:/|$))")


def is_allowed(host: str, port: int, named: str = "") -> bool:
    """Return whether the `Host` of a request is this machine at `port`, or the host `named` when the preview was
    started.
    """
    match = _HOST.fullmatch(host.lower()) if host.isascii() else None
    if match is None or (match[2] or "80") != str(port):
        return False
    name = match[1]
    return name in ("localhost", named.lower(), f"[{named.lower()}]") or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address; an IPv6 address must be in brackets."""
    try:
        return (IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)).is_loopback
    except AddressValueError:
        return False


def is_hidden(path: str) -> bool:
    """Return whether a path contains a NUL or a name that starts with a dot, which no file of a site has."""
    return _HIDDEN.search(path) is not None


def refusal(host: str, port: int, option: str) -> str:
    """Return the answer to a request for another host; `option` is the command line option that sets the host."""
    return _REFUSED.format(host=ascii(host), port=port, option=option)
