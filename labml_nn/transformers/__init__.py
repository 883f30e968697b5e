r"""
---
title: A Transformer block from nothing
summary:
  Attention, masks, heads, positions and the residual stream, line by line and equal to PyTorch's
  own modules, gradients included.
hook: Every position looks at all others, and adds what it finds.
pictogram: pictograms/transformers.svg
papers:
  - title: Attention Is All You Need
    authors: [Ashish Vaswani, Noam Shazeer, Niki Parmar, Jakob Uszkoreit, Llion Jones,
      Aidan N. Gomez, Łukasz Kaiser, Illia Polosukhin]
    year: 2017
    arxiv: 1706.03762
before: >-
  [Residual networks](../resnet/__init__.py),
  [layer normalization](../normalization/__init__.py#LayerNorm), and products of matrices.
next: >-
  [Vision Transformer](vit.py): this block, applied to images.
  [Why the norm moved](prenorm.py): one line of it, measured.
---

# A Transformer block from nothing

A Transformer is a residual network. Each of its blocks reads a signal, computes something from it,
and *adds* the result, as a [residual block](../resnet/__init__.py#ResidualBlock) does. Two things
are new. A block computes on a *sequence*, one vector for each position, and half of its layers let
positions exchange information. This page builds such a block from products of matrices and a
softmax. Everything here computes what PyTorch's own modules compute, gradients included.

## Attention

A convolution gives each position a weighted sum of its neighbors. The weights depend on how far
away a neighbor is, and are the same for every image. Attention
([section 3.2](https://arxiv.org/abs/1706.03762)) gives each position a weighted sum of *all*
positions, and the weights depend on what is there.

For that, each position has three vectors. Its *query* describes what it is looking for, its *key*
what it can be found by, and its *value* what it passes on. A dot product of a query and a key says
how well they match, and a softmax turns the matches into weights that sum to 1. With one query,
key or value in each row of $Q$, $K$ and $V$ (equation 1),

$$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V$$

where $d$ is the number of features of a query. With $n$ positions there are $n^2$ weights. This is
what makes long sequences expensive.

## Why the square root

Suppose that the $d$ components of a query and a key are independent, with mean 0 and variance 1.
Then their dot product is a sum of $d$ terms with variance 1, so its standard deviation is
$\sqrt{d}$ (footnote 4). Without the division, more features mean larger scores, and a softmax of
large scores is close to 1 for one key and to 0 for all others. Here are ten keys for each query:
the standard deviation of the scores, and the mean of the largest weight without and with the
division.

>>> def largest(scores):
...     return f'{scores.softmax(-1).amax(-1).mean():.2f}'
>>> _ = torch.manual_seed(0)
>>> for d in (4, 64, 1024):
...     q, k = torch.randn(1000, 1, d), torch.randn(1000, 10, d)
...     s = (q * k).sum(-1)
...     print(d, f'{s.std():.0f}', largest(s), largest(s / d**0.5))
4 2 0.49 0.30
64 8 0.86 0.32
1024 32 0.97 0.32

That slows down learning. The derivative of the softmax is $p_i ([i = j] - p_j)$, which is close to
0 if every weight $p$ is close to 0 or 1. With the division the weights start out soft, whatever $d$
is.

## The residual stream

Let $x_l$ be the vectors that enter block $l$, one for each position. A modern block computes

$$x' = x_l + \mathrm{Attention}(\mathrm{norm}(x_l))$$

$$x_{l+1} = x' + \mathrm{MLP}(\mathrm{norm}(x'))$$

Nothing but additions happens to $x$ itself. So what leaves the last block is what entered the
first, plus the sum of all that the layers between have computed. This is
[equation 4 of pre-activation](../resnet/preactivation.py), and the signal that all blocks read from
and add to is called the *residual stream*
([Elhage et al., 2021](https://transformer-circuits.pub/2021/framework/index.html)).

The first Transformer had the norm in another place: after the addition, on the stream (section
3.1). It is the same question as with
[residual blocks](../resnet/preactivation.py#nothing-after-the-addition): what may touch the
shortcut? Both kinds are below, and [Why the norm moved](prenorm.py) measures what follows.
"""

