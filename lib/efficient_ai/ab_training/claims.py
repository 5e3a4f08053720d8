"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import Claim, Rule, Sentence

ABSTRACT: tuple[Sentence, ...] = ()
"""The sentences of the abstract that claim something, in our words: ``Sentence("s1", "it is faster", "10")``."""

# Fix the rules before the first run. A claim of the abstract has kind="abstract" and names its sentence.
CLAIMS = (
    Claim(
        id="C1",
        kind="ours",
        claim="The mean of the second half of a walk lies at most half as far from the minimum as its last place",
        source="An example of a claim; replace it by those of the paper",
        measured="Distance of the mean over distance of the last place, the same walk",
        rules={
            "smoke": Rule(high=0.5, n=3),
            "laptop": Rule(high=0.5, n=10),
            "full": Rule(high=0.5, n=30),
        },
        statistic="geometric mean",
    ),
    Claim(
        id="P1",
        kind="property",
        claim="The mean of a walk that stands still is where it stands",
        source="Definition of the mean",
        measured="Largest difference of a component",
        repeats="places",
        rules=dict.fromkeys(("smoke", "laptop", "full"), Rule(high=1e-12, n=1)),
    ),
)
