"""The benchmarks measure what they say, and what is recorded tells how it was measured. No test looks at a time."""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks import growth, lighthouse, measure, overhead, rebuild, render, speedrun, throughput
from benchmarks.trees import PACKAGE, library_tree, own_tree, varied
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import cifar_resnet
from labml_nn.resnet.speedrun import PRESETS, Group, SpeedConfig, SpeedNet
from pylit.checks.site import check_site
from pylit.site.discovery import find_pages
from pylit.site.site import Settings
from pylit.translate.progress import site_progress

NAMES = ("throughput", "overhead", "speedrun", "render", "rebuild", "growth", "lighthouse")


def test_all_benchmarks_are_known(root: Path) -> None:
    programs = {
        path.stem for path in (root / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8")
    }
    assert programs == set(NAMES)
    makefile, readme = ((root / name).read_text("utf-8") for name in ("Makefile", "benchmarks/README.md"))
    assert f"BENCHMARKS := {' '.join(NAMES)}\n" in makefile
    assert set(re.findall(r"`python -m benchmarks\.(\w+)`", readme)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_help_tells_of_the_options(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [f"benchmarks/{name}.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        import_module(f"benchmarks.{name}").main()
    shown = capsys.readouterr().out
    assert f"usage: python -m benchmarks.{name}" in shown
    assert {"--rounds", "--quick", "--record", "--out"} <= set(re.findall(r"--\w+", shown))


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_benchmarks_work(root: Path, tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
    check_result(name, found)
    assert found["rounds"] == 1
    columns, *lines = done.stdout.splitlines()
    assert len(lines) >= len(found["rows"])
    for column in columns.split():
        assert column in found["rows"][0]


def test_records_are_complete(root: Path) -> None:
    """Each table of the page has its numbers, and they are of one commit and more than one round."""
    for name in NAMES:
        found = json.loads((root / f"experiments/benchmarks/{name}.json").read_text("utf-8"))
        check_result(name, found)
        assert found["rounds"] > 1
        assert re.fullmatch("[0-9a-f]{12}", found["versions"]["pylit"])
    page = (root / "docs/guide/speed.md").read_text("utf-8")
    assert all(f"`python -m benchmarks.{name}`" in page for name in NAMES)


def check_result(name: str, found: dict[str, Any]) -> None:
    assert found["benchmark"] == name
    assert found["command"] == f"python -m benchmarks.{name}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["measured"])
    assert found["machine"]["cpu"]
    assert 1 <= found["machine"]["cores"] <= found["machine"]["threads"]
    assert len(found["versions"]) > 2
    assert all(found["versions"].values())
    assert found["rows"]
    assert len({tuple(row) for row in found["rows"]}) == 1, "all rows have the same columns"
    for row in found["rows"]:
        numbers = [value for value in row.values() if isinstance(value, float | int)]
        assert len(numbers) > 2
        assert all(math.isfinite(number) and number >= 0 for number in numbers), row


def test_result_of_render_compares_the_same_pages(root: Path) -> None:
    found = json.loads((root / "experiments/benchmarks/render.json").read_text("utf-8"))
    for tree in ("own", "library"):
        rows = [row for row in found["rows"] if row["tree"] == tree]
        assert [row["program"] for row in rows][:2] == ["pycco", "pylit"]
        assert rows[0]["times_pycco"] == 1
        assert rows[0]["pages"] == rows[0]["modules"]
        assert all(row["pages"] >= 0.9 * row["modules"] for row in rows)


def test_result_of_lighthouse_has_all_pages(root: Path) -> None:
    found = json.loads((root / "experiments/benchmarks/lighthouse.json").read_text("utf-8"))
    pages = [(page, form) for page in lighthouse.PAGES for form in lighthouse.FORMS]
    assert [(row["page"], row["form"]) for row in found["rows"]] == pages


def test_result_of_throughput_begins_with_the_first_loop(root: Path) -> None:
    found = json.loads((root / "experiments/benchmarks/throughput.json").read_text("utf-8"))
    assert [row["loop"] for row in found["rows"]] == [throughput.PLAIN, *throughput.LADDER]
    assert found["rows"][0]["times_plain"] == 1


def test_result_of_overhead_has_all_parts(root: Path) -> None:
    found = json.loads((root / "experiments/benchmarks/overhead.json").read_text("utf-8"))
    assert [row["part"] for row in found["rows"]] == [*overhead.PARTS, overhead.REST]
    assert found["rows"][0]["share"] == 1


def test_result_of_speedrun_has_all_steps_and_the_accuracies_of_recorded_runs(root: Path) -> None:
    """If this fails after runs were recorded: `python -m experiments.record`, or the benchmark again."""
    found = json.loads((root / "experiments/benchmarks/speedrun.json").read_text("utf-8"))
    assert [row["step"] for row in found["rows"]] == [speedrun.PEER, *PRESETS]
    assert found["rows"][0]["times_peer"] == 1
    for row in found["rows"]:
        assert {name: row[name] for name in ("draws", "held_out", "test")} == speedrun.accuracies(row["step"])


def test_accuracies_are_renewed_without_timing(root: Path, tmp_path: Path) -> None:
    found = json.loads((root / "experiments/benchmarks/speedrun.json").read_text("utf-8"))
    old = json.loads(json.dumps(found))
    for row in old["rows"]:
        row.update(draws=0, held_out=[0.5], test=[])
    path = tmp_path / "speedrun.json"
    path.write_text(json.dumps(old), "utf-8")
    speedrun.renew_accuracies(path)
    assert json.loads(path.read_text("utf-8")) == found


# Training


def test_the_peers_network_has_no_shortcuts() -> None:
    torch.manual_seed(0)
    network = SpeedNet(3, 10, SpeedConfig().channels)
    ours = sum(p.numel() for p in network.parameters())
    speedrun.as_the_peer(network)
    assert sum(p.numel() for p in network.parameters()) == ours
    groups = [module for module in network.modules() if isinstance(module, Group)]
    assert len(groups) == 3
    x = torch.randn(2, 24, 8, 8)
    for group in groups:
        within = group.activation(group.norm1(group.pool(group.conv1(x))))
        x = group(x)
        assert x.equal(group.residual(within))
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_the_first_loop_crops_mirrors_and_normalises() -> None:
    data, _ = make_synthetic(4, 2)
    mean, std = data.mean_and_std()
    plain = throughput.PlainImages(data, mean, std)
    assert len(plain) == 4
    zeros = nn.functional.pad(data.images[1], (4,) * 4)
    allowed = [
        (crop.float() / 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1)
        for image in (zeros, zeros.flip(2))
        for crop in image.unfold(1, 32, 1).unfold(2, 32, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
    ]
    drawn = [plain[1] for _ in range(20)]
    chosen = {
        next(i for i, crop in enumerate(allowed) if torch.allclose(image, crop, atol=1e-5))
        for image, _ in drawn
    }
    assert {label for _, label in drawn} == {int(data.labels[1])}
    assert len(chosen) > 5
    assert {number // 81 for number in chosen} == {0, 1}


@pytest.mark.parametrize("name", [throughput.PLAIN, *throughput.LADDER])
def test_loops_take_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All parameters change with each of them."""
    networks: list[nn.Module] = []
    monkeypatch.setattr(throughput, "PLAIN_WORKERS", 0)
    before: dict[str, torch.Tensor] = {}

    def small(n: int) -> nn.Module:
        networks.append(cifar_resnet(1))
        before.update({name: value.clone() for name, value in networks[0].named_parameters()})
        return networks[0]

    monkeypatch.setattr(throughput, "cifar_resnet", small)
    assert throughput.seconds_per_image(name, 1, 4) > 0
    (network,) = networks
    assert before
    assert not any(torch.equal(value, before[name]) for name, value in network.named_parameters())


def test_clock_adds_up_and_leaves_nothing_behind() -> None:
    class Owner:
        def wait(self, seconds: float) -> str:
            time.sleep(seconds)
            return "done"

    plain = Owner.wait
    with overhead.clock(Owner, "wait") as seconds:
        assert [Owner().wait(0.01), Owner().wait(0.02)] == ["done", "done"]
        with pytest.raises(ValueError, match="negative"):
            Owner().wait(-1)
    assert len(seconds) == 3 and seconds[0] >= 0.01 and seconds[1] >= 0.02
    assert Owner.wait is plain


def test_process_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)--steps no ended with the status 2:\n.*whole number"):
        measure.ask("throughput", tmp_path, "--steps", "no")


# Trees


def test_copies_of_our_modules_have_formulas_of_their_own() -> None:
    text = "from labml_nn.data import x\n# $a$ and $$b_1\n# + c$$ cost \\$5, $d$; labml_nn_x\n"
    assert varied(text, 7) == (
        "from labml_nn_7.data import x\n# ${}^{7} a$ and $${}^{7} b_1\n# + c$$ cost \\$5, ${}^{7} d$; labml_nn_x\n"
    )


@pytest.mark.thorough
def test_copies_of_our_modules_are_whole(root: Path, tmp_path: Path) -> None:
    own = len(list((root / PACKAGE).rglob("*.py")))
    tree = own_tree(tmp_path / "two", own + 1, ("zh",))
    assert tree.packages == ("labml_nn_0", "labml_nn_1")
    assert len(tree.modules) == 2 * own
    single = own_tree(tmp_path / "one", 1)
    assert single.packages == ("labml_nn_0",)
    assert tree.formulas == 2 * single.formulas > 200
    assert tree.lines == 2 * single.lines

    settings = Settings(
        base=tree.folder,
        roots=tuple((package, package) for package in tree.packages),
        languages=("en", "zh"),
        translations=tree.folder / "translations",
        traces=tree.folder / "experiments/traces",
        repository="https://example.org/code",
    )
    site = find_pages(settings)
    assert [str(problem) for problem in check_site(site, site.pages).problems] == []
    assert all(progress.share == 1 for progress in site_progress(site))
    traces = tree.folder / "experiments/traces/labml_nn_1/resnet/__init__.json"
    assert "labml_nn_1/resnet/__init__.py" in traces.read_text("utf-8")


def test_standard_library_comes_without_its_tests(tmp_path: Path) -> None:
    tree = library_tree(tmp_path, ("json", "unittest"))
    names = {path.relative_to(tmp_path).as_posix() for path in tree.modules}
    assert {"json/__init__.py", "json/decoder.py", "unittest/case.py"} <= names
    assert not any("/test/" in name or "__pycache__" in name for name in names)


# What they time is there


def test_pages_that_are_missing_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = library_tree(tmp_path, ("json",))
    idle = (sys.executable, "-c", "pass")
    with pytest.raises(RuntimeError, match="pylit made 0 pages of 5 modules"):
        render.compare(tree, [render.Program("pylit", 1, idle)], 1)
    monkeypatch.setattr(growth, "PYLIT", idle)
    with pytest.raises(RuntimeError, match="0 pages of 5 modules were made"):
        growth.make_twice(tree)


@pytest.fixture
def saved(tmp_path: Path) -> rebuild.Saved:
    (tmp_path / "out/labml_nn/resnet").mkdir(parents=True)
    (tmp_path / "out/labml_nn/resnet/index.html").write_text('nothing new; data-state="1"')
    return rebuild.Saved(tmp_path / "module.py", "en", str)


def test_words_that_are_missing_are_told(saved: rebuild.Saved, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "pass", "--out", "out"]
    with pytest.raises(
        RuntimeError, match=r"module\.py was saved, and labml_nn/resnet/index\.html does not show it"
    ):
        rebuild.remake(tmp_path, command, saved)


def test_preview_that_does_not_start_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="the preview did not start; run `make serve`"),
        rebuild.preview(tmp_path),
    ):
        pass


def test_preview_that_shows_nothing_new_is_told(
    saved: rebuild.Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells of news again and again, and the page is what it was."""

    class Preview(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            page = (tmp_path / "out/labml_nn/resnet/index.html").read_bytes()
            self.wfile.write(b"data: new\n\n" if self.path.startswith("/.pylit/events") else page)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    monkeypatch.setattr(rebuild, "PATIENCE", 0.3)
    with ThreadingHTTPServer(("127.0.0.1", 0), Preview) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(
            RuntimeError, match=r"module\.py was saved, and resnet/index\.html did not show it"
        ):
            rebuild.reload(f"127.0.0.1:{server.server_port}", saved)
        server.shutdown()


# What they share


def test_contestants_take_turns() -> None:
    turns: list[str] = []

    def contestant(name: str) -> int:
        turns.append(name)
        return len(turns)

    results = measure.alternate({name: partial(contestant, name) for name in "abc"}, 2)
    assert "".join(turns) == "cab" + "abc" + "bca", "the first round does not count"
    assert results == {"a": [4, 9], "b": [5, 7], "c": [6, 8]}


def test_one_round_needs_no_other_before_it() -> None:
    counted: Iterator[int] = iter(range(9))
    assert measure.alternate({"a": lambda: next(counted)}, 1) == {"a": [0]}


def test_summary_is_median_and_spread() -> None:
    assert measure.summary([5, 1, 2, 4, 3]) == {"median": 3, "low": 2, "high": 4, "worst": 5}
    assert measure.summary([0.123456]) == dict.fromkeys(("median", "low", "high", "worst"), 0.123)
    assert measure.quotients([2, 9], [1, 3]) == [2, 3]


def test_programs_run_with_our_code(tmp_path: Path) -> None:
    code = "import pathlib, pylit; pathlib.Path('where').write_text(pylit.__file__); x = bytearray(100 << 20)"
    found = measure.run([sys.executable, "-c", code], tmp_path)
    assert (tmp_path / "where").read_text() == str(measure.ROOT / "pylit/__init__.py")
    assert found.seconds > 0
    assert found.peak > 100


def test_peak_is_that_of_the_largest_process(tmp_path: Path) -> None:
    large = "x = bytearray(200 << 20)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}], check=True)"
    # Not from here: a program counts as large as the process that starts it, and tests make that one large.
    measured = (
        "import sys; from pathlib import Path; from benchmarks import measure; "
        f"print(measure.run([sys.executable, '-c', {code!r}], Path({str(tmp_path)!r})).peak)"
    )
    command = [sys.executable, "-c", measured]
    found = subprocess.run(command, cwd=measure.ROOT, check=True, capture_output=True, text=True)
    assert 200 < float(found.stdout) < 300


def test_programs_that_fail_are_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('too bad'); sys.exit(3)"]
    with pytest.raises(RuntimeError, match=r"(?s)ended with the status 3:\n.*too bad"):
        measure.run(command, tmp_path)
    measure.run(command, tmp_path, allowed=(0, 3))


def test_machine_and_commit_are_named() -> None:
    found = measure.machine()
    assert found.cpu
    assert 1 <= found.cores <= found.threads
    assert re.fullmatch(r"[0-9a-f]{12}\+?|unknown", measure.commit())


def test_tables_are_aligned() -> None:
    rows = [{"name": "a", "n": 1234, "x": 0.12345}, {"name": "long", "n": 5, "x": None}]
    assert measure.table(rows, ["name", "n", "x"]) == "name      n       x\na     1,234  0.1235\nlong      5"


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_rounds_must_be_a_number(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        measure.arguments("x", "", 3).parse_args(["--rounds", value])
    assert f"must be a whole number from 1 on, got {value}" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--steps", "--batch"])
def test_so_must_steps_and_batches(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", option, "0"])
    with pytest.raises(SystemExit):
        throughput.main()
    assert "must be a whole number from 1 on, got 0" in capsys.readouterr().err


def test_only_what_is_committed_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--record"])
    monkeypatch.setattr(measure, "commit", lambda: "0123456789ab+")
    with pytest.raises(SystemExit):
        measure.parse(measure.arguments("x", "", 3))
    assert "--record names the commit that was measured: commit all changes first" in capsys.readouterr().err
    monkeypatch.setattr(measure, "commit", lambda: "0123456789ab")
    assert measure.parse(measure.arguments("x", "", 3)).out == measure.RECORDS


def test_results_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(out=tmp_path, rounds=2)
    on = measure.Machine("A CPU", 2, 4, "Linux x86_64", 0.01)
    measure.finish("x", [{"a": 1.5}], ["a"], options, on, peers=["click"])
    found = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert found["machine"] == {
        "cpu": "A CPU",
        "cores": 2,
        "threads": 4,
        "system": "Linux x86_64",
        "busy": 0.01,
    }
    assert list(found["versions"]) == ["python", "pylit", "click"]
    assert found["rows"] == [{"a": 1.5}]
    assert "2 rounds on A CPU with 2 cores: " in capsys.readouterr().out
