"""Runs that are watched while they train, and their metrics as events for TensorBoard."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labml_nn.runs.__main__ import main
from labml_nn.runs.tensorboard import as_events

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- Following


def begin(folder: Path) -> None:
    folder.mkdir(parents=True)
    config = {"module": "labml_nn.resnet.experiment", "preset": "quick", "config": {"seed": 0}}
    (folder / "config.json").write_text(json.dumps(config))
    note = {"pid": os.getpid(), "host": socket.gethostname(), "started": "now"}
    (folder / "running.json").write_text(json.dumps(note))


def measure(folder: Path, *epochs: int) -> Path:
    with (folder / "metrics.jsonl").open("a") as file:
        for epoch in epochs:
            line = {
                "step": 10 * epoch,
                "epoch": epoch,
                "loss.train": 1 / epoch,
                "accuracy.valid": 1 - 1 / epoch,
            }
            file.write(json.dumps(line) + "\n")
    return folder


def end(folder: Path, result: dict[str, Any] | None = None) -> Path:
    (folder / "running.json").unlink()
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let something happen each time that the command sleeps, and give the pages that were there then."""

    def watch(*happens: Callable[[], object]) -> list[str]:
        seen: list[str] = []
        todo = iter(happens)

        def sleep(seconds: float) -> None:
            assert seconds == 0.5
            seen.append(Path("page.html").read_text())
            next(todo)()

        monkeypatch.setattr("labml_nn.runs.__main__.time.sleep", sleep)
        return seen

    return watch


FOLLOW = ["plot", "runs", "--out", "page.html", "--follow", "--every", "0.5"]
REFRESH = '<meta http-equiv="refresh" content="0.5">'


def test_a_page_follows_runs_until_the_last_one_ends(pages: Callable[..., list[str]], capsys: Said) -> None:
    one, two = Path("runs/one"), Path("runs/two")
    seen = pages(
        lambda: begin(one),
        lambda: measure(one, 1, 2),
        lambda: begin(two),
        lambda: (end(one, {"steps": 20}), measure(two, 1)),
        lambda: (measure(two, 2), end(two)),
    )
    assert main(FOLLOW) == 0
    assert [REFRESH in page for page in seen] == [True] * 5
    assert ["Nothing was measured yet" in page for page in seen] == [True, True, False, False, False]
    assert [page.count("<li") for page in seen] == [0, 1, 1, 1, 1]
    last = Path("page.html").read_text()
    assert "refresh" not in last and "<svg" in last and "runs/two" in last
    assert last != seen[-1]
    assert "<script" not in last and "default-src 'none'" in last
    assert capsys.readouterr().out.splitlines() == [
        "Open page.html in a browser. Ctrl+C ends this.",
        "Wrote page.html.",
    ]


def test_a_key_ends_it_and_the_last_page_stays_as_it_is(pages: Callable[..., list[str]]) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    begin(Path("runs/one"))
    seen = pages(press)
    assert main(FOLLOW) == 0
    assert REFRESH in seen[0]
    page = Path("page.html").read_text()
    assert "refresh" not in page and "Nothing was measured yet" in page


def test_runs_that_are_over_are_drawn_once(pages: Callable[..., list[str]]) -> None:
    begin(Path("runs/one"))
    measure(Path("runs/one"), 1)
    end(Path("runs/one"), {"steps": 10})
    assert pages() == []
    assert main(FOLLOW) == 0
    assert "refresh" not in Path("page.html").read_text()


def test_how_often_has_limits(capsys: Said) -> None:
    assert main([*FOLLOW[:-1], "0"]) == 1
    assert "--every must be from 0.1 to 86,400, got 0.0" in capsys.readouterr().err


# --- Events


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message of protocol buffers, as its manual describes them."""
    at = 0

    def variable() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = variable()
        match key & 7:
            case 0:
                yield key >> 3, variable()
            case 1:
                at += 8
                yield key >> 3, struct.unpack("<d", data[at - 8 : at])[0]
            case 2:
                size = variable()
                at += size
                yield key >> 3, data[at - size : at]
            case 5:
                at += 4
                yield key >> 3, struct.unpack("<f", data[at - 4 : at])[0]


def events(data: bytes) -> list[dict[int, Any]]:
    """The events of a file. What follows a length or an event is a checksum."""
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack("<Q", data[at : at + 8])
        found.append(dict(fields(data[at + 12 : at + 12 + size])))
        at += 16 + size
    assert at == len(data)
    return found


LINES: list[dict[str, float | None]] = [
    {"step": 300, "images": 9600, "epoch": 1.5, "loss.train": 0.5, "learning_rate": 0.25, "loss.valid": None},
    {"step": 310, "images": 9920, "epoch": 1.55, "interval": 10, "loss.train": 0.75},
]
KNOWN = bytes.fromhex(
    "1800000000000000a37f4b2209000000c00b5ad6411a0d627261696e2e4576656e743a324ca9a4643700000000000000e7e8"
    "ca5909000000c00b5ad64110ac022a290a110a0a6c6f73732f747261696e150000003f0a140a0d6c6561726e696e675f7261"
    "7465150000803e2865c1522a00000000000000ae8d91f509000000c00b5ad64110b6022a1c0a1a0a136c6f73732f74726169"
    "6e2e696e74657276616c150000403fb23f48b9"
)
"""What `as_events` makes of `LINES`. TensorBoard 2.21 read it, checksums included."""


def test_events_are_those_that_tensorboard_has_read() -> None:
    assert as_events(LINES, 1.5e9) == KNOWN


def test_events_hold_all_values_with_their_steps() -> None:
    first, *rest = events(as_events(LINES, 1.5e9))
    assert first == {1: 1.5e9, 3: b"brain.Event:2"}
    assert [event[1] for event in rest] == [1.5e9] * 2 and [event[2] for event in rest] == [300, 310]
    values = [[dict(fields(value)) for _, value in fields(event[5])] for event in rest]
    assert values == [
        [{1: b"loss/train", 2: 0.5}, {1: b"learning_rate", 2: 0.25}],
        [{1: b"loss/train.interval", 2: 0.75}],
    ]


def test_metrics_become_a_file_that_tensorboard_finds(capsys: Said) -> None:
    begin(Path("run"))
    for epoch in range(1, 4):
        measure(Path("run"), epoch)
    assert main(["export-metrics", "run", "--to", "tensorboard"]) == 1
    assert "--to tensorboard needs --out, a folder" in capsys.readouterr().err
    assert main(["export-metrics", "run", "--to", "tensorboard", "--out", "events"]) == 0
    (path,) = Path("events").iterdir()
    assert path.name.startswith("events.out.tfevents.") and f"Wrote {path}" in capsys.readouterr().out
    assert [event.get(2) for event in events(path.read_bytes())] == [None, 10, 20, 30]
