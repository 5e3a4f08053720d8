"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_READABLE, Claim, Published, Rule, Sentence, Told

ABSTRACT = (
    Sentence(
        "s1", "Network traffic falls on average by about 70 % over several scaling scenarios", "70.31 %"
    ),
    Sentence(
        "s2", "ResNet-50 on ImageNet becomes more accurate than with data parallel training", "+1.55 points"
    ),
    Sentence("s3", "VGG16 on CIFAR-10 is compressed 44 times with little loss of accuracy", "44.14 : 1"),
    Sentence("s4", "Training takes as long as data parallel training, or less"),
    Sentence("s5", "It regularises, most of all at small scale, and generalises better"),
    Sentence("s6", "Effects of large batches remain in low-rank training"),
)
"""The sentences of the abstract that claim something, in our words."""


def _all(**rule) -> dict:
    return {"smoke": Rule(n=3, **rule), "laptop": Rule(n=5, **rule), "full": Rule(n=10, **rule)}


def _always(n: int, **rule) -> dict:
    return dict.fromkeys(("smoke", "laptop", "full"), Rule(n=n, **rule))


_BETWEEN = "one group a node, sums in two levels, factors of full rank at every merge"

CLAIMS = (
    Claim(
        id="C1",
        kind="abstract",
        sentence="s1",
        claim="Traffic between nodes falls by 60 to 80 %",
        source="Abstract",
        measured="1 minus bytes between groups over those of data parallel training, by formula, the six published schedules of ResNet-50",
        repeats="schedules",
        rules=_always(6, low=0.6, high=0.8),
        assumption=f"{_BETWEEN}; how the authors measured is not known",
        published=Published(0.7031, "mean; 50 % in the first version", neutral=0),
    ),
    Claim(
        id="C1b",
        kind="ours",
        claim="At least nine tenths of that cut come from speaking rarely, and not from the low rank",
        source="The control that the abstract does not name: local SGD in the same groups with the same merges",
        measured="Cut of local SGD over that of AB, by formula, the six published schedules of ResNet-50; SGD with one moment each",
        repeats="schedules",
        rules=_always(6, low=0.9),
        assumption=_BETWEEN,
    ),
    Claim(
        id="C1c",
        kind="ours",
        claim="In miniature: AB halves the traffic between groups at least",
        source="Abstract, on our own network",
        measured="1 minus bytes counted between groups over those of data parallel training, paired seeds",
        rules=_all(low=0.5),
    ),
    Claim(
        id="C2",
        kind="abstract",
        sentence="s2",
        claim="In miniature: AB is more accurate than data parallel training of as many steps",
        source="Abstract, on digits in place of ImageNet",
        measured="Test accuracy of AB minus that of data parallel training without restarts, points, paired seeds",
        unit="points",
        rules=_all(low=0.0),
        published=Published(1.55, "ResNet-50 on ImageNet", neutral=0),
    ),
    Claim(
        id="C2b",
        kind="ours",
        claim="AB is no less accurate than local SGD that speaks as rarely",
        source="The decisive control: same groups, same merges, same restarts, histories averaged, no low rank",
        measured="Test accuracy of AB minus that of local SGD, the better of with and without restarts on validation data, points",
        unit="points",
        rules=_all(low=-0.5),
    ),
    Claim(
        id="C2c",
        kind="ours",
        claim="AB loses at most one point to data parallel training, the better of with and without restarts",
        source="Parity, as the first version of the abstract has it",
        measured="Test accuracy of AB minus that of the better one on validation data, points, paired seeds",
        unit="points",
        rules=_all(low=-1.0),
    ),
    Claim(
        id="C2d",
        kind="ours",
        claim="No method that sends as little between groups is more accurate by half a point",
        source="The strongest of the rivals at equal bytes: local SGD, DiLoCo, gradients in fewer bytes",
        measured="Test accuracy of AB minus that of the best one on validation data among all that send no more between groups, points",
        unit="points",
        rules=_all(low=-0.5),
    ),
    Claim(
        id="C3",
        kind="abstract",
        sentence="s3",
        claim="In miniature: the network is compressed at least ten times with a loss of at most one point",
        source="Abstract, on a network with more weights than it needs",
        measured="Compression at the last merge, the largest of the cut-offs at which validation accuracy lost at most one point to data "
        "parallel training of the same seed; 1 where none did",
        rules=_all(low=10.0),
        published=Published(44.14, "VGG16 on CIFAR-10", neutral=1),
    ),
    Claim(
        id="C3b",
        kind="abstract",
        sentence="s3",
        claim="In miniature: at that cut-off the test accuracy is within one point, too",
        source="Abstract: minimal loss of accuracy",
        measured="Test accuracy of AB at the cut-off of C3 minus that of data parallel training, points",
        unit="points",
        rules=_all(low=-1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C4",
        kind="abstract",
        sentence="s5",
        claim="In miniature: with few training images AB has the smaller gap between training and test",
        source="Abstract: regularising effect",
        measured="Gap of AB minus gap of data parallel training, points, paired seeds, few images",
        unit="points",
        rules=_all(high=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C4b",
        kind="abstract",
        sentence="s5",
        claim="In miniature: with few training images AB generalises better",
        source="Abstract: improved generalisation; a smaller gap alone may be worse training",
        measured="Test accuracy of AB minus that of data parallel training, points, paired seeds, few images",
        unit="points",
        rules=_all(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5",
        kind="abstract",
        sentence="s6",
        claim="In miniature: with a larger batch and as many epochs AB loses accuracy, too",
        source="Abstract: the negative result",
        measured="Test accuracy of AB at the smallest batch minus that at the largest, points, same epochs and learning rate",
        unit="points",
        rules=_all(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C7",
        kind="abstract",
        sentence="s4",
        claim="Over a slow link AB takes no longer than data parallel training of as many steps",
        source="Abstract",
        measured="Seconds of AB over those of data parallel training, four ranks, an artificial link between two groups",
        repeats="timings",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C7b",
        kind="ours",
        claim="Without a slow link AB takes no longer either",
        source="Where messages are cheap, the factors have to pay for themselves",
        measured="As C7, all ranks on one machine",
        repeats="timings",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
    ),
    Claim(
        id="C7c",
        kind="ours",
        claim="Over the slow link AB takes no longer than local SGD with the same merges",
        source="The decisive control, in seconds",
        measured="Seconds of AB over those of local SGD on the link of C7",
        repeats="timings",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
    ),
    Claim(
        id="C6",
        kind="property",
        claim="Four ways to merge give exactly the four products, by messages on ranks",
        source="Follows from the definition of the merges",
        measured="Largest difference from the algebra, float64, random factors",
        repeats="draws",
        rules={
            "smoke": Rule(n=1, high=1e-12),
            "laptop": Rule(n=3, high=1e-12),
            "full": Rule(n=3, high=1e-12),
        },
    ),
    Claim(
        id="P1",
        kind="property",
        claim="The bytes of a run are what the formula says, between groups and within",
        source="Follows from the plan of messages",
        measured="Bytes counted over bytes by formula, every kind and merge, histories averaged and reset, cut factors",
        repeats="counts",
        rules=_always(4, low=1, high=1),
    ),
    Claim(
        id="P2",
        kind="property",
        claim="While they train apart, groups exchange nothing",
        source="Definition; the released code synchronises batch norms over the world",
        measured="Bytes between groups in steps apart, batch norm in the network",
        repeats="counts",
        rules=_always(4, high=0),
    ),
    Claim(
        id="P3",
        kind="property",
        claim="At the end all ranks hold one model",
        source="Needs histories averaged or reset at a merge; with histories of their own replicas drift apart",
        measured="Largest difference of a parameter between ranks after the last merge",
        repeats="trainings",
        rules=_always(3, high=0),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"Halves that learn apart cut the traffic between nodes by {told.value('C1', '.0f', 100)} % on the published schedules, and "
        f"{told.value('C1b', '.2f', 100)} % of that cut come from speaking rarely, which local SGD does, too; against data parallel training "
        f"of as many steps the accuracy differed by {told.span('C2', '+.1f')} points, against local SGD by {told.span('C2b', '+.1f')}, and over a "
        f"slow link AB {told.words('C7', 'took no longer', 'took longer', 'could not be told apart in time')} "
        f"({told.span('C7', '.2f')} of the time of data parallel training)."
    )
