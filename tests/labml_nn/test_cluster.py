"""More than one machine: two of them on the loopback, a process that dies, and the scripts of the guide."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from conftest import ROOT
from small_runs import TINY, environment, last, metrics, two_processes
from torch.distributed.run import get_args_parser

from labml_nn.resnet.experiment import EXPERIMENT

GUIDE = ROOT / "docs/guide/clusters.md"
RUN = [*TINY, "--steps", "24", "--checkpoint-steps", "5", "--keep", "9"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


DIES = """
import os, signal, sys
from pathlib import Path
from labml_nn.resnet.experiment import EXPERIMENT
from labml_nn.training import Trainer

plain = Trainer.take_step

def step(trainer):
    plain(trainer)
    if os.environ["RANK"] == "1" and trainer.step == 12 and not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)

Trainer.take_step = step
sys.exit(EXPERIMENT.main())
"""


def two_machines(*command: str, restarts: int = 0) -> list[subprocess.CompletedProcess[str]]:
    """What `torchrun` says on two machines that are this one, with a process on each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = (
        f"-m torch.distributed.run --nnodes 2 --nproc-per-node 1 --max-restarts {restarts} --rdzv-backend c10d"
        f" --rdzv-endpoint 127.0.0.1:{port} --rdzv-id test --local-addr 127.0.0.1"
    )
    started = [
        subprocess.Popen(
            [sys.executable, *words.split(), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment() | {"TORCHELASTIC_LOG_LEVEL": "ERROR"},
        )
        for _ in range(2)
    ]
    try:
        said = [each.communicate(timeout=300) for each in started]
    finally:
        for each in started:
            each.kill()
    return [
        subprocess.CompletedProcess([], each.returncode, *words)
        for each, words in zip(started, said, strict=True)
    ]


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.slow
def test_two_machines_go_on_after_a_process_has_died() -> None:
    """What comes out is what comes out when nobody dies, to the bit."""
    Path("dies.py").write_text(DIES)
    said = two_machines("dies.py", *RUN, "--out", "run", "--resume", "auto", restarts=2)
    assert [each.returncode for each in said] == [0, 0], said
    assert Path("died").exists()
    assert [status for status, *_ in two_processes(*RUN, "--out", "whole")] == [0, 0]
    one, two = last(Path("run")), last(Path("whole"))
    assert one.step == two.step == 24
    assert all(torch.equal(one.model[name], value) for name, value in two.model.items())
    assert [line["step"] for line in metrics(Path("run"))] == [
        line["step"] for line in metrics(Path("whole"))
    ]
    assert Path("run/result.json").is_file() and not Path("run/failed.json").exists()
    # The same command once more finds that all is done, on both machines.
    again = two_machines("-m", "labml_nn.resnet.experiment", *RUN, "--out", "run", "--resume", "auto")
    assert [each.returncode for each in again] == [0, 0], again
    assert "".join(each.stdout for each in again).count("run is finished") == 1


# --- The scripts of the guide


def fence(language: str, number: int = 0) -> str:
    """A block of code of the guide."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    found: list[str] = pattern.findall(GUIDE.read_text("utf-8"))
    return found[number]


def stubs(srun: str) -> dict[str, str]:
    """An environment with the commands of SLURM, of which `srun` does what is said."""
    bin_folder = Path("bin")
    bin_folder.mkdir()
    scontrol = 'if [ "$1" = requeue ]; then echo "$2" > requeued; else printf "127.0.0.1\\nother\\n"; fi\n'
    torchrun = f'exec "{sys.executable}" -m torch.distributed.run "$@"\n'
    for name, text in {"srun": srun, "scontrol": scontrol, "torchrun": torchrun}.items():
        path = bin_folder / name
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "n[1-2]"}
    base = environment() | {"TORCHELASTIC_LOG_LEVEL": "ERROR"}
    return base | job | {"PATH": f"{bin_folder.absolute()}:{base['PATH']}"}


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.slow
def test_the_script_for_slurm_trains_on_two_machines() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = fence("bash")
    for there, here in {
        "--nproc-per-node gpu": "--nproc-per-node 1 --local-addr 127.0.0.1",
        ":29500": f":{port}",
        "experiment resnet110": f"experiment {' '.join(TINY)} --steps 8",
    }.items():
        assert script.count(there) == 1
        script = script.replace(there, here)
    Path("job").write_text(script)
    twice = '[ "$1" = --kill-on-bad-exit=1 ] || exit 9\nshift\n"$@" & "$@" & wait -n && wait -n\n'
    found = subprocess.run(["bash", "job"], env=stubs(twice), capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    assert last(Path("runs/resnet110")).step == 8 and len(last(Path("runs/resnet110")).random) == 2
    assert not Path("requeued").exists()


@pytest.mark.process
def test_the_script_for_slurm_asks_to_be_started_again() -> None:
    """The signal does not end the work: the script waits for it, and has its status."""
    Path("job").write_text(fence("bash"))
    work = "touch started\nwhile [ ! -e requeued ]; do sleep 0.1; done\ntouch done\nexit 3\n"
    job = subprocess.Popen(["bash", "job"], env=stubs(work))
    try:
        while not Path("started").exists():
            assert job.poll() is None
            time.sleep(0.05)
        job.send_signal(signal.SIGUSR1)
        status = job.wait(timeout=60)
    finally:
        job.kill()
    assert Path("requeued").read_text() == "7\n"
    assert Path("done").exists() and status != 0


def test_the_commands_of_the_guide_are_understood() -> None:
    """Those that it shows to be typed, and that of the job for Kubernetes."""
    service, job = yaml.safe_load_all(fence("yaml"))
    assert job["spec"]["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 2
    (container,) = job["spec"]["template"]["spec"]["containers"]
    commands = [container["command"], shlex.split(fence("shell", 1).replace("\\\n", " "))]
    for launcher, *words in commands:
        assert launcher == "torchrun"
        found = get_args_parser().parse_args(words)
        assert (found.nnodes, found.nproc_per_node, found.rdzv_backend) == ("2", "gpu", "c10d")
        assert found.module and found.training_script == EXPERIMENT.module
        preset, config, resumed = EXPERIMENT.parse(found.training_script_args)
        assert (preset, resumed) == ("resnet110", None) and str(config.out).endswith("runs/resnet110")
    python, dash, module, *words = shlex.split(fence("shell", 0))
    assert (python, dash, module) == ("python", "-m", EXPERIMENT.module)
    assert EXPERIMENT.parse(words)[0] == "resnet110"
    names = {volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == names
