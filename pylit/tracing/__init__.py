"""Shapes of tensors, shown as chips next to lines of code, and pictures of them: recorded by running examples.

Provides `parse_chips` and `place_pictures`, which work without torch, and `record_trace` and `record_pictures`, the
only functions of the engine that run the code it documents.
"""

from .format import Chip, NoTraceError, parse_chips, parse_trace, trace_command, trace_path
from .picture_recorder import record_pictures, write_pictures
from .pictures import INDEX, PicturedStep, parse_pictures, pictures_path, place_pictures
from .recorder import is_trace, record_trace, write_trace

__all__ = [
    "INDEX",
    "Chip",
    "NoTraceError",
    "PicturedStep",
    "is_trace",
    "parse_chips",
    "parse_pictures",
    "parse_trace",
    "pictures_path",
    "place_pictures",
    "record_pictures",
    "record_trace",
    "trace_command",
    "trace_path",
    "write_pictures",
    "write_trace",
]
