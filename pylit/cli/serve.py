"""`pylit serve`: a preview of a site that is updated when files are saved."""

from __future__ import annotations

import errno
import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import config_option, debug_option, is_debugging, source_option

if TYPE_CHECKING:
    from ..preview import PreviewServer
    from ..site import Configuration

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/@]+):(?P<port>[0-9]{1,5})")


@click.command()
@config_option
@click.option(
    "--address",
    "-a",
    default="127.0.0.1:8000",
    show_default=True,
    metavar="HOST:PORT",
    help="Address to serve the site at.",
)
@click.option("--public", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--open", "is_opened", is_flag=True, help="Open the first page in a browser.")
@source_option
@debug_option
def serve(config: Path | None, address: str, public: bool, is_opened: bool, source_lang: str | None) -> None:
    """Preview a site, and update it whenever one of its files is saved. Ctrl-C ends it.

    Problems are shown on the pages. Nothing is written except the cache.
    """
    from ..preview import run_preview
    from ..site import CONFIG_NAMES, find_config

    path = config or find_config(Path.cwd())
    if path is None or not path.is_file():
        missing = path or "A configuration (pylit.toml, pyproject.toml or mkdocs.yml)"
        raise click.ClickException(f"{missing} does not exist; go to the site's folder or pass --config")

    server = _listen(address, public)
    shown = server.url

    def ready() -> None:
        click.echo(f"Serving at {shown}; Ctrl-C ends it.")
        if is_opened:
            webbrowser.open(shown)

    click.echo("Building the site ...", err=True)
    try:
        run_preview(
            lambda: _load(path, source_lang),
            {path, *(path.parent / name for name in CONFIG_NAMES)},
            server,
            lambda text: click.echo(text, err=True),
            ready,
            debug=is_debugging(),
        )
    except KeyboardInterrupt:
        click.echo(err=True)


def _listen(address: str, public: bool) -> PreviewServer:
    """Start a server at an address that the user has given.

    Raises:
        ClickException: if the address is not valid, is in use, or is public although that was not allowed.
    """
    from ..preview import PreviewServer, find_listen_address

    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise click.ClickException(
            f"--address {address} is not valid; expected HOST:PORT, like 127.0.0.1:8000"
        )
    host, port = match["host"].strip("[]"), int(match["port"])
    try:
        place = find_listen_address(host, port)
        if not place.is_private:
            if not public:
                hint = "choose 127.0.0.1, or allow it with --public"
                raise click.ClickException(f"other machines could reach the preview at {address}; {hint}")
            click.echo(f"Warning: other machines can reach the preview at {address}.", err=True)
        return PreviewServer(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = f"{match['host']}:{port + 1 if port < 65535 else port - 1}"
            reason = (
                f"{address} is in use, perhaps by another preview; choose another port: --address {other}"
            )
        else:
            reason = (
                f"the preview cannot use the address {address}: {error.strerror or error}; choose another"
            )
        raise click.ClickException(reason) from error


def _load(config: Path, source_lang: str | None) -> Configuration:
    """Open the configuration of a site.

    Raises:
        PylitError: if it cannot be read.
    """
    from ..api import given, open_configuration

    return open_configuration(config, given({"source_lang": source_lang}))
