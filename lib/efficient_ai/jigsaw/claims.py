"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_READABLE, Claim, LargerHardware, Published, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "The work of WeatherMixer grows linearly with the size of its input"),
    Sentence("s2", "It forecasts about as accurately as numerical weather prediction"),
    Sentence("s3", "Domain and tensor parallelism together leave no memory redundancy"),
    Sentence("s4", "Strong scaling exceeds the state of the art where computing and messages limit"),
    Sentence("s5", "Weak scaling is superscalar where reading limits"),
    Sentence("s6", "256 GPUs reach 9 and 11 PFLOP/s, 23 and 28 % of their peak", "9 and 11 PFLOP/s"),
    Sentence(
        "s7",
        "256 GPUs keep 68 and 72 % of their efficiency, without model parallelism 51 %",
        "0.68, 0.72, 0.51",
    ),
)
"""The sentences of the abstract that claim something, in our words."""


def _all(**rule) -> dict:
    return {"smoke": Rule(n=3, **rule), "laptop": Rule(n=3, **rule), "full": Rule(n=5, **rule)}


def _always(n: int, **rule) -> dict:
    return dict.fromkeys(("smoke", "laptop", "full"), Rule(n=n, **rule))


_NODES = dict.fromkeys(("smoke", "laptop", "full"), LargerHardware("256 GPUs on 64 nodes"))
_BENCHMARK = ", recorded by the benchmark"

