"""Recorded runs: what `--record` keeps, and that what is recorded was run with the presets of today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded import AGAIN, is_marked

from labml_nn.data import DRAWS
from labml_nn.resnet import experiment
from labml_nn.resnet.experiment import EXPERIMENT, PRESETS, ResNetConfig
from labml_nn.runs.command import Preset
from labml_nn.runs.files import RunFailed, to_plain
from labml_nn.runs.record import KEPT, Record, RecordError
from labml_nn.runs.tracking import Tracker

ROOT = Path(experiment.__file__).parents[2]
RECORDS = sorted((ROOT / "experiments/resnet/runs").glob("*.json"))
RESULT: dict[str, Any] = {
    **dict.fromkeys(KEPT, 0.5),
    "seed": 1,
    "final": False,
}


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    lines = [{"step": 5 * n, "epoch": n, "loss.train": 1 / n, "learning_rate": 0.1} for n in (1, 2, 3)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_a_run_takes_the_place_of_one_with_its_seed(tmp_path: Path, metrics: Path) -> None:
    record = Record(tmp_path / "deep/quick.json", {"preset": "quick", "config": {"steps": 5}})
    assert record.add(RESULT, metrics).endswith("quick.json, which holds 1 such run now.")
    record.add(RESULT | {"seed": 0}, metrics)
    record.add(RESULT | {"final": True}, metrics)
    assert record.add(RESULT | {"seconds": 9}, metrics).endswith("which holds 2 such runs now.")
    runs = record.runs()
    assert [(run["seed"], run["seconds"]) for run in runs["held_out"]] == [(0, 0.5), (1, 9)]
    assert [(run["seed"], run["seconds"]) for run in runs["final"]] == [(1, 0.5)]
    assert runs["final"][0]["curve"] == {"epoch": [1, 2, 3], "loss_train": [1, 0.5, 0.3333]}


def test_runs_with_other_draws_are_never_put_together(tmp_path: Path, metrics: Path) -> None:
    """What was recorded before goes with the first run that is drawn as today."""
    about = EXPERIMENT.record("quick", PRESETS["quick"].config).about
    assert about["draws"] == DRAWS
    path = tmp_path / "quick.json"
    Record(path, about | {"draws": DRAWS - 1}).add(RESULT | {"seed": 7}, metrics)
    Record(path, about).add(RESULT, metrics)
    assert [run["seed"] for run in Record(path, about).runs()["held_out"]] == [1]
    assert json.loads(path.read_text())["draws"] == DRAWS


def test_runs_of_another_recipe_go(tmp_path: Path, metrics: Path) -> None:
    path = tmp_path / "quick.json"
    Record(path, {"config": {"steps": 5}}).add(RESULT, metrics)
    changed = Record(path, {"config": {"steps": 6}})
    assert changed.runs() == {"held_out": [], "final": []}
    changed.add(RESULT | {"seed": 7}, metrics)
    assert [run["seed"] for run in changed.runs()["held_out"]] == [7]


@pytest.mark.parametrize("content", ["", "{}", "[]", "{"])
def test_a_damaged_record_is_not_overwritten(tmp_path: Path, metrics: Path, content: str) -> None:
    path = tmp_path / "quick.json"
    path.write_text(content)
    with pytest.raises(RecordError, match=r"quick\.json is no record of runs .*restore it with git"):
        Record(path, {}).add(RESULT, metrics)
    assert path.read_text() == content


def test_only_whole_presets_are_recorded() -> None:
    with pytest.raises(RunFailed, match=r"--learning-rate, --flip changes quick; leave that out"):
        EXPERIMENT.record(
            "quick",
            ResNetConfig(steps=2816, weight_decay=5e-4, schedule="cosine", learning_rate=1, flip=False),
        )
    same = ResNetConfig(
        steps=2816, weight_decay=5e-4, schedule="cosine", seed=3, final=True, device="cpu", compile=True
    )
    assert EXPERIMENT.record("quick", same).about["layers"] == 20


def test_compared_fields_are_all_that_a_result_depends_on() -> None:
    free = (
        "data_dir final seed device precision channels_last compile sync_bn deterministic out checkpoint_seconds"
        " checkpoint_steps metrics_steps keep quiet record app_url image_side init"
        " mixup cutmix erase label_smoothing accumulate clip ema patience"
    ).split()
    assert {*ResNetConfig().result_depends_on(), *free} == set(to_plain(ResNetConfig()))


def test_a_run_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("labml_nn.runs.run.Tracker", _NoTracker)
    tiny = ResNetConfig(
        data="synthetic", steps=3, valid_images=64, batch_size=32, blocks=1, channels=(4, 4, 4)
    )
    monkeypatch.setitem(PRESETS, "digits", Preset("", tiny))
    assert EXPERIMENT.main(["digits", "--record", "--out", "run", "--no-flip"]) == 1
    assert "--flip changes digits" in capsys.readouterr().err
    assert not Path("run").exists()
    assert EXPERIMENT.main(["digits", "--record", "--out", "run"]) == 0
    # A run that is complete can be recorded afterwards.
    assert EXPERIMENT.main(["--resume", "run", "--record", "--seed", "0"]) == 0
    record = json.loads(Path("experiments/resnet/runs/digits.json").read_text("utf-8"))
    (run,) = record["held_out"]
    assert float(f"{run['valid_accuracy']:.4g}") == run["curve"]["accuracy_valid"][-1]
    assert run["test_accuracy"] is None
    assert len(run["curve"]["epoch"]) == 1


class _NoTracker(Tracker):
    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> _NoTracker:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def report(self, *_: object) -> bool:
        return False


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_recorded_runs_are_of_the_presets_as_they_are(path: Path) -> None:
    """If this fails: `python -m experiments.record`, which `experiments/README.md` explains."""
    record = json.loads(path.read_text("utf-8"))
    name = record["preset"]
    assert path.stem == name
    about = EXPERIMENT.record(name, PRESETS[name].config).about
    runs = {kind: record.pop(kind) for kind in ("held_out", "final")}
    assert is_marked(record["draws"], experiment), f"{path} is stale; {AGAIN}"
    assert record | {"draws": DRAWS} == about, f"{path} is stale; {AGAIN}"
    for kind, measured in (("held_out", "valid_accuracy"), ("final", "test_accuracy")):
        assert [run["seed"] for run in runs[kind]] == [0, 1, 2]
        for run in runs[kind]:
            assert set(run) == {*KEPT, "curve"}
            assert [run[name] is not None for name in ("valid_accuracy", "test_accuracy")] == [
                name == measured for name in ("valid_accuracy", "test_accuracy")
            ]


def test_there_are_recorded_runs() -> None:
    assert {"digits", "quick"} <= {path.stem for path in RECORDS}
