"""The claims of the paper that the chapter tests so far."""

from efficient_ai.ledger import Claim, Rule

CLAIMS = (
    Claim(
        id="A",
        claim="No waiting: with evaluation times that vary, asynchronous workers are busy all the time, while workers "
        "that meet after each generation wait for the slowest",
        source="Sections 1 and 3: the barrier of a generational algorithm is removed",
        measured="Utilisation of an asynchronous run over that of a synchronous one, evaluation times exponential and "
        "slept on real MPI ranks, divided by the ratio that theory predicts for the times that were slept: a "
        "synchronous generation lasts as long as its slowest evaluation, an asynchronous worker never waits",
        rules={
            # Short naps: what a wake-up costs is a visible part of them, so the band is wider.
            "smoke": Rule(low=0.8, high=1.2, seeds=3),
            "laptop": Rule(low=0.95, high=1.05, seeds=10),
            "full": Rule(low=0.95, high=1.05, seeds=20),
        },
    ),
    Claim(
        id="G",
        claim="Replicated populations agree: after the last message every worker holds the same individuals",
        source="Section 3: all workers of an island share one population",
        measured="1 if all ranks end with the identical set of individuals and none is lost or doubled, else 0",
        rules={
            "smoke": Rule(low=1, high=1, seeds=3),
            "laptop": Rule(low=1, high=1, seeds=10),
            "full": Rule(low=1, high=1, seeds=20),
        },
    ),
)
