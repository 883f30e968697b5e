"""Makes the preview server of MkDocs notice saves sooner, and show why a site cannot be built.

It answers only requests for this machine, or for the host that it was started with. Otherwise, another website could
read the preview through a domain name that resolves to this machine. Its pages have the security policy of the
finished site.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from html import escape
from typing import Any

from mkdocs.exceptions import Abort, MkDocsException
from mkdocs.livereload import LiveReloadServer
from watchdog.observers.polling import PollingObserver

from ..preview import is_allowed, is_hidden, refusal

INTERVAL = 0.1
"""Polling interval in seconds; MkDocs' own is half a second."""
DELAY = 0.05
"""Seconds to wait for further saves; half of MkDocs' own."""

_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src-attr 'unsafe-inline'">
<meta http-equiv="refresh" content="1"><title>{title}</title></head>
<body><pre role="alert" style="white-space: pre-wrap">{text}</pre></body></html>
"""
_RELOAD = re.compile(r"/livereload/([0-9]+)\.js")
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
log = logging.getLogger("mkdocs.plugins.pylit")


def hurry(
    server: LiveReloadServer, watched: Iterable[str | None], perhaps: Iterable[str]
) -> LiveReloadServer:
    """Make `server` poll more often: paths that are `watched`, those of `perhaps` that are, and future ones."""
    paths = [path for path in watched if path]
    for path in paths:
        server.unwatch(path)
    for path in perhaps:
        with suppress(KeyError):  # not watched
            server.unwatch(path)
            paths.append(path)
    server.observer = PollingObserver(timeout=INTERVAL)
    server.build_delay = DELAY
    for path in paths:
        server.watch(path)
    return server


def show_failures(server: LiveReloadServer) -> LiveReloadServer:
    """Show on all pages why the last build failed; MkDocs' own server would not respond at all."""
    build, serve, failure = server.builder, _application(server), ""

    def build_and_look() -> None:
        """Build, and poll the files before readers are notified, so that a change reverted meanwhile is noticed."""
        try:
            build()
        finally:
            for emitter in server.observer.emitters:
                emitter.queue_events(0)

    def builder() -> None:
        nonlocal failure
        try:
            build_and_look()
            failure = ""
        except Exception as error:
            reason = error.__context__ if isinstance(error, Abort) and error.__context__ else error
            failure = str(reason) or repr(reason)
            log.error(failure, exc_info=not isinstance(error, MkDocsException))

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not failure or environ["PATH_INFO"].startswith("/livereload/"):
            return serve(environ, start_response)
        start_response("500 Internal Server Error", [("Content-Type", "text/html; charset=utf-8")])
        text = escape(failure)
        return [_PAGE.format(title=text.partition("\n")[0], text=text).encode()]

    server.builder = builder
    server.set_app(answer)
    return server


def reload_by_file(server: LiveReloadServer) -> LiveReloadServer:
    """Serve the script that reloads pages as a file, which the policy of pages allows, instead of inline."""
    serve = _application(server)
    within: Callable[[bytes, int], bytes] = server._inject_js_into_html

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not (match := _RELOAD.fullmatch(environ["PATH_INFO"])):
            return serve(environ, start_response)
        script = within(b"", int(match[1])).removeprefix(b"<script>").removesuffix(b"</script>")
        headers = [("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "no-store")]
        start_response("200 OK", headers)
        return [script]

    def inject(content: bytes, epoch: int) -> bytes:
        before, end, after = content.rpartition(b"</body>")
        return before + b'<script src="/livereload/%d.js"></script>' % epoch + end + after

    server._inject_js_into_html = inject  # type: ignore[method-assign]
    server.set_app(answer)
    return server


def _application(server: LiveReloadServer) -> Application:
    found = server.application
    assert found is not None  # set when the server was created
    return found


def guard(kind: type[LiveReloadServer]) -> None:
    """Make all servers of a class refuse requests for other hosts.

    The class is patched, since MkDocs passes a server to plugins only if its pages reload.
    """
    if getattr(kind.get_app, "is_guarded", False):
        return

    def guarded(server: LiveReloadServer) -> Application:
        def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            host, target = environ.get("HTTP_HOST", ""), environ["PATH_INFO"]
            named = server.url.removeprefix("http://").rpartition(f":{server.server_port}/")[0]
            if target.startswith("/") and is_allowed(host, server.server_port, named):
                if is_hidden(target.encode("latin-1").decode("utf-8", "ignore")):  # as MkDocs decodes it
                    start_response("404 Not Found", [("Content-Type", "text/plain")])
                    return [b"File not found."]
                return _application(server)(environ, start_response)
            # The target may be an absolute URL, whose host takes precedence.
            text = refusal(host if target.startswith("/") else target, server.server_port, "--dev-addr")
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
            start_response("421 Misdirected Request", headers)
            return [text.encode()]

        return answer

    guarded.is_guarded = True  # type: ignore[attr-defined]
    kind.get_app = guarded  # type: ignore[method-assign, assignment]
