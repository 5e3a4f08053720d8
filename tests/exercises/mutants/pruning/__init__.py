"""Wrong answers to the exercises of Cut a forecaster down."""

from mutants import Mutant

_MASK = """
import numpy as np


def global_masks(matrices, density):
    flat = np.concatenate([{value}.reshape(-1) for m in matrices])
    keep = np.ones(len(flat), dtype=bool)
    keep[np.argsort(flat, kind="stable")[:{gone}]] = False
    ends = np.cumsum([m.size for m in matrices])[:-1]
    return [k.reshape(m.shape) for k, m in zip(np.split(keep, ends), matrices)]
"""

_COUNT = """
def transformer_parameters(c, d, d_ff):
    attention, norm = 4 * (d * d + d), 2 * d
    feed, embedding = 2 * d * d_ff + d_ff + d, {embedding}
    encoder = 2 * (attention + feed + 2 * norm) + norm
    decoder = 2 * attention + feed + 3 * norm + norm
    return encoder + decoder + 2 * embedding + {head}
"""

_FEED = """
def cut_feed(w1, b1, w2, keep):
    keep = list(keep)
    {before}
    return w1[keep], b1[{bias}], {last}
"""

_DEAD = """
import torch


def dead_parameters(model, inputs):
    out = model(*inputs)
    value = (out * torch.randn_like(out)).sum()
    named = list(model.named_parameters())
    found = torch.autograd.grad(value, [p for _, p in named], allow_unused=True)
    return sorted(n for (n, _), g in zip(named, found) if {condition})
"""

_CLOSURE = """
def closure(sizes, links, node, indices):
    found, waiting = set(), [(node, i) for i in indices]
    while waiting:
        here, i = waiting.pop()
        if (here, i) in found or not 0 <= i < {end}:
            continue
        found.add((here, i))
        for a, b, shift in {links}:
            if a == here:
                waiting.append((b, i + shift))
            if b == here and {back}:
                waiting.append((a, i - shift))
    names = set(name for name, _ in found)
    return dict((n, sorted(i for name, i in found if name == n)) for n in names)
"""


def _mask(name, says, hidden=True, value="np.abs(m)", gone="round((1 - density) * len(flat))"):
    source = _MASK.format(value=value, gone=gone)
    return Mutant(name, answer="mask", source=source, fails="mask-test", says=says, hidden=hidden)


def _count(name, says, hidden=True, embedding="3 * c * d + 4 * d", head="c * d + c"):
    source = _COUNT.format(embedding=embedding, head=head)
    return Mutant(name, answer="count", source=source, fails="count-test", says=says, hidden=hidden)


def _feed(name, says, hidden=True, before="pass", bias="keep", last="w2[:, keep]"):
    source = _FEED.format(before=before, bias=bias, last=last)
    return Mutant(name, answer="feed", source=source, fails="feed-test", says=says, hidden=hidden)


def _dead(name, says, hidden=True, condition="g is None or not g.abs().any()"):
    source = _DEAD.format(condition=condition)
    return Mutant(name, answer="dead", source=source, fails="dead-test", says=says, hidden=hidden)


def _closure(name, says, hidden=True, end="sizes[here]", links="links", back="True"):
    source = _CLOSURE.format(end=end, links=links, back=back)
    return Mutant(name, answer="closure", source=source, fails="closure-test", says=says, hidden=hidden)


_GREEDY = """
def layers_to_keep(error, layers, n):
    kept = ()
    while len(kept) < n:
        rest = [i for i in range(layers) if i not in kept]
        kept = min((tuple(sorted((*kept, i))) for i in rest), key=error)
    return kept
"""

_LARGEST = """
def layers_to_keep(error, layers, n):
    from itertools import combinations

    return max(combinations(range(layers), n), key=error)
"""

MUTANTS = (
    _mask("forgets the sign", "half of the weights", hidden=False, value="m"),
    _mask("always takes half", "other shares", gone="round(0.5 * len(flat))"),
    _count("embeds once", "the published network", hidden=False, embedding="(3 * c * d + 4 * d) // 2"),
    _count("knows seven series only", "another one", embedding="25 * d", head="7 * d + 7"),
    _feed("leaves the last matrix", "shapes", hidden=False, last="w2"),
    _feed("takes rows where both are as many", "as many hidden units as inputs",
          last="w2[keep].T if len(w2) == len(b1) else w2[:, keep]"),
    _dead("takes what has a gradient", "projections of a FEDformer", hidden=False, condition="g is not None"),
    _dead("knows None only", "never used", condition="g is None or n.startswith('x')"),
    _closure("goes one way", "a sum", hidden=False, back="False"),
    _closure("knows no end of an axis", "branches of three and one", end="99"),
    _closure("knows one link for each pair", "a tensor beside itself",
             links="{(a, b): (a, b, s) for a, b, s in reversed(links)}.values()"),
    Mutant("takes the worst", answer="layers", source=_LARGEST, fails="layers-test", says="four of five", hidden=False),
    Mutant("takes the best one by one", answer="layers", source=_GREEDY, fails="layers-test", says="two of six"),
)  # fmt: skip
