"""A file is written whole or not at all, and never through a symlink."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylit.filesystem.writing import replacing, write_file


def test_written_files_replace_symlinks(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "link").symlink_to(victim)
    write_file(tmp_path / "link", b"new")
    write_file(tmp_path / "folder/below/file", b"deep")
    assert victim.read_text() == "mine" and not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == "new" and (tmp_path / "folder/below/file").read_text() == "deep"
    with pytest.raises(OSError, match="folder'") as error:
        write_file(tmp_path / "folder", b"")
    assert error.value.filename == str(tmp_path / "folder")
    assert not list(tmp_path.rglob("*.new"))


def test_a_file_that_is_not_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with pytest.raises(FileNotFoundError) as error, replacing(path) as file:
        file.write(b"new" + (tmp_path / "source").read_bytes())
    assert error.value.filename == str(tmp_path / "source")  # which is what is to be put right
    with pytest.raises(OSError, match="No space left") as full, replacing(path) as file:
        raise OSError(28, "No space left on device")
    assert full.value.filename == str(path)
    assert path.read_bytes() == b"old" and [path] == list(tmp_path.iterdir())
