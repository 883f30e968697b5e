"""The queue that records runs again: it goes on where it was killed, and writes nothing before all runs are there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from experiments import record as recording
from experiments.record import QUEUE, SEEDS, Sheet, main, result_of, work
from labml_nn.convnext import experiment as convnext
from labml_nn.data import DRAWS
from labml_nn.resnet import experiment, speedrun
from labml_nn.resnet.experiment import EXPERIMENT, PRESETS, ResNetConfig
from labml_nn.runs.command import Preset
from labml_nn.runs.files import alone
from labml_nn.transformers import experiment as transformers

ROOT = Path(__file__).parents[1]
SHEET = Sheet(EXPERIMENT, "digits", ("held_out", "final"))
TINY = ResNetConfig(data="synthetic", steps=3, valid_images=64, batch_size=32, blocks=1, channels=(4, 4, 4))
STEPS = 10**6
RUNS = [f"experiment-digits-{kind}-{seed}" for kind in ("held_out", "final") for seed in SEEDS]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree without records, in which the preset `digits` takes three steps."""
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(recording, "ROOT", folder)
    monkeypatch.setattr(recording, "QUEUE", (SHEET,))
    monkeypatch.setattr(recording, "signals_are_due", lambda: False)
    monkeypatch.setitem(PRESETS, "digits", Preset("", TINY))
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of each run that is started. Runs write their results without training."""
    calls: list[list[str]] = []

    def pretend(self: Any, arguments: list[str]) -> int:
        calls.append(arguments)
        at = arguments.index("--resume" if "--resume" in arguments else "--out")
        folder = Path(arguments[at + 1])
        folder.mkdir(parents=True, exist_ok=True)
        kind, seed = folder.name.split("-")[-2:]
        names = "epochs seconds images_per_second valid_accuracy test_accuracy machine precision versions"
        result = dict.fromkeys(names.split(), 0.5) | {
            "seed": int(seed),
            "final": kind == "final",
            "draws": DRAWS,
        }
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "metrics.jsonl").write_text('{"epoch": 1, "loss.train": 1}\n')
        return 0

    monkeypatch.setattr(type(EXPERIMENT), "main", pretend)
    return calls


def recorded(tree: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tree / EXPERIMENT.records / "digits.json").read_text())
    return found


def seeds(tree: Path) -> list[list[int]]:
    return [[run["seed"] for run in recorded(tree)[kind]] for kind in ("held_out", "final")]


def test_every_recorded_file_is_in_the_queue() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for each in (convnext, experiment, speedrun, transformers)
        for path in (ROOT / each.EXPERIMENT.records).glob("*.json")
    }
    queue = {(sheet.experiment.records / f"{sheet.preset}.json").as_posix() for sheet in QUEUE}
    assert files <= queue
    assert "`python -m experiments.record --runs" in (ROOT / "experiments/README.md").read_text("utf-8")


def test_all_runs_are_recorded_once(tree: Path, tmp_path: Path, started: list[list[str]]) -> None:
    assert SHEET.is_due()
    assert work((SHEET,), tmp_path / "runs", ["--data-dir", "x"]) == 0
    assert [Path(call[call.index("--out") + 1]).name for call in started] == RUNS
    assert started[0] == [
        *("digits", "--seed", "0", "--out", str(tmp_path / "runs" / RUNS[0]), "--data-dir", "x")
    ]
    assert [("--final" in call) for call in started] == 3 * [False] + 3 * [True]
    assert seeds(tree) == [[0, 1, 2], [0, 1, 2]]
    assert recorded(tree)["draws"] == DRAWS
    assert not SHEET.is_due()
    assert work((SHEET,), tmp_path / "runs", []) == 0
    assert len(started) == 6


@pytest.mark.parametrize("draws", [DRAWS - 1, None])
def test_old_runs_stay_until_all_new_ones_are_there(
    tree: Path, tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, draws: int | None
) -> None:
    assert work((SHEET,), tmp_path / "old", []) == 0
    path = tree / EXPERIMENT.records / "digits.json"
    old = recorded(tree) | {"draws": draws}
    path.write_text(json.dumps(old if draws else {k: v for k, v in old.items() if k != "draws"}))
    before = path.read_text()
    assert SHEET.is_due()
    plain, outcomes = type(EXPERIMENT).main, iter([0, 1, 0, 0, 0, 130])

    def uneven(self: Any, arguments: list[str]) -> int:
        return next(outcomes) or plain(self, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(type(EXPERIMENT), "main", uneven)
        assert work((SHEET,), tmp_path / "runs", []) == 130
    assert path.read_text() == before
    started.clear()
    assert work((SHEET,), tmp_path / "runs", []) == 0
    assert [Path(call[call.index("--out") + 1]).name for call in started] == [RUNS[1], RUNS[5]]
    assert recorded(tree)["draws"] == DRAWS
    assert seeds(tree) == [[0, 1, 2], [0, 1, 2]]


def test_complete_runs_wait_for_the_others_and_move_to_another_machine(
    tree: Path, tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, outcomes = type(EXPERIMENT).main, iter([0, 0, 130])
    with monkeypatch.context() as patch:
        patch.setattr(type(EXPERIMENT), "main", lambda self, a: next(outcomes) or plain(self, a))
        assert work((SHEET,), tmp_path / "runs", []) == 130
    kept = sorted((tree / "experiments/unfinished").iterdir())
    assert [path.stem for path in kept] == RUNS[:2]
    assert not any(str(tmp_path) in path.read_text() for path in kept)
    # The second one was of another recipe
    other = json.loads(kept[1].read_text())
    kept[1].write_text(json.dumps(other | {"about": {}}))
    started.clear()
    assert work((SHEET,), tmp_path / "another machine", []) == 0
    assert [Path(call[call.index("--out") + 1]).name for call in started] == RUNS[1:]
    assert seeds(tree) == [[0, 1, 2], [0, 1, 2]]
    assert not list((tree / "experiments/unfinished").iterdir())


def test_no_record_names_a_folder_of_a_machine(root: Path) -> None:
    for path in (root / "experiments").rglob("*.json"):
        found = re.findall(r'"(?:/|[A-Z]:\\\\)[^"]*"', path.read_text("utf-8"))
        assert not found, path


def test_a_run_that_has_failed_does_not_stop_the_others(
    tree: Path, tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = type(EXPERIMENT).main
    monkeypatch.setattr(type(EXPERIMENT), "main", lambda self, a: 1 if "1" in a else plain(self, a))
    assert work((SHEET,), tmp_path / "runs", []) == 1
    assert len(started) == 4
    assert not (tree / EXPERIMENT.records).exists()


def test_runs_go_on_from_checkpoints_and_others_begin_anew(tmp_path: Path, started: list[list[str]]) -> None:
    runs = tmp_path / "runs"
    saved, killed, other = (runs / name for name in RUNS[:3])
    for folder in (saved, killed, other):
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    (saved / "checkpoints/step-00000002.pt").write_bytes(b"")
    (other / "result.json").write_text('{"draws": 1}')
    assert work((SHEET,), runs, []) == 0
    assert started[0] == ["--resume", str(saved)]
    assert started[1][:2] == started[2][:2] == ["digits", "--seed"]
    assert not (killed / "config.json").exists()
    assert (result_of(other) or {})["draws"] == DRAWS


def test_signals_are_recorded_when_they_are_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    path = tmp_path / "signal.json"
    monkeypatch.setattr("labml_nn.resnet.signals.RECORD", path)
    calls: list[list[str]] = []
    monkeypatch.setattr("labml_nn.resnet.signals.main", calls.append)
    for about in (None, {}, {"draws": DRAWS - 1}, {"draws": DRAWS}):
        if about is not None:
            path.write_text(json.dumps({"about": about}))
        assert work((), tmp_path, []) == 0
    assert calls == 3 * [["--record"]]


def test_what_is_left_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs" / RUNS[0] / "checkpoints").mkdir(parents=True)
    (tmp_path / "runs" / RUNS[0] / "checkpoints/step-00000002.pt").write_bytes(b"")
    assert main(["--runs", str(tmp_path / "runs"), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "signals: recorded",
        "digits: to be recorded",
        f"  {RUNS[0]}: saved after step-00000002",
        f"  {RUNS[1]}: not begun",
    ]


def test_two_queues_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with alone(tmp_path / "runs"):
        assert main(["--runs", str(tmp_path / "runs")]) == 1
    assert f"runs is in use by process {os.getpid()}" in capsys.readouterr().err
    assert main(["--runs", str(tmp_path / "runs"), "--stop"]) == 0
    assert "no queue is at work in" in capsys.readouterr().out


def queue(tree: Path, runs: Path) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path; from experiments import record;"
        "from labml_nn.runs.command import Preset; from test_recording import TINY, SHEET, PRESETS;"
        f"PRESETS['digits'] = Preset('', replace(TINY, steps={STEPS})); record.ROOT = Path({str(tree)!r});"
        "record.QUEUE = (SHEET,); record.BETWEEN_CHECKPOINTS = 0.5; record.signals_are_due = lambda: False;"
        "sys.exit(record.main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "--runs", str(runs)],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'tests/labml_nn'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def reached(folder: Path) -> int:
    """The step of the last checkpoint of a run."""
    return max((int(path.stem[5:]) for path in folder.glob("checkpoints/step-*.pt")), default=0)


def wait_for_more(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the process has saved another checkpoint, and is at work on the next steps."""
    before = reached(folder)
    while reached(folder) <= before:
        time.sleep(0.05)
        assert process.poll() is None


def test_killed_and_stopped_it_goes_on(tree: Path, tmp_path: Path) -> None:
    """Killed, then stopped by the command, then started again: it is in the same run, and further each time."""
    runs = tmp_path / "runs"
    folder = runs / RUNS[0]
    processes = [first := queue(tree, runs)]
    try:
        wait_for_more(first, folder)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed_at = reached(folder)
        processes.append(second := queue(tree, runs))
        wait_for_more(second, folder)
        assert main(["--runs", str(runs), "--stop"]) == 0
        assert second.wait(120) == 130
        stopped_at = reached(folder)
        processes.append(third := queue(tree, runs))
        wait_for_more(third, folder)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert 0 < killed_at < stopped_at < reached(folder) < STEPS
    assert {path.name for path in runs.iterdir() if path.is_dir()} == {RUNS[0]}
    assert not (tree / EXPERIMENT.records).exists()
