"""Attention, heads and both kinds of blocks equal PyTorch's own, gradients included, and masks mask."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from labml_nn.transformers import (
    MLP,
    Block,
    MultiHeadAttention,
    attention,
    attention_weights,
    causal_mask,
    sinusoidal_positions,
)

FEATURES, HEADS, HIDDEN = 12, 3, 20


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def doubles(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def close(ours: object, theirs: object) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


def masks(queries: int, keys: int) -> list[Tensor | None]:
    some = torch.rand(queries, keys) < 0.5
    some[:, 0] = True
    return [None, torch.ones(queries, keys, dtype=torch.bool).tril(), some]


# Attention


@pytest.mark.parametrize("which", range(3))
def test_attention_is_that_of_pytorch(which: int) -> None:
    mask = masks(4, 6)[which]
    inputs = doubles(2, 3, 4, 5), doubles(2, 3, 6, 5), doubles(2, 3, 6, 7)
    ours = attention(*inputs, mask)
    theirs = nn.functional.scaled_dot_product_attention(*inputs, attn_mask=mask)
    close(ours, theirs)
    sent = torch.randn_like(ours)
    close(torch.autograd.grad(ours, inputs, sent), torch.autograd.grad(theirs, inputs, sent))


def test_weights_sum_to_one_and_masked_keys_have_none() -> None:
    mask = masks(4, 6)[2]
    assert mask is not None
    weights = attention_weights(doubles(2, 4, 5), doubles(2, 6, 5), mask)
    close(weights.sum(-1), torch.ones(2, 4, dtype=torch.float64))
    assert (weights[:, ~mask] == 0).all() and (weights[:, mask] > 0).all()


def test_equal_keys_are_averaged() -> None:
    value = doubles(6, 2)
    key = torch.ones(6, 5, dtype=torch.float64)
    close(attention(doubles(4, 5), key, value), value.mean(0).expand(4, 2))


def test_causal_mask_hides_the_future() -> None:
    attend = MultiHeadAttention(FEATURES, HEADS)
    x = torch.randn(1, 5, FEATURES)
    changed = x.clone()
    changed[:, 3:] += 1
    before, after = (attend(each, causal_mask(5)) for each in (x, changed))
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])
    with pytest.raises(ValueError, match="positions must be at least 1, got 0"):
        causal_mask(0)


# Heads


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("heads", [1, 3])
def test_heads_are_those_of_pytorch(which: int, heads: int) -> None:
    mask = masks(5, 5)[which]
    theirs = nn.MultiheadAttention(FEATURES, heads, batch_first=True, dtype=torch.float64)
    ours = MultiHeadAttention(FEATURES, heads).double()
    for bias in (theirs.in_proj_bias, theirs.out_proj.bias):
        nn.init.normal_(bias)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = doubles(2, 5, FEATURES)
    y, weights = theirs(x, x, x, attn_mask=None if mask is None else ~mask, average_attn_weights=False)
    close(ours(x, mask), y)
    close(ours.weights(x, mask), weights)
    sent = torch.randn_like(y)
    close(
        torch.autograd.grad(ours(x, mask), [x, *ours.parameters()], sent),
        torch.autograd.grad(y, [x, *theirs.parameters()], sent),
    )


def test_heads_start_as_those_of_pytorch() -> None:
    torch.manual_seed(1)
    ours = MultiHeadAttention(64, 4).state_dict()
    torch.manual_seed(1)
    theirs = nn.MultiheadAttention(64, 4).state_dict()
    for name in ours:
        assert ours[name].std().item() == pytest.approx(theirs[name].std().item(), rel=0.05)


# Blocks


def name_there(name: str) -> str:
    """What a weight of ours is called in `nn.TransformerEncoderLayer`."""
    for ours, theirs in (
        ("ln_", "norm"),
        ("self_attention", "self_attn"),
        ("mlp.0", "linear1"),
        ("mlp.3", "linear2"),
    ):
        name = name.replace(ours, theirs)
    return name


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_blocks_are_those_of_pytorch(norm_first: bool, masked: bool) -> None:
    theirs = nn.TransformerEncoderLayer(
        FEATURES,
        HEADS,
        HIDDEN,
        dropout=0,
        activation="gelu",
        layer_norm_eps=1e-3,
        batch_first=True,
        norm_first=norm_first,
        dtype=torch.float64,
    )
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.5)
    ours = Block(FEATURES, HEADS, HIDDEN, norm_first=norm_first, eps=1e-3).double()
    state = theirs.state_dict()
    names = [name_there(name) for name in ours.state_dict()]
    assert sorted(names) == sorted(state)
    ours.load_state_dict({name: state[name_there(name)] for name in ours.state_dict()})
    x = doubles(2, 5, FEATURES)
    mask = causal_mask(5) if masked else None
    y, expected = ours(x, mask), theirs(x, None if mask is None else ~mask)
    close(y, expected)
    sent = torch.randn_like(y)
    of_theirs = dict(theirs.named_parameters())
    close(
        torch.autograd.grad(y, [x, *ours.parameters()], sent),
        torch.autograd.grad(expected, [x, *(of_theirs[name] for name in names)], sent),
    )


def test_stream_is_the_sum_of_what_was_added() -> None:
    """The equation of the page, for three blocks of pre-norm."""
    blocks = [Block(FEATURES, HEADS, HIDDEN) for _ in range(3)]
    start = torch.randn(2, 5, FEATURES)
    stream, added = start, []
    for block in blocks:
        for part, norm in ((block.self_attention, block.ln_1), (block.mlp, block.ln_2)):
            added.append(part(norm(stream)))
            stream = stream + added[-1]
    torch.testing.assert_close(nn.Sequential(*blocks)(start), stream)
    torch.testing.assert_close(stream, start + sum(added))


@pytest.mark.parametrize("norm_first", [True, False])
def test_dropout_is_for_training_only(norm_first: bool) -> None:
    def make(dropout: float) -> Block:
        return Block(FEATURES, HEADS, HIDDEN, norm_first=norm_first, dropout=dropout)

    block, plain, x = make(0.5), make(0), torch.randn(2, 5, FEATURES)
    plain.load_state_dict(block.state_dict())
    assert not torch.allclose(block(x), block(x))
    assert torch.equal(block.eval()(x), plain(x))
    # Both residuals are dropped, and nothing else.
    assert torch.equal(make(1)(x), x) is norm_first


def test_positions_are_the_formula() -> None:
    p = sinusoidal_positions(7, 6)
    assert p.shape == (7, 6)
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert p[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert p[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="heads must divide 12, got 5"):
        MultiHeadAttention(12, 5)
    with pytest.raises(ValueError, match="heads must be at least 1, got 0"):
        Block(12, 0, 4)
    with pytest.raises(ValueError, match="hidden must be at least 1, got 0"):
        MLP(12, 0)
    with pytest.raises(ValueError, match="features must be even, got 5"):
        sinusoidal_positions(3, 5)
