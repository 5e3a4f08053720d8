"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_READABLE, Claim, Published, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "A spiking network that reads hits as spikes learns to find coincident photons"),
    Sentence("s2", "A loss of several objectives, made for it, trains it"),
    Sentence("s3", "Telling it the geometry of the detector has an effect"),
    Sentence("s4", "It outperforms the classical algorithm, with F1 of up to 95.2 %", "0.952"),
    Sentence("s5", "It is up to 36 times faster than the classical approach", "36"),
)
"""The sentences of the abstract that claim something, in our words."""


def _each(rule: Rule, numbers: dict[str, int]) -> dict[str, Rule]:
    return {name: Rule(rule.low, rule.high, n=n) for name, n in numbers.items()}


_SHIPPED = dict.fromkeys(("smoke", "laptop", "full"), 3)
_TRAINED = {"smoke": 3, "laptop": 5, "full": 10}
_SPEED_UP = Rule(low=1.0, high=360)  # ten times the published number would say that the loop is badly written
_TIMED = {"smoke": 3, "laptop": 5, "full": 9}
_RECORDED = dict.fromkeys(("smoke", "laptop", "full"), 3)
_RECORDED_TIMES = dict.fromkeys(("smoke", "laptop", "full"), 9)
_F1 = Published(0.952, "the maximum of two sets; which one could not be read")
_SPEED = Published(36, "up to; GPU against a loop over bins in Python, larger scanner", neutral=1)
_TINY = ", equal updates, paired seeds, tiny set"