CLAIMS = (
    Claim(
        id="C9",
        kind="abstract",
        sentence="s1",
        claim="The work of the published model grows linearly with the number of grid points",
        source="Abstract",
        measured="Exponent of the floating point operations of a forward pass over the latitudes, doubled three times from 720, "
        "hidden width of token mixing a fraction of the tokens, as released",
        repeats="doublings",
        exact=True,
        rules=_always(3, low=0.95, high=1.05),
        published=Published(1.0),
    ),
    Claim(
        id="C9b",
        kind="ours",
        claim="With a hidden width of token mixing that stays, the work grows linearly",
        source="The condition under which the sentence is true",
        measured="As C9, the hidden width kept",
        repeats="doublings",
        exact=True,
        rules=_always(3, low=0.95, high=1.05),
    ),
    Claim(
        id="C1",
        kind="abstract",
        sentence="s3",
        claim="No redundancy: no rank holds more than an equal share of the serial model, its data and its optimiser",
        source="Abstract",
        measured="Bytes of input, target, activations, weights, gradients and Adam moments on the fullest rank, times ranks, over "
        "the serial model's; a tenth more is allowed for norms and biases, which exist twice; 2 and 4 ranks",
        repeats="models",
        exact=True,
        rules=_always(3, low=0.99, high=1.1),
        published=Published(1.0, "1/n on every rank"),
    ),
    Claim(
        id="C1a",
        kind="property",
        claim="What a rank holds is what the formula says, to the byte",
        source="Follows from the layout",
        measured="Bytes of each kind over serial / n plus the named terms, every rank",
        repeats="counts",
        rules=_always(3, low=1, high=1),
    ),
    Claim(
        id="P1",
        kind="abstract",
        sentence="s3",
        claim="Of all ways to share one MLP block, Jigsaw needs the least memory per rank",
        source="Abstract",
        measured="Peak bytes of tensors per rank over the least of DDP, FSDP2, DTensor and Megatron-style, 2 and 4 gloo ranks"
        + _BENCHMARK,
        repeats="numbers of ranks",
        exact=True,
        rules=_always(2, high=1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5",
        kind="abstract",
        sentence="s4",
        claim="Two ranks are faster than one, and less than twice as fast (strong scaling)",
        source="Abstract; result files: one node without data loading",
        measured="Step time of the serial model on one core over that of two ranks on two cores, the largest of the models tried",
        repeats="timings",
        statistic="geometric mean",
        rules=_all(low=1.0, high=2.0),
        published=Published(1.66, "16 TFLOP per sample, TF32, 2 GPUs; other sizes 1.21 and 1.45", neutral=1),
    ),
    Claim(
        id="C5c",
        kind="abstract",
        sentence="s4",
        claim="On two ranks a step is quicker than with any other way to cut the model",
        source="Abstract: exceeds the state of the art in strong scaling",
        measured="Step time of one MLP block over that of the quickest of FSDP2, DTensor and Megatron-style, round by round, 2 "
        "gloo ranks" + _BENCHMARK,
        repeats="rounds",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C4",
        kind="abstract",
        sentence="s5",
        claim="Superscalar weak scaling where reading limits: twice the ranks, twice the model, less time per step",
        source="Abstract",
        measured="Step time of one rank over that of two, equal work per rank, every rank behind a disk of its own that was slowed "
        "until reading limits",
        repeats="timings",
        statistic="geometric mean",
        rules=_all(low=1.2, high=2.0),
        published=Published(1.52, "1 TFLOP per GPU, TF32, 2 GPUs; 1.08 and 0.93 for larger ones", neutral=1),
    ),
    Claim(
        id="C4b",
        kind="paper",
        claim="Without the limit of the disk, weak scaling is nearly perfect",
        source="Result files: weak scaling on one node without data loading",
        measured="The same with the data in memory",
        repeats="timings",
        statistic="geometric mean",
        rules=_all(low=0.85, high=1.05),
        published=Published(0.99, "1 TFLOP per GPU, TF32, 2 GPUs"),
    ),
    Claim(
        id="C8",
        kind="abstract",
        sentence="s6",
        claim="256 GPUs reach 9 and 11 PFLOP/s",
        source="Abstract",
        measured="Needs 256 GPUs; what the authors' logs give is C8b",
        repeats="runs",
        rules=_NODES,
        published=Published(11, "2-way; 9 for 4-way; PFLOP/s"),
    ),
    Claim(
        id="C8b",
        kind="paper",
        claim="The authors' logs give these peaks",
        source="Job logs of the authors' repository",
        measured="Samples times three forward passes over the logged minutes at 256 GPUs, over 9 (4-way) and 11 (2-way) PFLOP/s",
        repeats="logs",
        exact=True,
        rules=_always(2, low=0.94, high=1.06),
        published=Published(1.0),
    ),
    Claim(
        id="C7",
        kind="abstract",
        sentence="s7",
        claim="At 256 GPUs the sharded models keep more of their efficiency than the unsharded one",
        source="Abstract",
        measured="Needs 256 GPUs; a cost model with one fitted number is drawn beside the logged values",
        repeats="runs",
        rules=_NODES,
        published=Published(0.72, "4-way; 0.68 for 2-way, 0.51 without"),
    ),
    Claim(
        id="D3",
        kind="abstract",
        sentence="s2",
        claim="In miniature: it forecasts about as well as numerical prediction, the same equation at equal cost",
        source="Abstract: similar to numerical weather prediction; our own equation, our own solver",
        measured="RMSE of the wind after 24 h over that of the solver at the coarsest resolution that costs as many operations or "
        "more, by test run",
        rules=_all(low=0.8, high=1.1),
        published=NOT_READABLE,
    ),
    Claim(
        id="D1",
        kind="ours",
        claim="In miniature: the network forecasts better than persistence a day ahead",
        source="The least a forecast must do; the accuracy tables of the paper could not be read",
        measured="RMSE of the wind after 24 h over that of persistence, by test run",
        rules=_all(high=0.9),
    ),
    Claim(
        id="D2",
        kind="ours",
        claim="In miniature: it forecasts better than climatology a day ahead",
        source="The least a forecast must do",
        measured="RMSE of the wind after 24 h over that of the mean of the training runs, by test run",
        rules=_all(high=0.9),
    ),
    Claim(
        id="C6",
        kind="paper",
        claim="At a fixed number of ranks and epochs a smaller global batch ends with a lower error, by about as much as logged",
        source="Job logs: RMSE at global batch 8, 4, 2",
        measured="Validation RMSE with global batch 2 over that with 8, equal epochs and learning rates, paired seeds; a gain of "
        "more than a quarter would not be the paper's effect but a rate that does not suit the larger batch",
        rules=_all(low=0.75, high=0.98),
        published=Published(round(40.79 / 45.15, 3), "geopotential at 500 hPa", neutral=1),
    ),
    Claim(
        id="C1b",
        kind="property",
        claim="The counts of parameters in the published logs follow from the architecture, sharded and serial",
        source="Job logs of the authors' repository",
        measured="Our count over the logged count, to the last digit",
        repeats="models",
        rules=_always(4, low=1, high=1),
    ),
    Claim(
        id="C2",
        kind="property",
        claim="The distributed products are the serial products",
        source="Code of the authors: X W, X W^T, X^T W, transpose",
        measured="Largest relative error on 2 and 4 ranks, float64, random shapes, both schedules",
        repeats="draws of shapes",
        rules=_all(high=1e-13),
    ),
    Claim(
        id="C2b",
        kind="property",
        claim="The sharded model is the serial model: forward, all gradients and the weights after steps of Adam, with dropout",
        source="Needs a LayerNorm over all channels, which the authors' parallel code does not have",
        measured="Largest relative difference on 2 and 4 ranks, float64",
        repeats="grids",
        rules=_always(3, high=1e-10),
    ),
    Claim(
        id="C3",
        kind="property",
        claim="The traffic is what the formula says",
        source="Follows from the plan of messages",
        measured="Elements counted in every message of a training step over the formula, every rank, odd batch sizes, both schedules",
        repeats="counts",
        rules=_always(3, low=1, high=1),
    ),
    Claim(
        id="C5b",
        kind="property",
        claim="The paper's 4-way schedule cannot be more than 3.0 times as fast as one rank; a balanced one can be 4.0 times as fast",
        source="Derived from the authors' code: block products 4, 8, 8, 4 of 24",
        measured="Cap of the balanced schedule minus that of the paper's, products counted on four ranks",
        repeats="counts",
        rules=_always(1, low=1, high=1),
    ),
    Claim(
        id="P2",
        kind="ours",
        claim="Its step takes no longer than that of FSDP2, 2 ranks",
        source="Target of this book",
        measured="Step time over that of FSDP2, round by round, 2 gloo ranks" + _BENCHMARK,
        repeats="rounds",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
    ),
    Claim(
        id="P3",
        kind="ours",
        claim="Its step takes no longer than that of DTensor column and row parallelism, 2 ranks",
        source="Target of this book",
        measured="Step time over that of DTensor, round by round, 2 gloo ranks" + _BENCHMARK,
        repeats="rounds",
        statistic="geometric mean",
        rules=_always(3, high=1.0),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        "A rank that holds one block of everything held "
        f"{told.value('C1', '.2f')} times its equal share of the serial model, two ranks made a step {told.span('C5', '.2f')} times as fast as "
        f"one, and against the quickest other way to cut the model the time of a step "
        f"{told.words('C5c', 'is shorter', 'is longer', 'is undecided')} (ours over theirs {told.span('C5c', '.2f')}); the published model's work "
        f"grows with the grid's points to the power of {told.value('C9', '.2f')}{told.words('C9', '', ', not 1', '')}."
    )
