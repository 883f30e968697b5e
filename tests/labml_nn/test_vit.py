"""The Vision Transformer has torchvision's names, shapes and numbers, and equals PyTorch's own modules put together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from peers import torchvision
from torch import Tensor, nn

from labml_nn.training.checkpoint import CheckpointError
from labml_nn.transformers import Block, vit
from labml_nn.transformers.vit import (
    SIZES,
    Encoder,
    VisionTransformer,
    load_torchvision,
    vision_transformer,
)

# From the state dictionaries of torchvision 0.29.1. `fingerprint` is applied to both. With the same weights, its
# `vit_b_16` gave the same logits bit for bit when they were compared.
TORCHVISION = {
    "vit_b_16": "a83b288843a9372e",
    "vit_b_32": "28203792e1ffe88f",
    "vit_l_16": "5dde4f00ff64f704",
    "vit_l_32": "92e810272a88e120",
    "vit_h_14": "fc3a869aa8e40483",
}
# From torchvision's `VisionTransformer(8, 4, 2, 2, 8, 12, num_classes=5)` with the weights and images below: the
# logits, and the norm of the gradient of the sum of their squares for each parameter.
LOGITS = [
    [0.351929, 1.159154, 1.443066, 1.070301, 0.206457],
    [0.351294, 1.158331, 1.442425, 1.070129, 0.206832],
]
GRADIENTS = [0.939634, 0.034729, 0.045877, 0.939921]
GRADIENTS += [0.092957, 0.231763, 0.138412, 0.114004, 1.986834, 0.765446, 0.191776, 0.195718]
GRADIENTS += [0.136961, 0.104752, 1.856634, 0.753743, 0.170215, 0.18424, 0.154862, 0.102374]
GRADIENTS += [2.234438, 0.744064, 0.182384, 0.190766, 0.154438, 0.108573, 1.920275, 0.732565]
GRADIENTS += [14.956697, 13.835396, 12.91721, 8.704842]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def on_meta(name: str) -> VisionTransformer:
    with torch.device("meta"):
        return vision_transformer(name)


Model = TypeVar("Model", bound=nn.Module)


def small(**options: object) -> VisionTransformer:
    values = {"side": 8, "patch": 4, "layers": 2, "heads": 2, "features": 8, "hidden": 12, "n_classes": 5}
    return VisionTransformer(**{**values, **options})  # type: ignore[arg-type]


def randomized(model: Model) -> Model:
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


def fingerprint(state: dict[str, Tensor]) -> str:
    """Of all names and shapes, in their order."""
    lines = [f"{key} {list(tensor.shape)}" for key, tensor in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


# Against torchvision


@pytest.mark.parametrize("name", SIZES)
def test_names_and_shapes_are_those_of_torchvision(name: str) -> None:
    assert fingerprint(on_meta(name).state_dict()) == TORCHVISION[name]


def test_outputs_and_gradients_are_those_of_torchvision() -> None:
    model = small().double()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.sin(torch.arange(p.numel(), dtype=torch.float64) * 0.7 + i).view_as(p) * 0.5)
    images = torch.cos(torch.arange(2 * 3 * 64, dtype=torch.float64)).view(2, 3, 8, 8)
    logits = model(images)
    torch.testing.assert_close(logits, torch.tensor(LOGITS).double(), rtol=0, atol=2e-6)
    logits.square().sum().backward()
    found = [p.grad.norm().item() for p in model.parameters() if p.grad is not None]
    assert found == pytest.approx(GRADIENTS, rel=1e-5, abs=2e-6)


def test_training_is_that_of_torchvision_itself() -> None:
    theirs = (
        torchvision("models.vision_transformer").VisionTransformer(8, 4, 2, 2, 8, 12, num_classes=5).double()
    )
    ours = small().double()
    randomized(theirs)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    for model in (ours, theirs):
        model(images).square().sum().backward()
    torch.testing.assert_close(ours(images), theirs(images))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


def test_table_is_measured() -> None:
    assert vit.__doc__
    rows = [line.strip("| ").split(" | ") for line in vit.__doc__.splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == list(SIZES)
    for row, (name, size) in zip(rows, SIZES.items(), strict=True):
        assert row[1:4] == [str(size.layers), str(size.features), str(size.heads)]
        assert row[4] == f"{sum(p.numel() for p in on_meta(name).parameters()):,}"
        assert name.endswith(str(size.patch))


# Against PyTorch's own modules


def test_network_is_pytorchs_modules_put_together() -> None:
    model = randomized(small()).double()
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0, "gelu", 1e-6, batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8, 1e-6), enable_nested_tensor=False).double()
    ours = list(model.encoder.parameters())[1:]
    # PyTorch has both norms of a layer after its MLP.
    state = {}
    names = "norm1. self_attn.in_proj_ self_attn.out_proj. norm2. linear1. linear2.".split()
    for i in range(2):
        for j, name in enumerate(names):
            for k, kind in enumerate(("weight", "bias")):
                state[f"layers.{i}.{name}{kind}"] = ours[12 * i + 2 * j + k].data
    state["norm.weight"], state["norm.bias"] = (p.data for p in ours[-2:])
    theirs.load_state_dict(state)
    images = torch.randn(3, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    patches = nn.functional.unfold(images, 4, stride=4).transpose(1, 2)
    z = nn.functional.linear(patches, model.conv_proj.weight.flatten(1), model.conv_proj.bias)
    z = torch.cat([model.class_token.expand(3, -1, -1), z], 1) + model.encoder.pos_embedding
    expected = model.heads(theirs(z)[:, 0])
    found = model(images)
    torch.testing.assert_close(found, expected)
    sent = torch.randn_like(found)
    inputs = [images, model.class_token, model.conv_proj.weight, model.encoder.pos_embedding]
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, sent), torch.autograd.grad(expected, inputs, sent)
    )


def test_where_it_starts() -> None:
    model = VisionTransformer(32, 8, 2, 4, 256)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(model(images), torch.zeros(2, 1000))
    assert model.embed(images).std().item() == pytest.approx(1, abs=0.1)
    assert model.encoder.pos_embedding.std().item() == pytest.approx(0.02, rel=0.1)


def test_norm_after_is_the_other_block() -> None:
    before, after = randomized(small()), small(norm_first=False)
    after.load_state_dict(before.state_dict())
    images = torch.randn(2, 3, 8, 8)
    assert not torch.allclose(before(images), after(images))
    assert [block.norm_first for block in after.encoder.layers] == [False, False]
    x = torch.randn(2, 5, 8)
    expected = x + after.encoder.pos_embedding
    for block in after.encoder.layers:
        assert isinstance(block, Block)
        expected = block.post_norm(expected)
    torch.testing.assert_close(after.encoder(x), after.encoder.ln(expected))


# Loading


def test_published_files_load_with_old_names_and_new_ones(tmp_path: Path) -> None:
    source, images = randomized(small()), torch.randn(2, 3, 8, 8)
    for old in (False, True):
        state = source.state_dict()
        if old:
            pairs = (("mlp.0", "mlp.linear_1"), ("mlp.3", "mlp.linear_2"))
            for new, name in pairs:
                state = {key.replace(new, name): value for key, value in state.items()}
            assert "encoder.layers.encoder_layer_0.mlp.linear_1.weight" in state
        torch.save(state, tmp_path / "vit.pth")
        model = small()
        assert load_torchvision(tmp_path / "vit.pth", model) is model
        assert torch.equal(model(images), source(images))
    other = small(n_classes=3)
    load_torchvision(str(tmp_path / "vit.pth"), other)
    assert not any(parameter.any() for parameter in other.heads.parameters())
    assert torch.equal(other.encoder.pos_embedding, source.encoder.pos_embedding)
    with pytest.raises(CheckpointError, match="does not fit the network"):
        load_torchvision(tmp_path / "vit.pth", small(layers=3))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="patch must divide 8, got 3"):
        small(patch=3)
    with pytest.raises(ValueError, match="heads must divide 8, got 3"):
        small(heads=3)
    with pytest.raises(ValueError, match="layers must be at least 1, got 0"):
        Encoder(3, 0, 1, 4, 4)
    with pytest.raises(ValueError, match=r"name must be one of \['vit_b_16', .*\], got 'vit'"):
        vision_transformer("vit")
