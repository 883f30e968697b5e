"""A chart, a table and what they are drawn from."""

from __future__ import annotations

CHART = """caption: Accuracy by epoch
x: epoch
y: accuracy
format: percent
lines:
  - label: quick
    data: ../runs/quick.json
    x: runs.curve.epoch
    y: runs.curve.accuracy
"""


TABLE = """rows: ../runs/*.json
columns:
  - head: Network
    value: name
  - head: Test accuracy
    value: runs.accuracy
    format: percent
  - head: Runs
    value: runs.accuracy
    format: count
"""


RUNS = [
    {"accuracy": 0.8, "curve": {"epoch": [1, 2], "accuracy": [0.5, 0.8]}},
    {"accuracy": 0.9, "curve": {"epoch": [1, 2], "accuracy": [0.7, 0.9]}},
]


RECORD = {"name": "quick", "runs": [*RUNS, {"accuracy": None, "curve": None}]}
