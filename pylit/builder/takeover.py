"""Lets another program write a site into a new folder, which then replaces the old site.

Readers see the old site until the new one is complete. Leftovers of earlier runs of that program are removed, too.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from .output import Item, files_below, held, publish, published
from .workplace import workplace

_Stamp = tuple[int, int, int]


class Takeover:
    """A new site for the folder `out`, written by one program at a time. Must always be closed."""

    def __init__(self, out: Path, *, clean: bool) -> None:
        """Wait until no other build is writing `out`.

        Args:
            out: The output folder.
            clean: Whether to remove all files from `out` that are not in the new site, whoever wrote them.

        Raises:
            OSError: naming the folder that cannot be written.
        """
        self.out = out
        self._stack = ExitStack()
        self.place = self._stack.enter_context(workplace(out))
        """The workplace of `out`."""
        self.pages = self.place / "pages"
        """The folder for our part of the site."""
        self.site = self.place / "site"
        """The folder for the program's output."""
        try:
            self._former = _stamps(out) if clean else {}
        except BaseException:
            self.close()
            raise

    def finish(self) -> None:
        """Replace the old site by the new one, file by file.

        Raises:
            OSError: naming the folder that cannot be written.
        """
        owners = published(self.pages)
        items = {url: Item(key, self.site / url, owners.get(url, "others")) for url, key in held(self.site)}
        now = _stamps(self.out)
        # Files written to `out` in the meantime are part of the new site as well.
        stale = [url for url, stamp in self._former.items() if url not in items and now.get(url) == stamp]
        publish(self.out, items, self.place, force=True, stale=stale)

    def close(self) -> None:
        """Remove temporary files, and let other builds start."""
        self._stack.close()


def _stamps(folder: Path) -> dict[str, _Stamp]:
    """Return the files that MkDocs would remove before it writes, each with its modification time, inode and size.

    Hidden files and symlinks to folders at the top level are kept.
    """
    found = {}
    for url in files_below(folder):
        path = folder / url
        if not url.startswith(".") and ("/" in url or not path.is_dir()):
            status = path.lstat()
            found[url] = (status.st_mtime_ns, status.st_ino, status.st_size)
    return found
