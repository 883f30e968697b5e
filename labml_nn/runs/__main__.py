r"""
---
title: The command of the ledger
summary:
  Lists runs, shows, compares and measures them, and removes checkpoints that nobody needs.
---

# The command of the ledger

```shell
python -m labml_nn.runs list
python -m labml_nn.runs show runs/first
python -m labml_nn.runs compare runs/first runs/second
python -m labml_nn.runs plot runs --out curves.html
python -m labml_nn.runs plot runs --out curves.html --follow
python -m labml_nn.runs export-metrics runs/first --to csv
python -m labml_nn.runs evaluate runs/first
python -m labml_nn.runs export runs/first --to onnx
python -m labml_nn.runs prune
```

It reads the folders of runs, also while they train, and needs no PyTorch except to `evaluate` and
[`export`](../training/export.py).
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from labml_nn.printing import printable
from labml_nn.runs.compare import (
    Group,
    as_plain,
    as_text,
    group_runs,
    short_code,
)
from labml_nn.runs.files import RunFailed, print_error, to_json, write_whole
from labml_nn.runs.ledger import (
    Run,
    age,
    as_csv,
    find_runs,
    percent,
    read_run,
    table,
)
from labml_nn.runs.prune import Old, as_list, delete, old_checkpoints


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m labml_nn.runs",
        description="Look at runs: what they are, what differs, what came out.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    each = commands.add_parser("list", help="list the runs in a folder")
    each.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("runs"),
        help="folder with runs (default: %(default)s)",
    )
    each.add_argument("--json", action="store_true", help="print JSON")
    each.set_defaults(call=list_runs)

    each = commands.add_parser("show", help="show all that is known of a run")
    each.add_argument("run", type=Path, help="folder of a run")
    each.add_argument("--json", action="store_true", help="print JSON")
    each.set_defaults(call=show_run)

    each = commands.add_parser(
        "compare", help="say what differs, with mean ± sd over seeds"
    )
    each.add_argument(
        "runs",
        nargs="+",
        type=Path,
        help="folders of runs, or folders with runs in them",
    )
    each.add_argument("--json", action="store_true", help="print JSON")
    each.set_defaults(call=compare_runs)

    each = commands.add_parser(
        "plot", help="write a page with the curves of runs"
    )
    each.add_argument(
        "runs",
        nargs="+",
        type=Path,
        help="folders of runs, or folders with runs in them",
    )
    each.add_argument(
        "--out", type=Path, required=True, help="HTML file to write"
    )
    each.add_argument(
        "--follow",
        action="store_true",
        help="write it again while runs train; the browser reloads it",
    )
    each.add_argument(
        "--every",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="how often, with --follow (default: %(default)s)",
    )
    each.set_defaults(call=plot_runs)

    each = commands.add_parser(
        "export-metrics", help="write the metrics for other programs"
    )
    each.add_argument("run", type=Path, help="folder of a run")
    each.add_argument(
        "--to",
        choices=["csv", "json", "tensorboard"],
        default="csv",
        help="format (default: %(default)s)",
    )
    each.add_argument(
        "--out",
        type=Path,
        help="file to write, or a folder for TensorBoard (default: print it)",
    )
    each.set_defaults(call=export_metrics)

    each = commands.add_parser(
        "evaluate", help="measure the checkpoints of a run again"
    )
    each.add_argument("run", type=Path, help="folder of a run")
    each.add_argument(
        "--test",
        action="store_true",
        help="use the test set, which is written on the record of the run",
    )
    each.add_argument("--module", help="module of an experiment of your own")
    each.add_argument("--device", help="device (default: that of the run)")
    each.add_argument(
        "--data-dir", type=Path, help="folder of CIFAR-10 (default: the run's)"
    )
    each.add_argument(
        "--data", help="where the images are now, such as folder:PATH"
    )
    each.add_argument("--json", action="store_true", help="print JSON")
    each.set_defaults(call=evaluate_run)

    each = commands.add_parser(
        "export", help="write the network to a file for other programs"
    )
    each.add_argument("run", type=Path, help="folder of a run")
    each.add_argument(
        "--to",
        choices=["onnx", "torch.export", "safetensors"],
        required=True,
        help="format",
    )
    each.add_argument(
        "--out", type=Path, help="file to write (default: in the run's folder)"
    )
    each.add_argument("--module", help="module of an experiment of your own")
    each.set_defaults(call=export_run)

    each = commands.add_parser(
        "prune", help="list old checkpoints, and delete them with --yes"
    )
    each.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("runs"),
        help="run, or folder with runs (default: %(default)s)",
    )
    each.add_argument(
        "--keep",
        type=int,
        default=1,
        metavar="N",
        help="last checkpoints of each run that stay, besides the best "
        "(default: %(default)s)",
    )
    each.add_argument("--yes", action="store_true", help="delete them")
    each.set_defaults(call=prune_runs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what `arguments` say, or without them the command line.

    Returns the status for the shell: 0, or 1 after an error.
    """
    options = make_parser().parse_args(arguments)
    try:
        status: int = options.call(options)
        return status
    except RunFailed as error:
        print_error(error)
        return 1
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would complain once more at its end.
        sys.stdout = None
        return 141


