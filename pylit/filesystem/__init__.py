"""Safe file access in folders that others may have tampered with: regular files below a folder, at clean addresses.

Provides one function to read and one to write, used by all other rooms. Refuses symlinks that leave the folder,
devices, and names that are not valid on a site.
"""

from .addresses import AddressError, check_address, is_address, locate, locate_all, parse_address
from .formats import PICTURES, allowed_formats, file_suffix, format_error, picture_type
from .reading import (
    PathKind,
    is_below,
    is_entry,
    leads_away,
    open_regular,
    read_file,
    resolve_path,
    resolves_below,
)
from .signatures import Signature, moved_signature, signature
from .writing import replacing, write_file

__all__ = [
    "PICTURES",
    "AddressError",
    "PathKind",
    "Signature",
    "allowed_formats",
    "check_address",
    "file_suffix",
    "format_error",
    "is_address",
    "is_below",
    "is_entry",
    "leads_away",
    "locate",
    "locate_all",
    "moved_signature",
    "open_regular",
    "parse_address",
    "picture_type",
    "read_file",
    "replacing",
    "resolve_path",
    "resolves_below",
    "signature",
    "write_file",
]
