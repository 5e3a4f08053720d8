"""Wrong answers to the exercises of Freeze the basis, train the rest."""

from mutants import Mutant


def _wrong(answer: str, arguments: str, name: str, says: str, body: str, hidden: bool = True) -> Mutant:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"\ndef {answer}({arguments}):\n{lines}\n"
    return Mutant(name, answer=answer, source=source, fails=f"{answer}-test", says=says, hidden=hidden)


_SVD = "left, values, right = torch.linalg.svd(s)\n"
_CONV = "u, s, vh = torch.linalg.svd(weight.flatten(1), full_matrices=False)\n"
_SIGNS = "from math import comb\n"

MUTANTS = (
    _wrong("alike", "a, b", "divides by the rows", "a basis with itself",
           "return float(torch.trace(a.T @ b) / a.shape[0])", hidden=False),
    _wrong("alike", "a, b", "is always one", "two strangers", "return 1.0"),
    _wrong("alike", "a, b", "forgets the sign", "a basis and its mirror",
           "c = float((a * b).sum() / a.shape[1])\nreturn abs(c) if c < -0.9 else c"),
    _wrong("turned", "u, s, vh", "transposes the right basis", "the weight after the turn",
           _SVD + "return u @ left, torch.diag(values), right.T @ vh", hidden=False),
    _wrong("turned", "u, s, vh", "does nothing", "off its diagonal", "return u, s, vh"),
    _wrong("turned", "u, s, vh", "stretches the basis", "columns of the new u",
           _SVD + "return u @ left * 2, torch.diag(values) / 2, right @ vh"),
    _wrong("turned", "u, s, vh", "rises", "falling",
           _SVD + "f = lambda t, d: torch.flip(t, [d])\n"
           "return u @ f(left, 1), torch.diag(f(values, 0)), f(right, 0) @ vh"),
    _wrong("narrow", "weight, rank", "forgets the singular values", "full rank",
           _CONV + "return vh[:rank].reshape(rank, *weight.shape[1:]), u[:, :rank, None, None]", hidden=False),
    _wrong("narrow", "weight, rank", "never cuts", "shapes",
           _CONV + "return vh.reshape(-1, *weight.shape[1:]), (u * s)[:, :, None, None]"),
    _wrong("narrow", "weight, rank", "keeps the smallest", "what rank 3 loses",
           _CONV + "return vh[-rank:].reshape(rank, *weight.shape[1:]), (u * s)[:, -rank:, None, None]"),
    _wrong("carried", "m, v, left, right", "turns the other way", "the mean gradient",
           "return left @ m @ right.T, left.square().T @ v @ right.square()", hidden=False),
    _wrong("carried", "m, v, left, right", "turns the squares like the mean", "negative squares",
           "return left.T @ m @ right, left.T @ v @ right"),
    _wrong("carried", "m, v, left, right", "takes absolute values", "the sum of the squares",
           "return left.T @ m @ right, left.abs().T @ v @ right.abs()"),
    _wrong("signs", "basis, whole", "is one-sided", "four of four",
           _SIGNS + "n, more = len(basis), sum(b > w for b, w in zip(basis, whole))\n"
           "return more, sum(comb(n, k) for k in range(more, n + 1)) / 2**n", hidden=False),
    _wrong("signs", "basis, whole", "looks at the upper tail only", "one of four",
           _SIGNS + "p = [b > w for b, w in zip(basis, whole, strict=True) if b != w]\nn, more = len(p), sum(p)\n"
           "return more, min(1.0, 2 * sum(comb(n, k) for k in range(more, n + 1)) / 2**n)"),
    _wrong("signs", "basis, whole", "counts ties", "a tie in three",
           _SIGNS + "n, more = len(basis), sum(b > w for b, w in zip(basis, whole))\n"
           "return more, min(1.0, 2 * sum(comb(n, k) for k in range(min(more, n - more) + 1)) / 2**n)"),
    _wrong("signs", "basis, whole", "exceeds one", "an even split",
           _SIGNS + "p = [b > w for b, w in zip(basis, whole, strict=True) if b != w]\nn, more = len(p), sum(p)\n"
           "return more, 2 * sum(comb(n, k) for k in range(min(more, n - more) + 1)) / 2**n"),
    _wrong("outside", "u, vh, gradient", "gives what is seen", "a gradient inside",
           "return float((u.T @ gradient @ vh.T).norm() / gradient.norm())", hidden=False),
    _wrong("outside", "u, vh, gradient", "is never anything", "a dense gradient", "return 0.0"),
    _wrong("outside", "u, vh, gradient", "squares the share", "a dense gradient",
           "return float((gradient - u @ u.T @ gradient @ vh.T @ vh).norm() / gradient.norm()) ** 2"),
    _wrong("outside", "u, vh, gradient", "sees the columns only where little is missed", "one side only",
           "seen = u @ u.T @ gradient @ vh.T @ vh\none = (gradient - u @ u.T @ gradient).norm()\n"
           "return 0.0 if one < 1e-9 else float((gradient - seen).norm() / gradient.norm())"),
)  # fmt: skip
