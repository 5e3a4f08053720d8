"""The claims that the chapter tests, K1 to K6, with the rules by which each is judged.

Three of them need sensors. Where there is none the ledger says so, and the same conclusion is tested on the node model, under
an id with an ``m`` and with the words "node model" in the claim.
"""

from collections.abc import Sequence

from efficient_ai.ledger import NOT_READABLE, Claim, LargerHardware, Rule, Sentence, Told
from efficient_ai.metering import Status

ABSTRACT = (
    Sentence("s1", "Energy cannot be derived from run time alone: what is in the node matters"),
    Sentence("s2", "On mixed nodes accelerators that idle are disproportionately expensive"),
    Sentence(
        "s3", "Training and inference differ: GPUs win in training, processors are competitive in inference"
    ),
)
"""The sentences of the abstract that claim something, in our words."""

_PAPER = "Abstract"
_BOOK = "Expectation of this book"


def _rules(smoke: Rule, laptop: Rule, full: Rule) -> dict[str, Rule]:
    return {"smoke": smoke, "laptop": laptop, "full": full}


def _everywhere(rule: Rule | LargerHardware) -> dict[str, Rule | LargerHardware]:
    return dict.fromkeys(("smoke", "laptop", "full"), rule)


def readable(statuses: Sequence[Status], *names: str) -> bool:
    """True if every one of these sources can be read and is a sensor of this machine."""
    found = {s.name: s.source for s in statuses if s.source is not None}
    return all(name in found and found[name].measured for name in names)


