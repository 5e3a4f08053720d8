"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_PUBLISHED, NOT_READABLE, Claim, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "An orthogonal basis within each weight stabilises during training"),
    Sentence("s2", "Low-rank training with that basis costs a minimum of accuracy"),
    Sentence("s3", "Tuned, it can surpass conventional training"),
)
"""The sentences of the abstract that claim something, in our words."""


def _same(n: int = 5, **bounds) -> dict[str, Rule]:
    return {"smoke": Rule(n=3, **bounds), "laptop": Rule(n=n, **bounds), "full": Rule(n=n, **bounds)}


def _settles(id: str, net: str, other: str, kind: str, sentence: str = "") -> Claim:
    return Claim(
        id=id,
        kind=kind,
        sentence=sentence,
        claim=f"Under a constant learning rate the basis of {net} settles more than {other}",
        source="Abstract; the comparison at a constant rate is ours"
        if sentence
        else "A control that is ours",
        measured=f"Stability of the basis less cosine of {other}, between neighbouring checkpoints, mean of the hidden layers "
        "and the second half of the training; 30 % of the labels redrawn in each batch",
        rules=_same(low=0.0),
        published=NOT_PUBLISHED,
    )


_POINTS = "Test accuracy of {} less that of {}, same start, batches and steps, paired by seed and test image"

CLAIMS = (
    _settles("C1m", "a perceptron", "its mixing", "abstract", "s1"),
    _settles("C1n", "a convolutional net", "its mixing", "abstract", "s1"),
    _settles("C1w", "a perceptron", "the weight as a whole", "ours"),
    _settles("C1v", "a convolutional net", "the weight as a whole", "ours"),
    Claim(
        id="C1s",
        kind="ours",
        claim="The last stretch of the curve is made by the learning rate: it is missing under a constant one",
        source="Section 3 of the paper shows the curve under a falling rate; the control is ours",
        measured="Stability in the second half under a cosine less that under a constant rate, perceptron, paired by seed",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C2",
        kind="abstract",
        sentence="s2",
        claim="Untuned, OIALR loses at most one point of accuracy",
        source="Abstract: minimal accuracy loss",
        measured=_POINTS.format("OIALR", "full rank"),
        unit="points",
        rules=_same(low=-1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C3",
        kind="abstract",
        sentence="s3",
        claim="Tuned, OIALR is more accurate than full rank tuned with as many trials",
        source="Abstract; that both sides are tuned is ours",
        measured=_POINTS.format("tuned OIALR", "tuned full rank")
        + "; random search, chosen on validation images",
        unit="points",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C4a",
        kind="ours",
        claim="The basis has to be learned: a random one of the same ranks is less accurate",
        source="A control that is ours",
        measured=_POINTS.format("OIALR", "training in random frozen bases"),
        unit="points",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C4b",
        kind="ours",
        claim="OIALR is at least as accurate as full rank that is cut once at the end, at the same ranks",
        source="A baseline that the paper does not have",
        measured=_POINTS.format("OIALR", "full rank cut at the end, no further training,"),
        unit="points",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C4c",
        kind="ours",
        claim="OIALR is at least as accurate as one cut after the warm-up with all factors trained, at the same ranks",
        source="A baseline that the paper does not have; the way of Cuttlefish",
        measured=_POINTS.format("OIALR", "one cut and all factors trained"),
        unit="points",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C5a",
        kind="paper",
        claim="At the end at most a third of the parameters train",
        source="Section 4 of the paper; the bound is ours",
        measured="Trained parameters at the end over those of full rank",
        exact=True,
        rules=_same(high=1 / 3),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5b",
        kind="ours",
        claim="What has to be stored at the end, frozen bases included, is less than the dense model",
        source="The paper counts trained parameters only",
        measured="Stored numbers at the end over those of full rank",
        exact=True,
        rules=_same(high=1.0),
    ),
    Claim(
        id="C5c",
        kind="ours",
        claim="The optimiser's state shrinks to at most a third",
        source="Follows from C5a where everything that trains has two moments",
        measured="Bytes of AdamW's state at the end over those of full rank",
        exact=True,
        rules=_same(high=1 / 3),
    ),
    Claim(
        id="C6",
        kind="paper",
        claim="Where full rank overfits, OIALR overfits less",
        source="Section 4 of the paper: a forecaster",
        measured="Rise of the validation error from its smallest to its last value, in per cent: full rank less OIALR, "
        "Autoformer on hours of German generation, paired by seed",
        unit="%",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="P1",
        kind="property",
        claim="Freezing and turning the basis without a cut leaves the function as it is",
        source="Definition of the factors",
        measured="Relative change of the outputs, float64",
        repeats="models",
        rules=dict.fromkeys(("smoke", "laptop", "full"), Rule(high=1e-10, n=3)),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"Training the stretch and freezing the basis left {told.value('C5a', '.0f', 100)} % of the parameters to train, stored "
        f"{told.value('C5b', '.2f')} times the dense model, and changed the accuracy of full rank by {told.span('C2', '+.1f')} points; full rank "
        f"that is simply cut once at the end {told.words('C4b', 'was no better', 'was better', 'could not be told from it')} "
        f"(OIALR less the cut: {told.span('C4b', '+.1f')} points)."
    )
