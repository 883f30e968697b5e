"""The preview server of MkDocs, as the plugin changes it. What all previews have in common is tested for `preview`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mkdocs.livereload import LiveReloadServer

from pylit.mkdocs_plugin.live_reload import DELAY, INTERVAL, hurry, show_failures


def test_server_looks_more_often(tmp_path: Path) -> None:
    for name in ("docs", "theme", "new"):
        (tmp_path / name).mkdir()
    docs, theme, new = (str(tmp_path / name) for name in ("docs", "theme", "new"))
    server = LiveReloadServer(lambda: None, "127.0.0.1", 0, str(tmp_path))
    server.watch(docs)
    server.watch(theme)
    hurry(server, [docs, None], [theme, new])
    server.watch(new)
    emitters = server.observer.emitters
    assert {emitter.watch.path: emitter.timeout for emitter in emitters} == dict.fromkeys(
        [docs, theme, new], INTERVAL
    )
    assert server.build_delay == DELAY
    server.server_close()


def test_server_looks_after_each_build(tmp_path: Path) -> None:
    """Or nobody would notice that what it has read is undone before the next look, of which there is none here."""
    page = tmp_path / "docs/page.md"
    page.parent.mkdir()
    saves: Iterator[Callable[[], None]] = iter([page.touch, page.unlink])

    def build() -> None:
        next(saves)()
        raise ValueError("two for one page")

    server = show_failures(LiveReloadServer(build, "127.0.0.1", 0, str(tmp_path)))
    server.watch(str(page.parent))
    hurry(server, [str(page.parent)], [])
    for emitter in server.observer.emitters:
        emitter.on_thread_start()
    for kind in ("created", "deleted"):
        server.builder()
        events = []
        while not server.observer.event_queue.empty():
            events.append(server.observer.event_queue.get()[0])
        assert (kind, str(page)) in [(event.event_type, event.src_path) for event in events]
    server.server_close()
