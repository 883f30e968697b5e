"""What the editor answers to the script on a page, and to whom it answers nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import polib
import pytest
from conftest import Write

from pylit.api import build, open_configuration, open_site
from pylit.errors import Problem, PylitError
from pylit.i18n.blocks import entry_id
from pylit.preview.edition import Edition
from pylit.preview.editor import Editor
from pylit.preview.server import PreviewServer, find_listen_address
from pylit.site.site import Site

TEXT = "The residual $x$ of `f`, see [the paper][he]."
PAGE = f'<!doctype html><head><title>Page</title></head><body><a href="#edit-{entry_id(TEXT)}">✎</a></body>'
PATIENCE = 60.0


@pytest.fixture
def editor(tmp_path: Path, write: Write) -> Editor:
    write("pylit.toml", 'sources = ["pkg"]\nlanguages = ["en", "zh", "ar"]\n')
    write("pkg/__init__.py", f'"""\n# Home\n\n{TEXT}\n\n[he]: https://example.org/he\n"""\n')
    write(
        "translations/zh/glossary.yml",
        "- {term: residual, use: [残差], never: [剩余], why: As in the paper.}\n- {term: layer, use: [层]}\n",
    )
    return Editor(lambda: _site(tmp_path))


def _site(root: Path) -> Site:
    return open_site(open_configuration(root / "pylit.toml", {}), is_kept=False)


def ask(
    editor: Editor, action: str, page: str = "/zh/index.html", **values: Any
) -> tuple[int, dict[str, Any]]:
    status, found = editor.answer(action, {"page": page, "id": entry_id(TEXT), **values})
    return int(status), json.loads(json.dumps(found))


def listed(editor: Editor, page: str = "/zh/index.html") -> dict[str, Any]:
    passages = ask(editor, "list", page)[1]["passages"]
    return dict(next(one for one in passages if one["text"] == TEXT))


def test_list_has_all_passages_and_the_directions_of_both_languages(editor: Editor) -> None:
    status, found = ask(editor, "list", "/ar/")
    assert status == 200 and [one["text"] for one in found["passages"]] == ["Home", TEXT]
    assert [one["state"] for one in found["passages"]] == ["missing", "missing"]
    assert found["languages"] == [
        {"lang": "en", "name": "English", "dir": "ltr"},
        {"lang": "ar", "name": "العربية", "dir": "rtl"},
    ]
    assert ask(editor, "list")[1]["words"]["save"] == "保存"


def test_help_has_the_terms_of_the_passage_only(editor: Editor, write: Write) -> None:
    similar = TEXT.replace("The", "This")
    write("pkg/other.py", f'"""\n# Other\n\n{similar}\n\n[he]: https://example.org/he\n"""\n')
    write("translations/zh/pkg/other.po", f'msgid "{similar}"\nmsgstr "这个残差 $x$，`f`，见[论文][he]。"\n')
    status, found = ask(editor, "help")
    assert status == 200
    assert found["terms"] == [
        {"term": "residual", "use": ["残差"], "never": ["剩余"], "why": "As in the paper."}
    ]
    assert found["similar"] == [{"text": similar, "translation": "这个残差 $x$，`f`，见[论文][he]。"}]


def test_trial_shows_a_translation_as_the_page_would(editor: Editor) -> None:
    status, found = ask(editor, "try", translation="残差 $x$，即 `f`，见[论文][he]。")
    assert status == 200 and (found["faults"], found["hints"]) == ([], [])
    assert 'class="katex"' in found["html"] and '<a href="https://example.org/he"' in found["html"]
    assert "<code" in found["html"]


def test_trial_tells_what_is_wrong(editor: Editor) -> None:
    _, found = ask(editor, "try", translation="剩余 $y$ 的 `f`，见[论文][he]")
    assert found["faults"] == ["lacks the formula `x`", "has the extra formula `y`"]
    assert found["hints"] == ["`residual` is rendered as 剩余. Use 残差. As in the paper."]
    _, found = ask(editor, "try", translation="残差 $\\frac{$ 的 **`f`")
    assert any("the formula `\\frac{` is not valid" in fault for fault in found["faults"])


