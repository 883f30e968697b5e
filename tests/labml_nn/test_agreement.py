"""Processes that share a run find out at its start that they differ, and say in what; a folder names no address."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import TINY, command, environment, last

from labml_nn.data import ImageData
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import experiment
from labml_nn.resnet.experiment import ResNetConfig
from labml_nn.runs.files import load_config, path_fields, to_plain
from labml_nn.runs.run import Task, _facts
from labml_nn.runs.tracking import _answers
from labml_nn.training.machine import Machine
from labml_nn.training.processes import check_agreement, contents_of, differences, hash_of_code, hash_of_files

CPU = Machine(torch.device("cpu"))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pair(*each: tuple[str, list[str]]) -> list[tuple[int, str]]:
    """One process of a run for each piece of code and list of arguments; how they ended, and what they said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    end = "; import sys; from labml_nn.resnet.experiment import EXPERIMENT; sys.exit(EXPERIMENT.main())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code + end, *arguments],
            env=environment()
            | {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, (code, arguments) in enumerate(each)
    ]
    try:
        return [(process.wait(300), process.communicate()[1]) for process in processes]
    finally:
        for process in processes:
            process.kill()


def test_every_process_says_who_differs_in_what() -> None:
    """Other options, a pixel that differs, other code and another PyTorch, all at once."""
    other = (
        "import torch; torch.__version__ = '0.0.0'\n"
        "from labml_nn.runs import config, run\n"
        "plain = config.make_synthetic\n"
        "def changed():\n"
        "    train, test = plain()\n"
        "    train.images[5, 0, 3, 3] += 1\n"
        "    return train, test\n"
        "config.make_synthetic = changed\n"
        "run.hash_of_code = lambda: 'c0de'\n"
        "pass"
    )
    here = ["--steps", "4", "--out", "run"]
    there = ["--steps", "4", "--out", "other", "--seed", "7", "--batch-size", "16", "--weight-decay", "0.5"]
    said = pair(("pass", [*TINY, *here]), (other, [*TINY, *there]))
    for status, error in said:
        assert status == 1, error
        assert "error: the processes of this run do not agree" in error
        assert "Start all of them with the same command, code and data." in error
        assert "Traceback" not in error
        for line in (
            "--seed: 0 on rank 0; 7 on rank 1",
            "--batch-size: 32 on rank 0; 16 on rank 1",
            "--weight-decay: 0.0001 on rank 0; 0.5 on rank 1",
            "folder of the run: run on rank 0; other on rank 1",
            "on rank 0; c0de on rank 1",
            f"PyTorch: {torch.__version__} on rank 0; 0.0.0 on rank 1",
            "images to train on: 960 images of 3 × 32 × 32 with hash ",
        ):
            assert line in error
        # What is the same is not mentioned.
        assert "--steps" not in error
        assert "precision" not in error
    assert not Path("run").exists()
    assert not Path("other").exists()


@pytest.mark.thorough
def test_processes_that_would_go_on_from_other_places(capsys: pytest.CaptureFixture[str]) -> None:
    """On two machines the same name may be that of two folders."""
    for folder, seed in (("one/run", "0"), ("two/run", "0")):
        Path(folder).parent.mkdir()
        options = [*TINY, "--steps", "4", "--checkpoint-steps", "2", "--seed", seed, "--out", folder]
        assert experiment.EXPERIMENT.main(options) == 0
    Path("two/run/checkpoints/step-00000004.pt").unlink()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    go = ["--resume", "run", "--steps", "8"]
    said = pair(("import os; os.chdir('one')", go), ("import os; os.chdir('two')", go))
    for status, error in said:
        assert status == 1, error
        assert "begins: from checkpoints with hash " in error
    assert {path: path.read_bytes() for path in before} == before


def task(config: ResNetConfig, train: ImageData | None = None, preset: str = "resnet20") -> Task:
    synthetic, held_out = make_synthetic(40, 20, side=8)
    train = train or synthetic
    return Task("module", preset, torch.nn.Identity(), train, held_out, config.recipe(), config)


CONFIG = ResNetConfig(data="synthetic")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 1),
        ("batch_size", 64),
        ("steps", 3),
        ("channels", (1, 2, 3)),
        ("precision", "float32"),
        ("final", True),
        ("checkpoint_steps", 7),
        ("deterministic", True),
        ("milestones", ()),
    ],
)
def test_each_option_is_compared(name: str, value: Any) -> None:
    facts = [_facts(task(config), CPU, None) for config in (CONFIG, replace(CONFIG, **{name: value}))]
    (line,) = differences(facts)
    assert line.startswith(f"--{name.replace('_', '-')}: ")


def test_all_else_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def names(two: Task, machine: Machine = CPU, resumed: Path | None = None) -> list[str]:
        found = differences([_facts(task(CONFIG), CPU, None), _facts(two, machine, resumed)])
        return [line.partition(":")[0] for line in found]

    assert names(task(CONFIG)) == []
    assert names(task(replace(CONFIG, data_dir=Path("elsewhere")))) == []
    assert names(task(replace(CONFIG, out=Path("run")))) == ["folder of the run"]
    assert names(task(CONFIG, preset="quick")) == ["experiment"]
    assert names(task(CONFIG), Machine(torch.device("cpu"), bfloat16=True)) == ["precision"]
    assert names(task(CONFIG), CPU, Path("run")) == ["folder of the run", "begins"]
    train, _ = make_synthetic(40, 20, side=8)
    assert names(task(CONFIG, train.take(torch.arange(39)))) == ["images to train on"]
    monkeypatch.setattr("labml_nn.runs.run.hash_of_code", lambda: "c0de")
    assert differences([_facts(task(CONFIG), CPU, None), {}]) != []
    assert _facts(task(CONFIG), CPU, None)["code"] == "c0de" != hash_of_code()


