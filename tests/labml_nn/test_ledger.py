"""The ledger: it tells what the folders of runs say, whatever is in them, and never more than that."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Train
from sampling import thinned
from small_runs import TINY, environment, last, metrics

from labml_nn.resnet import experiment
from labml_nn.runs import code_version
from labml_nn.runs.__main__ import main
from labml_nn.runs.code_version import find_code, note_version
from labml_nn.runs.compare import as_plain, group_runs
from labml_nn.runs.files import RunFailed, to_plain
from labml_nn.runs.ledger import as_csv, read_run
from labml_nn.runs.plot import points
from labml_nn.training import Trainer

TRAIN = experiment.EXPERIMENT.main
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stop_at(step: int, error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Train until an `error` is raised in the place of a step."""
    plain = Trainer.take_step

    def take_step(trainer: Trainer) -> None:
        if trainer.step == step:
            raise error
        plain(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", take_step)
        return TRAIN(list(arguments))


def listed(capsys: Said, folder: str = ".") -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["list", folder, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def made_up(folder: str, seed: int = 0, accuracy: float = 0.5, **config: Any) -> Path:
    """The folder of a run that is finished, without any training."""
    path = Path(folder)
    path.mkdir(parents=True)
    options = {"seed": seed, "batch_size": 10, "learning_rate": 0.1, **config}
    saved = {"module": "a.b", "preset": "tiny", "config": options, "data": "9 images", "code": []}
    (path / "config.json").write_text(json.dumps(saved))
    line = {"step": 5, "epoch": 1, "accuracy.valid": accuracy}
    (path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    result = {"steps": 5, "valid_accuracy": accuracy, "test_accuracy": None}
    (path / "result.json").write_text(json.dumps(result))
    return path


# --- What runs record


def test_a_finished_run_says_what_came_out_and_of_what(train: Train, capsys: Said) -> None:
    folder = train("--steps", "6", "--checkpoint-steps", "2")
    result = json.loads((folder / "result.json").read_text())
    assert result["best_valid_accuracy"] == last(folder).progress["best"] >= result["valid_accuracy"]
    assert result["images"] == 6 * 32 == metrics(folder)[-1]["images"]
    saved = json.loads((folder / "config.json").read_text())
    assert saved["code"] == result["code"]
    assert saved["data"] == result["images_to_train_on"] == last(folder).progress["data"]
    [run] = listed(capsys, "run")
    assert run["state"] == "finished" and run["preset"] == "resnet20"
    assert (run["steps"], run["images"]) == (6, 192)
    assert run["valid_accuracy"] == result["valid_accuracy"]
    assert run["best_valid_accuracy"] == result["best_valid_accuracy"]
    assert run["test_accuracy"] is None
    assert main(["list", "."]) == 0
    heads, row, *more = capsys.readouterr().out.splitlines()
    assert heads.split() == "run preset state steps images best final test changed".split()
    assert row.split()[:5] == ["run", "resnet20", "finished", "6", "192"] and not more
    assert main(["show", "run"]) == 0
    shown = capsys.readouterr().out
    assert "learning_rate       0.1" in shown and "checkpoints    2, 4, 6" in shown
    assert main(["show", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"] == result


def test_a_run_for_the_test_set_has_no_best(train: Train, capsys: Said) -> None:
    folder = train("--steps", "2", "--final")
    result = json.loads((folder / "result.json").read_text())
    assert result["best_valid_accuracy"] is result["valid_accuracy"] is None
    [run] = listed(capsys)
    assert run["test_accuracy"] == result["test_accuracy"] is not None
    assert run["best_valid_accuracy"] is None


def test_the_commit_is_recorded_and_whether_there_are_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (tmp_path / "of_mine.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_code("of_mine") == {}
    git("init", "--quiet")
    assert find_code("of_mine") == {}
    git("add", "of_mine.py")
    assert find_code("of_mine") == {}
    git("commit", "--quiet", "--message", "First")
    (tmp_path / "untracked").write_text("")
    commit = git("rev-parse", "HEAD")
    assert find_code("of_mine") == {"commit": commit, "dirty": False}
    (tmp_path / "of_mine.py").write_text("A = 2\n")
    assert find_code("of_mine") == {"commit": commit, "dirty": True}
    monkeypatch.setenv("PATH", "")
    assert find_code("of_mine") == {}
    for module in ("nowhere", "nowhere.at.all", "sys", "of_mine.deeper", ""):
        assert find_code(module) == {}


@pytest.mark.filterwarnings("ignore:labml keeps no notes")
def test_a_run_goes_on_where_git_is_missing_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert TRAIN([*TINY, "--steps", "2", "--out", "run"]) == 0
    [version] = json.loads(Path("run/result.json").read_text())["code"]
    assert version.keys() == {"from_step", "hash"}


def test_code_that_changes_on_the_way_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_version, "find_code", lambda module: {"commit": "a"})
    assert TRAIN([*TINY, "--steps", "2", "--out", "run"]) == 0
    monkeypatch.setattr(code_version, "find_code", lambda module: {"commit": "b"})
    for steps in ("4", "6"):
        assert TRAIN(["--resume", "run", "--steps", steps]) == 0
    code = json.loads(Path("run/config.json").read_text())["code"]
    assert [(each["from_step"], each["commit"]) for each in code] == [(0, "a"), (2, "b")]


@pytest.mark.parametrize("history", [None, 3, "x", {}, [3], [{}], [{"from_step": "0"}], [{"from_step": 9}]])
def test_an_odd_history_of_the_code_is_left_out(history: Any) -> None:
    assert note_version(history, 5, {"commit": "a"}) == [{"from_step": 5, "commit": "a"}]


INTERVALS = [*TINY, "--steps", "45", "--metrics-steps", "4", "--checkpoint-steps", "7"]


def without_speed(lines: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: line[name] for name in line if name != "images_per_second"} for line in lines]


def test_intervals_tell_of_every_step_once() -> None:
    assert TRAIN([*INTERVALS, "--out", "run"]) == 0
    lines = metrics(Path("run"))
    # An epoch has 30 steps.
    parts = [line for line in lines if "interval" in line]
    assert [line["step"] for line in parts] == [4, 8, 12, 16, 20, 24, 28, 30, 32, 36, 40, 44, 45]
    assert sum(line["interval"] for line in parts) == 45
    [first, _] = [line for line in lines if "interval" not in line]
    assert first["step"] == 30
    in_first = [line for line in parts if line["step"] <= 30]
    mean = sum(line["loss.train"] * line["interval"] for line in in_first) / 30
    assert mean == pytest.approx(first["loss.train"], rel=1e-12)
    hits = sum(line["accuracy.train"] * line["interval"] for line in in_first) / 30
    assert hits == pytest.approx(first["accuracy.train"], rel=1e-12)


@pytest.mark.parametrize("step", thinned([31, 1, 9, 30, 44], 5))
def test_a_run_that_was_killed_loses_no_line_and_has_none_twice(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TRAIN([*INTERVALS, "--out", "whole"]) == 0
    with pytest.raises(KeyboardInterrupt):
        stop_at(step, KeyboardInterrupt(), monkeypatch, *INTERVALS, "--out", "run")
    with Path("run/metrics.jsonl").open("a") as file:
        file.write('{"step": 3')
    assert TRAIN(["--resume", "run"]) == 0
    assert without_speed(metrics(Path("run"))) == without_speed(metrics(Path("whole")))


def test_intervals_change_nothing_else() -> None:
    assert TRAIN([*INTERVALS, "--out", "one"]) == 0
    assert TRAIN([*TINY, "--steps", "45", "--out", "two"]) == 0
    one, two = last(Path("one")), last(Path("two"))
    assert all(torch.equal(tensor, two.model[name]) for name, tensor in one.model.items())
    epochs = [line for line in metrics(Path("one")) if "interval" not in line]
    assert without_speed(epochs) == without_speed(metrics(Path("two")))


# --- States


def test_states(train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    finished = train("--steps", "2")
    finished.rename("finished")
    options = [*TINY, "--steps", "6", "--checkpoint-steps", "2", "--out"]
    with pytest.raises(KeyboardInterrupt):
        stop_at(3, KeyboardInterrupt(), monkeypatch, *options, "killed")
    assert stop_at(3, torch.OutOfMemoryError(), monkeypatch, *options, "failed") == 1
    with pytest.raises(ZeroDivisionError):
        stop_at(3, ZeroDivisionError("a bug"), monkeypatch, *options, "bug")
    # This process is the one that is at work there.
    Path("finished/running.json").write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    states = {run["run"]: (run["state"], run["steps"], run["reason"]) for run in listed(capsys)}
    assert states["finished"] == ("running", 2, "")
    assert states["killed"] == ("stopped", 2, "")
    assert states["failed"][:2] == ("failed", 2)
    assert "memory of cpu does not suffice" in states["failed"][2]
    assert states["bug"] == ("failed", 2, "a bug")
    # Whoever goes on leaves that behind.
    assert TRAIN(["--resume", "failed"]) == 0
    # A run that is to be longer is not finished with the result of before.
    assert TRAIN(["--resume", "killed"]) == 0
    with pytest.raises(KeyboardInterrupt):
        stop_at(9, KeyboardInterrupt(), monkeypatch, "--resume", "killed", "--steps", "10")
    now = {run["run"]: (run["state"], run["steps"]) for run in listed(capsys)}
    assert now["failed"] == ("finished", 6)
    assert now["killed"] == ("stopped", 8)


def test_an_attempt_that_is_refused_is_no_failure_of_the_run(train: Train, capsys: Said) -> None:
    train("--steps", "2")
    assert TRAIN(["--resume", "run", "--seed", "5"]) == 1
    assert [run["state"] for run in listed(capsys)] == ["finished"]


@pytest.mark.parametrize(
    ("note", "state"),
    [
        ({"pid": 2**22 + 1}, "finished"),
        ({"pid": -1}, "finished"),
        ({"pid": "x"}, "finished"),
        ({"pid": 10**30}, "finished"),
        ({}, "finished"),
        ({"pid": 1, "host": "elsewhere"}, "running"),
    ],
)
def test_who_is_running(note: dict[str, Any], state: str) -> None:
    folder = made_up("run")
    (folder / "running.json").write_text(json.dumps({"host": socket.gethostname(), **note}))
    assert read_run(folder).state == state


# --- Damaged folders

DAMAGES: dict[str, Any] = {
    "empty": "",
    "half": '{"module": "a.b", "pre',
    "list": "[]",
    "number": "3",
    "no config": '{"module": "a.b", "preset": "x"}',
    "odd config": '{"module": "a.b", "preset": "x", "config": 3}',
    "odd module": '{"module": 3, "preset": "x", "config": {}}',
    "deep": "[" * 10**5,
    "bytes": b"\xff\xfe",
    "large": '"' + "x" * 2**20 + '"',
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_folder_is_one_line(kind: str, capsys: Said) -> None:
    made_up("runs/good")
    bad = made_up("runs/bad\x1b[2J")
    text = DAMAGES[kind]
    (bad / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["list", "runs"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [line.split()[2] for line in out.splitlines()[1:3]] == ["damaged", "finished"]
    [line] = out.splitlines()[3:]
    assert line.startswith("bad\\x1b[2J: config.json ")
    assert main(["show", str(bad)]) == 1
    assert main(["compare", "runs"]) == 0


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "result.json", "failed.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing", "binary", "odd"])
def test_no_file_of_a_run_stops_the_list(name: str, kind: str, capsys: Said) -> None:
    made_up("runs/good")
    path = made_up("runs/bad") / name
    path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link to nothing":
            path.symlink_to("nowhere")
        case "binary":
            path.write_bytes(bytes(range(256)))
        case "odd":
            path.write_text('{"steps": [], "step": {}, "valid_accuracy": "x", "code": 3, "changes": 9}')
    assert main(["list", "runs"]) == 0
    out = capsys.readouterr().out
    assert "Traceback" not in out and "good" in out
    notes = [line for line in out.splitlines() if line.startswith("bad: ")]
    is_said = kind != "odd" or name in ("config.json", "metrics.jsonl")
    assert (name in " ".join(notes)) == is_said
    for command in (["list", "runs", "--json"], ["compare", "runs", "--json"]):
        capsys.readouterr()
        assert main(command) == 0
        json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_runs_are_found_below_a_folder_and_not_through_links(capsys: Said) -> None:
    made_up("runs/sweep/a")
    made_up("runs/b")
    Path("runs/notes").mkdir()
    (Path("runs") / "link").symlink_to(made_up("outside").absolute())
    assert [run["run"] for run in listed(capsys, "runs")] == ["runs/b", "runs/sweep/a"]
    assert main(["list", "nowhere"]) == 1
    assert "error: nowhere is not a folder" in capsys.readouterr().err
    assert main(["list", "runs/notes"]) == 0
    assert capsys.readouterr().out == "There are no runs in runs/notes.\n"


def test_it_needs_no_torch() -> None:
    made_up("runs/a")
    made_up("runs/b", seed=1)
    code = (
        "import sys; from labml_nn.runs.__main__ import main\n"
        "for words in ('list', 'show runs/a', 'compare runs', 'export-metrics runs/a'):\n"
        "    assert main(words.split()) == 0\n"
        "heavy = {'torch', 'numpy', 'labml', 'tyro', 'pylit'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["compare", "--help"]])
def test_help(words: list[str], capsys: Said) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert "usage: python -m labml_nn.runs" in capsys.readouterr().out


# --- Comparing


def test_runs_that_differ_in_the_seed_alone_are_a_group(capsys: Said) -> None:
    for seed, accuracy in enumerate((0.5, 0.6, 0.7)):
        made_up(f"runs/a{seed}", seed, accuracy, out=f"a{seed}", keep=seed)
    made_up("runs/b", 0, 0.4, learning_rate=0.01)
    assert main(["compare", "runs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differing"] == ["learning_rate"]
    one, two = found["groups"]
    assert one["accuracy"]["final"] == {
        "mean": pytest.approx(0.6),
        "sd": pytest.approx(0.1),
        "n": 3,
    }
    assert one["seeds"] == [0, 1, 2]
    assert two["accuracy"]["final"] == {"mean": 0.4, "sd": None, "n": 1}
    assert one["accuracy"]["test"] == {"mean": None, "sd": None, "n": 0}
    assert main(["compare", "runs/a0", "runs/a1", "runs/a2", "runs/b"]) == 0
    out = capsys.readouterr().out
    assert "60.00 ± 10.00 % (n = 3)" in out and "40.00 % (n = 1)" in out
    assert "learning_rate  0.1  0.01" in out
    assert main(["compare", "runs/a0", "runs/a1"]) == 0
    assert "Nothing differs but the seed." in capsys.readouterr().out


def test_a_seed_that_was_run_twice_counts_once() -> None:
    folders = [made_up("a", 0, 0.5), made_up("b", 0, 0.5), made_up("c", 1, 0.7)]
    [group] = group_runs([read_run(folder) for folder in folders])
    summary = as_plain([group])["groups"][0]["accuracy"]["final"]
    assert summary == {"mean": pytest.approx(0.6), "sd": pytest.approx(0.1 * 2**0.5), "n": 2}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("images", {"data": "8 images"}),
        ("code", {"code": [{"from_step": 0, "commit": "a", "dirty": False}]}),
        ("module", {"module": "a.c"}),
    ],
)
def test_runs_of_other_data_or_code_are_no_group(name: str, change: dict[str, Any]) -> None:
    one, two = made_up("a", 0), made_up("b", 1)
    path = two / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    found = as_plain(group_runs([read_run(one), read_run(two)]))
    assert len(found["groups"]) == 2
    assert found["differing"] == [name]


def test_a_run_that_is_not_finished_is_not_in_the_mean(capsys: Said) -> None:
    made_up("runs/a", 0, 0.5)
    (made_up("runs/b", 1, 0.9) / "result.json").unlink()
    assert main(["compare", "runs"]) == 0
    out = capsys.readouterr().out
    assert "1 of 2" in out and "50.00 % (n = 1)" in out
    assert "Means are over finished runs only." in out


def test_options_that_do_not_matter_are_options() -> None:
    from labml_nn.runs.compare import FREE

    rules = to_plain(experiment.PRESETS["digits"].config)
    assert set(FREE) <= set(rules)


# --- Export


def test_csv_has_every_number_of_the_metrics(capsys: Said) -> None:
    assert TRAIN([*INTERVALS, "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["export-metrics", "run", "--to", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    found = [{name: float(value) for name, value in row.items() if value} for row in rows]
    assert found == metrics(Path("run"))
    assert main(["export-metrics", "run", "--to", "json", "--out", "metrics.json"]) == 0
    assert json.loads(Path("metrics.json").read_text()) == metrics(Path("run"))


def test_names_that_a_spreadsheet_would_run_are_left_out() -> None:
    folder = made_up("run")
    (folder / "metrics.jsonl").write_text(
        '{"step": 1, "=1+1": 2, "\\u001b": 3, "a.b": 4, "c": NaN, "d": "=1"}\n'
    )
    assert as_csv(read_run(folder).lines) == "step,a.b,c\n1,4,\n"


def test_too_many_names_are_refused() -> None:
    with pytest.raises(RunFailed, match="the metrics have 201 names, expected at most 200"):
        as_csv([{f"x{n}": 0 for n in range(201)}])


# --- Evaluating


def evaluated(capsys: Said, *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["evaluate", "run", "--json", *options]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_the_file_yields_the_number_that_was_recorded(train: Train, capsys: Said) -> None:
    folder = train("--steps", "60")
    result = json.loads((folder / "result.json").read_text())
    best, final = evaluated(capsys)
    assert best["checkpoint"] == "best.pt" and final["checkpoint"] == "step-00000060.pt"
    assert best["accuracy"] == best["recorded"] == result["best_valid_accuracy"]
    assert final["accuracy"] == final["recorded"] == result["valid_accuracy"]
    assert not (folder / "test_uses.jsonl").exists()
    assert main(["evaluate", "run"]) == 0
    assert capsys.readouterr().out.count("exactly what was recorded") == 2


def test_a_number_that_does_not_come_out_again_is_said(train: Train, capsys: Said) -> None:
    folder = train("--steps", "2")
    [line] = metrics(folder)
    (folder / "metrics.jsonl").write_text(json.dumps({**line, "accuracy.valid": 0.99}) + "\n")
    assert main(["evaluate", "run"]) == 1
    assert "DIFFERS from what was recorded, 0.99" in capsys.readouterr().out


def test_each_use_of_the_test_set_is_on_the_record(train: Train, capsys: Said) -> None:
    folder = train("--steps", "2", "--final")
    assert main(["evaluate", "run"]) == 1
    assert "only the test set is left to measure it with: --test" in capsys.readouterr().err
    result = json.loads((folder / "result.json").read_text())
    [found] = evaluated(capsys, "--test")
    assert found["accuracy"] == found["recorded"] == result["test_accuracy"]
    assert found["test_set_uses"] == 2
    assert main(["evaluate", "run", "--test"]) == 0
    assert "This is use 3 of the test set for this run" in capsys.readouterr().out
    uses = [json.loads(line) for line in (folder / "test_uses.jsonl").read_text().splitlines()]
    assert [use["use"] for use in uses] == [2, 3]
    assert {use["test_accuracy"] for use in uses} == {result["test_accuracy"]}
    assert [run["test_set_used_again"] for run in listed(capsys)] == [2]


def test_the_first_use_is_on_the_record_too(train: Train, capsys: Said) -> None:
    folder = train("--steps", "2")
    assert main(["evaluate", "run", "--test"]) == 0
    assert "This is use" not in capsys.readouterr().out
    [use] = [json.loads(line) for line in (folder / "test_uses.jsonl").read_text().splitlines()]
    assert (use["use"], use["checkpoint"]) == (1, "best.pt")


def test_no_number_is_shown_that_is_not_on_the_record(train: Train, capsys: Said) -> None:
    folder = train("--steps", "2")
    capsys.readouterr()
    (folder / "test_uses.jsonl").mkdir()
    assert main(["evaluate", "run", "--test"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and "test_uses.jsonl is something else, expected a regular file" in said.err


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            "antigravity",
            "antigravity is not a module of labml_nn; if you trust it, add: --module antigravity",
        ),
        ("labml_nn.nowhere", "there is no module labml_nn.nowhere"),
        ("labml_nn.data", "labml_nn.data has no EXPERIMENT"),
    ],
)
def test_modules_that_a_folder_names_are_not_just_imported(module: str, message: str, capsys: Said) -> None:
    path = made_up("run") / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "module": module}))
    assert main(["evaluate", "run"]) == 1
    assert message in capsys.readouterr().err
    assert "antigravity" not in sys.modules
    assert main(["evaluate", "run", "--module", "labml_nn.resnet.experiment"]) == 1
    assert f"this is a run of {module}, not of labml_nn.resnet.experiment" in capsys.readouterr().err


# --- Pruning


def checkpoints_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_old_checkpoints_are_listed_and_deleted_only_if_told_so(train: Train, capsys: Said) -> None:
    folder = train("--steps", "6", "--checkpoint-steps", "2")
    every = checkpoints_in(folder)
    assert every == ["best.pt", "step-00000002.pt", "step-00000004.pt", "step-00000006.pt"]
    assert main(["prune", "."]) == 0
    out = capsys.readouterr().out
    assert "step-00000002.pt" in out and "step-00000004.pt" in out
    assert "step-00000006.pt" not in out and "best.pt" not in out
    assert "nothing was deleted. To delete: --yes" in out
    assert checkpoints_in(folder) == every
    assert main(["prune", "run", "--yes", "--keep", "2"]) == 0
    assert "Deleted 1 checkpoint, " in capsys.readouterr().out
    assert checkpoints_in(folder) == ["best.pt", *every[2:]]
    assert main(["prune", "run", "--yes"]) == 0
    assert checkpoints_in(folder) == ["best.pt", every[3]]
    assert main(["prune", "run", "--yes"]) == 0
    assert "There is nothing to delete." in capsys.readouterr().out
    assert TRAIN(["--resume", "run", "--steps", "8"]) == 0


def test_the_last_whole_checkpoint_stays(train: Train) -> None:
    folder = train("--steps", "6", "--checkpoint-steps", "2")
    newest = folder / "checkpoints/step-00000006.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    assert main(["prune", "run", "--yes"]) == 0
    assert checkpoints_in(folder) == ["best.pt", "step-00000004.pt", newest.name]
    for path in (folder / "checkpoints").glob("step-*"):
        path.write_bytes(b"damaged")
    assert main(["prune", "run", "--yes"]) == 0
    assert checkpoints_in(folder) == ["best.pt", "step-00000004.pt", newest.name]


def test_a_run_at_work_and_a_damaged_one_are_left_alone(capsys: Said) -> None:
    note = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
    (made_up("runs/at work") / "running.json").write_text(note)
    (made_up("runs/damaged") / "config.json").write_text("{")
    for name in ("at work", "damaged"):
        folder = Path("runs") / name / "checkpoints"
        folder.mkdir()
        for step in (1, 2):
            torch.save({}, folder / f"step-{step:08d}.pt")
    assert main(["prune", "runs", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "runs/at work is running; its checkpoints stay" in out
    assert "runs/damaged is damaged; its checkpoints stay" in out
    assert len(list(Path("runs").rglob("*.pt"))) == 4


@pytest.mark.parametrize("keep", ["0", "-1"])
def test_the_newest_cannot_be_pruned(keep: str, train: Train, capsys: Said) -> None:
    folder = train("--steps", "2")
    assert main(["prune", "run", "--yes", f"--keep={keep}"]) == 1
    assert f"--keep must be at least 1, got {keep}" in capsys.readouterr().err
    assert checkpoints_in(folder) == ["best.pt", "step-00000002.pt"]


def test_nothing_is_deleted_through_a_link(train: Train, capsys: Said) -> None:
    folder = train("--steps", "6", "--checkpoint-steps", "2")
    (folder / "checkpoints").rename("others")
    (folder / "checkpoints").symlink_to(Path("others").absolute())
    assert main(["prune", "run", "--yes"]) == 1
    assert "run/checkpoints is a link, expected a folder" in capsys.readouterr().err
    assert len(list(Path("others").iterdir())) == 4


# --- Drawing


def test_a_page_has_the_curves_and_needs_nothing_else(capsys: Said) -> None:
    assert TRAIN([*INTERVALS, "--out", "runs/a"]) == 0
    made_up("runs/b", 1, 0.9)
    assert main(["plot", "runs", "--out", "deep/curves.html"]) == 0
    page = Path("deep/curves.html").read_text("utf-8")
    assert page.count("<svg") == 5 and "runs/a" in page and "runs/b" in page
    assert "light-dark(" in page and "default-src 'none'" in page
    assert not re.findall(r"https?:|<script|src=|href=|@import|url\(", page)
    [group, _] = group_runs([read_run(Path("runs/a")), read_run(Path("runs/b"))])
    lines = [line for line in metrics(Path("runs/a")) if "interval" in line]
    found = points(group, "loss.train")
    assert [(p.x, p.mean) for p in found] == [(line["epoch"], line["loss.train"]) for line in lines]


def test_a_band_shows_the_range_over_seeds() -> None:
    folders = [made_up("a", 0, 0.5), made_up("b", 1, 0.7)]
    [group] = group_runs([read_run(folder) for folder in folders])
    [point] = points(group, "accuracy.valid")
    assert (point.x, point.low, point.high) == (1, 0.5, 0.7)
    assert point.mean == pytest.approx(0.6)


def test_texts_of_a_folder_are_no_html(capsys: Said) -> None:
    made_up("runs/<script>a&b", learning_rate="</li><script>")
    made_up("runs/c")
    assert main(["plot", "runs", "--out", "curves.html"]) == 0
    page = Path("curves.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;a&amp;b" in page


def test_numbers_that_cannot_be_drawn_are_left_out() -> None:
    folder = made_up("run")
    values: list[Any] = [0.5, 1e300, -1e300, 1e-200, None, "x", [], 0]
    lines = [{"step": n, "epoch": n, "loss.train": value} for n, value in enumerate(values)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [group] = group_runs([read_run(folder)])
    assert [(point.x, point.mean) for point in points(group, "loss.train")] == [(0, 0.5), (7, 0)]


def test_a_long_run_has_no_more_points_than_a_chart_has_pixels() -> None:
    folder = made_up("run")
    lines = [{"step": n, "epoch": n, "loss.train": n} for n in range(2500)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [group] = group_runs([read_run(folder)])
    assert [point.x for point in points(group, "loss.train")] == list(range(0, 2500, 3))


def test_nothing_to_draw_is_said(capsys: Said) -> None:
    (made_up("run") / "metrics.jsonl").unlink()
    assert main(["plot", "run", "--out", "curves.html"]) == 1
    assert "nothing was measured in these runs yet" in capsys.readouterr().err
    assert not Path("curves.html").exists()
