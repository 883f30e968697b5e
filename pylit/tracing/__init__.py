"""Shapes of tensors: recorded by running a module's examples, and shown as chips next to lines of code.

Provides `parse_chips`, which works without torch, and `record_trace`, the only function of the engine that runs the
code it documents.
"""

from .format import Chip, NoTraceError, parse_chips, parse_trace, trace_command, trace_path
from .recorder import is_trace, record_trace, write_trace

__all__ = [
    "Chip",
    "NoTraceError",
    "is_trace",
    "parse_chips",
    "parse_trace",
    "record_trace",
    "trace_command",
    "trace_path",
    "write_trace",
]
