"""Builds a site into a folder with several processes; the folder is either completely updated or left unchanged.

Provides `build`. Refuses to write into a folder that contains files which pylit did not write.
"""

from .builder import build, rehearse
from .output import check_folder, published, published_digests
from .takeover import Takeover
from .workplace import naming, unwritable
from .zip_archive import write_archive

__all__ = [
    "Takeover",
    "build",
    "check_folder",
    "naming",
    "published",
    "published_digests",
    "rehearse",
    "unwritable",
    "write_archive",
]
