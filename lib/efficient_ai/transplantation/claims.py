"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_PUBLISHED, NOT_READABLE, Claim, Published, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "Fusing costs accuracy at first, and a little fine-tuning brings it back quickly"),
    Sentence("s2", "The fused network beats the single members of its size"),
    Sentence("s3", "It beats plain averaging of the weights"),
    Sentence("s4", "It needs less fine-tuning than fusion by optimal transport"),
    Sentence("s5", "It fuses faster than optimal transport and in less memory"),
)
"""The sentences of the abstract that claim something, in our words."""


def _rules(n: int = 5, **bounds) -> dict[str, Rule]:
    return {"smoke": Rule(n=3, **bounds), "laptop": Rule(n=n, **bounds), "full": Rule(n=n, **bounds)}


def _exact(**bounds) -> dict[str, Rule]:
    return dict.fromkeys(("smoke", "laptop", "full"), Rule(n=1, **bounds))


_POINTS = "Test accuracy, in percentage points, paired by seed: {}"
_TIMES = Published(
    57, "width 512, exact plan with the naive cost matrix, a comment in the authors' script", neutral=1
)

CLAIMS = (
    Claim(
        id="C1",
        kind="property",
        claim="Members side by side compute the mean of their logits",
        source="Section 3; the invariant of concatenation",
        measured="Largest difference of a logit in float64: perceptron, residual network and transformer, 2, 3, 4 and 8 members",
        repeats="networks",
        rules=_exact(high=1e-12),
    ),
    Claim(
        id="C2a",
        kind="abstract",
        sentence="s1",
        claim="Right after fusion of two networks the accuracy is below that of the best member",
        source="Abstract",
        measured=_POINTS.format("fused, before fine-tuning, minus best member; widest perceptron"),
        unit="points",
        rules=_rules(high=0.0),
        published=Published(
            -5.8, "k = 2, rate 1/2, width 512, SVHN, a comment in the authors' script", neutral=0
        ),
    ),
    Claim(
        id="C2b",
        kind="abstract",
        sentence="s1",
        claim="Three epochs of fine-tuning bring it to within half a point of the best member",
        source="Abstract: quickly recovered; half a point and three epochs are ours",
        measured=_POINTS.format(
            "fused, after three epochs, minus best member as it was; widest perceptron, k = 2"
        ),
        unit="points",
        rules=_rules(low=-0.5),
    ),
    Claim(
        id="C3a",
        kind="abstract",
        sentence="s2",
        claim="After fine-tuning it beats the best member as it was",
        source="Abstract; the paper's comparison, members without extra epochs",
        measured=_POINTS.format("fused, last epoch, minus best member as it was; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
        published=Published(
            1.0, "k = 2, width 512, SVHN, three epochs, a comment in the authors' script", neutral=0
        ),
    ),
    Claim(
        id="C3b",
        kind="ours",
        claim="It beats the best member that was trained on for the same epochs",
        source="The control that the paper's comparison lacks",
        measured=_POINTS.format("fused, last epoch, minus best member trained on; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C3c",
        kind="ours",
        claim="Width helps: against the member trained on, the widest perceptron gains more than the narrowest",
        source="The chapter's main experiment",
        measured=_POINTS.format(
            "gain over the member trained on at the largest width minus that at the smallest, k = 2"
        ),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C3d",
        kind="ours",
        claim="On a residual network with batch norm it beats the best member trained on",
        source="The same control on another architecture",
        measured=_POINTS.format("fused, last epoch, minus best member trained on; residual network, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C3e",
        kind="ours",
        claim="On a transformer it beats the best member trained on",
        source="The authors' code stops before transformers",
        measured=_POINTS.format(
            "fused, last epoch, minus best member trained on; small vision transformer, k = 2"
        ),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C4a",
        kind="abstract",
        sentence="s3",
        claim="Before fine-tuning it is above averaging",
        source="Abstract",
        measured=_POINTS.format("fused minus averaged, no fine-tuning; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C4b",
        kind="abstract",
        sentence="s3",
        claim="After the same fine-tuning it is above averaging",
        source="Abstract",
        measured=_POINTS.format("fused minus averaged, last epoch; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5a",
        kind="abstract",
        sentence="s4",
        claim="It reaches the best member at least half an epoch earlier than optimal transport does",
        source="Abstract; half an epoch is ours",
        measured="Epochs of fine-tuning until the best member as it was is reached, optimal transport minus fused; one more than "
        "there are if never; widest perceptron, k = 2, paired by seed",
        unit="epochs",
        rules=_rules(low=0.5),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5b",
        kind="ours",
        claim="Before fine-tuning it is above optimal transport",
        source="The start of the same race",
        measured=_POINTS.format("fused minus optimal transport, no fine-tuning; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C5c",
        kind="paper",
        claim="After the same fine-tuning it is above optimal transport",
        source="The paper's main comparison, whose table could not be read",
        measured=_POINTS.format("fused minus optimal transport, last epoch; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5d",
        kind="ours",
        claim="After the same fine-tuning it is above merging correlated neurons",
        source="A later rival, ZipIt",
        measured=_POINTS.format("fused minus zipped, last epoch; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C5e",
        kind="ours",
        claim="After the same fine-tuning it is above interpolated neurons",
        source="A later rival that weighs neurons by attribution",
        measured=_POINTS.format("fused minus interpolated, last epoch; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C6a",
        kind="abstract",
        sentence="s5",
        claim="Fusion takes at most half the time of optimal transport at its best",
        source="Abstract: faster; the factor of two is ours",
        measured="Processor seconds of optimal transport with an n x n cost matrix over those of transplantation, one thread, two "
        "perceptrons of the largest width that is timed, in turns",
        repeats="timings",
        statistic="geometric mean",
        rules=_rules(n=5, low=2.0),
        published=_TIMES,
    ),
    Claim(
        id="C6b",
        kind="abstract",
        sentence="s5",
        claim="Fusion needs at most half the memory of optimal transport at its best",
        source="Abstract: less memory; the factor of two is ours",
        measured="Peak bytes of tensors and arrays that the fusion allocates: optimal transport with an n x n cost matrix over "
        "transplantation, the largest width that is timed",
        repeats="widths",
        exact=True,
        rules=_exact(low=2.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C7a",
        kind="paper",
        claim="Fusing all at once is not worse than in pairs",
        source="The experiment on the number of members",
        measured=_POINTS.format("joint minus hierarchical, last epoch, most members that are fused"),
        unit="points",
        rules=_rules(low=0.0),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="C7b",
        kind="paper",
        claim="Fusing in pairs is not worse than one after the other",
        source="The experiment on the number of members",
        measured=_POINTS.format("hierarchical minus iterative, last epoch, most members that are fused"),
        unit="points",
        rules=_rules(low=0.0),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="C7c",
        kind="ours",
        claim="More members do not help: the most that are fused gain nothing over two, while their ensemble does",
        source="Expected of a net that must drop all but one neuron in k",
        measured=_POINTS.format("fused, last epoch, most members minus two"),
        unit="points",
        rules=_rules(high=0.0),
    ),
    Claim(
        id="C8a",
        kind="property",
        claim="k copies of one network fuse to that network pruned to 1/k of its neurons",
        source="Section on identical models; the identity is ours",
        measured="Largest difference of a logit in float64, k = 2 and 4; scores with output weights divided by k",
        repeats="networks",
        rules=_exact(high=1e-12),
    ),
    Claim(
        id="C8b",
        kind="paper",
        claim="Fusing a network with itself gains nothing",
        source="The experiment on identical models",
        measured=_POINTS.format("network fused with itself, last epoch, minus the network trained on"),
        unit="points",
        rules=_rules(high=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C9a",
        kind="ours",
        claim="Which neurons are transplanted matters before fine-tuning",
        source="Control: random neurons",
        measured=_POINTS.format("largest minus random neurons, no fine-tuning; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C9b",
        kind="ours",
        claim="Which neurons are transplanted matters after fine-tuning, too",
        source="Control: random neurons",
        measured=_POINTS.format("largest minus random neurons, last epoch; widest perceptron, k = 2"),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C10a",
        kind="ours",
        claim="Fusion that discounts neurons which are there already starts higher on near-identical members",
        source="Beyond the paper",
        measured=_POINTS.format(
            "diverse minus plain score, no fine-tuning; a network and a copy with the smallest noise above zero"
        ),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C10b",
        kind="ours",
        claim="On independent members it loses at most half a point",
        source="Beyond the paper",
        measured=_POINTS.format("diverse minus plain score, last epoch; two independent members"),
        unit="points",
        rules=_rules(low=-0.5),
    ),
    Claim(
        id="C11",
        kind="ours",
        claim="Two networks that saw different halves of the classes fuse to one that beats the better of them trained on",
        source="Beyond the paper; all see all images while they are fine-tuned",
        measured=_POINTS.format(
            "fused minus member trained on, last epoch, members trained on five classes each"
        ),
        unit="points",
        rules=_rules(low=0.0),
    ),
    Claim(
        id="C12a",
        kind="paper",
        claim="As synchroniser of parallel training it fails: averaging after each epoch ends higher",
        source="The authors' experiment on identical models",
        measured=_POINTS.format(
            "averaging minus transplantation, last epoch, one network trained by all ranks"
        ),
        unit="points",
        rules=_rules(low=0.0),
        published=Published(62.1, "4 ranks, SVHN, 60 epochs, a comment in the authors' script", neutral=0),
    ),
    Claim(
        id="C12b",
        kind="ours",
        claim="The reason is copies: in the end at least half of its neurons have a near copy in their layer",
        source="Follows from the identity C8a if ranks hold near copies",
        measured="Hidden neurons with a correlation of at least 0.99 to another one of their layer, last epoch, per cent",
        unit="%",
        rules=_rules(low=50.0),
    ),
    Claim(
        id="C12c",
        kind="ours",
        claim="Diverse fusion repairs it: it ends at most one point below averaging",
        source="Beyond the paper",
        measured=_POINTS.format(
            "diverse fusion minus averaging, last epoch, one network trained by all ranks"
        ),
        unit="points",
        rules=_rules(low=-1.0),
    ),
    Claim(
        id="C13",
        kind="property",
        claim="Ranks that hold one member each fuse them to the network that one process makes of all",
        source="Only scores and the neurons that stay travel",
        measured="Largest difference of a weight, float32, members trained on the ranks",
        repeats="runs",
        rules=_exact(high=1e-12),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"Two wide perceptrons fused into one {told.words('C3b', 'beat', 'stayed below', 'could not be told from')} the better of them trained "
        f"on for as long ({told.span('C3b', '+.1f')} points); right after fusion neurons that are transplanted "
        f"{told.words('C4a', 'beat', 'stay below', 'cannot be told from')} averaged weights ({told.span('C4a', '+.1f')} points) and "
        f"{told.words('C5b', 'beat', 'stay below', 'cannot be told from')} optimal transport ({told.span('C5b', '+.1f')})."
    )
