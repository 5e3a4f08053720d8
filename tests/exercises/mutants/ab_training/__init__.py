"""Wrong answers to the exercises of AB-training."""

from mutants import Mutant


def _wrong(exercise, name, says, source, hidden=True):
    return Mutant(name, answer=exercise, source=source, fails=f"{exercise}-test", says=says, hidden=hidden)


_VIEW = "\ndef tall(weight):\n    matrix = weight.reshape({shape})\n    return {result}\n"
_FACTORS = """
def factors(matrix, cutoff):
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    k = {k}
    root = s[:k].sqrt()
    return {result}
"""
_MERGE = """
def merge(mode, a0, b0, da, db, alpha):
    if mode == "full":
        return {full}
    if mode == "with-stale":
        return {stale}
    return {learned}
"""
_RIGHT = {
    "full": "alpha * (a0 + da) @ b0 + (1 - alpha) * a0 @ (b0 + db)",
    "stale": "(a0 + alpha * da) @ (b0 + (1 - alpha) * db)",
    "learned": "(a0 + da) @ (b0 + db)",
}
_BETWEEN = "\ndef between(steps, together, merges, whole, merged, groups):\n    return {value}\n"
_POOL = "\ndef pool(means, variances):\n    mean = means.mean(0)\n    return mean, {variance}\n"
_MOMENT = "\ndef transport(m, v, b):\n    return {first}, {second}\n"
_TALL = "matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T"

MUTANTS = (
    _wrong("view", "never turns", "shape of a wide layer",
           _VIEW.format(shape="weight.shape[0], -1", result="matrix"), hidden=False),
    _wrong("view", "keeps the last axis", "shape of a convolution",
           _VIEW.format(shape="-1, weight.shape[-1]", result=_TALL)),
    _wrong("view", "reads in another order", "its entries",
           _VIEW.format(shape="weight.shape[0], -1",
                        result="matrix if matrix.shape[0] >= matrix.shape[1] else matrix.reshape(-1, matrix.shape[0])")),
    _wrong("view", "turns only convolutions and layers of more than one output", "a layer of one output",
           _VIEW.format(shape="weight.shape[0], -1",
                        result="matrix if matrix.shape[0] >= matrix.shape[1] or len(matrix) == 1 else matrix.T")),
    _wrong("factors", "gives A all of the singular values", "norms",
           _FACTORS.format(k="max(1, int((s > cutoff * s[0]).sum()))", result="u[:, :k] * s[:k], vh[:k]"), hidden=False),
    _wrong("factors", "never cuts", "best matrix of its rank",
           _FACTORS.format(k="len(s)", result="u[:, :k] * root, root[:, None] * vh[:k]")),
    _wrong("factors", "keeps nothing of zeros", "rank of zeros",
           _FACTORS.format(k="int((s > cutoff * s[0]).sum())", result="u[:, :k] * root, root[:, None] * vh[:k]")),
    _wrong("merge", "takes the product of means for the mean of products", "full, half and half",
           _MERGE.format(**_RIGHT | {"full": _RIGHT["stale"]}), hidden=False),
    _wrong("merge", "leaves frozen copies out", "with-stale", _MERGE.format(**_RIGHT | {"stale": _RIGHT["learned"]})),
    _wrong("merge", "always takes halves in full", "one of four learns A, full",
           _MERGE.format(**_RIGHT | {"full": "0.5 * (a0 + da) @ b0 + 0.5 * a0 @ (b0 + db)"})),
    _wrong("merge", "always takes halves in with-stale", "one of four learns A, with-stale",
           _MERGE.format(**_RIGHT | {"stale": "(a0 + da / 2) @ (b0 + db / 2)"})),
    _wrong("bytes", "sends in every step", "two groups",
           _BETWEEN.format(value="2 * (groups - 1) * (steps * whole + merges * merged)"), hidden=False),
    _wrong("bytes", "forgets merges", "merges", _BETWEEN.format(value="2 * (groups - 1) * together * whole")),
    _wrong("bytes", "counts one group as two", "one group",
           _BETWEEN.format(value="2 * max(1, groups - 1) * (together * whole + merges * merged)")),
    _wrong("bytes", "always has two groups or one", "eight groups",
           _BETWEEN.format(value="2 * min(1, groups - 1) * (together * whole + merges * merged)")),
    _wrong("pool", "adds the variances", "equal means", _POOL.format(variance="variances.sum(0)"), hidden=False),
    _wrong("pool", "takes the mean of variances", "other means", _POOL.format(variance="variances.mean(0)")),
    _wrong("pool", "subtracts large squares", "large means",
           _POOL.format(variance="(variances + means**2).mean(0) - mean**2")),
    _wrong("moment", "slices", "first moment", _MOMENT.format(first="m[:, : len(b)]", second="v[:, : len(b)]"), hidden=False),
    _wrong("moment", "takes squares along as gradients", "never negative", _MOMENT.format(first="m @ b.T", second="v @ b.T")),
    _wrong("moment", "squares the first moment", "independent entries",
           _MOMENT.format(first="m @ b.T", second="(m @ b.T) ** 2")),
)  # fmt: skip
