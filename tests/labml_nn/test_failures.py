"""Runs that meet full disks, wrong checkpoints, dead processes, signals and clocks that jump."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import torch
from conftest import Train
from sampling import SHARE, thinned
from small_runs import TINY, checkpoint, command, environment, last, metrics

from labml_nn.resnet import experiment
from labml_nn.runs import files as run_files
from labml_nn.runs.files import RunFailed, alone, forget_after, new_folder, write_whole
from labml_nn.runs.loading import load_model
from labml_nn.runs.run import stop_on_signals
from labml_nn.training import Trainer
from labml_nn.training.checkpoint import CheckpointError, CheckpointFolder, load, save
from labml_nn.training.processes import PATIENCE, hash_of_files

ENOSPC = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def finished(train: Train, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run that took six steps."""
    folder = train("--steps", "6", "--checkpoint-steps", "2")
    capsys.readouterr()
    return folder


# --- Checkpoints


@pytest.mark.parametrize("tenth", range(10))
def test_cut_checkpoint_is_named_and_passed_over(tmp_path: Path, tenth: int) -> None:
    folder = CheckpointFolder(tmp_path, keep=3)
    folder.save(checkpoint(1))
    path = folder.save(checkpoint(2))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * tenth // 10])
    with pytest.raises(CheckpointError, match=f"(?s){path} is no checkpoint of ours.*Remove it"):
        load(path)
    with pytest.warns(UserWarning, match=f"(?s){path} is no checkpoint of ours"):
        assert folder.load_last().step == 1


FLIPS = 200