@dataclass(frozen=True)
class PathsConfig(ResNetConfig):
    """An experiment with paths of its own."""

    weights: Path | None = None
    folders: tuple[Path, ...] = (Path("a"),)
    name: str = "x"


def test_paths_are_found_by_their_types() -> None:
    """Those that only an experiment has are free like the others, and come back from its file as paths."""
    here = PathsConfig(data="synthetic")
    there = replace(here, data_dir=Path("b"), weights=Path("c"), folders=(Path("d"), Path("e")))
    assert path_fields(PathsConfig) == {"data_dir", "init", "out", "weights", "folders"}
    assert differences([_facts(task(here), CPU, None), _facts(task(there), CPU, None)]) == []
    # One's own pictures may be anywhere too. What is in them is compared.
    here, there = (replace(here, data=f"folder:{name}") for name in "ab")
    assert differences([_facts(task(here), CPU, None), _facts(task(there), CPU, None)]) == []
    (line,) = differences([_facts(task(here), CPU, None), _facts(task(replace(here, name="y")), CPU, None)])
    assert line.startswith("--name: ")
    there = replace(there, data_dir=Path("b"), weights=Path("c"), folders=(Path("d"), Path("e")))
    Path("config.json").write_text(json.dumps({"module": "m", "preset": "p", "config": to_plain(there)}))
    assert load_config(Path(), {"m": PathsConfig}) == ("m", "p", there)


def test_any_change_of_the_data_is_seen() -> None:
    train, _ = make_synthetic(40, 20, side=8)
    pixels, labels = train.images.clone(), train.labels.clone()
    pixels[39, 2, 7, 7] ^= 1
    labels[0] = 9
    changed = [
        train,
        replace(train, images=pixels),
        replace(train, labels=labels),
        replace(train, classes=tuple(reversed(train.classes))),
        train.take(torch.arange(40).flip(0)),
        train.take(torch.arange(39)),
        replace(train, images=train.images.view(40, 3, 4, 16)),
    ]
    assert len({contents_of(data) for data in changed}) == len(changed)
    # How it lies in memory does not matter.
    strided = train.images.to(memory_format=torch.channels_last)
    assert contents_of(replace(train, images=strided)) == contents_of(train)


def test_files_are_compared_by_name_and_content(tmp_path: Path) -> None:
    found: list[str] = []
    for name, text in (("a.py", "x"), ("b.py", "x"), ("a.py", "y"), ("a.txt", "x")):
        folder = tmp_path / str(len(found))
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / name).write_text(text)
        found.append(hash_of_files(folder, "**/*.py"))
    assert len(set(found)) == 4
    (tmp_path / "0" / "c.py").mkdir()
    assert hash_of_files(tmp_path / "0", "*.py") == "not readable (Is a directory)"


def test_differences_name_all_ranks() -> None:
    everyone = [{"seed": "0", "code": "a"} for _ in range(5)]
    everyone[3] = {"seed": "1", "code": "a"}
    everyone[4] = {"seed": "0"}
    assert differences(everyone) == [
        "seed: 0 on rank 0, 1, 2, 4; 1 on rank 3",
        "code: a on rank 0, 1, 2, 3; unknown on rank 4",
    ]


def test_one_process_has_nobody_to_agree_with() -> None:
    check_agreement(CPU, {"seed": "0"})


# --- Addresses


def visitors(server: socket.socket) -> int:
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_folder_that_names_a_server_is_resumed_without_a_word_to_it() -> None:
    """Somebody else's folder: its configuration names a server, and so does a setting of labml beside it."""
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api/v1/"
        saved = json.loads(Path("run/config.json").read_text())
        saved["config"]["app_url"] = url
        Path("run/config.json").write_text(json.dumps(saved))
        for folder in (Path("run"), Path("run/checkpoints"), Path()):
            (folder / ".labml.yaml").write_text(f"app_url: {url}\n")
        assert _answers(url)
        assert visitors(server) == 1
        done = subprocess.run(
            command("--resume", ".", "--steps", "4"),
            cwd="run",
            env=environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert visitors(server) == 0
    assert last(Path("run")).step == 4
    assert json.loads(Path("run/config.json").read_text())["config"]["app_url"] is None


def test_a_server_on_the_command_line_is_used_on_resume() -> None:
    Path("run").mkdir()
    config = {"data": "synthetic", "app_url": "http://evil.example/"}
    saved = {"module": experiment.EXPERIMENT.module, "preset": "quick", "config": config}
    Path("run/config.json").write_text(json.dumps(saved))
    parse = experiment.EXPERIMENT.parse
    assert parse(["--resume", "run"])[1].app_url is None
    mine = "http://127.0.0.1:9/"
    assert parse(["--resume", "run", "--app-url", mine])[1].app_url == mine