CLAIMS = (
    Claim(
        id="1",
        kind="abstract",
        sentence="s1",
        claim="A spiking network can filter coincidences: it keeps the hits of pairs and drops the others",
        source="Abstract",
        measured="Hit-level F1 of the shipped networks on samples they never saw, small set, tolerance the largest delay",
        rules=_each(Rule(low=0.8, high=1.0), _SHIPPED),
        published=_F1,
    ),
    Claim(
        id="2a",
        kind="abstract",
        sentence="s4",
        claim="The network beats the coincidence window of the paper, at whatever width that is best",
        source="Abstract",
        measured="F1 of the shipped networks minus the best F1 of the plain window over all widths, same samples, small set",
        rules=_each(Rule(low=0.0), _SHIPPED),
        published=NOT_READABLE,
    ),
    Claim(
        id="2b",
        kind="abstract",
        sentence="s4",
        claim="It beats the strongest window that knows what it knows: which crystals are opposite, but not their delays",
        source="Abstract; the network is told the geometry, so its rival is told, too",
        measured="F1 of the shipped networks minus the best F1 of all windows that are told no delay (plain, geometry cut, "
        "multiples resolved, calibrated by itself from hits without labels), same samples, small set",
        rules=_each(Rule(low=0.0), _SHIPPED),
        published=NOT_READABLE,
    ),
    Claim(
        id="2d",
        kind="abstract",
        sentence="s4",
        claim="On the paper's standard set, too, the network beats the plain window at its best width",
        source="Abstract",
        measured="F1 after 1 500 updates of 128 samples minus the best F1 of the plain window over all widths, same samples; "
        "settings of the set inferred; the noise of the test set is not in the interval",
        rules=_each(Rule(low=0.0), _RECORDED),
        published=NOT_READABLE,
    ),
    Claim(
        id="2e",
        kind="abstract",
        sentence="s4",
        claim="On the standard set it beats the strongest window that is told no delay",
        source="Abstract",
        measured="As 2d, minus the best F1 of all windows that are told no delay, as in 2b",
        rules=_each(Rule(low=0.0), _RECORDED),
        published=NOT_READABLE,
    ),
    Claim(
        id="2c",
        kind="ours",
        claim="It also beats a window that has been calibrated: one that knows the delays of the crystals",
        source="The delays are one frozen draw, which the network can learn",
        measured="F1 of the shipped networks minus that of the calibrated window, same samples, small set",
        rules=_each(Rule(low=0.0), _SHIPPED),
    ),
    Claim(
        id="3a",
        kind="abstract",
        sentence="s2",
        claim="The published timing term helps: by half a point of F1 or more",
        source="Abstract: a loss of several objectives",
        measured="F1 with the published loss minus that with the weight of its timing term at zero" + _TINY,
        rules=_each(Rule(low=0.005), _TRAINED),
        published=NOT_READABLE,
    ),
    Claim(
        id="3b",
        kind="abstract",
        sentence="s2",
        claim="A timing loss that has a gradient helps: by half a point of F1 or more",
        source="Abstract: a loss of several objectives",
        measured="F1 with the trace loss minus that with the better of two losses that count (squares, absolute values)"
        + _TINY,
        rules=_each(Rule(low=0.005), _TRAINED),
        published=NOT_READABLE,
    ),
    Claim(
        id="3c",
        kind="property",
        claim="The published timing term has no gradient: training with it is training without it, to the bit",
        source="Code of the authors: times are whole numbers",
        measured="Largest difference of any weight between both trainings",
        rules=_each(Rule(high=0.0), _TRAINED),
    ),
    Claim(
        id="4",
        kind="abstract",
        sentence="s3",
        claim="Telling the network the geometry helps",
        source="Abstract",
        measured="F1 with geometry channels minus that without, trace loss" + _TINY,
        rules=_each(Rule(low=0.0), _TRAINED),
        published=NOT_READABLE,
    ),
    Claim(
        id="5a",
        kind="abstract",
        sentence="s5",
        claim="The network is faster than the coincidence window written as a loop over hits in Python",
        source="Abstract",
        measured="Time per sample of the Python loop over hits over that of the network computed in the faster of two ways "
        "(over all bins at its best batch size, driven by events), this machine, one thread, small set",
        repeats="timings",
        rules=_each(_SPEED_UP, _TIMED),
        published=_SPEED,
        statistic="median",
    ),
    Claim(
        id="5c",
        kind="abstract",
        sentence="s5",
        claim="The network is faster than the window as it was released: a loop over all bins of a dense raster",
        source="Abstract",
        measured="Time per sample of the loop over bins over that of the network in the faster of two ways, as 5a; this loop is "
        "the slowest way to write a window",
        repeats="timings",
        rules=_each(_SPEED_UP, _TIMED),
        published=_SPEED,
        statistic="median",
    ),
    Claim(
        id="5d",
        kind="abstract",
        sentence="s5",
        claim="On a GPU the network is faster than the window as a loop over hits in Python, small set",
        source="Abstract",
        measured="Time per sample of the loop on one core over that of the network on the GPU beside it at its best batch "
        "size, copies included",
        repeats="timings",
        rules=_each(_SPEED_UP, _RECORDED_TIMES),
        published=_SPEED,
        statistic="median",
    ),
    Claim(
        id="5e",
        kind="abstract",
        sentence="s5",
        claim="The same on the SAFIR-like set",
        source="Abstract",
        measured="As 5d",
        repeats="timings",
        rules=_each(_SPEED_UP, _RECORDED_TIMES),
        published=_SPEED,
        statistic="median",
    ),
    Claim(
        id="5b",
        kind="ours",
        claim="The network is faster than the same window compiled",
        source="A fair comparison compiles both",
        measured="Time per sample of the compiled loop over that of the network in the faster of two ways, as 5a",
        repeats="timings",
        rules=_each(Rule(low=1.0), _TIMED),
        statistic="median",
    ),
    Claim(
        id="5f",
        kind="ours",
        claim="Driven by events, the network takes less time than over all bins",
        source="Between events nothing can happen that has to be computed",
        measured="Time per sample over all bins at the best batch size over that driven by events, this machine, one thread, "
        "small set",
        repeats="timings",
        rules=_each(Rule(low=1.0), _TIMED),
        statistic="median",
    ),
    Claim(
        id="5g",
        kind="property",
        claim="Driven by events it sends the same spikes",
        source="Without input a membrane goes to where it rests, and never turns back",
        measured="Output spikes that only one of both ways sends, float64, shipped networks, samples they never saw",
        rules=_each(Rule(high=0.0), _SHIPPED),
    ),
    Claim(
        id="5h",
        kind="ours",
        claim="On the SAFIR-like set it takes a thirtieth of the time over all bins, or less",
        source="The sparser the hits, the more there is to skip",
        measured="As 5f, one core, drawn weights, nine hidden neurons that fire without input, as many as the small network has",
        repeats="timings",
        rules=_each(Rule(low=30.0), dict.fromkeys(("smoke", "laptop", "full"), 5)),
        statistic="median",
    ),
    Claim(
        id="6",
        kind="paper",
        claim="A loss for each bin on its own fails: the network falls silent",
        source="Motive of the paper's loss: labels are sparse",
        measured="Spikes sent over spikes wanted after training with the loss per bin, tiny set",
        rules=_each(Rule(high=0.05), _TRAINED),
    ),
    Claim(
        id="7",
        kind="paper",
        claim="At the size of a real scanner training is harder: the same recipe does not train there",
        source="Summary of the paper: large-scale training needs care",
        measured="F1 on the SAFIR-like set after 800 updates of 64 samples over that on the small set, at each of three rates",
        repeats="learning rates of one seed",
        rules=_each(Rule(high=0.5), _RECORDED),
    ),
    Claim(
        id="8",
        kind="property",
        claim="The trained network runs in Brian2 spike for spike",
        source="A spiking network is a definition, not an approximation",
        measured="Spikes that differ between torch and Brian2, all layers, both ways of replaying",
        repeats="samples",
        rules=_each(Rule(high=0.0), {"smoke": 3, "laptop": 20, "full": 100}),
    ),
    Claim(
        id="9a",
        kind="ours",
        claim="What the network gains in F1 arrives in the picture: a higher noise-equivalent count rate than the plain window's",
        source="Pictures are made from pairs, not from F1",
        measured="NECR of the network, paired by a window, over that of the plain window, each at its best width; Monte Carlo of "
        "an uncalibrated ring of 120 bars, hot rods, 500 MBq, shipped networks, each on a scan of its own",
        repeats="networks and scans",
        statistic="geometric mean",
        rules=_each(Rule(low=1.0), _SHIPPED),
    ),
    Claim(
        id="9c",
        kind="ours",
        claim="It is higher than that of the strongest window that is told no delay",
        source="The rival with the same knowledge",
        measured="As 9a, over the best of plain window, geometry cut, multiples resolved and the self-calibrated one",
        repeats="networks and scans",
        statistic="geometric mean",
        rules=_each(Rule(low=1.0), _SHIPPED),
    ),
    Claim(
        id="9b",
        kind="ours",
        claim="It is also higher than that of a calibrated window",
        source="A calibration is the classical way to the same gain",
        measured="As 9a, over that of the window that knows the delays",
        repeats="networks and scans",
        statistic="geometric mean",
        rules=_each(Rule(low=1.0), _SHIPPED),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"The spiking network keeps the hits of pairs (F1 {told.value('1', '.3f')}) and "
        f"{told.words('2a', 'beats', 'does not beat', 'may or may not beat')} the paper's coincidence window by {told.span('2a', '+.3f')}; the "
        f"strongest window that knows as much {told.words('2b', 'is beaten, too', 'is better', 'cannot be told from it')} "
        f"({told.span('2b', '+.3f')}), and a compiled window takes {told.value('5b', '.1g', 100)} % of the network's time."
    )
