"""What the exercises measure with."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch

from efficient_ai import surgery
from efficient_ai.transplantation import _align
from efficient_ai.transplantation import _training as t
from efficient_ai.transplantation._fuse import Fused, fuse
from efficient_ai.transplantation._networks import Perceptron

_RECIPE = t.Recipe(images=1500, epochs=8, tune=3, checked=500)


def perceptrons(
    k: int, hidden: Sequence[int] = (6, 6), inputs: int = 5, outputs: int = 3, seed: int = 0
) -> list[list[np.ndarray]]:
    """Weights of ``k`` untrained perceptrons without biases: for each a list of matrices ``(out, in)``."""
    rng, sizes = np.random.default_rng(seed), (inputs, *hidden, outputs)
    return [[rng.standard_normal((b, a)) for a, b in pairwise(sizes)] for _ in range(k)]


def outputs(weights: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Logits of a perceptron with ReLU, ``x`` of shape ``(n, inputs)``."""
    for w in weights[:-1]:
        x = np.maximum(x @ w.T, 0)
    return x @ weights[-1].T


def mean_outputs(members: Sequence[Sequence[np.ndarray]], x: np.ndarray) -> np.ndarray:
    """Mean of the members' logits."""
    return np.mean([outputs(member, x) for member in members], axis=0)


def inputs(n: int = 7, size: int = 5) -> np.ndarray:
    """Random inputs, shape ``(n, size)``."""
    return np.random.default_rng(1).standard_normal((n, size))


def network(weights: Sequence[np.ndarray]) -> Perceptron:
    """The perceptron that holds these matrices, float64."""
    sizes = [weights[0].shape[1], *(len(w) for w in weights)]
    made = Perceptron(sizes[0], sizes[1:-1], sizes[-1]).double()
    with torch.no_grad():
        for layer, w in zip(made.layers, weights, strict=True):
            layer.weight.copy_(torch.from_numpy(np.asarray(w)))
    return made


def kept(members: Sequence[Sequence[np.ndarray]]) -> list[list[int]]:
    """For each hidden layer the indices, in the concatenated network, that the library keeps."""
    networks = [network(w) for w in members]
    fused = fuse(networks, torch.zeros(1, members[0][0].shape[1], dtype=torch.float64))
    return [
        (rows[:, 0] * len(w) + rows[:, 1]).tolist()
        for rows, w in zip(fused.kept.values(), members[0], strict=False)
    ]


def fused_with_itself(weights: Sequence[np.ndarray], k: int, x: np.ndarray) -> np.ndarray:
    """Logits of a perceptron fused with ``k - 1`` copies of itself."""
    member = network(weights)
    with torch.no_grad():
        return fuse([member] * k, torch.from_numpy(x)).model(torch.from_numpy(x)).numpy()


@lru_cache(maxsize=1)
def _trained() -> list[Perceptron]:
    return [t.member("perceptron", 48, _RECIPE, 5, i) for i in range(2)]


def pair(noise: float | None) -> list[Perceptron]:
    """Two trained perceptrons: independent (``None``), or one and a copy with noise (standard deviations of its weights)."""
    a, b = _trained()
    if noise is None:
        return [a, b]
    twin, rng = t.network("perceptron", 48), t.generator(9)
    twin.load_state_dict(a.state_dict())
    with torch.no_grad():
        for p in twin.parameters():
            p += noise * p.std() * torch.randn(p.shape, generator=rng)
    return [a, twin.eval()]


def start(members: Sequence[Perceptron], score: Callable | None = None) -> float:
    """Test accuracy in per cent right after fusion; ``score`` as in :func:`scored`."""
    return t.correct(scored(members, score).model, t.data_of("perceptron", _RECIPE).test)


def second_share(members: Sequence[Perceptron], score: Callable) -> float:
    """Per cent of the fused network's neurons that came from the second member."""
    return 100 * float(np.mean([share[1] for share in scored(members, score).shares().values()]))


def scored(members: Sequence[Perceptron], score: Callable | None) -> Fused:
    """Fuse two trained perceptrons with a score of the reader's.

    Args:
        score: ``score(first, second, correlation)`` with the magnitudes of both members' neurons, shapes ``(n,)``, and the
            absolute correlations of their activations, ``(n, n)``, rows of the second; returns new scores of both.
            ``None`` for magnitudes as they are.
    """
    x = t.data_of("perceptron", _RECIPE).train[0]
    fused = fuse(members, x[:2])
    if score is None:
        return fused
    seen = [_align._activations(surgery.anatomy(m, x[:2]), m, x[:256]) for m in members]
    new = {}
    for g, (name, (first, second)) in enumerate(fused.scores.items()):
        correlation = np.abs(_align._correlation(seen[1][g], seen[0][g]))
        new[name] = list(score(first.copy(), second.copy(), correlation))
    return fuse(members, x[:2], score=new)
