"""The server of a preview: serves the latest edition to this machine, and notifies pages when to reload.

Only on its own machine, it also passes on what pages ask of the editor, if they know a secret that is in them.
It serves only files of the site: an address that no build has published is not looked up on disk. A page is served as
built, plus one script, which is a separate file, as required by the page's security policy.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
import threading
from dataclasses import dataclass, replace
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, quote

from ..filesystem import PICTURES, file_suffix, read_file
from ..site import EDIT
from .edition import LOST, Board, Edition, parse_path
from .editor import Editor
from .hosts import is_allowed, is_loopback, refusal

RELOAD = "/.pylit/reload.js"
"""Address of the script that reloads pages: no file of a site has a name that starts with a dot."""
EVENTS = "/.pylit/events"
"""Address where that script waits for changes."""
PING = 15.0
"""Seconds after which a waiting page gets a sign of life, or is found to be closed."""
RETRY = 1000
"""Milliseconds after which a page tries to reconnect to a preview."""
EDITOR = "/.pylit/edit/"
"""Where the addresses of the editor begin."""
MAX_REQUEST = 500_000
"""Maximum size of a request in bytes."""
PARTS = {RELOAD: "reload.js", "/.pylit/edit.js": "edit.js", "/.pylit/edit.css": "edit.css"}
"""Address -> file of this package."""
_PASSAGE = f'href="{EDIT}'.encode()
_EDITOR = """\
<link rel="stylesheet" href="/.pylit/edit.css"><script src="/.pylit/edit.js" data-token="{token}" defer></script>"""
TYPES = {
    **{suffix: f"image/{name}" for suffix, (name, _) in PICTURES.items()},
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
"""Suffix -> media type, the same on every system."""
PLAIN = TYPES[".txt"]
_FAILURE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'; \
style-src-attr 'unsafe-inline'">
<noscript><meta http-equiv="refresh" content="1"></noscript><title>{title}</title></head>
<body style="margin: 2rem; color-scheme: light dark; font: 1rem/1.5 monospace">
<pre role="alert" style="font: inherit; white-space: pre-wrap">{text}</pre></body></html>
"""


@dataclass(frozen=True)
class Response:
    """The response to a request."""

    status: HTTPStatus
    kind: str
    body: bytes = b""
    location: str = ""
    """Target of a redirect."""


def answer(path: str, edition: Edition, out: Path) -> Response:
    """Return the response for a path of an edition whose files are in the folder `out`."""
    if edition.failure:
        text = str(edition.failure)
        html = _FAILURE.format(title=escape(text.partition("\n")[0]), text=escape(text)).encode()
        return _page(HTTPStatus.INTERNAL_SERVER_ERROR, html, edition.state(None))
    address = parse_path(path)
    if address is not None and f"{address}/index.html" in edition.files:
        return Response(HTTPStatus.FOUND, PLAIN, location=quote(f"/{address}/"))
    if address is None or address not in edition.files or (data := _read(out, address)) is None:
        return _lost(edition, address, out)
    kind = TYPES.get(file_suffix(address), "application/octet-stream")
    if address.endswith(".html"):
        return _page(HTTPStatus.OK, data, edition.state(address))
    return Response(HTTPStatus.OK, kind, data)


def _lost(edition: Edition, address: str | None, out: Path) -> Response:
    """Return the response for an unknown address, with the problems of the site, which may be the cause."""
    html = (
        _read(out, LOST) if LOST in edition.files else None
    ) or b"<!doctype html>\n<p>There is no such page.</p>"
    if edition.problems:
        message = "\n".join(escape(str(problem)) for problem in edition.problems)
        html = _before_end(html, f'<div class="problems" role="alert">{message}</div>')
    return _page(HTTPStatus.NOT_FOUND, html, edition.state(address))


def _page(status: HTTPStatus, html: bytes, state: str) -> Response:
    script = f'<script src="{RELOAD}" data-state="{state}"></script>'
    return Response(status, TYPES[".html"], _before_end(html, script))


def _before_end(html: bytes, more: str) -> bytes:
    before, end, after = html.rpartition(b"</body>")
    return before + more.encode() + end + after if end else html + more.encode()


def _read(out: Path, address: str) -> bytes | None:
    try:
        return read_file(out / address, out)
    except OSError:  # a build has just removed it
        return None