def test_trial_is_sanitized(editor: Editor) -> None:
    html = ask(
        editor,
        "try",
        translation='<script>a</script><img src=x onerror=a> [a](javascript:b) <b onclick="c">d</b>',
    )
    assert "<script" not in html[1]["html"] and "<img" not in html[1]["html"]
    assert (
        "javascript:" not in html[1]["html"].replace("[a](javascript:b)", "")
        and "<b onclick" not in html[1]["html"]
    )


def test_save_and_conflict(editor: Editor, tmp_path: Path) -> None:
    seen = listed(editor)["seen"]
    status, found = ask(editor, "save", seen=seen, translation="残差 $x$，即 `f`，见[论文][he]。")
    assert status == 200 and found["passage"]["state"] == "translated"
    path = tmp_path / "translations/zh/pkg/__init__.po"
    entries = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))}
    assert entries == {"Home": "", TEXT: "残差 $x$，即 `f`，见[论文][he]。"}
    before = path.read_bytes()
    status, answer = ask(editor, "save", seen=seen, translation="别的")
    assert (status, answer) == (409, found) and path.read_bytes() == before
    assert ask(editor, "accept", seen=found["passage"]["seen"]) == (
        422,
        {"message": "its original has not changed"},
    )
    assert ask(editor, "save", id="0000000", seen=seen, translation="别的") == (410, {"passage": None})
    assert ask(editor, "try", id="0000000", translation="别的")[0] == 410


def test_accept(editor: Editor, write: Write, tmp_path: Path) -> None:
    old, path = TEXT.replace("The", "A"), "translations/zh/pkg/__init__.po"
    write(path, f'#, fuzzy\n#| msgid "{old}"\nmsgid "{TEXT}"\nmsgstr "残差 $x$，即 `f`，见[论文][he]。"\n')
    passage = listed(editor)
    assert passage["state"] == "stale" and passage["changes"][0] == ["A", "The"]
    status, found = ask(editor, "accept", seen=passage["seen"])
    assert status == 200 and found["passage"]["state"] == "translated"
    assert "fuzzy" not in (tmp_path / path).read_text("utf-8")


def test_wrong_requests(editor: Editor, write: Write, tmp_path: Path) -> None:
    assert ask(editor, "list", "/index.html")[0] == ask(editor, "list", "/zh/no.html")[0] == 404
    assert ask(editor, "list", "/../pylit.toml")[0] == ask(editor, "remove")[0] == 404
    assert (
        ask(editor, "save", translation="a" * 50_001)[0] == ask(editor, "save", translation=["a"])[0] == 400
    )
    write("translations/zh/pkg/__init__.po", 'msgid "a\n')
    status, found = ask(editor, "save", seen=listed(editor, "/ar/")["seen"], translation="话")
    assert status == 500 and "the string is not closed on its line" in found["message"]
    assert (tmp_path / "translations/zh/pkg/__init__.po").read_text() == 'msgid "a\n'


