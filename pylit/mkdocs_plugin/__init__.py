"""Maps the events of MkDocs and ProperDocs to calls of the other rooms. Contains no logic of its own."""

from .plugin import load_configuration

__all__ = ["load_configuration"]
