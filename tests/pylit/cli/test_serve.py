"""The command that previews a site: what it accepts, and what it says where it cannot do what it is asked for."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Write
from previews import CONFIG, write_site

from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.preview import PreviewServer
from pylit.site import CONFIG_NAMES, Configuration


class Runs:
    """What was asked of the preview, which does not run."""

    load: Callable[[], Configuration]
    configuration: Iterable[Path]
    url = ""

    def __call__(
        self, load: Any, configuration: Any, server: Any, tell: Any, ready: Any, *, debug: bool
    ) -> None:
        self.load, self.configuration, self.url = load, configuration, server.url
        tell("Built.")
        ready()
        server.stop()
        raise KeyboardInterrupt


@pytest.fixture
def runs(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    write_site(write)
    monkeypatch.chdir(tmp_path)
    runs = Runs()
    monkeypatch.setattr("pylit.preview.run_preview", runs)
    return runs


def serve(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_it_says_where_and_ends_with_ctrl_c(runs: Runs) -> None:
    result = serve("--address", "127.0.0.1:0")
    assert result.exit_code == 0
    assert result.stdout == f"Serving at {runs.url}; Ctrl-C ends it.\n"
    assert "Built.\n" in result.stderr
    assert {path.name for path in runs.configuration} == set(CONFIG_NAMES)
    assert runs.load().options.title == "Test"


def test_first_page_is_opened_on_demand(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    serve("--address", "127.0.0.1:0")
    assert not opened
    serve("--address", "127.0.0.1:0", "--open")
    assert opened == [runs.url]


INVALID = "8000 :8000 localhost localhost: a:b ::1:8000 [::1] http://a:1 a@b:1 a:65536".split()


@pytest.mark.parametrize("address", [*INVALID, "", "a b:1"])
def test_addresses_that_are_not_valid(runs: Runs, address: str) -> None:
    result = serve("--address", address)
    assert result.exit_code == 1
    assert (
        result.stderr == f"Error: --address {address} is not valid; expected HOST:PORT, like 127.0.0.1:8000\n"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.3.2.1"])
def test_addresses_of_this_machine(runs: Runs, host: str) -> None:
    assert serve("--address", f"{host}:0").exit_code == 0
    assert runs.url.startswith(f"http://{host}:")


def test_address_that_others_can_reach_needs_an_option_and_is_warned_of(runs: Runs) -> None:
    result = serve("--address", "0.0.0.0:0")
    assert result.exit_code == 1 and not runs.url
    assert result.stderr == (
        "Error: other machines could reach the preview at 0.0.0.0:0; choose 127.0.0.1, or allow it with --public\n"
    )
    result = serve("--address", "0.0.0.0:0", "--public")
    assert result.exit_code == 0 and runs.url.startswith("http://0.0.0.0:")
    assert result.stderr.startswith("Warning: other machines can reach the preview at 0.0.0.0:0.\n")


def test_port_that_is_in_use_is_told_in_one_line_with_another(runs: Runs) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = serve("--address", f"127.0.0.1:{port}")
    assert result.exit_code == 1
    another = port + 1 if port < 65535 else port - 1
    assert result.stderr == (
        f"Error: 127.0.0.1:{port} is in use, perhaps by another preview; "
        f"choose another port: --address 127.0.0.1:{another}\n"
    )


def test_address_that_cannot_be_had(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*given: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        result = serve("--address", "nowhere:8000")
    assert result.exit_code == 1
    assert (
        "Error: the preview cannot use the address nowhere:8000: Name or service not known" in result.stderr
    )

    def forbidden(self: PreviewServer, place: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(PreviewServer, "__init__", forbidden)
    result = serve("--address", "127.0.0.1:80")
    assert (
        "the preview cannot use the address 127.0.0.1:80: Permission denied; choose another" in result.stderr
    )


def test_configuration_that_is_not_there(runs: Runs) -> None:
    result = serve("--config", "gone.yml")
    assert result.exit_code == 1
    assert result.stderr == "Error: gone.yml does not exist; go to the site's folder or pass --config\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("site_name: [\n", "while parsing"),
        ("site_name: Test\n", "does not name the plugin `pylit`"),
        (CONFIG.replace("search: false", "search: [1]"), "search"),
        (CONFIG + "docs_dir: nowhere\n", "nowhere"),
    ],
)
def test_configuration_that_is_wrong_is_told_by_the_preview(
    runs: Runs, write: Write, text: str, told: str
) -> None:
    """Not by the command, which goes on: the next save may mend it."""
    serve("--address", "127.0.0.1:0")
    write("mkdocs.yml", text)
    with pytest.raises(PylitError, match=r"mkdocs\.yml.*: error: ") as caught:
        runs.load()
    assert told in str(caught.value)
    write("mkdocs.yml", CONFIG)
    assert runs.load().options.title == "Test"


def test_configuration_that_is_gone_is_told_by_the_preview(runs: Runs, tmp_path: Path) -> None:
    serve("--address", "127.0.0.1:0")
    (tmp_path / "mkdocs.yml").unlink()
    with pytest.raises(PylitError, match=r"mkdocs\.yml: error: does not exist"):
        runs.load()