def test_failure_to_write_is_told(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    seen = listed(editor)["seen"]
    monkeypatch.setattr("os.replace", fail)
    status, found = ask(editor, "save", seen=seen, translation="话")
    assert status == 500 and "No space left on device" in found["message"]


def test_configuration_that_is_broken_is_told() -> None:
    def fail() -> Site:
        raise PylitError(Problem("pylit.toml", 1, "is not valid"))

    assert ask(Editor(fail), "list") == (500, {"message": "pylit.toml:1: error: is not valid"})


@pytest.fixture
def server(editor: Editor, write: Write, tmp_path: Path) -> Iterator[PreviewServer]:
    write("site/zh/index.html", PAGE)
    write("site/index.html", PAGE.replace("#edit", "#other"))
    server = PreviewServer(find_listen_address("127.0.0.1", 0))
    server.editor = editor
    server.board.pin(Edition(dict.fromkeys(["index.html", "zh/index.html"], "1")))
    server.start(tmp_path / "site")
    yield server
    server.stop()


def send(
    server: PreviewServer, method: str = "POST", path: str = "/.pylit/edit/list", body: str = "", **heads: str
) -> tuple[int, dict[str, str], str]:
    host = f"127.0.0.1:{server.server_port}"
    given = {"Host": host, "Content-Type": "application/json", "X-Pylit-Token": server.token}
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
    headers = {**given, **{name.replace("_", "-"): value for name, value in heads.items()}}
    data = body or '{"page": "/zh/"}'
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(data.encode() if method == "POST" else None)
    with connection.getresponse() as answer:
        found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_pages_with_passages_get_the_editor_and_others_do_not(server: PreviewServer) -> None:
    _, heads, html = send(server, "GET", "/zh/")
    assert f'<script src="/.pylit/edit.js" data-token="{server.token}" defer></script></head>' in html
    assert heads["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert ".pylit/edit" not in send(server, "GET", "/")[2]
    for path, kind in (("/.pylit/edit.js", "text/javascript"), ("/.pylit/edit.css", "text/css")):
        status, heads, _ = send(server, "GET", path)
        assert status == 200 and heads["Content-Type"].startswith(kind)
    server.editor = None
    assert ".pylit/edit" not in send(server, "GET", "/zh/")[2]


def test_page_of_this_preview_is_answered(server: PreviewServer) -> None:
    host = f"127.0.0.1:{server.server_port}"
    for heads in ({}, {"Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}):
        status, found, body = send(server, **heads)
        assert status == 200 and len(json.loads(body)["passages"]) == 2
        assert found["Content-Type"] == "application/json" and "Access-Control-Allow-Origin" not in found


@pytest.mark.parametrize(
    ("heads", "status"),
    [
        ({"X_Pylit_Token": ""}, 403),
        ({"X_Pylit_Token": "wrong"}, 403),
        ({"X_Pylit_Token": "w\xf6rong"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),  # DNS rebinding
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Content_Type": "text/plain"}, 415),  # what forms of other sites can send
        ({"Content_Length": "500001"}, 413),
        ({"Content_Length": "-1"}, 413),
        ({"body": "[]"}, 400),
        ({"body": '{"page": '}, 400),
        ({"body": "[" * 100_000}, 400),
        ({"path": "/.pylit/edit/remove"}, 404),
        ({"path": "/zh/"}, 405),
        ({"path": "/.pylit/reload.js"}, 405),
    ],
)
def test_other_requests_are_refused_and_write_nothing(
    server: PreviewServer, tmp_path: Path, heads: dict[str, str], status: int
) -> None:
    seen = json.loads(send(server)[2])["passages"][1]
    body = json.dumps({"page": "/zh/", "id": seen["id"], "seen": seen["seen"], "translation": "话"})
    assert send(server, **{"path": "/.pylit/edit/save", "body": body, **heads})[0] == status
    assert not (tmp_path / "translations/zh/pkg").exists()
    assert send(server, path="/.pylit/edit/save", body=body)[0] == 200
    assert (tmp_path / "translations/zh/pkg/__init__.po").exists()


@pytest.mark.process
def test_published_site_has_nothing_of_the_editor(editor: Editor, tmp_path: Path) -> None:
    build(tmp_path / "out", config=tmp_path / "pylit.toml")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert tmp_path / "out/zh/index.html" in files
    for path in files:
        data = path.read_bytes()
        assert b"#edit-" not in data and b"pylit-edit" not in data and b".pylit/" not in data, path


def test_preview_that_other_machines_can_reach_has_no_editor(server: PreviewServer) -> None:
    server.editor = None
    assert send(server)[0] == 405
