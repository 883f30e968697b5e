"""Every example of every module runs and says what the page says it does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import labml_nn

MODULES = ["labml_nn", *(found.name for found in pkgutil.walk_packages(labml_nn.__path__, "labml_nn."))]


TRACED = {"labml_nn.resnet.inference"}
"""`torch.fx` runs their networks with stand-ins for tensors, which the checker of signatures would refuse."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, request: pytest.FixtureRequest) -> None:
    if name in TRACED:
        request.getfixturevalue("unchecked")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(len(test.examples) for test in found) > 90