def claims(statuses: Sequence[Status]) -> tuple[Claim, ...]:
    """The claims of this machine: what its sensors allow to measure is measured.

    Args:
        statuses: of :func:`efficient_ai.metering.survey`.
    """
    processor, board = readable(statuses, "rapl"), readable(statuses, "nvml")
    k1 = _everywhere(
        Rule(low=1.2, n=3) if processor else LargerHardware("a processor whose energy counter can be read")
    )
    both = LargerHardware("a node with a readable processor counter and a GPU")
    return (
        Claim(
            id="K1",
            kind="abstract",
            sentence="s1",
            published=NOT_READABLE,
            claim="Energy cannot be derived from run time alone: kernels of equal length differ in power",
            source=_PAPER,
            measured="Mean power of a matrix product on all threads over that of copying memory, the same seconds, by sensor",
            rules=k1,
        ),
        Claim(
            id="K1m",
            kind="abstract",
            sentence="s1",
            published=NOT_READABLE,
            repeats="draws of assumptions",
            assumption="all components draw the same power whatever they do",
            claim="The same on the node model (assumed powers, nothing measured): three jobs of equal length on the "
            "accelerated node differ in energy",
            source=_PAPER,
            measured="Largest over smallest energy of waiting, a processor job and a job on one of four GPUs, powers drawn "
            "from stated ranges",
            rules=_everywhere(Rule(low=1.2, n=20)),
        ),
        Claim(
            id="K1g",
            kind="abstract",
            sentence="s1",
            published=NOT_READABLE,
            repeats="timings",
            claim="The same on the board of a GPU: two kernels that keep it busy for the same time differ in power",
            source=_PAPER,
            measured="Mean power of the kernel that draws most, a large product of matrices, over that of copying memory: both "
            "keep the board busy for the same seconds",
            rules=_everywhere(Rule(low=1.2, n=3)),
        ),
        Claim(
            id="K2",
            kind="abstract",
            sentence="s2",
            published=NOT_READABLE,
            claim="Idle accelerators are disproportionately expensive for a processor job",
            source=_PAPER,
            measured="1 + idle power of all GPUs over the power of a busy processor, by sensors",
            rules=_everywhere(Rule(low=1.2, n=3) if processor and board else both),
        ),
        Claim(
            id="K2m",
            kind="abstract",
            sentence="s2",
            published=NOT_READABLE,
            repeats="draws of assumptions",
            assumption="an idle GPU draws no power",
            claim="The same on the node model (assumed powers, nothing measured): four idle GPUs beside a processor job",
            source=_PAPER,
            measured="Power of the accelerated over that of the standard node, processors 60 % busy, powers drawn from stated "
            "ranges",
            rules=_everywhere(Rule(low=1.2, n=20)),
        ),
        Claim(
            id="K2g",
            kind="abstract",
            sentence="s2",
            published=NOT_READABLE,
            repeats="timings",
            assumption="a processor job draws five times the 540 W",
            claim="The same with the measured power of an idle GPU: four of them beside a processor job (its power is assumed)",
            source=_PAPER,
            measured="1 + 4 x power of the board while the processor works (measured) over 540 W, the largest "
            "power that the node model gives to a processor job",
            rules=_everywhere(Rule(low=1.2, n=3)),
        ),
        Claim(
            id="K3",
            kind="abstract",
            sentence="s3",
            published=NOT_READABLE,
            claim="GPUs win in training, processors are competitive in inference of small batches",
            source=_PAPER,
            measured="Joules per sample of the forecaster, processor over GPU, training over inference, both at batch 64",
            rules=_everywhere(Rule(low=1.0, n=3) if processor and board else both),
        ),
        Claim(
            id="K3g",
            kind="abstract",
            sentence="s3",
            published=NOT_READABLE,
            repeats="timings",
            claim="The same with a measured GPU, at equal batch: it gains more in training than in inference",
            source=_PAPER,
            measured="Energy of one core over that of the board per sample, training over inference (the unknown power of the core "
            "cancels), geometric mean over two networks and batches of 1, 8, 64 and 512",
            rules=_everywhere(Rule(low=1.0, n=3)),
        ),
        Claim(
            id="K3l",
            kind="abstract",
            sentence="s3",
            published=NOT_READABLE,
            repeats="timings",
            claim="The same at equal latency: each device with the largest batch that it answers in time",
            source=_PAPER,
            measured="As K3g; geometric mean over two networks and 6, 12, 60 and 500 ms for an answer, where a device can keep them",
            rules=_everywhere(Rule(low=1.0, n=3)),
        ),
        Claim(
            id="K3m",
            kind="abstract",
            sentence="s3",
            published=NOT_READABLE,
            repeats="draws of assumptions",
            assumption="a GPU is as fast at batch 1 as its processors, or draws as little",
            claim="The same on the node model (assumed powers and speeds, nothing measured): there is a batch size below which "
            "the processors need less energy per inference and above which one GPU does",
            source=_PAPER,
            measured="1 if the GPU loses at batch 1 and wins at batch 512, else 0, powers and speeds drawn from stated ranges",
            rules=_everywhere(Rule(low=0.9, n=20)),
        ),
        Claim(
            id="K3a",
            kind="ours",
            claim="Alone, a sample costs several times as much as in a batch of 64",
            source=_BOOK,
            measured="Joules per inference of the forecaster at batch 1 over batch 64 on this processor; where no sensor is, "
            "net of the assumed idle power, which is a ratio of measured processor times",
            rules=_everywhere(Rule(low=3, n=3)),
        ),
        Claim(
            id="K3b",
            kind="ours",
            claim="A sample costs more than twice as much in training as in inference",
            source=_BOOK,
            measured="Joules per sample at batch 64, training over inference, mean over both networks in logarithms; source as "
            "K3a",
            rules=_everywhere(Rule(low=2, n=3)),
        ),
        Claim(
            id="K4a",
            kind="property",
            repeats="draws of phases",
            claim="The joules of a counter are right within their interval at any time between two readings",
            source="A counter is a sum: integrate it as one",
            measured="Distance from the truth over the printed interval's side, the farthest of steps from 0.1 to 7 s; a switching load, a counter "
            "that is renewed once a second, random phases",
            rules=_everywhere(Rule(high=1.0, n=3)),
        ),
        Claim(
            id="K4b",
            kind="ours",
            repeats="draws of phases",
            claim="Sampled power can be off by half and more if the load switches in time with the sampling",
            source=_BOOK,
            measured="Largest error over phases of the trapezoid, load of 50 and 250 W with the period of the sampling",
            rules=_everywhere(Rule(low=0.5, high=0.7, n=3)),
        ),
        Claim(
            id="K4c",
            kind="ours",
            exact=True,
            claim="perun 1.0.0 turns a counter into power, doubles the first value and integrates again: on a ramp it is off by "
            "what that formula predicts",
            source="Reading of perun 1.0.0",
            measured="Error of perun's report against its own counter readings, over what its formula predicts for them, ramp",
            rules=_everywhere(Rule(low=0.95, high=1.05, n=1)),
        ),
        Claim(
            id="K5",
            kind="paper",
            repeats="timings",
            claim="Measuring once a second costs less than one per cent of one core",
            source="perun paper: minimal overhead; the limit of 1 % is ours",
            measured="Processor time of a process that sleeps while our sampler reads six counters at 1 Hz, per second",
            rules=_rules(Rule(high=0.01, n=3), Rule(high=0.01, n=5), Rule(high=0.01, n=10)),
        ),
        Claim(
            id="K6a",
            kind="ours",  # no identity: whether the last reading sees the last joule is decided by the machine
            exact=True,
            claim="On a counter with a known integral our instrument is exact, also on a busy machine",
            source=_BOOK,
            measured="Largest relative error over four loads, fake powercap tree",
            rules=_everywhere(Rule(high=1e-6, n=1)),
        ),
        Claim(
            id="K6b",
            kind="ours",
            exact=True,
            claim="On the same counters the tools agree within 5 % for a steady load",
            source=_BOOK,
            measured="Largest relative difference of perun and of CodeCarbon's packages from the truth, steady load",
            rules=_everywhere(Rule(high=0.05, n=1)),
        ),
        Claim(
            id="K6c",
            kind="ours",
            exact=True,
            claim="Without a sensor the estimates of the same processor's work differ by a factor of two and more",
            source=_BOOK,
            measured="Largest over smallest joules of the processor alone: our estimate and CodeCarbon's two modes, one loop on one core",
            rules=_everywhere(Rule(low=2, n=1)),
        ),
    )


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"Whoever samples power can be {told.value('K4b', '.0f', 100)} % off when the load switches in time with the samples, "
        f"{told.words('K4a', 'where a counter stays within the interval that it prints', 'and a counter left its interval, too', 'and a counter is undecided')}; "
        f"per sample, training took {told.span('K3b', '.2g')} times the energy of inference ({told['K3b']['baseline'].rpartition(', ')[2]}), "
        f"and four idle GPUs would make a processor job {told.value('K2m', '.2f')} times as expensive (a model: its powers are assumed)."
    )
