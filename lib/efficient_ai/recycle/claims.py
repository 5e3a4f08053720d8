"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import (
    NOT_PUBLISHED,
    NOT_READABLE,
    Claim,
    LargerHardware,
    Published,
    Rule,
    Sentence,
    Told,
)

ABSTRACT = (
    Sentence("s1", "Folding at the primary cycle takes away the cost of attention over long series"),
    Sentence(
        "s2", "By learning residuals of smoothed averages it is more accurate than the state of the art"
    ),
    Sentence("s3", "The averages are a reliable and explainable fallback"),
    Sentence(
        "s4", "Run time and energy fall by more than an order of magnitude, in training and inference", "10"
    ),
    Sentence("s5", "Training and inference are feasible on edge devices of little performance and power"),
)
"""The sentences of the abstract that claim something, in our words."""


def _rules(smoke: Rule, n: int, **bounds) -> dict[str, Rule]:
    return {"smoke": smoke, "laptop": Rule(n=n, **bounds), "full": Rule(n=n, **bounds)}


def _same(n: int = 5, **bounds) -> dict[str, Rule]:
    return _rules(Rule(n=3, **bounds), n, **bounds)


def _exact(**bounds) -> dict[str, Rule]:
    return dict.fromkeys(("smoke", "laptop", "full"), Rule(n=1, **bounds))


_TENFOLD = Published(10, "more than; the tables could not be read", neutral=1)
_BELOW = "Per cent by which {} is below {}, mean absolute error of each series on the test year"

