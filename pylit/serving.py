"""Makes the preview server of MkDocs notice sooner that a file was saved, and show why a site cannot be built."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from html import escape
from typing import Any

from mkdocs.exceptions import Abort, MkDocsException
from mkdocs.livereload import LiveReloadServer
from watchdog.observers.polling import PollingObserver

INTERVAL = 0.1
"""Seconds between two looks at the files; MkDocs' own is half a second."""
DELAY = 0.05
"""Seconds to wait for more files to be saved; half of MkDocs' own."""

_PAGE = """\
<!doctype html>
<html><head><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>{title}</title></head>
<body><pre role="alert" style="white-space: pre-wrap">{text}</pre></body></html>
"""
log = logging.getLogger("mkdocs.plugins.pylit")


def hurry(
    server: LiveReloadServer, watched: Iterable[str | None], perhaps: Iterable[str]
) -> LiveReloadServer:
    """Make `server` look more often at what is `watched` already, at what `perhaps` is, and at what will be."""
    paths = [path for path in watched if path]
    for path in paths:
        server.unwatch(path)
    for path in perhaps:
        with suppress(KeyError):  # it is not
            server.unwatch(path)
            paths.append(path)
    server.observer = PollingObserver(timeout=INTERVAL)
    server.build_delay = DELAY
    for path in paths:
        server.watch(path)
    return server


def show_failures(server: LiveReloadServer) -> LiveReloadServer:
    """Let all pages tell why the last build failed, until one succeeds. MkDocs' own server would not answer at all."""
    build, serve, failure = server.builder, server.serve_request, ""

    def build_and_look() -> None:
        """Build, and look at the files before anybody knows: what the build has read may be undone at once."""
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

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not failure or environ["PATH_INFO"].startswith("/livereload/"):
            return serve(environ, start_response)
        start_response("500 Internal Server Error", [("Content-Type", "text/html; charset=utf-8")])
        text = escape(failure)
        return [_PAGE.format(title=text.partition("\n")[0], text=text).encode()]

    server.builder = builder
    server.set_app(answer)
    return server
