"""Signatures say the shapes of tensors, and what they say is checked whenever a test calls something."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch

import labml_nn
from labml_nn.resnet import ResidualBlock

MODULES = ["labml_nn", *(found.name for found in pkgutil.walk_packages(labml_nn.__path__, "labml_nn."))]
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"


def source(name: str) -> str:
    return Path(str(importlib.import_module(name).__file__)).read_text("utf-8")


def annotated(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.expr]]:
    """All annotations of public functions and of the fields of public classes, by qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from annotated(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign) and isinstance(tree, ast.ClassDef):
            yield f"{prefix}{ast.unparse(node.target)}", node.annotation
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for parameter in [*every, node.args.vararg, node.args.kwarg]:
                if parameter is not None and parameter.annotation is not None:
                    yield f"{prefix}{node.name}", parameter.annotation
            if node.returns is not None:
                yield f"{prefix}{node.name}", node.returns


def arrays(annotation: ast.expr, shape: str = "") -> Iterator[str]:
    """What an annotation says of every tensor or array in it: kind and shape, or nothing at all."""
    match annotation:
        case ast.Constant(value=str(text)) if "Tensor" in text:
            yield ""
        case ast.Name(id="Tensor") | ast.Attribute(attr="Tensor" | "ndarray"):
            yield shape
        case ast.Subscript(
            value=ast.Name(id=kind),
            slice=ast.Tuple(elts=[ast.expr() as array, ast.Constant(value=str(sizes))]),
        ) if hasattr(jaxtyping, kind):
            yield from arrays(array, f'{kind} "{sizes}"')
        case _:
            for child in ast.iter_child_nodes(annotation):
                if isinstance(child, ast.expr):
                    yield from arrays(child)


def shapes(text: str) -> list[tuple[str, str]]:
    return [(name, shape) for name, found in annotated(ast.parse(text)) for shape in arrays(found)]


@pytest.mark.parametrize("name", MODULES)
def test_every_tensor_in_a_signature_has_kind_and_shape(name: str) -> None:
    assert [function for function, shape in shapes(source(name)) if not shape] == []


def test_tensors_in_signatures_are_found() -> None:
    found = dict(shapes(source("labml_nn.data")))
    assert found["ImageData.images"] == 'UInt8 "n channels height width"'
    assert found["batch_indices"] == 'Int64 "{batch_size}"'
    assert sum(len(shapes(source(name))) for name in MODULES) > 50
    bare = """
class A:
    x: torch.Tensor
    def f(self, *x: Tensor, y: dict[str, torch.Tensor] | None, z: "Tensor") -> tuple[int, np.ndarray]: ...
    def g(self, x: Float[Tensor, "a b"]) -> List[Tensor, "a"]: ...
    def _h(self, x: Tensor) -> None: ...
    def __init__(self, /, x: Tensor) -> None: ...
"""
    nothing = ""
    assert shapes(bare) == [
        ("A.x", nothing),
        *[("A.f", nothing)] * 4,
        ("A.g", 'Float "a b"'),
        ("A.g", nothing),
        ("A.__init__", nothing),
    ]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_checked(name: str) -> None:
    assert type(importlib.import_module(name).__loader__).__name__ == "_JaxtypingLoader"


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(
        jaxtyping.TypeCheckError, match=r"parameters of labml_nn\.resnet\.ResidualBlock\.forward"
    ):
        ResidualBlock(3, 3, 1)(torch.zeros(3, 8, 8))


def test_users_need_no_checker() -> None:
    no_checker = "import sys; sys.modules['beartype'] = None"
    code = f"{no_checker}; import labml_nn.resnet.experiment as e; e.ResNetConfig(steps='x')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(labml_nn.__file__).parents[1])


IMAGES = torch.zeros(2, 3, 32, 32)
BYTES = IMAGES.byte()


@pytest.mark.parametrize(
    ("name", "true", "lie", "run", "function"),
    [
        (
            "labml_nn.resnet",
            'Float[Tensor, "batch n_classes"]',
            'Float[Tensor, "n_classes batch"]',
            lambda copy: copy.cifar_resnet(1)(IMAGES),
            "the return value of lies.ResNetClassifier.forward",
        ),
        (
            "labml_nn.resnet",
            "{self.out_channels}",
            "2*{self.out_channels}",
            lambda copy: copy.cifar_resnet(1)(IMAGES),
            "the return value of lies.ResNetBase.forward",
        ),
        (
            "labml_nn.resnet",
            '"batch in_channels height width"',
            '"in_channels height width"',
            lambda copy: copy.ShortcutPadding(3, 3, 1)(IMAGES),
            "the parameters of lies.ShortcutPadding.forward",
        ),
        (
            "labml_nn.resnet.imagenet",
            '"batch 3 height width"',
            '"batch 1 height width"',
            lambda copy: copy.ResNet(copy.Network(copy.BasicBlock, (1, 1, 1, 1)))(IMAGES),
            "the parameters of lies.ResNet.f",
        ),
        (
            "labml_nn.data",
            '"{batch_size}"',
            '"{n}"',
            lambda copy: copy.batch_indices(5, 2, 0, 0),
            "the return value of lies.batch_indices",
        ),
        (
            "labml_nn.data",
            'UInt8[Tensor, "n channels height width"]',
            'UInt8[Tensor, "channels n height width"]',
            lambda copy: copy.ImageData(BYTES, torch.tensor([0, 1]), ("a", "b")),
            "the parameters of lies.ImageData.__init__",
        ),
        (
            "labml_nn.training.loop",
            'images: UInt8[Tensor, "',
            'images: Float[Tensor, "',
            lambda copy: copy.Normalize(torch.zeros(3), torch.ones(3))(BYTES),
            "the parameters of lies.Normalize.forward",
        ),
        (
            "labml_nn.training.measuring",
            '"batch n_classes"',
            '"n_classes batch"',
            lambda copy: copy.Totals.on(torch.device("cpu")).add(
                0, torch.tensor(0.0), torch.zeros(2, 5), torch.tensor([0, 1])
            ),
            "the parameters of lies.Totals.add",
        ),
    ],
)
def test_a_lie_in_a_signature_is_found(
    name: str,
    true: str,
    lie: str,
    run: Callable[[Any], object],
    function: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The copy of a module runs as it is, and fails by the name of the function after the change."""
    monkeypatch.syspath_prepend(tmp_path)
    text = source(name)
    assert true in text
    run(load_copy(tmp_path, "honest", text))
    copy = load_copy(tmp_path, "lies", text.replace(true, lie))
    with pytest.raises(jaxtyping.TypeCheckError, match=function):
        run(copy)


def load_copy(folder: Path, name: str, text: str) -> Any:
    (folder / f"{name}.py").write_text(text, "utf-8")
    importlib.invalidate_caches()
    with jaxtyping.install_import_hook(name, CHECKER):
        module = importlib.import_module(name)
    # The next copy has the same name.
    del sys.modules[name]
    return module