CLAIMS = (
    Claim(
        id="C0",
        kind="abstract",
        sentence="s1",
        claim="A forecast on day tokens takes at most a tenth of the multiplications of one on hourly tokens",
        source="Abstract",
        measured="Floating point operations of one forecast, counted: hourly twin over day tokens. No more than 576 = 24² is "
        "possible, the ratio of the attention scores alone",
        repeats="models",
        exact=True,
        rules=_exact(low=10, high=576),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="C1",
        kind="abstract",
        sentence="s4",
        claim="A training epoch on day tokens takes at most a tenth of the time of one on hourly tokens",
        source="Abstract",
        measured="Processor seconds of an epoch of the hourly twin over those of the same transformer on days, the same "
        "windows, batch of 32, one thread; one pair of networks",
        repeats="timings",
        statistic="geometric mean",
        rules=_same(low=10, high=576),
        published=_TENFOLD,
    ),
    Claim(
        id="C1b",
        kind="abstract",
        sentence="s4",
        claim="A single forecast on day tokens takes at most a tenth of the time of one on hourly tokens",
        source="Abstract",
        measured="Processor seconds of one forecast of seven days, batch of one, one thread: hourly twin over day tokens",
        repeats="timings",
        statistic="geometric mean",
        rules=_same(low=10, high=576),
        published=_TENFOLD,
    ),
    Claim(
        id="C1e",
        kind="abstract",
        sentence="s4",
        claim="A training epoch on day tokens takes at most a tenth of the energy of one on hourly tokens",
        source="Abstract",
        measured="Joules by a sensor. Where energy is estimated from processor time it has the ratio of C1 by construction",
        repeats="timings",
        rules=dict.fromkeys(
            ("smoke", "laptop", "full"),
            LargerHardware("a machine whose power a sensor measures, for an epoch at a time"),
        ),
        published=_TENFOLD,
    ),
    Claim(
        id="C2a",
        kind="ours",
        claim="The network forecasts better than the profile that it corrects",
        source="Section V of the paper describes the profile; the comparison is ours",
        measured=_BELOW.format("the plain recipe", "the profile alone") + ", 20 countries",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C2b",
        kind="abstract",
        sentence="s2",
        claim="Residuals make it more accurate than the same network on raw days",
        source="Abstract; Section V",
        measured=_BELOW.format("the plain recipe", "the network on raw days that also sees the profile")
        + ", 20 countries, paired by seed",
        unit="%",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C2c",
        kind="abstract",
        sentence="s2",
        claim="On one household, too, residuals make it more accurate than raw days",
        source="Abstract: a variety of applications",
        measured=_BELOW.format("the plain recipe", "the network on raw days that also sees the profile")
        + ", one household in quarter hours, paired by seed",
        unit="%",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C6",
        kind="abstract",
        sentence="s2",
        claim="The network beats a linear map in closed form",
        source="Abstract: better than the state of the art (its baselines could not be read)",
        measured=_BELOW.format(
            "the best ReCycle variant, chosen on the validation year,",
            "ridge regression on the last seven days with profile and calendar",
        )
        + ", 20 countries",
        unit="%",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C7",
        kind="abstract",
        sentence="s2",
        claim="The network beats the strongest of the other networks: NLinear, DLinear, hourly tokens, PatchTST, Autoformer",
        source="Abstract: better than the state of the art (its baselines could not be read)",
        measured=_BELOW.format(
            "the best ReCycle variant", "the strongest of the others, both chosen on the validation year"
        )
        + ", 20 countries, paired by seed. The three slow ones get processor seconds and not epochs, and none is tuned",
        unit="%",
        rules=_same(low=0.0),
        published=NOT_READABLE,
    ),
    Claim(
        id="C3a",
        kind="property",
        claim="A network that says nothing leaves the profile standing",
        source="Abstract: reliable and explainable fallback",
        measured="Largest difference between the forecast with an output layer of zeros and the profile, normalised",
        rules=_same(high=1e-6),
    ),
    Claim(
        id="C3b",
        kind="abstract",
        sentence="s3",
        claim="Training the plain recipe never leads far above the profile's error",
        source="Abstract: reliable fallback; the bound of a quarter is ours",
        measured="Largest validation error over all epochs, the untrained network included, over that of the profile: the "
        "plain recipe",
        rules=_same(high=1.25),
        published=NOT_READABLE,
    ),
    Claim(
        id="C3c",
        kind="ours",
        claim="With an output layer that begins at zero, training never leads far above the profile's error",
        source="Found by trying on other seeds",
        measured="Largest validation error over all epochs, the untrained network included, over that of the profile: zero "
        "head",
        rules=_same(high=1.25),
    ),
    Claim(
        id="C4",
        kind="ours",
        claim="With 60 days of data residuals beat raw days",
        source="A prior should help where data are few",
        measured="Per cent by which the network on residuals (zero head) is below that on raw days, MASE of the test year, "
        "trained on the last days of 2018 of one country, a different country for each seed",
        repeats="countries",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C4b",
        kind="ours",
        claim="With 60 days of data the network is not worse than its profile",
        source="A prior should help where data are few",
        measured="MASE of the network on residuals (zero head) over that of the profile, 60 training days, a different "
        "country for each seed",
        repeats="countries",
        rules=_same(high=1.02),
    ),
    Claim(
        id="C5a",
        kind="abstract",
        sentence="s5",
        claim="A forecast takes less than ten milliseconds on one thread",
        source="Abstract (device and numbers could not be read; the bound is ours)",
        measured="Median wall time of one forecast of seven days in a process with one thread",
        repeats="processes",
        unit="ms",
        rules=_rules(Rule(high=10, n=2), 3, high=10),
        published=NOT_READABLE,
    ),
    Claim(
        id="C5b",
        kind="abstract",
        sentence="s5",
        claim="Training fits a small board",
        source="Abstract (device and numbers could not be read; the bound is ours)",
        measured="Largest resident memory of a process with one thread and limited memory that loads the data, trains and "
        "forecasts",
        repeats="processes",
        unit="MB",
        rules=_rules(Rule(high=512, n=2), 3, high=512),
        published=NOT_READABLE,
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        f"Folding hours into days made an epoch of training {told.value('C1', '.0f')} times cheaper, and learning what the habit leaves over "
        f"{told.words('C2b', 'lowered', 'did not lower', 'may have lowered')} the error of the same network on raw days "
        f"(by {told.span('C2b', '.1f')} %); a linear map in closed form "
        f"{told.words('C6', 'is beaten by it', 'is still better', 'cannot be told from it')} (network below ridge by {told.span('C6', '.1f')} %)."
    )
