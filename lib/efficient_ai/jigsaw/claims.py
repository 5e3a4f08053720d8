"""The claims of the paper that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import Claim, LargerHardware, Rule


def _all(**rule) -> dict:
    return {"smoke": Rule(seeds=3, **rule), "laptop": Rule(seeds=3, **rule), "full": Rule(seeds=5, **rule)}


CLAIMS = (
    Claim(
        id="C1",
        claim="No redundancy: input, activations, weights, gradients and Adam moments of a rank are 1/n of the serial model's",
        source="Abstract: domain and tensor parallelism of data, parameters and optimizer states",
        measured="Measured bytes per rank on 2 and 4 ranks over serial / n plus the named terms (statistics of the norms on 1 x "
        "2; biases and norms held twice on 2 x 2), several models",
        rules=_all(low=1, high=1),
        paper_value="1/n",
    ),
    Claim(
        id="C1b",
        claim="The counts of parameters in the published logs follow from the architecture, sharded and serial",
        source="Job logs of the authors' repository",
        measured="Our count over the logged count, four models, to the last digit",
        rules={name: Rule(low=1, high=1, seeds=4) for name in ("smoke", "laptop", "full")},
        paper_value=1.0,
    ),
    Claim(
        id="C2",
        claim="The distributed products are the serial products",
        source="Section 3.4 and 3.5 of our reading of the code: X W, X W^T, X^T W, transpose",
        measured="Largest relative error on 2 and 4 ranks, float64, random shapes, both schedules",
        rules=_all(low=0, high=1e-13),
        paper_value="equal",
    ),
    Claim(
        id="C2b",
        claim="The sharded model is the serial model: forward, all gradients and the weights after steps of Adam, with dropout",
        source="Expectation of this book: needs a LayerNorm over all channels, which the authors' parallel code does not have",
        measured="Largest relative difference on 2 and 4 ranks, float64",
        rules=_all(low=0, high=1e-10),
    ),
    Claim(
        id="C3",
        claim="The traffic is what the formula says",
        source="Section 3.5 of our reading of the code: table of elements sent",
        measured="Elements counted in every message of a training step over the formula, every rank, odd batch sizes, both schedules",
        rules=_all(low=1, high=1),
    ),
    Claim(
        id="C4",
        claim="Superscalar weak scaling where reading limits: twice the ranks, twice the model, less time per step",
        source="Abstract: superscalar weak scaling in I/O-limited systems",
        measured="Step time of one rank over that of two, equal work per rank, every rank behind a throttled disk",
        rules=_all(low=1.2),
        paper_value=1.52,
        statistic="median",
    ),
    Claim(
        id="C4b",
        claim="Without the limit of the disk, weak scaling efficiency is at most one",
        source="Result files: weak scaling on one node without data loading",
        measured="The same with the data in memory",
        rules=_all(high=1.05),
        paper_value=0.99,
        statistic="median",
    ),
    Claim(
        id="C5",
        claim="Two ranks are faster than one, and less than twice as fast (strong scaling)",
        source="Result files: strong scaling on one node without data loading",
        measured="Step time of the serial model on one core over that of two ranks on two cores, the largest of the models tried",
        rules=_all(low=1.0, high=2.0),
        paper_value=1.66,
        statistic="median",
    ),
    Claim(
        id="C5b",
        claim="The paper's 4-way schedule cannot be more than 3.0 times as fast as one rank; a balanced one can be 4.0 times as fast",
        source="Derived from the authors' code: block products 4, 8, 8, 4 of 24",
        measured="Cap of the balanced schedule minus that of the paper's, products counted on four ranks",
        rules={name: Rule(low=1, high=1, seeds=1) for name in ("smoke", "laptop", "full")},
    ),
    Claim(
        id="C6",
        claim="At a fixed number of ranks and epochs a smaller global batch ends with a lower error",
        source="Job logs: RMSE at global batch 8, 4, 2",
        measured="Validation RMSE with global batch 2 over that with 8, equal epochs, paired seeds",
        rules=_all(high=0.98),
        paper_value=round(40.79 / 45.15, 3),
    ),
    Claim(
        id="C7",
        claim="At 256 GPUs the sharded models keep more of their efficiency (68 and 72 %) than the unsharded one (51 %)",
        source="Abstract",
        measured="Needs 256 GPUs; a cost model with one fitted number is drawn beside the logged values",
        rules=dict.fromkeys(("smoke", "laptop", "full"), LargerHardware("256 GPUs on 64 nodes")),
        paper_value="0.68 and 0.72 against 0.51",
    ),
    Claim(
        id="D1",
        claim="In miniature: the network forecasts better than persistence a day ahead",
        source="Expectation of this book; the accuracy tables of the paper could not be obtained",
        measured="RMSE of the wind after 24 h over that of persistence, seeds of the network",
        rules=_all(high=0.9),
    ),
    Claim(
        id="D2",
        claim="In miniature: it forecasts better than climatology a day ahead",
        source="Expectation of this book",
        measured="RMSE of the wind after 24 h over that of the mean of the training runs",
        rules=_all(high=0.9),
    ),
    Claim(
        id="D3",
        claim="In miniature: it beats numerical prediction, the same equation solved at the coarsest resolution that costs as much or more",
        source="Abstract: beats or matches numerical weather prediction; our own equation, our own solver",
        measured="RMSE of the wind after 24 h over that of the solver, cost in floating point operations",
        rules=_all(high=1.0),
    ),
    Claim(
        id="P1",
        claim="Of all ways to share one MLP block, Jigsaw needs the least memory per rank",
        source="Abstract: zero memory redundancy",
        measured="Peak bytes of tensors per rank over the least of DDP, FSDP2, DTensor and Megatron-style, 2 and 4 gloo ranks, "
        "recorded by the benchmark",
        rules={name: Rule(high=1.0, seeds=2) for name in ("smoke", "laptop", "full")},
    ),
    Claim(
        id="P2",
        claim="Its step takes no longer than that of FSDP2, 2 ranks",
        source="Target of this book",
        measured="Step time over that of FSDP2, round by round, 2 gloo ranks, recorded by the benchmark",
        rules={name: Rule(high=1.0, seeds=3) for name in ("smoke", "laptop", "full")},
        statistic="median",
    ),
    Claim(
        id="P3",
        claim="Its step takes no longer than that of DTensor column and row parallelism, 2 ranks",
        source="Target of this book",
        measured="Step time over that of DTensor, round by round, 2 gloo ranks, recorded by the benchmark",
        rules={name: Rule(high=1.0, seeds=3) for name in ("smoke", "laptop", "full")},
        statistic="median",
    ),
)
