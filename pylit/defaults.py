"""Default values. Kept in a module of its own, so that showing them in `--help` imports nothing else."""

from __future__ import annotations

from dataclasses import dataclass

KATEX = ("local", "cdn")
"""Where KaTeX's stylesheet and fonts come from: a copy on the site itself, or a content delivery network. The copy is
the default, since jsdelivr is slow or blocked for many readers in China; and so no page asks another host for anything.
"""
KATEX_LOCAL = "assets/katex/katex.min.css"
"""The copy, relative to the root of the site."""
KATEX_CSS = "https://cdn.jsdelivr.net/npm/katex@0.16.22/dist/katex.min.css"
KATEX_INTEGRITY = "sha384-5TcZemv2l/9On385z///+d7MSYlvIEw9FuZTIdZ14vJLqWphw7e7ZPuOiCHJcFCP"
TRACES = "experiments/traces"
"""Folder of traces."""
CACHE = ".pylit-cache"
"""Cache folder, next to the configuration of a site."""

DIALECTS = ("auto", "markdown", "google", "numpy", "sphinx", "restructuredtext")
"""Dialects of docstrings. `sphinx` and `restructuredtext` are the same, and `auto` recognizes each docstring's."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How comments are interpreted, where there are several conventions."""

    cells: bool = True
    """Whether the cell markers of notebooks stored as scripts divide a file: `# %%`, `# In[3]:`, marimo's functions."""
    fold_noise: bool = True
    """Whether comments that are not for readers are hidden or folded: licences, directives for tools, boxes."""
    dead_code: bool = True
    """Whether commented-out code is shown as code."""
    outputs: bool = True
    """Whether the outputs of the cells of a notebook are shown."""
    docstrings: str = "auto"
    """The dialect of docstrings, one of `DIALECTS`."""