class _Handler(BaseHTTPRequestHandler):
    """The handler of one request."""

    server: PreviewServer
    server_version = "pylit"
    sys_version = ""
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = PLAIN
    timeout = 60

    def do_GET(self) -> None:
        """Answer a request for a file, or for notifications."""
        if not self._is_for_us():
            return
        path, _, query = self.path.partition("?")
        if path == EVENTS and self.command == "GET":
            self._tell(parse_qs(query))
        elif path in PARTS:
            part = Path(__file__).parent / PARTS[path]
            self._send(Response(HTTPStatus.OK, TYPES[part.suffix], part.read_bytes()))
        else:
            found = answer(path, self.server.board.edition, self.server.out)
            if self.server.editor and _PASSAGE in found.body:
                more = _EDITOR.format(token=self.server.token).encode()
                found = replace(found, body=found.body.replace(b"</head>", more + b"</head>", 1))
            self._send(found)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Answer a request of the editor, if it comes from a page of this preview."""
        if not self._is_for_us():
            return
        status, found = self._edit()
        self._send(Response(status, TYPES[".json"], json.dumps(found).encode()))

    def _edit(self) -> tuple[HTTPStatus, dict[str, Any]]:
        if self.server.editor is None or not self.path.startswith(EDITOR):
            return HTTPStatus.METHOD_NOT_ALLOWED, {"message": "this preview has no editor here"}
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > MAX_REQUEST:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"message": f"expected at most {MAX_REQUEST} bytes"}
        body = self.rfile.read(int(length))
        origin, site = self.headers.get("Origin", ""), self.headers.get("Sec-Fetch-Site", "same-origin")
        token = self.headers.get("X-Pylit-Token", "")
        is_own = origin in ("", f"http://{self.headers['Host']}") and site == "same-origin"
        if not is_own or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            return HTTPStatus.FORBIDDEN, {"message": "this is not a page of this preview; load it again"}
        if self.headers.get_content_type() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"message": "expected application/json"}
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            return HTTPStatus.BAD_REQUEST, {"message": "expected a JSON object"}
        return self.server.editor.answer(self.path.removeprefix(EDITOR), asked)

    def _is_for_us(self) -> bool:
        """Return whether a request is for this machine; otherwise refuse it."""
        hosts, target = self.headers.get_all("Host") or [""], self.path
        host, port = ",".join(hosts), self.server.server_port
        if target.startswith("/") and is_allowed(host, port, self.server.host):
            return True
        # The target may be an absolute URL, whose host takes precedence.
        asked = host if target.startswith("/") else target
        self._send(
            Response(HTTPStatus.MISDIRECTED_REQUEST, PLAIN, refusal(asked, port, "--address").encode())
        )
        return False

    def _send(self, answer: Response) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.location:
            self.send_header("Location", answer.location)
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header(
            "Content-Security-Policy", "frame-ancestors 'none'"
        )  # pages have a policy for the rest
        self.end_headers()

    def _tell(self, query: dict[str, list[str]]) -> None:
        """Notify a page once, as soon as it differs from the current edition."""
        page, state = (query.get(name, [""])[0] for name in ("page", "state"))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self._end_headers()
        address = parse_path(page)
        self.wfile.write(b"retry: %d\n\n" % RETRY)
        while not self.server.board.wait(address, state, PING):
            self.wfile.write(b":\n\n")  # fails if the page was closed
        if not self.server.board.is_closed:
            self.wfile.write(b"data: changed\n\n")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""


@dataclass(frozen=True)
class ListenAddress:
    """A network address for a server."""

    host: str
    """The host as given by the user."""
    port: int
    """The port; 0 for any free one."""
    family: socket.AddressFamily
    ip: str

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(f"[{self.ip}]" if self.family == socket.AF_INET6 else self.ip)


def find_listen_address(host: str, port: int) -> ListenAddress:
    """Resolve a host, preferring IPv4.

    Raises:
        OSError: if it cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    return ListenAddress(host, port, family, str(place[0]))


class PreviewServer(ThreadingHTTPServer):
    """A server that binds its address when created; requests wait until it is started."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port
    request_queue_size = 128

    def __init__(self, place: ListenAddress) -> None:
        """Bind an address.

        Raises:
            OSError: if it cannot be bound.
        """
        self.host, self.board, self.out = place.host, Board(), Path()
        self.is_private = place.is_private
        self.editor: Editor | None = None
        """Answers the requests of those who translate on the pages; `None` if nobody may."""
        self.token = secrets.token_urlsafe()
        """Proves that a request comes from a page of this preview, which no other site can read."""
        self.address_family = place.family
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        super().__init__((place.ip, place.port), _Handler)

    @property
    def url(self) -> str:
        """Address of the first page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_port}/"

    def server_bind(self) -> None:
        """Bind the address without a DNS lookup, which the standard library does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, int(self.server_address[1])

    def start(self, out: Path) -> None:
        """Start to answer requests with the files in the folder `out`."""
        self.out = out
        self._thread.start()

    def stop(self) -> None:
        """Stop answering requests."""
        self.board.close()
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report exceptions, except those caused by closed connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