def test_flipped_bytes_are_found(tmp_path: Path) -> None:
    """A flip that is not found is one in the padding between the parts of the file, which means nothing."""
    folder = CheckpointFolder(tmp_path, keep=3)
    older = folder.save(checkpoint(1))
    path = folder.save(checkpoint(2))
    whole, right = path.read_bytes(), load(path)
    draw = random.Random(0)
    refused = 0
    for _ in range(FLIPS // SHARE):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        message = ""
        try:
            found = load(path)
        except CheckpointError as error:
            message = str(error)
        if message:
            assert f"{path} is no checkpoint of ours, or it is damaged" in message
            refused += 1
            with pytest.warns(UserWarning, match=f"Going on from {older}"):
                assert folder.load_last().step == 1
        else:
            assert repr(found) == repr(right)
            assert torch.equal(found.model["w"], right.model["w"])
            assert torch.equal(found.random[0]["torch"], right.random[0]["torch"])
            assert torch.equal(found.random[0]["numpy"][1], right.random[0]["numpy"][1])
    assert refused > FLIPS // SHARE / 2


class Call:
    """Pickled, it asks to call a function when it is read."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


ATTACKS = {
    "system": Call(os.system, "touch harm"),
    "eval": Call(eval, "open('harm', 'w')"),
    "exec": Call(exec, "open('harm', 'w')"),
    "open": Call(open, "harm", "w"),
    "subprocess": Call(subprocess.Popen, ["touch", "harm"]),
    "mkdir": Call(os.mkdir, "harm"),
    "inside a tensor": Call(torch.load, "harm"),
    "import": Call(__import__, "antigravity"),
}


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("zipped", [True, False])
def test_no_pickle_runs_however_it_is_read(finished: Path, kind: str, zipped: bool) -> None:
    evil = {**vars(last(finished)), "progress": {"x": ATTACKS[kind]}}
    for path in finished.glob("checkpoints/*.pt"):
        torch.save(evil, path, _use_new_zipfile_serialization=zipped)
    assert "antigravity" not in sys.modules
    assert experiment.EXPERIMENT.main(["--resume", "run"]) == 1
    with pytest.raises(CheckpointError, match=r"best\.pt is no checkpoint of ours"):
        load_model(finished)
    assert not Path("harm").exists()
    assert "antigravity" not in sys.modules


def test_checkpoint_of_another_model(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*.pt")}
    assert experiment.EXPERIMENT.main(["--resume", "run", "--blocks", "2", "--steps", "8"]) == 1
    error = capsys.readouterr().err
    assert "step-00000006.pt does not fit the model" in error
    assert "Leave out options that change the network" in error
    # A failed attempt leaves all as it was.
    assert {path: path.read_bytes() for path in finished.rglob("*.pt")} == before
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8"]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"model": {}},
        {"optimizer": {}},
        {"random": {}},
        {"random": {"torch": 3}},
        {"model": {"x": torch.ones(1)}},
    ],
)
def test_checkpoint_with_other_contents(
    finished: Path, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in finished.glob("checkpoints/step-*.pt"):
        torch.save({**vars(load(path)), **change}, path)
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8"]) == 1
    assert "step-00000006.pt does not fit the model" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"model": {}}, {"about": {}}, {"about": {"classes": 3}}])
def test_prediction_with_other_contents(finished: Path, change: dict[str, Any]) -> None:
    path = finished / "checkpoints/best.pt"
    torch.save({**vars(load(path)), **change}, path)
    with pytest.raises(CheckpointError, match=r"best\.pt does not fit the network of .*config\.json"):
        load_model(finished)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"preset": "x"}',
        '{"preset": "x", "config": {"layers": 3}}',
        '{"preset": 1, "config": []}',
    ],
)
def test_damaged_configuration_is_named(
    finished: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (finished / "config.json").write_text(text)
    assert experiment.EXPERIMENT.main(["--resume", "run"]) == 1
    assert "run/config.json cannot be read" in capsys.readouterr().err


# --- Full disks


class FullDisk:
    """A file on a disk that has room for its first bytes only."""

    def __init__(self, file: IO[Any], room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: Any) -> int:
        if len(data) > self.room:
            raise ENOSPC
        self.room -= len(data)
        return self.file.write(data)

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.mark.parametrize("tenth", range(10))
def test_disk_that_fills_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenth: int
) -> None:
    path = tmp_path / "a.pt"
    save(checkpoint(1), path)
    size, plain = path.stat().st_size, Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode="r": FullDisk(plain(path, mode), size * tenth // 10))
        with pytest.raises(
            CheckpointError, match=r"a\.pt cannot be written: No space left on device\. Make room"
        ):
            save(checkpoint(2), path)
    assert load(path).step == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


def test_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [*TINY, "--steps", "6", "--checkpoint-steps", "2"]
    assert experiment.EXPERIMENT.main([*options, "--out", "whole"]) == 0
    plain, calls = os.fsync, itertools.count()

    def full(descriptor: int) -> None:
        if next(calls) == 1:
            raise ENOSPC
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert experiment.EXPERIMENT.main([*options, "--out", "run"]) == 1
    error = capsys.readouterr().err
    assert "error: run/checkpoints/step-00000004.pt cannot be written: No space left on device" in error
    assert "--resume" in error
    assert last(Path("run")).step == 2
    assert experiment.EXPERIMENT.main(["--resume", "run"]) == 0
    one, two = last(Path("whole")), last(Path("run"))
    assert all(torch.equal(tensor, two.model[name]) for name, tensor in one.model.items())


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "result.json"])
def test_full_disk_names_each_file_of_a_run(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_open, plain_write = Path.open, Path.write_text

    def opened(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == name and "a" in arguments:
            raise ENOSPC
        return plain_open(path, *arguments, **named)

    def written(path: Path, *arguments: Any, **named: Any) -> int:
        if name in path.name:
            raise ENOSPC
        return plain_write(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(Path, "write_text", written)
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 1
    assert f"error: run/{name} cannot be written: No space left on device" in capsys.readouterr().err


def test_metrics_survive_a_full_disk_when_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("metrics.jsonl")
    text = '{"step": 1}\n{"step": 2}\n{"ste'
    path.write_text(text)

    def full(*arguments: Any, **named: Any) -> int:
        raise ENOSPC

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(RunFailed, match=r"metrics\.jsonl cannot be written: No space left"):
            forget_after(path, 1)
    assert path.read_text() == text
    forget_after(path, 1)
    assert path.read_text() == '{"step": 1}\n'


@pytest.mark.parametrize("line", ["3", "[]", "{}", "[" * 10**5, '{"step": "x"}', '{"step": null}'])
def test_odd_lines_of_the_metrics_are_dropped(line: str) -> None:
    path = Path("metrics.jsonl")
    path.write_text(f'{{"step": 1}}\n{line}\n')
    forget_after(path, 5)
    assert path.read_text() == '{"step": 1}\n'


def test_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "file/run"]) == 1
    assert "error: file/run cannot be written: Not a directory" in capsys.readouterr().err
    with pytest.raises(RunFailed, match=r"file/x\.json cannot be written: File exists"):
        write_whole(Path("file/x.json"), "")


# --- Memory


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: ..."),
        MemoryError(),
    ],
    ids=["device", "cpu", "python"],
)
@pytest.mark.parametrize("at", [0, 3])
def test_out_of_memory_says_to_halve_the_batch(
    error: Exception, at: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Trainer.take_step

    def step(trainer: Trainer) -> None:
        if trainer.step == at:
            raise error
        plain(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", step)
        assert (
            experiment.EXPERIMENT.main([*TINY, "--steps", "6", "--checkpoint-steps", "2", "--out", "run"])
            == 1
        )
    message = capsys.readouterr().err
    assert "the memory of cpu does not suffice for a batch of 32 images" in message
    if at:
        go_on = "python -m labml_nn.resnet.experiment --resume run --batch-size 16"
        assert f"go on with half of it: {go_on}" in message
        assert last(Path("run")).step == 2
        assert experiment.EXPERIMENT.main(["--resume", "run", "--batch-size", "16"]) == 0
    else:
        assert "halve it: --batch-size 16" in message


def test_a_batch_of_one_cannot_be_halved(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(trainer: Trainer) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Trainer, "take_step", step)
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "6", "--batch-size", "1", "--out", "run"]) == 1
    assert "a batch of 1 images. Choose a smaller network or another --device" in capsys.readouterr().err


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(trainer: Trainer) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Trainer, "take_step", step)
    with pytest.raises(RuntimeError, match="a bug"):
        experiment.EXPERIMENT.main([*TINY, "--steps", "6", "--out", "run"])


# --- Signals


@pytest.mark.parametrize(
    "signals", [(signal.SIGTERM,) * 3, (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]
)
def test_signals_of_a_scheduler_do_not_prevent_the_checkpoint(
    signals: tuple[signal.Signals, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler may signal every process, and `torchrun` then passes the signal on once more."""
    plain = Trainer.take_step

    def step(trainer: Trainer) -> None:
        plain(trainer)
        if trainer.step == 3:
            for number in signals:
                signal.raise_signal(number)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", step)
        assert experiment.EXPERIMENT.main([*TINY, "--steps", "6", "--out", "run"]) == 130
    assert "Go on with: python -m labml_nn.resnet.experiment --resume run\n" in capsys.readouterr().out
    assert last(Path("run")).step == 3
    assert signal.getsignal(signal.SIGTERM) is before
    assert experiment.EXPERIMENT.main(["--resume", "run"]) == 0


def test_second_key_press_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    press = signal.raise_signal
    raised: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as received:
        press(signal.SIGINT)
        press(signal.SIGTERM)
        assert raised == []
        press(signal.SIGINT)
        # Nobody catches it any more.
        assert raised == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert received == [signal.SIGINT, signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


# --- Several processes


def ranks(*arguments: str, patience: float) -> list[subprocess.Popen[str]]:
    """Two processes of one run, as `torchrun` starts them, but with nobody who looks after them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    code = (
        "import sys; from datetime import timedelta; from labml_nn.training import processes;"
        f"processes.PATIENCE = timedelta(seconds={patience});"
        "from labml_nn.resnet.experiment import EXPERIMENT; sys.exit(EXPERIMENT.main())"
    )
    return [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=environment()
            | {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]


@pytest.mark.parametrize(("dies", "number"), thinned([(1, signal.SIGSTOP), (0, signal.SIGKILL)], 2))
def test_the_others_end_when_a_process_dies_or_hangs(dies: int, number: signal.Signals) -> None:
    processes = ranks(*TINY, "--steps", "90000", "--checkpoint-steps", "10", "--out", "run", patience=5)
    try:
        while not list(Path("run").glob("checkpoints/step-*.pt")):
            time.sleep(0.02)
            assert [process.poll() for process in processes] == [None, None]
        processes[dies].send_signal(number)
        _, error = processes[1 - dies].communicate(timeout=60)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert processes[1 - dies].returncode == 1
    assert "error: another process of this run has died or does not answer" in error
    assert "Go on from the last checkpoint with --resume" in error
    assert "Traceback" not in error
    assert last(Path("run")).step >= 10


@pytest.mark.thorough
def test_a_scheduler_ends_a_run_of_several_processes() -> None:
    """It signals `torchrun` and all processes that this has started."""
    launcher = ("torch.distributed.run", "--nproc-per-node=2", "--standalone")
    process = subprocess.Popen(
        command(*TINY, "--steps", "90000", "--checkpoint-steps", "10", "--out", "run", launcher=launcher),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not list(Path("run").glob("checkpoints/step-*.pt")):
        time.sleep(0.02)
        assert process.poll() is None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    for pid in [*map(int, children), process.pid]:
        os.kill(pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    start = "torchrun --nproc-per-node=2 -m labml_nn.resnet.experiment"
    assert f"Go on with: {start} --resume run\n" in output
    reached = last(Path("run")).step
    assert not Path("run/running.json").exists()
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", str(reached + 2)]) == 0


# --- Clocks


def test_clock_that_runs_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set to the right time, say. Nothing that we decide or measure asks it."""
    now = itertools.count(2e9, -3600)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: next(now))
        options = [*TINY, "--steps", "6", "--checkpoint-seconds"]
        assert experiment.EXPERIMENT.main([*options, "0", "--keep", "9", "--out", "always"]) == 0
        assert experiment.EXPERIMENT.main([*options, "3600", "--keep", "9", "--out", "never"]) == 0
    assert len(list(Path("always/checkpoints").glob("step-*.pt"))) == 6
    assert len(list(Path("never/checkpoints").glob("step-*.pt"))) == 1
    for folder in (Path("always"), Path("never")):
        result = json.loads((folder / "result.json").read_text())
        assert 0 < result["seconds"] < 60
        assert all(line["images_per_second"] > 0 for line in metrics(folder))


def test_runs_that_start_in_the_same_second_have_folders_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, 1, 31, 12)

    monkeypatch.setattr(run_files, "datetime", Stopped)
    names = [new_folder("quick").name for _ in range(3)]
    assert names == ["20260131-120000-quick", "20260131-120000-quick-2", "20260131-120000-quick-3"]


