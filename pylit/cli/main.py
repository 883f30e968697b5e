"""The main command, and the handling of unexpected errors."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .. import __version__
from ..signals import end_on_sigterm
from .build import build, render
from .check import check
from .common import DEBUG
from .exchange import export, import_
from .init import init
from .merge_po import merge_po
from .sections import sections
from .serve import serve
from .trace import trace
from .translate import accept, new, status, update


class _Commands(click.Group):
    """A group of commands that reports an unexpected exception in one line, or with a traceback if `--debug` is set."""

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        """Parse what precedes the command, which may print the help."""
        try:
            return super().make_context(*arguments, **named)
        except OSError as error:
            raise _of_the_system(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError, MemoryError):
            raise
        except OSError as error:
            if ctx.meta.get(DEBUG):
                raise
            raise _of_the_system(error) from error
        except Exception as error:
            if ctx.meta.get(DEBUG):
                raise
            from ..errors import REPORT

            message = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(": ")
            command = ctx.invoked_subcommand or ""
            click.echo(f"pylit {command}: error: a bug in pylit: {message}\n    {REPORT}", err=True)
            sys.exit(1)


def _of_the_system(error: OSError) -> click.ClickException:
    """Make a message of an `OSError`; if it names no file, it is about the output."""
    name = "the output" if error.filename is None else os.fspath(error.filename)
    return click.ClickException(f"{name}: {error.strerror or error}")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pylit")
def main() -> None:
    """Annotated Python files as web pages: prose on the left, the code that runs on the right."""
    end_on_sigterm()


for command in (init, build, render, serve, check, sections, trace):
    main.add_command(command)
for command in (update, new, status, accept, export, import_, merge_po):
    main.add_command(command)
