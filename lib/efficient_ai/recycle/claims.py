"""The claims of the paper that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import Claim, Rule

NOT_READ = "not available: the tables of the paper could not be obtained"


def _rules(smoke: Rule, seeds: int, **bounds) -> dict[str, Rule]:
    return {"smoke": smoke, "laptop": Rule(n=seeds, **bounds), "full": Rule(n=seeds, **bounds)}


def _same(seeds: int = 5, **bounds) -> dict[str, Rule]:
    return _rules(Rule(n=3, **bounds), seeds, **bounds)


CLAIMS = (
    Claim(
        id="C1",
        kind="abstract",
        sentence="s4",
        claim="A training epoch on day tokens takes at most a tenth of the time and energy of one on hourly tokens",
        source="Abstract: more than an order of magnitude",
        measured="Processor seconds of an epoch of the hourly twin over those of the same transformer on days, the same "
        "windows, batch of 32, one thread; where energy is estimated from processor time it has the same ratio",
        rules=_same(low=10),
    ),
    Claim(
        id="C1b",
        kind="abstract",
        sentence="s4",
        claim="A single forecast on day tokens takes at most a tenth of the time of one on hourly tokens",
        source="Abstract: training and inference",
        measured="Processor seconds of one forecast of seven days, batch of one, one thread: hourly twin over day tokens",
        rules=_same(low=10),
    ),
    Claim(
        id="C2a",
        kind="ours",
        claim="The network forecasts better than the profile that it corrects",
        source="Abstract: better accuracy; Section V",
        measured="Per cent by which the plain recipe is below the profile alone, MASE of the test year, 20 countries, "
        "paired by seed",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C2b",
        kind="abstract",
        sentence="s2",
        claim="Residuals make it more accurate than the same network on raw days",
        source="Abstract; Section V",
        measured="Per cent by which the plain recipe is below the network on raw days that also sees the profile, MASE of "
        "the test year, 20 countries, paired by seed",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C2c",
        kind="abstract",
        sentence="s2",
        claim="On one household, too, residuals make it more accurate than raw days",
        source="Abstract: a variety of applications",
        measured="Per cent by which the plain recipe is below the network on raw days that also sees the profile, MASE of "
        "one household in quarter hours, paired by seed",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C3a",
        kind="property",
        claim="A network that says nothing leaves the profile standing: a reliable fallback",
        source="Abstract: reliable and explainable fall-back behaviour",
        measured="Largest difference between the forecast with an output layer of zeros and the profile, normalised",
        rules=_same(high=1e-6),
    ),
    Claim(
        id="C3b",
        kind="abstract",
        sentence="s3",
        claim="Training the plain recipe never leads far above the profile's error",
        source="Expectation of this book, from the abstract",
        measured="Largest validation error over all epochs, the untrained network included, over that of the profile: the "
        "plain recipe",
        rules=_same(high=1.25),
    ),
    Claim(
        id="C3c",
        kind="ours",
        claim="With an output layer that begins at zero, training never leads far above the profile's error",
        source="Expectation of this book, from trying on other seeds",
        measured="Largest validation error over all epochs, the untrained network included, over that of the profile: zero "
        "head",
        rules=_same(high=1.25),
    ),
    Claim(
        id="C4",
        kind="ours",
        claim="With 60 days of data residuals beat raw days",
        source="Expectation of this book: a prior helps where data are few",
        measured="Per cent by which the network on residuals (zero head) is below that on raw days, MASE of the test year, "
        "trained on the last days of 2018 of one country, a different country for each seed",
        unit="%",
        rules=_same(low=0.0),
    ),
    Claim(
        id="C4b",
        kind="ours",
        claim="With 60 days of data the network is not worse than its profile",
        source="Expectation of this book",
        measured="MASE of the network on residuals (zero head) over that of the profile, 60 training days, a different "
        "country for each seed",
        rules=_same(high=1.02),
    ),
    Claim(
        id="C5a",
        kind="abstract",
        sentence="s5",
        claim="A forecast takes less than ten milliseconds on one thread",
        source="Abstract: low-power and edge devices (device and numbers not available)",
        measured="Median wall time of one forecast of seven days in a process with one thread",
        unit="ms",
        rules=_rules(Rule(high=10, n=2), 3, high=10),
    ),
    Claim(
        id="C5b",
        kind="abstract",
        sentence="s5",
        claim="Training fits a small board",
        source="Abstract: low-power and edge devices (device and numbers not available)",
        measured="Largest resident memory of a process with one thread and limited memory that loads the data, trains and "
        "forecasts",
        unit="MB",
        rules=_rules(Rule(high=512, n=2), 3, high=512),
    ),
    Claim(
        id="C6",
        kind="abstract",
        sentence="s2",
        claim="The network beats a linear map in closed form",
        source="Abstract: better than the state of the art (baselines not available)",
        measured="Per cent by which the best ReCycle variant, chosen on the validation year, is below ridge regression on "
        "the last seven days with profile and calendar, MASE of the test year, 20 countries",
        unit="%",
        rules=_same(low=0.0),
    ),
)
