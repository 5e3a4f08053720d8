"""Wrong timing losses and replays."""

from mutants import Mutant

_TIMING = """
def timing_loss(output, target):
    {body}
"""


def _loss(name, says, body, hidden=True):
    body = body.strip().replace("\n", "\n    ")
    return Mutant(
        name, answer="timing", source=_TIMING.format(body=body), fails="timing-test", says=says, hidden=hidden
    )


def _rule(name, says, code, paper, hidden=True):
    source = f"def update_rule(reset):\n    return {paper!r} if reset == 'paper' else {code!r}\n"
    return Mutant(name, answer="brian", source=source, fails="brian-test", says=says, hidden=hidden)


_CODE, _PAPER = "v = leak * v + I + bias - theta * s", "v = leak * (v - theta * s) + I + bias"

MUTANTS = [
    _loss(
        "compares positions",
        "it has no gradient",
        "return sum((a - b).square().sum().double() for a, b in zip(output.nonzero(), target.nonzero()))",
        hidden=False,
    ),
    _loss(
        "counts only",
        "it asks for a spike in bin 0",
        "return (output.sum(0) - target.sum(0)).square().mean()",
        hidden=False,
    ),
    _loss("every bin on its own", "grows with the distance", "return (output - target).square().mean()"),
    _loss(
        "forgives what comes too early",
        "a spike too early",
        """
r, total = torch.zeros_like(output[0]), 0.0
for step in output - target:
    r = torch.where(r > 0, r, 0.8 * r) + step
    total = total + torch.relu(-r).square().mean()
return total
""",
    ),
    _rule("leaks the subtraction", "reset of the code", _PAPER, _PAPER, hidden=False),
    _rule("forgets the bias", "with a bias", _CODE.replace(" + bias", ""), _PAPER),
    _rule("one rule for both", "reset of the paper", _CODE, _CODE),
]