def list_runs(options: argparse.Namespace) -> int:
    """Prints a line for each run in the folder that `options` name."""
    runs = [read_run(path) for path in find_runs(options.folder)]
    if options.json:
        print(to_json([run.plain() for run in runs], indent=2))
        return 0
    if not runs:
        print(f"There are no runs in {printable(options.folder)}.")
        return 0
    heads = "run preset state steps images best final test changed"
    rows = [heads.split(), *(_row(run, options.folder) for run in runs)]
    print(table(rows, right=range(3, 9)))
    for run in runs:
        for note in (*([run.reason] if run.reason else []), *run.notes):
            print(f"{_name(run, options.folder)}: {printable(note, 300)}")
    return 0


def _name(run: Run, folder: Path) -> str:
    name = run.folder.relative_to(folder)
    return printable(run.folder if name == Path() else name, 60)


def _row(run: Run, folder: Path) -> list[str]:
    return [
        _name(run, folder),
        run.preset or "–",
        run.state,
        f"{run.steps:,}",
        "–" if run.images is None else f"{run.images:,}",
        percent(run.best),
        percent(run.final),
        percent(run.test),
        f"{age(time.time() - run.changed)} ago",
    ]


def _one(folder: Path) -> Run:
    """The run in `folder`. Raises `RunFailed` if there is none, or if it is damaged."""
    if find_runs(folder) != [folder]:
        raise RunFailed(f"{printable(folder)} is not the folder of a run")
    run = read_run(folder)
    if run.state == "damaged":
        raise RunFailed(f"{printable(folder)} is damaged: {run.reason}")
    return run


def show_run(options: argparse.Namespace) -> int:
    """Prints all that is known of the run that `options` name."""
    run = _one(options.run)
    if options.json:
        print(to_json(run.everything(), indent=2))
        return 0
    result = run.result
    images = "" if run.images is None else f" ({run.images:,} images)"
    code = "; ".join(
        f"{short_code(entry)} from step {entry.get('from_step', 0)}"
        for entry in run.code
    )
    facts = {
        "run": run.folder,
        "module": run.module,
        "preset": run.preset,
        "state": run.state + (f": {run.reason}" if run.reason else ""),
        "steps": f"{run.steps:,}{images}",
        "best valid": percent(run.best),
        "final valid": percent(run.final),
        "test": percent(run.test),
        "test set used again": f"{run.tests} times" if run.tests else "",
        "images": run.data,
        "measured with": run.measured_with,
        "classes": ", ".join(
            f"{name} ({n})" for name, n in list(run.classes.items())[:20]
        )
        + (", …" if len(run.classes) > 20 else ""),
        "code": code or "unknown",
        "machine": result.get("machine", ""),
        "seconds": result.get("seconds", ""),
        "changes": "; ".join(map(str, result.get("changes") or [])),
        "checkpoints": ", ".join(map(str, run.checkpoints)),
        "changed": f"{age(time.time() - run.changed)} ago",
        "notes": "; ".join(run.notes),
    }
    shown = {name: value for name, value in facts.items() if value != ""}
    rows = [[name, printable(value, 400)] for name, value in shown.items()]
    print(table([*rows, ["", ""], ["configuration", ""]]))
    print(
        table(
            [
                [f"  {printable(name, 40)}", printable(json.dumps(value), 100)]
                for name, value in run.config.items()
            ]
            or [["  none"]]
        )
    )
    return 0


def compare_runs(options: argparse.Namespace) -> int:
    """Prints what differs between the runs that `options` name."""
    groups = _groups(options.runs)
    if options.json:
        print(to_json(as_plain(groups), indent=2))
    else:
        print(as_text(groups))
    return 0


def _groups(named: Sequence[Path], *, wait: bool = False) -> list[Group]:
    """The runs in the folders `named`. With `wait`, there may be none yet."""
    folders = [
        path
        for folder in named
        if not wait or folder.is_dir()
        for path in find_runs(folder)
    ]
    runs = [read_run(path) for path in dict.fromkeys(folders)]
    for run in runs:
        if run.state == "damaged" and not wait:
            name = printable(run.folder)
            print(f"{name} is left out: {run.reason}", file=sys.stderr)
    groups = group_runs(runs)
    if not groups and not wait:
        raise RunFailed("there is no run that can be read")
    return groups


