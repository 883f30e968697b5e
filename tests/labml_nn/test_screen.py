"""What a run shows and writes where labml cannot help: without a terminal, a home, a package folder to write to."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import nullcontext
from pathlib import Path

import pytest
from conftest import ROOT
from small_runs import TINY, command, environment, metrics

from labml_nn.resnet.experiment import EXPERIMENT
from labml_nn.runs.tracking import START_ATTEMPTS, log_folder

RUN = [*TINY, "--steps", "60", "--out", "run"]
EPOCHS = 2
LINE = re.compile(
    r"epoch \d[\d.]*  step \d+/60  loss\.train \d+\.\d{4}  accuracy\.train \d+\.\d\d %  learning_rate \S+"
    r"  images/s [\d,]+  loss\.valid \d+\.\d{4}  accuracy\.valid \d+\.\d\d %"
)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(out: str, err: str = "") -> None:
    """Each epoch has a line of plain text, and everything is in the files."""
    assert len(LINE.findall(out)) == len(metrics(Path("run"))) == EPOCHS
    assert not re.search(r"[\x1b\r]", out + err)
    assert "step/s" not in out + err
    assert "valid accuracy  " in out
    assert Path("run/result.json").is_file() and Path("run/checkpoints/best.pt").is_file()


def test_without_a_terminal_there_is_one_plain_line_for_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    assert EXPERIMENT.main(RUN) == 0
    said = capsys.readouterr()
    check(said.out, said.err)
    lines = [line for line in said.out.splitlines() if line]
    assert len(lines) == EPOCHS + 6 and said.err == ""
    # labml has noted everything, and shown nothing.
    (log,) = Path("run/logs").rglob("log.jsonl")
    assert "loss.train" in log.read_text()


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert EXPERIMENT.main([*RUN, "--quiet"]) == 0
    assert EXPERIMENT.main([*RUN, "--quiet", "--resume", "auto"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert len(metrics(Path("run"))) == EPOCHS
    assert EXPERIMENT.main([*TINY, "--quiet", "--batch-size", "0"]) == 1
    assert "error: --batch-size must be" in capsys.readouterr().err


def test_without_labml_everything_is_shown_and_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name == "labml" or name.startswith("labml.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "labml", None)
    with pytest.warns(UserWarning, match="labml keeps no notes of this run: ModuleNotFoundError"):
        assert EXPERIMENT.main(RUN) == 0
    check(capsys.readouterr().out)


def test_labml_that_fails_in_the_middle_loses_no_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*values: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("labml.tracker.save", fail)
    with pytest.warns(UserWarning, match="the disk is full"):
        assert EXPERIMENT.main(RUN) == 0
    check(capsys.readouterr().out)


@pytest.mark.parametrize("misses", [1, START_ATTEMPTS - 1, START_ATTEMPTS])
def test_runs_that_start_together_keep_their_notes(misses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one may have removed what labml is about to read in the home folder."""
    from labml.internal.computer.configs import Computer

    read, missing = Computer.get_projects, iter(range(misses))

    def get_projects(computer: Computer) -> set[str]:
        if next(missing, None) is not None:
            raise FileNotFoundError(2, "No such file or directory", "projects/gone.txt")
        return read(computer)  # type: ignore[no-any-return]

    monkeypatch.setattr(Computer, "get_projects", get_projects)
    lost = pytest.warns(UserWarning, match="labml keeps no notes of this run: FileNotFoundError")
    with lost if misses == START_ATTEMPTS else nullcontext():
        assert EXPERIMENT.main([*TINY, "--quiet", "--steps", "2", "--out", "run"]) == 0


def run_in(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*RUN), capture_output=True, text=True, env=environment() | env, timeout=300)


@pytest.mark.process
@pytest.mark.slow
def test_a_home_that_cannot_be_written_to() -> None:
    Path("home").write_text("no folder, even for the superuser")
    found = run_in({"HOME": str(Path("home/below").absolute()), "PYTHONWARNINGS": "default"})
    assert found.returncode == 0, found.stderr
    check(found.stdout)
    assert "labml keeps no notes of this run: NotADirectoryError" in found.stderr


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.slow
def test_an_installed_package_gets_no_logs() -> None:
    """The package is as `pip` leaves it in a folder that nobody may write to, and labml is not installed at all."""
    site = Path("site-packages")
    shutil.copytree(ROOT / "labml_nn", site / "labml_nn", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "labml").mkdir()
    (site / "labml/__init__.py").write_text("raise ImportError('not installed')\n")
    for path in (*site.rglob("*"), site):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(site.rglob("*"))
    found = run_in({"PYTHONPATH": str(site.absolute()), "PYTHONDONTWRITEBYTECODE": "1"})
    for path in (site, *site.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    assert found.returncode == 0, found.stderr
    check(found.stdout)
    assert sorted(site.rglob("*")) == before
    assert not list(Path().rglob("logs"))


@pytest.mark.process
@pytest.mark.slow
def test_labml_of_an_installed_package_writes_to_the_run() -> None:
    site = Path("site-packages")
    shutil.copytree(ROOT / "labml_nn", site / "labml_nn", ignore=shutil.ignore_patterns("__pycache__"))
    found = run_in({"PYTHONPATH": str(site.absolute()), "PYTHONDONTWRITEBYTECODE": "1"})
    assert found.returncode == 0, found.stderr
    check(found.stdout)
    assert [path.parent.name for path in Path().rglob("logs")] == ["run"]


def test_logs_are_in_the_project_or_else_in_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Path("runs/first")
    assert log_folder(run) == tmp_path / run
    (tmp_path / ".labml.yaml").write_text("")
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert log_folder(run) == tmp_path


@pytest.mark.process
@pytest.mark.slow
def test_in_a_terminal_there_is_a_bar_and_labml_shows_each_epoch_once() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    process = subprocess.Popen(command(*RUN), stdout=theirs, stderr=theirs, env=environment())
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # how Linux says that nobody writes any more
        pass
    os.close(ours)
    assert process.wait(timeout=300) == 0
    text = said.decode()
    assert "100%|" in text and "60/60 [" in text
    assert text.count("loss.valid") == EPOCHS
    assert not LINE.search(text)