from typing import cast

import torch
from jaxtyping import Bool, Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.resnet import _require, _require_positive


def attention_weights(
    query: Float[Tensor, "*batch queries features"],
    key: Float[Tensor, "*batch keys features"],
    mask: Bool[Tensor, "..."] | None = None,
) -> Float[Tensor, "*batch queries keys"]:
    r"""
    ## The weights

    * `query` is $Q$, of shape `[..., queries, features]`
    * `key` is $K$, of shape `[..., keys, features]`
    * `mask` says which key each query may use, as `True`; its shape can be broadcast to
      `[..., queries, keys]`, and each query needs at least one key

    Returns how much each query takes from each key, in shape `[..., queries, keys]`. The sum over
    keys is 1.
    """
    scores: Tensor = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        # The exponential of minus infinity is 0. So a masked key has no weight, and the other
        # weights still sum to 1.
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1)


def attention(
    query: Float[Tensor, "*batch queries features"],
    key: Float[Tensor, "*batch keys features"],
    value: Float[Tensor, "*batch keys values"],
    mask: Bool[Tensor, "..."] | None = None,
) -> Float[Tensor, "*batch queries values"]:
    r"""
    ## Scaled dot-product attention

    * `query`, `key` and `mask` are those of `attention_weights`
    * `value` is $V$, of shape `[..., keys, values]`

    Returns a weighted sum of values for each query, of shape `[..., queries, values]`.

    >>> _ = torch.manual_seed(0)
    >>> q, k, v = (torch.randn(2, n, 8) for n in (3, 5, 5))
    >>> theirs = nn.functional.scaled_dot_product_attention(q, k, v)
    >>> torch.allclose(attention(q, k, v), theirs, atol=1e-6)
    True
    """
    return attention_weights(query, key, mask) @ value