def plot_runs(options: argparse.Namespace) -> int:
    """Writes a page with the curves of the runs that `options` name."""
    if options.follow:
        follow(options.runs, options.out, options.every)
    else:
        # The engine is only needed here.
        from labml_nn.runs.plot import as_html

        write_whole(options.out, as_html(_groups(options.runs)))
    print(f"Wrote {printable(options.out)}.")
    return 0


def follow(named: Sequence[Path], out: Path, every: float) -> None:
    """Writes the page at `out` while runs in the folders `named` train, `every` so many seconds.

    It waits until one begins, and ends when none of them is running any more, or with Ctrl+C. The
    last page does not reload itself.

    A file needs no server: it is opened as it is, also from the disk of another machine, and no
    port is open on a cluster where others are at work. It takes the place of the one before as a
    whole, so a browser never sees half of it.
    """
    from labml_nn.runs.plot import as_html

    if not 0.1 <= every <= 86400:
        raise RunFailed(f"--every must be from 0.1 to 86,400, got {every}")
    print(f"Open {printable(out)} in a browser. Ctrl+C ends this.", flush=True)
    was_running = False
    with suppress(KeyboardInterrupt):
        while True:
            groups = _groups(named, wait=True)
            states = [run.state for group in groups for run in group.runs]
            is_running = "running" in states
            is_over = bool(states) and {*states} <= {"finished", "failed"}
            if is_over or (was_running and not is_running):
                break
            was_running = was_running or is_running
            write_whole(out, as_html(groups, reload=every))
            time.sleep(every)
    write_whole(out, as_html(_groups(named, wait=True), may_be_empty=True))


def export_metrics(options: argparse.Namespace) -> int:
    """Writes the metrics of a run as CSV, as a list in JSON or as events, as `options` say."""
    run = _one(options.run)
    for note in run.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    lines = run.lines
    if options.to == "tensorboard":
        from labml_nn.runs.tensorboard import as_events

        if options.out is None:
            raise RunFailed("--to tensorboard needs --out, a folder")
        # TensorBoard knows its files by this word.
        path = options.out / f"events.out.tfevents.{run.changed:.0f}.labml_nn"
        write_whole(path, as_events(lines, run.changed))
        print(f"Wrote {printable(path)}.")
        return 0
    text = as_csv(lines) if options.to == "csv" else to_json(lines, 2) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_whole(options.out, text)
    return 0


def evaluate_run(options: argparse.Namespace) -> int:
    """Measures the run that `options` name again."""
    # These need PyTorch.
    from labml_nn.data import DataError
    from labml_nn.runs.evaluate import measure, report
    from labml_nn.training.checkpoint import CheckpointError

    run = _one(options.run)
    try:
        found = measure(
            run,
            test=options.test,
            module=options.module,
            device=options.device,
            data_dir=options.data_dir,
            data=options.data,
        )
    except (CheckpointError, DataError) as error:
        raise RunFailed(str(error)) from error
    return report(run, found, as_json=options.json)


def export_run(options: argparse.Namespace) -> int:
    """Writes the network of the run that `options` name to a file for other programs."""
    # These need PyTorch.
    import torch

    from labml_nn.runs.loading import load_model
    from labml_nn.training.checkpoint import CheckpointError
    from labml_nn.training.export import SUFFIXES, ExportError, export

    try:
        model, classes, channels, side = load_model(options.run, options.module)
        path = options.out or options.run / f"model{SUFFIXES[options.to]}"
        images = torch.randint(256, (3, channels, side, side)).byte()
        difference = export(model, images, classes, path, options.to)
    except (CheckpointError, ExportError) as error:
        raise RunFailed(str(error)) from error
    print(
        f"Wrote {printable(path)}. It takes bytes of shape [batch, {channels}, "
        f"{side}, {side}] and returns logits for {len(classes)} classes, the "
        f"same as the network's (largest difference: {difference:.1g} of the "
        "largest logit)."
    )
    return 0


def prune_runs(options: argparse.Namespace) -> int:
    """Lists the checkpoints that may go, and deletes them if `options` say yes."""
    found: list[Old] = []
    failed = False
    for folder in find_runs(options.folder):
        try:
            run = read_run(folder)
            if run.state in ("damaged", "running"):
                name = printable(folder)
                print(f"{name} is {run.state}; its checkpoints stay")
            elif options.yes:
                found += delete(folder, options.keep)
            else:
                found += old_checkpoints(folder, options.keep)
        except RunFailed as error:
            print_error(error)
            failed = True
    print(as_list(found, deleted=options.yes))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
