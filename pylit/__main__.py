"""`python -m pylit`."""

from .cli import main

main(prog_name="pylit")
