"""Wrong answers to the exercises of Fuse networks by transplanting neurons."""

from mutants import Mutant

_JOIN = """
import numpy as np


def side_by_side(members):
    wide = []
    for layer in range(len(members[0])):
        blocks = [member[layer] for member in members]
        if layer == 0:
            wide.append(np.concatenate(blocks, axis=0))
        elif layer == len(members[0]) - 1:
            wide.append(np.concatenate(blocks, axis=1) {scale})
        else:
            joined = np.zeros([sum(b.shape[i] for b in blocks) for i in (0, 1)])
            row = column = 0
            for block in blocks:
                height, width = block.shape
                joined[row : row + height, {columns}] = block
                row, column = row + height, column + width
            wide.append(joined)
    return wide
"""

_COUNT = """
def parameters(inputs, width, hidden, outputs, k):
    def count(n):
        return inputs * n + {middle} + n * outputs

    return {wide}, count(width)
"""

_SCORE = """
import numpy as np


def survivors(members):
    wide, found = side_by_side(members), []
    for layer in {order}:
        incoming = (wide[layer] ** 2).sum(axis=1)
        outgoing = (wide[layer + 1] ** 2).sum(axis=0)
        order = np.argsort(-({score}), kind="stable")
        keep = sorted(order[: len(members[0][layer])].tolist())
        {cut}
        found.append(keep)
    return {found}
"""

_COLUMNS = """
import numpy as np


def columns(kept, channels, positions, channels_last):
    index = np.arange(channels * positions)
    if {last}:
        index = index.reshape(positions, channels)[:, {kept}]
    else:
        index = index.reshape(channels, positions)[{kept}]
    return index.reshape(-1).tolist()
"""

_COPIES = """
import numpy as np


def pruned(weights, k):
    small, keep = [w.copy() for w in weights], []
    for layer in range(len(weights) - 1):
        scale = {scale} if layer == len(weights) - 2 else 1
        score = (weights[layer] ** 2).sum(axis=1) + ((weights[layer + 1] / scale) ** 2).sum(axis=0)
        keep.append(np.argsort(-score, kind="stable")[: len(weights[layer]) // {parts}])
    for layer, chosen in enumerate(keep):
        small[layer] = small[layer][chosen]
        small[layer + 1] = small[layer + 1][:, chosen]
    return small
"""

_DIVERSE = """
def diverse(first, second, correlation):
    return {scores}
"""


def _join(name, says, hidden=True, scale="/ len(members)", columns="column : column + width"):
    source = _JOIN.format(scale=scale, columns=columns)
    return Mutant(name, answer="join", source=source, fails="join-test", says=says, hidden=hidden)


def _count(name, says, middle="(hidden - 1) * n * n", wide="count(k * width)", hidden=True):
    source = _COUNT.format(middle=middle, wide=wide)
    return Mutant(name, answer="count", source=source, fails="count-test", says=says, hidden=hidden)


def _score(
    name, says, hidden=True, order="range(len(wide) - 1)", score="incoming + outgoing", cut="", found="found"
):
    source = _SCORE.format(order=order, score=score, cut=cut, found=found)
    return Mutant(name, answer="score", source=source, fails="score-test", says=says, hidden=hidden)


def _columns(name, says, hidden=True, last="channels_last", kept="sorted(kept)"):
    source = _COLUMNS.format(last=last, kept=kept)
    return Mutant(name, answer="columns", source=source, fails="columns-test", says=says, hidden=hidden)


def _copies(name, says, hidden=True, scale="k", parts="k"):
    source = _COPIES.format(scale=scale, parts=parts)
    return Mutant(name, answer="copies", source=source, fails="copies-test", says=says, hidden=hidden)


def _diverse(name, says, scores, hidden=True):
    source = _DIVERSE.format(scores=scores)
    return Mutant(name, answer="diverse", source=source, fails="diverse-test", says=says, hidden=hidden)


MUTANTS = (
    _join("adds instead of averaging", "two networks", hidden=False, scale=""),
    _join("divides by two", "three networks", scale="/ 2"),
    _join("writes all blocks into the first columns", "three networks", columns=": width"),
    _count("counts k networks", "two members", hidden=False, wide="k * count(width) + 1"),
    _count("forgets that blocks grow in both directions", "four members", wide="k * count(width)"),
    _count("has one square matrix too many per layer", "two members", hidden=False, middle="hidden * n * n"),
    _score("keeps the smallest", "two networks", hidden=False, score="-incoming - outgoing"),
    _score(
        "scores on what the cuts behind have left", "four networks", order="reversed(range(len(wide) - 1))",
        cut="wide[layer], wide[layer + 1] = wide[layer][keep], wide[layer + 1][:, keep]", found="found[::-1]",
    ),
    _columns("mixes up the layouts", "channels first", hidden=False, last="not channels_last"),
    _columns("knows only channels first", "channels last", last="False"),
    _columns("does not sort", "channels 3 and 1", kept="list(kept)"),
    _copies("keeps all", "two copies", hidden=False, parts="1"),
    _copies("keeps half whatever k is", "four copies", parts="2"),
    _diverse("changes nothing", "five points better", "first, second", hidden=False),
    _diverse("never takes anything from the second", "at least a quarter", "first, second * 0"),
)  # fmt: skip
