"""Random draws: no two seeds, streams and steps share any, and what one code began, another does not go on with."""

from __future__ import annotations

import ast
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sampling import EVERYTHING
from small_runs import TINY, checkpoint, last

from labml_nn import data as data_module
from labml_nn.data import DRAWS, Crops, batch_indices, random_generator, seed_generators
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import experiment
from labml_nn.resnet.experiment import ResNetConfig
from labml_nn.resnet.speedrun import SpeedConfig
from labml_nn.runs.config import Config
from labml_nn.runs.loading import load_model
from labml_nn.training import Recipe
from labml_nn.training.checkpoint import CheckpointError, load
from labml_nn.training.machine import Machine

STREAMS = ("order", "crops", "sides", "weights", "layers", "synthetic")
NEARBY = (*range(40), -1, -2, 2**31, 2**32, 2**32 + 1, 2**33, 2**63 - 1, 2**63, 2**64, 2**64 + 1)
CPU = Machine(torch.device("cpu"))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def own_generators() -> Iterator[None]:
    """Leave the generators that all tests share as they were."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    yield
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])


def first_draws(seed: int, *key: str | int) -> tuple[int, ...]:
    generator = random_generator(seed, *key)
    return tuple(torch.randint(2**62, (2,), generator=generator).tolist())


def test_no_two_seeds_streams_and_steps_share_draws() -> None:
    """Of all that are tried with `EVERYTHING`, several would be equal by chance if seeds had 32 bits.

    That is what PyTorch keeps of one.
    """
    steps = 400 if EVERYTHING else 20
    keys = [(seed, stream, step) for seed in NEARBY for stream in STREAMS for step in range(steps)]
    assert len(keys) ** 2 / 2 / 2**32 > 1.5 or not EVERYTHING
    assert len({first_draws(*key) for key in keys}) == len(keys)


def test_keys_that_look_alike() -> None:
    keys: list[tuple[int, str | int, str | int]] = [
        *((seed, a, b) for seed in (1, 11, 111) for a in (1, 11, 111) for b in (1, 11, 111)),
        *((1, a, b) for a in ("1", "1,", "1, 1", '1", "1', "") for b in ("1", 1, "", '"', ",1")),
    ]
    assert len({first_draws(*key) for key in keys}) == len(keys)
    assert len({first_draws(0), first_draws(0, 0), first_draws(0, 0, 0), first_draws(0, "")}) == 4


@pytest.mark.parametrize("seed", [0, 2**40])
def test_the_whole_state_is_filled(seed: int) -> None:
    """NumPy has the same generator. Given the words of ours it draws the same, so they are where they should be."""
    generator = random_generator(seed, "crops", 3)
    words = generator.get_state().view(torch.int64)[3:627].numpy()
    assert len(set(words.tolist())) > 620
    assert words.max() > 2**31 > words.min() >= 0
    twister = np.random.MT19937()
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": words.astype(np.uint32), "pos": 624},
    }
    drawn = torch.randint(2**20, (1500,), generator=generator)
    assert drawn.tolist() == [int(word) % 2**20 for word in twister.random_raw(1500)]


def orders(n: int) -> dict[tuple[int, int], torch.Tensor]:
    return {
        (seed, epoch): batch_indices(n, n, epoch, seed) for seed in (*range(6), 2**32) for epoch in range(6)
    }


def test_orders_of_nearby_seeds_are_unrelated() -> None:
    n = 1000
    found = orders(n)
    assert torch.equal(found[0, 1], batch_indices(n, n, 1, 0))
    pairs = list(itertools.combinations(found.values(), 2))
    # Chance puts one image in the same place, on average; ten of them would be one pair in ten million.
    same = [int((one == other).sum()) for one, other in pairs]
    assert max(same) < 10
    assert sum(same) / len(same) == pytest.approx(1, abs=0.2)
    middle = (n - 1) / 2
    for one, other in pairs:
        covariance = ((one - middle) * (other - middle)).mean()
        assert abs(covariance / ((n**2 - 1) / 12)) < 6 / n**0.5


RECIPES: dict[str, type[Config]] = {"resnet": ResNetConfig, "speedrun": SpeedConfig}


@pytest.mark.parametrize("name", RECIPES)
def test_crops_of_nearby_seeds_are_unrelated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = make_synthetic(64, side=8)
    seen: list[Crops] = []
    plain = Crops.draw

    def draw(batch: int, padding: int, flip: bool, generator: torch.Generator) -> Crops:
        # More of them than fit into the batch: what is drawn at a step is what is compared.
        seen.append(plain(1000, 4, True, generator))
        return plain(batch, padding, flip, generator)

    monkeypatch.setattr(Crops, "draw", staticmethod(draw))
    for seed in (*range(4), 2**32):
        recipe: Recipe = RECIPES[name](seed=seed, batch_size=16).recipe(64)  # type: ignore[call-arg]
        for step in range(8):
            recipe.draw(train, step, CPU)
    assert len(seen) == 40
    for one, other in itertools.combinations(seen, 2):
        for part, chance in (("top", 1 / 9), ("left", 1 / 9), ("mirrored", 1 / 2)):
            alike = (getattr(one, part) == getattr(other, part)).float().mean().item()
            assert alike == pytest.approx(chance, abs=6 * (chance * (1 - chance) / 1000) ** 0.5), part


@pytest.mark.parametrize("name", RECIPES)
def test_weights_of_nearby_seeds_differ(name: str) -> None:
    train, _ = make_synthetic(64, side=8)
    small = {"channels": (4, 4, 4)}
    found = []
    for seed in NEARBY:
        model = RECIPES[name](seed=seed, **small).build(train)  # type: ignore[arg-type]
        found.append(tuple(torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()))
    assert len(set(found)) == len(NEARBY)


def test_all_shared_generators_are_seeded() -> None:
    def drawn(seed: int, *key: str | int) -> tuple[float, float, float]:
        seed_generators(seed, *key)
        return torch.rand(1).item(), float(np.random.rand()), random.random()

    one = drawn(0, "layers", 0)
    assert drawn(0, "layers", 0) == one
    for other in (
        drawn(0, "layers", 1),
        drawn(1, "layers", 0),
        drawn(0, "weights"),
        drawn(2**32, "layers", 0),
    ):
        assert all(a != b for a, b in zip(one, other, strict=True))
    # The state is that of the key, not one of PyTorch's own seeds of 32 bits.
    assert torch.initial_seed() > 2**32 or torch.get_rng_state().view(torch.int64)[0] != torch.initial_seed()


def test_layers_draw_something_else_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    after: list[float] = []
    monkeypatch.setattr(Machine, "share", lambda self, n: slice(0, n))
    for rank in (0, 1, 0):
        machine = Machine(torch.device("cpu"), rank=rank)
        monkeypatch.setattr("labml_nn.runs.command.find_machine", lambda *a, machine=machine: machine)
        assert experiment.EXPERIMENT.main([*TINY, "--steps", "1", "--out", f"run{len(after)}"]) == 0
        after.append(torch.rand(1).item())
    assert after[0] == after[2] != after[1]


SEEDERS = {"manual_seed", "manual_seed_all", "seed", "default_rng", "RandomState", "Random", "SeedSequence"}


def test_nothing_else_is_seeded_with_a_number_that_changes() -> None:
    """A seed of a run goes through `random_generator` or `seed_generators`; a constant may be used as it is.

    NumPy's generator for a beta distribution is seeded with words that such a generator has drawn.
    """
    root = Path(data_module.__file__).parents[1]
    found = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in SEEDERS and not all(isinstance(argument, ast.Constant) for argument in node.args):
                found.append(f"{path.relative_to(root).as_posix()}:{ast.unparse(node)}")
    *others, drawn = found
    assert {place.partition(":")[0] for place in others} == {"data/__init__.py"}, found
    assert drawn == "training/extras.py:np.random.RandomState(words)"


@pytest.mark.parametrize("draws", [None, 1, 3])
@pytest.mark.usefixtures("unchecked")
def test_a_run_with_other_draws_does_not_go_on(draws: object, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*TINY, "--steps", "4", "--checkpoint-steps", "2", "--out", "run"]
    assert experiment.EXPERIMENT.main(options) == 0
    for path in Path("run/checkpoints").glob("*.pt"):
        values = vars(load(path))
        assert values["draws"] == DRAWS
        # Before there were versions, nothing was said of them.
        del values["draws"]
        torch.save(values if draws is None else values | {"draws": draws}, path)
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    capsys.readouterr()
    for more in ([], ["--steps", "8"]):
        assert experiment.EXPERIMENT.main(["--resume", "run", *more]) == 1
        error = capsys.readouterr().err
        assert "run was begun with version" in error
        assert f"but this code has version {DRAWS}" in error
        assert "Finish the run with the code that began it, or start anew with another --out" in error
        assert "\x1b" not in error
    kept = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    assert kept == before
    load_model(Path("run"))


@pytest.mark.parametrize("draws", ["2", "1\x1b[31m", torch.ones(1), True])
def test_a_version_that_is_no_number_is_refused(draws: object, tmp_path: Path) -> None:
    path = tmp_path / "step-00000001.pt"
    torch.save(vars(checkpoint()) | {"draws": draws}, path)
    with pytest.raises(CheckpointError, match=f"draws is of the type {type(draws).__name__}, expected int"):
        load(path)


def test_the_version_is_kept_with_the_result() -> None:
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 0
    assert json.loads(Path("run/result.json").read_text())["draws"] == DRAWS == last(Path("run")).draws
