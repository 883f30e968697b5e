"""`python -m pylit`."""

from .cli.main import main

main(prog_name="pylit")