def causal_mask(positions: int) -> Bool[Tensor, "positions positions"]:
    """
    ## No look into the future

    A network that predicts the next word must not see it. So each of the `positions` may only use
    itself and those before it. Then one pass trains all predictions of a text at once.

    Raises `ValueError` for less than one position.

    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    _require_positive(positions=positions)
    return torch.ones(positions, positions, dtype=torch.bool).tril()


class MultiHeadAttention(Module):
    r"""
    ## Several heads

    One softmax gives one weighted sum. A position that needs the word before it *and* the subject
    of the sentence would get a mixture of both. So the features are divided among several *heads*,
    and each of them has queries, keys, values and weights of its own (section 3.2.2). The number of
    multiplications stays the same.

    Parameters have the names of `nn.MultiheadAttention`, so each can load what the other has
    saved:

    >>> _ = torch.manual_seed(0)
    >>> theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    >>> ours = MultiHeadAttention(16, heads=4)
    >>> _ = ours.load_state_dict(theirs.state_dict())
    >>> x = torch.randn(2, 5, 16)
    >>> torch.allclose(ours(x), theirs(x, x, x)[0], atol=1e-6)
    True

    Queries, keys and values all come from `x` here, which is called *self-attention*. A
    translator's decoder also takes keys and values from the text that it translates. `attention`
    above allows that.
    """

    def __init__(self, features: int, heads: int) -> None:
        """
        * `features` is the number of features of each position
        * `heads` is the number of heads, which divides `features`

        Raises `ValueError` if a number is less than 1 or `heads` does not divide `features`.
        """
        super().__init__()
        _require_positive(features=features, heads=heads)
        _require(features % heads == 0, f"heads must divide {features}", heads)
        self.heads = heads
        # One matrix for queries, keys and values makes one large product of three smaller ones. The
        # initial values are PyTorch's.
        self.in_proj_weight = nn.Parameter(torch.empty(3 * features, features))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * features))
        nn.init.xavier_uniform_(self.in_proj_weight)
        # The results of all heads are mixed by a last matrix.
        self.out_proj = nn.Linear(features, features)
        nn.init.zeros_(self.out_proj.bias)

    def project(
        self, x: Float[Tensor, "batch positions features"]
    ) -> Float[Tensor, "3 batch heads positions head_features"]:
        """
        Takes `x` of shape `[batch, positions, features]`. Returns queries, keys and values in one
        tensor of shape `[3, batch, heads, positions, features / heads]`.
        """
        projected = nn.functional.linear(
            x, self.in_proj_weight, self.in_proj_bias
        )
        split = projected.view(*x.shape[:2], 3, self.heads, -1)
        return split.permute(2, 0, 3, 1, 4)

    def weights(
        self,
        x: Float[Tensor, "batch positions features"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch heads positions positions"]:
        """
        Returns the weights of `attention_weights` for each head, of shape `[batch, heads,
        positions, positions]`. `x` and `mask` are those of `forward`.
        """
        query, key, _ = self.project(x)
        return attention_weights(query, key, mask)

    def forward(
        self,
        x: Float[Tensor, "batch positions features"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch positions features"]:
        """
        * `x` has shape `[batch, positions, features]`
        * `mask` is that of `attention_weights`

        Returns the same shape as `x`.
        """
        query, key, value = self.project(x)
        heads = attention(query, key, value, mask)
        # The features of all heads stand side by side again.
        joined = heads.transpose(1, 2).flatten(2)
        return cast(Tensor, self.out_proj(joined))


class MLP(nn.Sequential):
    """
    ## The MLP

    Attention moves information between positions, and is linear in the values. The other half of a
    block does the opposite. It changes each position by itself, with two linear layers and an
    activation between them (section 3.3). The paper's activation is a ReLU. Later models use the
    GELU, a smooth version of it, and so do we. Dropout follows both linear layers; it is off if
    nothing else is said.
    """

    def __init__(
        self, features: int, hidden: int, dropout: float = 0.0
    ) -> None:
        """
        * `features` is the number of features of input and output
        * `hidden` is the number of features between the two layers; in the paper it is
          `4 * features`
        * `dropout` is the probability that a number is set to zero in training

        Raises `ValueError` if a number of features is less than 1.
        """
        _require_positive(features=features, hidden=hidden)
        super().__init__(
            nn.Linear(features, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, features),
            nn.Dropout(dropout),
        )


class Block(Module):
    r"""
    ## The block

    Attention, an MLP, a norm for each, and two additions. There are two ways to put them together.

    ![Two blocks. With pre-norm, x runs along a line to y, and two branches leave it and are added
    back: ln_1 and self_attention, then ln_2 and mlp. With post-norm, the same branches have no
    norms, and ln_1 and ln_2 are on the line, each after an addition.](blocks.svg)

    A block has the same number of parameters in both ways. This one is from
    [ViT-Base](vit.py#the-sizes):

    >>> block = Block(768, heads=12, hidden=4 * 768)
    >>> f'{sum(p.numel() for p in block.parameters()):,}'
    '7,087,872'
    """

    def __init__(
        self,
        features: int,
        heads: int,
        hidden: int,
        *,
        norm_first: bool = True,
        dropout: float = 0.0,
        eps: float = 1e-5,
    ) -> None:
        r"""
        * `features` is the number of features of each position
        * `heads` is the number of heads of the attention, which divides `features`
        * `hidden` is the number of features within the MLP
        * `norm_first` chooses pre-norm, otherwise post-norm
        * `dropout` is the probability that a number of a residual is set to zero in training
        * `eps` is $\epsilon$ of the norms

        Raises `ValueError` if a number is less than 1 or `heads` does not divide `features`.
        """
        super().__init__()
        # Each position is [normalized by itself](../normalization/__init__.py#LayerNorm). PyTorch's
        # class computes the same as ours, faster.
        self.ln_1 = nn.LayerNorm(features, eps)
        self.self_attention = MultiHeadAttention(features, heads)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(features, eps)
        self.mlp = MLP(features, hidden, dropout)
        self.norm_first = norm_first

    def pre_norm(
        self,
        x: Float[Tensor, "batch positions features"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch positions features"]:
        """
        ### Pre-norm

        The norms are on the branches, and nothing is on the stream. If both branches end in zeros,
        the block is the identity, and the gradient passes through unchanged:

        >>> _ = torch.manual_seed(0)
        >>> block = Block(16, heads=4, hidden=64)
        >>> for layer in (block.self_attention.out_proj, block.mlp[3]):
        ...     _ = nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)
        >>> x = torch.randn(2, 5, 16, requires_grad=True)
        >>> torch.equal(block(x), x)
        True
        >>> block(x).sum().backward()
        >>> torch.equal(x.grad, torch.ones_like(x))
        True

        Takes `x` and `mask` of `MultiHeadAttention.forward`, and returns the shape of `x`.
        """
        x = x + self.dropout(self.self_attention(self.ln_1(x), mask))
        x = x + self.mlp(self.ln_2(x))
        return x

    def post_norm(
        self,
        x: Float[Tensor, "batch positions features"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch positions features"]:
        """
        ### Post-norm

        This is the paper's order. The norms are on the stream, so no block is the identity. After
        each addition, all that was there before is divided by the new deviation. This is what is
        left if both branches end in zeros:

        >>> _ = torch.manual_seed(0)
        >>> block = Block(16, heads=4, hidden=64, norm_first=False)
        >>> for layer in (block.self_attention.out_proj, block.mlp[3]):
        ...     _ = nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)
        >>> x = 3 * torch.randn(2, 5, 16)
        >>> torch.allclose(block(x), x)
        False
        >>> torch.allclose(block(x), block.ln_1(x), atol=1e-4)
        True

        Takes `x` and `mask` of `MultiHeadAttention.forward`, and returns the shape of `x`.
        """
        x = self.ln_1(x + self.dropout(self.self_attention(x, mask)))
        x = self.ln_2(x + self.mlp(x))
        return x

    def forward(
        self,
        x: Float[Tensor, "batch positions features"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch positions features"]:
        """
        * `x` has shape `[batch, positions, features]`
        * `mask` is that of `attention_weights`

        Returns the same shape as `x`.
        """
        if self.norm_first:
            return self.pre_norm(x, mask)
        return self.post_norm(x, mask)


def sinusoidal_positions(
    positions: int, features: int
) -> Float[Tensor, "positions features"]:
    r"""
    ## Where am I?

    Nothing so far knows about order. If the positions of `x` are exchanged, those of the result are
    exchanged in the same way:

    >>> _ = torch.manual_seed(0)
    >>> block, x = Block(16, heads=4, hidden=64), torch.randn(2, 5, 16)
    >>> torch.allclose(block(x).flip(1), block(x.flip(1)), atol=1e-6)
    True

    So something that tells where a position is has to be added to the stream before the first
    block. It may be *learned*, one vector for each position, as in
    [Vision Transformers](vit.py#Encoder). The paper adds sines and cosines of many wavelengths
    (section 3.5), and found that both do about as well (table 3, row E):

    $$p_{t, 2i} = \sin(t / 10000^{2i/d}), \qquad p_{t, 2i+1} = \cos(t / 10000^{2i/d})$$

    * `positions` is the number of positions $t$
    * `features` is $d$, an even number

    Returns shape `[positions, features]`. Raises `ValueError` if a number is less than 1 or
    `features` is odd.

    The dot product of two of these vectors depends only on how far apart they are:

    >>> p = sinusoidal_positions(50, 32)
    >>> torch.allclose(p[3] @ p[7], p[40] @ p[44], atol=1e-4)
    True
    """
    _require_positive(positions=positions, features=features)
    _require(features % 2 == 0, "features must be even", features)
    wavelengths = 10000 ** (torch.arange(0, features, 2) / features)
    angles = torch.arange(positions)[:, None] / wavelengths
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
