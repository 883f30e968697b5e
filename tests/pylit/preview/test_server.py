"""The preview's server, asked by real sockets: what it gives, what it refuses, and when it tells of news."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from conftest import Write

from pylit.errors import Problem
from pylit.preview import server as module
from pylit.preview.edition import Edition
from pylit.preview.server import EVENTS, RELOAD, PreviewServer, find_listen_address

PAGE = "<!doctype html><title>Page</title><body><p>Some words.</p></body></html>"
FILES = {
    "index.html": PAGE,
    "404.html": PAGE.replace("Some words.", "There is no such page."),
    "zh/index.html": PAGE,
    "bare.html": "<!doctype html><p>No body.",
    "assets/a.css": "p {}",
    "assets/a.js": "1",
    "assets/a.svg": "<svg/>",
    "assets/a.pf_index": "?",
    "a picture.png": "?",
    "你.html": PAGE,
}
PATIENCE = 60.0


@pytest.fixture
def server(write: Write, tmp_path: Path) -> Iterator[PreviewServer]:
    for name, text in FILES.items():
        write(f"site/{name}", text)
    write("secret.txt", "Nobody may read this.")
    server = PreviewServer(find_listen_address("127.0.0.1", 0))
    server.board.pin(Edition(dict.fromkeys(FILES, "1")))
    server.start(tmp_path / "site")
    yield server
    server.stop()


def ask(
    server: PreviewServer, path: str, method: str = "GET", host: str = ""
) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    with connection.getresponse() as answer:
        found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_pages_have_one_more_script_at_their_end(server: PreviewServer) -> None:
    state = server.board.edition.state("index.html")
    script = f'<script src="{RELOAD}" data-state="{state}"></script>'
    for path in ("/", "/index.html", "/index.html?x=/../y"):
        status, heads, html = ask(server, path)
        assert status == 200 and html == PAGE.replace("</body>", f"{script}</body>")
        assert heads["Content-Type"] == "text/html; charset=utf-8" and heads["Cache-Control"] == "no-store"
        assert heads["X-Content-Type-Options"] == "nosniff"
        assert heads["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ask(server, "/bare.html")[2].startswith(f'{FILES["bare.html"]}<script src="{RELOAD}"')
    status, heads, script = ask(server, RELOAD)
    assert status == 200 and "EventSource" in script and heads["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/assets/a.css", "text/css; charset=utf-8"),
        ("/assets/a.js", "text/javascript; charset=utf-8"),
        ("/assets/a.svg", "image/svg+xml"),
        ("/assets/a.pf_index", "application/octet-stream"),
        ("/a%20picture.png", "image/png"),
        ("/%E4%BD%A0.html", "text/html; charset=utf-8"),
    ],
)
def test_files_are_what_their_suffix_says(server: PreviewServer, path: str, kind: str) -> None:
    status, heads, _ = ask(server, path)
    assert status == 200 and heads["Content-Type"] == kind


def test_head_has_no_body(server: PreviewServer) -> None:
    _, heads, html = ask(server, "/index.html")
    status, again, nothing = ask(server, "/index.html", "HEAD")
    assert (status, nothing) == (200, "") and again["Content-Length"] == heads["Content-Length"]
    assert len(html) == int(heads["Content-Length"])


def test_folder_leads_to_its_index(server: PreviewServer) -> None:
    status, heads, _ = ask(server, "/zh")
    assert (status, heads["Location"]) == (302, "/zh/")
    assert "Some words." in ask(server, "/zh/")[2]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "X"])
def test_nothing_can_be_done_but_reading(server: PreviewServer, method: str) -> None:
    status, heads, text = ask(server, "/index.html", method)
    wanted = (405, "application/json") if method == "POST" else (501, "text/plain")
    assert (status, heads["Content-Type"].partition(";")[0]) == wanted
    assert "Some words." not in text and "<" not in text


def test_what_was_not_published_is_not_there(server: PreviewServer, tmp_path: Path) -> None:
    (tmp_path / "site/draft.html").write_text("Nobody may read this.")
    (tmp_path / "site/index.html").unlink()
    (tmp_path / "site/index.html").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "site/zh/index.html").unlink()
    for path in (
        "/draft.html",
        "/../secret.txt",
        "/index.html",
        "/zh/",
        "/assets",
        "/assets/",
        "/%ff",
        EVENTS + "x",
    ):
        status, heads, html = ask(server, path)
        assert status == 404, path
        assert "There is no such page." in html and RELOAD in html and "Nobody" not in html
        assert heads["Content-Type"] == "text/html; charset=utf-8"
    assert ask(server, EVENTS, "HEAD")[0] == 404


def test_page_that_is_not_there_tells_what_is_wrong_with_the_site(server: PreviewServer) -> None:
    problem = Problem("pkg/<x>.py", 3, "is wrong", "Fix it.")
    server.board.pin(Edition({"404.html": "1"}, (problem,)))
    _, _, html = ask(server, "/gone.html")
    assert '<div class="problems" role="alert">pkg/&lt;x&gt;.py:3: error: is wrong\n    Fix it.</div>' in html
    server.board.pin(Edition({}, (problem,)))
    status, _, html = ask(server, "/gone.html")
    assert status == 404 and "There is no such page." in html and "is wrong" in html


def test_failure_is_on_every_page(server: PreviewServer) -> None:
    server.board.pin(Edition(failure=Problem("mkdocs.yml", 7, "has <no> languages", "Name one.")))
    for path in ("/", "/gone.html", "/assets/a.css"):
        status, heads, html = ask(server, path)
        assert status == 500 and heads["Content-Type"] == "text/html; charset=utf-8"
        assert "mkdocs.yml:7: error: has &lt;no&gt; languages\n    Name one.</pre>" in html
        assert "<title>mkdocs.yml:7: error: has &lt;no&gt; languages</title>" in html
        assert "script-src 'self'; connect-src 'self'" in html and RELOAD in html
    assert ask(server, RELOAD)[0] == 200


def test_other_hosts_are_refused_whatever_they_ask_for(server: PreviewServer) -> None:
    for path in ("/", "/gone.html", RELOAD, f"{EVENTS}?page=/&state=x"):
        status, heads, text = ask(server, path, host="evil.example")
        assert status == 421 and "hosts 'evil.example'" not in text
        assert "for the host 'evil.example'" in text and "start it with --address NAME:" in text
        assert heads["Content-Type"].startswith("text/plain")


def listen(server: PreviewServer, page: str, state: str) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
    connection.request("GET", f"{EVENTS}?page={page}&state={state}")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream"
    assert answer.readline() + answer.readline() == b"retry: 1000\n\n"
    return connection, answer


def test_page_is_told_once_when_it_has_changed(
    server: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING", 0.01)
    edition = server.board.edition
    connection, answer = listen(server, "/", edition.state("index.html"))
    assert answer.readline() == b":\n"  # nothing yet
    server.board.pin(Edition(dict(edition.files) | {"zh/index.html": "2"}))
    server.board.pin(Edition(dict(edition.files) | {"index.html": "2"}))
    rest = answer.read()
    assert rest.endswith(b"\ndata: changed\n\n") and rest.count(b"data") == 1
    connection.close()


@pytest.mark.parametrize("page", ["/", "/index.html", "/gone.html", "/../x", ""])
def test_page_of_another_state_is_told_at_once(server: PreviewServer, page: str) -> None:
    connection, answer = listen(server, page, "of-another-day")
    assert answer.read() == b"data: changed\n\n"
    connection.close()


def test_pages_that_wait_hear_of_the_end(server: PreviewServer) -> None:
    connection, answer = listen(server, "/", server.board.edition.state("index.html"))
    server.stop()
    assert answer.read() == b""
    connection.close()


def test_nobody_is_told_of_readers_that_go(
    server: PreviewServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PING", 0.01)
    for path in ("/", f"{EVENTS}?page=/&state={server.board.edition.state('index.html')}"):
        with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
            # Closed so, it is reset at once.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(
                f"GET {path} HTTP/1.0\r\nHost: localhost:{server.server_port}\r\n\r\n".encode()
            )
            connection.recv(1)
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.sendall(b"GE")
    assert ask(server, "/")[0] == 200
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_mistake_of_ours_is_told_and_the_next_request_is_answered(
    server: PreviewServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*given: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(module, "answer", broken)
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: localhost:{server.server_port}\r\n\r\n".encode())
        assert connection.recv(1) == b""
    monkeypatch.undo()
    assert ask(server, "/")[0] == 200
    assert "ValueError: a mistake" in capfd.readouterr().err


def test_place_of_a_name_is_that_of_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, port: int, type: int) -> list[object]:
        return [
            (socket.AF_INET6, type, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, type, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    place = find_listen_address("localhost", 80)
    assert (place.host, place.ip, place.is_private) == ("localhost", "127.0.0.1", True)


@pytest.mark.parametrize(
    ("host", "is_private"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
    ],
)
def test_places_that_only_this_machine_can_reach(host: str, is_private: bool) -> None:
    assert find_listen_address(host, 0).is_private == is_private


def test_place_is_taken_without_asking_the_network_for_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *given: pytest.fail("it was asked"))
    server = PreviewServer(find_listen_address("127.0.0.1", 0))
    assert server.url == f"http://127.0.0.1:{server.server_port}/" and server.server_port > 0
    server.stop()


def test_addresses_of_ipv6_stand_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    server = PreviewServer(find_listen_address("127.0.0.1", 0))
    server.host = "::1"
    assert server.url == f"http://[::1]:{server.server_port}/"
    server.stop()
