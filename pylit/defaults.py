"""What is taken when the user says nothing. Here, so that telling it imports nothing else."""

from __future__ import annotations

KATEX_CSS = "https://cdn.jsdelivr.net/npm/katex@0.16.22/dist/katex.min.css"
KATEX_INTEGRITY = "sha384-5TcZemv2l/9On385z///+d7MSYlvIEw9FuZTIdZ14vJLqWphw7e7ZPuOiCHJcFCP"
TRACES = "experiments/traces"
"""The folder of traces."""
CACHE = ".pylit-cache"
"""The folder that keeps what was made, beside a site's configuration."""
KEPT = 160
"""Modules of which a process keeps in memory what it has read and found out, half a megabyte for a long one."""