# --- Two runs at once


def test_two_runs_in_one_folder(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = subprocess.Popen(
        command("--resume", "run", "--steps", "90000"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (finished / "running.json").exists():
            time.sleep(0.02)
            assert other.poll() is None
        for arguments in (["--resume", "run"], [*TINY, "--out", "run"]):
            assert experiment.EXPERIMENT.main(arguments) == 1
            error = capsys.readouterr().err
            assert f"run is in use by process {other.pid} on {socket.gethostname()}, since " in error
            assert "Wait for it, stop it, or choose another --out" in error
        # A prediction only reads.
        load_model(finished)
    finally:
        other.kill()
        other.wait()
    # It was killed, so its note is still there, but no longer true.
    assert (finished / "running.json").exists()
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", str(last(finished).step + 1)]) == 0
    assert not (finished / "running.json").exists()


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", None])
def test_damaged_note_about_who_is_running(tmp_path: Path, note: str | None) -> None:
    with alone(tmp_path):
        path = tmp_path / "running.json"
        path.unlink() if note is None else path.write_text(note)
        with pytest.raises(RunFailed, match="is in use by another process"), alone(tmp_path):
            raise AssertionError("two are inside")
    with alone(tmp_path):
        assert json.loads((tmp_path / "running.json").read_text())["pid"] == os.getpid()


def test_patience_is_what_the_page_says() -> None:
    assert timedelta(minutes=10) == PATIENCE


# --- Folders from somebody else

FILES = ["config.json", "metrics.jsonl", "result.json", "running.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "link to nothing"])
def test_files_of_a_run_that_are_something_else_are_refused(
    finished: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits for a pipe, and nothing is written to where a link leads."""
    path, outside = finished / name, Path("outside")
    if kind == "link":
        outside.write_bytes(path.read_bytes() if path.exists() else b"mine")
    before = outside.exists() and outside.read_bytes()
    path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to(outside.absolute())
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8"]) == 1
    error = capsys.readouterr().err
    assert str(path) in error and error.startswith("error: ")
    assert (outside.exists() and outside.read_bytes()) == before
    assert last(finished).step == 6


def test_checkpoints_of_another_run_are_not_removed_through_a_link(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (finished / "checkpoints").rename("others")
    (finished / "checkpoints").symlink_to(Path("others").absolute())
    before = sorted(Path("others").iterdir())
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8", "--keep", "1"]) == 1
    assert "run/checkpoints is a link, expected a folder" in capsys.readouterr().err
    assert sorted(Path("others").iterdir()) == before


def test_nothing_is_written_through_a_link_with_the_name_of_a_temporary_file() -> None:
    Path("outside").write_text("mine")
    Path(f".a.json.{os.getpid()}").symlink_to("outside")
    write_whole(Path("a.json"), "text")
    assert (Path("outside").read_text(), Path("a.json").read_text()) == ("mine", "text")


@pytest.mark.parametrize("preset", ["../../outside", "/tmp/outside", "", "nobody's", "quick/../../x"])
@pytest.mark.parametrize("record", [False, True])
def test_a_preset_that_is_not_there_is_refused(
    finished: Path, preset: str, record: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """labml names a folder for its notes after the preset, which may not lead out of `logs/`."""
    path = finished / "config.json"
    saved = json.loads(path.read_text())
    saved["preset"], saved["config"]["record"] = preset, record
    path.write_text(json.dumps(saved))
    before = sorted(Path().rglob("*"))
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8"]) == 1
    assert "run is a run of the preset " in capsys.readouterr().err
    assert sorted(Path().rglob("*")) == before


def test_a_run_that_took_no_time_has_a_result(finished: Path) -> None:
    for path in (finished / "checkpoints").glob("step-*.pt"):
        found = load(path)
        save(replace(found, progress={**found.progress, "seconds": 0.0}), path)
    assert experiment.EXPERIMENT.main(["--resume", "run"]) == 0
    assert json.loads((finished / "result.json").read_text())["images_per_second"] == 0


def test_a_folder_among_the_checkpoints_is_left_alone(finished: Path) -> None:
    (finished / "checkpoints/step-00000001.pt").mkdir()
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "8"]) == 0
    assert (finished / "checkpoints/step-00000001.pt").is_dir()
    os.mkfifo(finished / "checkpoints/step-00000009.pt")
    assert hash_of_files(finished / "checkpoints", "step-*9.pt") == "not readable (not a regular file)"


@pytest.mark.parametrize(
    "command_line", ["--resume=run --steps 8", "--steps 8 --resume=run", "--resume run --steps 8"]
)
def test_the_folder_may_follow_an_equals_sign(finished: Path, command_line: str) -> None:
    assert experiment.EXPERIMENT.main(command_line.split()) == 0
    assert last(finished).step == 8


def test_a_preset_beside_resume_is_named(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert experiment.EXPERIMENT.main(["quick", "--resume", "run"]) == 1
    assert "--resume goes on with the preset of the run, resnet20; leave out quick" in capsys.readouterr().err
