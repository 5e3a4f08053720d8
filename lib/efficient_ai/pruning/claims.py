"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_PUBLISHED, NOT_READABLE, Claim, LargerHardware, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "Some of the models can be pruned to high sparsity and then beat their dense version"),
    Sentence("s2", "What was pruned has to be trained on"),
    Sentence(
        "s3",
        "Even with hardware and software that support it, structured pruning saves no significant time",
    ),
)
"""The sentences of the abstract that claim something, in our words."""


def _same(smoke: int = 3, n: int = 3, **bounds) -> dict[str, Rule]:
    return {"smoke": Rule(n=smoke, **bounds), "laptop": Rule(n=n, **bounds), "full": Rule(n=n, **bounds)}


def _exact(**bounds) -> dict[str, Rule]:
    return dict.fromkeys(("smoke", "laptop", "full"), Rule(n=1, **bounds))


_GEOMETRIC = "geometric mean"
_RATIO = "Mean squared error on the test windows, "

CLAIMS = (
    Claim(
        id="P1",
        kind="paper",
        claim="Half of the weights can go without harm, in every model",
        source="The study's result for unstructured pruning; its tables could not be read, and the bound of a tenth is ours",
        measured=_RATIO
        + "at a nominal density of 0.512 over that of the dense model; the worst of the five models",
        rules=_same(high=1.1),
        statistic=_GEOMETRIC,
        published=NOT_READABLE,
    ),
    Claim(
        id="P1b",
        kind="ours",
        claim="The larger model loses less by it: unused capacity is what is pruned",
        source="The explanation that the small model tests",
        measured=_RATIO
        + "density 0.512 over dense: the Transformer over one of half its width, paired by seed",
        rules=_same(high=1.0),
        statistic=_GEOMETRIC,
    ),
    Claim(
        id="P2",
        kind="paper",
        claim="Autoformer and FEDformer tolerate most",
        source="The study's ranking; its tables could not be read",
        measured=_RATIO
        + "nominal density 0.134 over dense: the worse of the two over the better of Transformer and Informer",
        rules=_same(high=1.0),
        statistic=_GEOMETRIC,
        published=NOT_READABLE,
    ),
    Claim(
        id="P2a",
        kind="ours",
        claim="FEDformer owes its tolerance to kernels that are never pruned",
        source="The released set of prunable weights leaves the complex kernels out",
        measured=_RATIO
        + "as many numbers set to zero: with the kernels in the set over with the kernels protected",
        rules=_same(low=1.05),
        statistic=_GEOMETRIC,
    ),
    Claim(
        id="P2b",
        kind="property",
        claim="Seven projections of FEDformer do nothing, and are found automatically",
        source="Its self attention uses queries only, its cross attention keys as values",
        measured="Parameters without a gradient over 7 (d² + d)",
        repeats="models",
        rules=_exact(low=1.0, high=1.0),
    ),
    Claim(
        id="P2c",
        kind="ours",
        claim="At this density the two still forecast better than their trend alone",
        source="A model that has nothing left to lose looks robust",
        measured=_RATIO
        + "nominal density 0.134 over the output with all seasonal weights zero; the worse of the two",
        rules=_same(high=1.0),
        statistic=_GEOMETRIC,
    ),
    Claim(
        id="P3",
        kind="abstract",
        sentence="s1",
        claim="Some pruned model beats its dense version",
        source="Abstract",
        measured=_RATIO + "pruned over dense; model and density below 1 chosen on validation",
        rules=_same(high=1.0),
        statistic=_GEOMETRIC,
        published=NOT_READABLE,
    ),
    Claim(
        id="P3b",
        kind="abstract",
        sentence="s1",
        claim="Some model keeps its error at high sparsity",
        source="Abstract; that high means 0.134, and kept means within a tenth, is ours",
        measured=_RATIO
        + "nominal density 0.134 over dense, without further training; model chosen on validation",
        rules=_same(high=1.1),
        statistic=_GEOMETRIC,
        published=NOT_READABLE,
    ),
    Claim(
        id="P4",
        kind="abstract",
        sentence="s2",
        claim="At a density of a third, further training is necessary",
        source="Abstract; the study trains on at this density",
        measured=_RATIO
        + "pruned to 0.328 over the same trained on with its masks; geometric mean of the five models",
        rules=_same(low=1.1),
        statistic=_GEOMETRIC,
        published=NOT_READABLE,
    ),
    Claim(
        id="P4b",
        kind="ours",
        claim="Further training makes good nearly all that was lost at a third",
        source="The dense model gets the same extra steps",
        measured=_RATIO + "0.328 trained on over dense trained on; geometric mean of the five models",
        rules=_same(high=1.1),
        statistic=_GEOMETRIC,
    ),
    Claim(
        id="P4c",
        kind="ours",
        claim="At a density of a twentieth it does not",
        source="The dense model gets the same extra steps",
        measured=_RATIO + "0.05 trained on over dense trained on; geometric mean of the five models",
        rules=_same(low=1.1),
        statistic=_GEOMETRIC,
    ),
    Claim(
        id="P5",
        kind="paper",
        claim="Structured pruning cuts operations severalfold",
        source="The study's result; its tables could not be read",
        measured="Multiplications of one forecast, attention included: dense over half of the channels removed",
        repeats="models",
        exact=True,
        rules=_exact(low=2.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="P5a",
        kind="abstract",
        sentence="s3",
        claim="It saves no significant time for a batch of three",
        source="Abstract; the released script times a batch of three. That a tenth is significant is ours",
        measured="Wall time dense over half of the channels removed, batch of 3, one thread of a processor",
        repeats="timings",
        statistic=_GEOMETRIC,
        rules=_same(high=1.1),
        published=NOT_READABLE,
    ),
    Claim(
        id="P5b",
        kind="abstract",
        sentence="s3",
        claim="Nor for the largest batch",
        source="Abstract, which names no batch size",
        measured="Wall time dense over half of the channels removed, largest batch, one thread of a processor",
        repeats="timings",
        statistic=_GEOMETRIC,
        rules=_same(high=1.1),
        published=NOT_READABLE,
    ),
    Claim(
        id="P5c",
        kind="abstract",
        sentence="s3",
        claim="Nor on a graphics processor",
        source="Abstract",
        measured="Wall time on a GPU. There a small batch waits for the launching of kernels and not for arithmetic",
        rules=dict.fromkeys(("smoke", "laptop", "full"), LargerHardware("a graphics processor")),
        published=NOT_READABLE,
    ),
    Claim(
        id="P6",
        kind="ours",
        claim="A sparse format does not make half of the weights pay",
        source="Support for sparsity in software, on a processor",
        measured="Time of a product in CSR format over the dense one, density 0.5",
        repeats="timings",
        statistic=_GEOMETRIC,
        rules=_same(low=1.0),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="P7",
        kind="paper",
        claim="A small model from scratch is as good as a large one cut down to its size",
        source="The study's result for small data; its tables could not be read",
        measured=_RATIO
        + "half of the channels removed and trained on, over the small model; equal steps of training",
        statistic=_GEOMETRIC,
        rules=_same(low=1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="P8",
        kind="ours",
        claim="Channels of the stream cost most",
        source="All layers of a stream have to agree on what is dropped",
        measured=_RATIO
        + "a tenth of all parameters removed, from the streams over from the hidden units alone",
        statistic=_GEOMETRIC,
        rules=_same(low=1.0),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"With half of its weights set to zero the worst of five forecasters has {told.span('P1', '.2f')} times the error of its dense self, and "
        f"at a third further training {told.words('P4', 'is needed', 'is not needed', 'may be needed')} ({told.span('P4', '.2f')} times the error "
        f"without it); with half of the channels removed a forecast takes {told.value('P5', '.1f')} times fewer multiplications at least, but for "
        f"a batch of three it is only {told.span('P5a', '.2f')} times as fast, and a small model from scratch "
        f"{told.words('P7', 'is as good', 'is worse', 'cannot be told from it')}."
    )
