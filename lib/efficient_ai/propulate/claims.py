"""The sentences of the abstract and the claims that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import NOT_PUBLISHED, Claim, Published, Rule, Sentence, Told

ABSTRACT = (
    Sentence("s1", "Populations propagate asynchronously: no worker waits for another"),
    Sentence("s2", "The search is up to three orders of magnitude faster than Optuna", "1000"),
    Sentence("s3", "The solutions are as accurate"),
)
"""The sentences of the abstract that claim something, in our words."""


def _rules(smoke: int, laptop: int, full: int, **bounds) -> dict[str, Rule]:
    return {name: Rule(n=n, **bounds) for name, n in (("smoke", smoke), ("laptop", laptop), ("full", full))}


_OPTUNA = Published(1000, "up to; storage and workers could not be read", neutral=1)
_OVERHEAD = "Overhead per evaluation of Optuna's TPE over ours, both with all results in files, two processes, 400 free evaluations"
_AHEAD = "Orders of magnitude by which its loss is below the better median of the two, {} variables, 400 evaluations"
_ISLANDS = (
    "Success rate of 4 islands minus that of one population, bisphere and birastrigin in 30 variables, equal workers and "
    "evaluations, simulated clock"
)
# Naps are short in smoke: what a wake-up costs is a visible part of them, so the band is wider.
_NO_WAITING = {
    "smoke": Rule(low=0.8, high=1.2, n=3),
    "laptop": Rule(low=0.95, high=1.05, n=10),
    "full": Rule(low=0.95, high=1.05, n=20),
}
_NO_WORSE = {
    "smoke": Rule(low=0.35, high=0.65, n=3),
    "laptop": Rule(low=0.35, high=0.65, n=20),
    "full": Rule(low=0.4, high=0.6, n=50),
}

CLAIMS = (
    Claim(
        id="A",
        kind="abstract",
        sentence="s1",
        claim="No waiting: with evaluation times that vary, asynchronous workers are busy all the time, while workers "
        "that meet after each generation wait for the slowest",
        source="Abstract; Sections 1 and 3",
        measured="Utilisation of an asynchronous run over that of a synchronous one, evaluation times exponential and "
        "slept on real MPI ranks, divided by the ratio that theory predicts for the times that were slept: a "
        "synchronous generation lasts as long as its slowest evaluation, an asynchronous worker never waits",
        rules=_NO_WAITING,
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="C1",
        kind="abstract",
        sentence="s2",
        claim="Faster than Optuna, which writes every suggestion to a journal file",
        source="Abstract",
        measured=f"{_OVERHEAD}; three times the published ratio would point to a rival that did not run as it should",
        repeats="timings of two functions",
        statistic="geometric mean",
        rules=_rules(6, 6, 6, low=10, high=3000),
        published=_OPTUNA,
    ),
    Claim(
        id="C2",
        kind="abstract",
        sentence="s2",
        claim="Faster than Optuna, which writes every suggestion to an SQLite database",
        source="Abstract",
        measured=f"{_OVERHEAD}; three times the published ratio would point to a rival that did not run as it should",
        repeats="timings of two functions",
        statistic="geometric mean",
        rules=_rules(6, 6, 6, low=100, high=3000),
        published=_OPTUNA,
    ),
    Claim(
        id="B",
        kind="abstract",
        sentence="s3",
        claim="Without sacrificing accuracy: at equal evaluations, asynchronous evolution ends as well as synchronous",
        source="Abstract",
        measured="Share of nine benchmark functions in which the asynchronous search ends with the smaller loss (ties count "
        "half), 8 workers, equal evaluations; 0.5 is no difference",
        rules=_NO_WORSE,
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="D1",
        kind="abstract",
        sentence="s3",
        claim="On many separate valleys along the axes, the genetic algorithm needs fewer evaluations than TPE and CMA-ES",
        source="Abstract: as accurate as Optuna; where the operators fit the landscape",
        measured=_AHEAD.format("rastrigin in 20"),
        statistic="median",
        rules=_rules(3, 10, 20, low=0.05),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="D4",
        kind="abstract",
        sentence="s3",
        claim="Turned against the axes, it is no worse than TPE and CMA-ES",
        source="Abstract: as accurate as Optuna; where the operators do not fit",
        measured=_AHEAD.format("rotated rastrigin in 20"),
        statistic="median",
        rules=_rules(3, 10, 20, low=-0.05),
        published=NOT_PUBLISHED,
    ),
    Claim(
        id="D2",
        kind="ours",
        claim="Turning the axes takes that lead away",
        source="The operators move single variables",
        measured=_AHEAD.format("rotated rastrigin in 20"),
        statistic="median",
        rules=_rules(3, 10, 20, high=0.05),
    ),
    Claim(
        id="D3",
        kind="ours",
        claim="On a smooth bowl CMA-ES needs far fewer evaluations than the genetic algorithm",
        source="CMA-ES learns the step size",
        measured=_AHEAD.format("sphere in 2"),
        statistic="median",
        rules=_rules(3, 10, 20, high=-6),
    ),
    Claim(
        id="E1",
        kind="paper",
        claim="Several islands with rare pollination (probability 0.1) find the right one of two funnels more often than one "
        "population",
        source="Section 3: the island model; the two double funnels are in the paper's suite",
        measured=_ISLANDS,
        rules=_rules(6, 40, 100, low=0.05),
    ),
    Claim(
        id="E2",
        kind="ours",
        claim="They do if an exchange is very rare (probability 0.001)",
        source="Found by trying on other seeds than those of this run",
        measured=_ISLANDS,
        rules=_rules(6, 40, 100, low=0.05),
    ),
    Claim(
        id="E3",
        kind="ours",
        claim="They do if nothing is ever exchanged: what helps is being apart, not what is exchanged",
        source="The control of E2",
        measured=_ISLANDS,
        rules=_rules(6, 40, 100, low=0.05),
    ),
    Claim(
        id="H1",
        kind="ours",
        claim="With the most workers that were simulated, breeding from a pool of 16 finds one of the best earlier than random search",
        source="The pool is a setting of the propagator; its default of twice the workers makes the first candidates random",
        measured="Simulated time of random search over that of evolution until a candidate among the best 0.1 % is known, recorded "
        "trainings, geometric mean over search spaces",
        statistic="geometric mean",
        rules=_rules(3, 10, 30, low=1),
    ),
    Claim(
        id="H2",
        kind="ours",
        claim="The usual pool of twice the workers gives that away: a pool of 16 is earlier with the most workers",
        source="As H1",
        measured="As H1, time with the pool of twice the workers over that with the pool of 16",
        statistic="geometric mean",
        rules=_rules(3, 10, 30, low=1),
    ),
    Claim(
        id="F1",
        kind="paper",
        claim="More workers, less time: a fixed number of evaluations is shared out without loss (strong scaling)",
        source="Sections 1 and 3: no communication is waited for",
        measured="Parallel efficiency on 4 MPI ranks relative to one rank, evaluations slept",
        rules=_rules(3, 10, 20, low=0.85, high=1.05),
    ),
    Claim(
        id="F2",
        kind="paper",
        claim="Evaluations per worker stay as fast when workers are added (weak scaling)",
        source="Sections 1 and 3: no communication is waited for",
        measured="Parallel efficiency on 4 MPI ranks relative to one rank, the same number of evaluations per rank",
        rules=_rules(3, 10, 20, low=0.85, high=1.05),
    ),
    Claim(
        id="G",
        kind="property",
        claim="Replicated populations agree: after the last message every worker holds the same individuals",
        source="Section 3: all workers of an island share one population",
        measured="1 if all ranks end with the identical set of individuals and none is lost or doubled, else 0",
        rules=_rules(3, 10, 20, low=1, high=1),
    ),
    Claim(
        id="G2",
        kind="property",
        claim="Migration conserves individuals: whoever was evaluated is active on exactly one island",
        source="Section 3: migrants leave their island",
        measured="1 if on two islands of real ranks everybody born is active exactly once, and ranks of an island agree",
        rules=_rules(3, 10, 20, low=1, high=1),
    ),
)


def finding(told: Told) -> str:
    """What the run found, in one sentence."""
    return (
        "With tasks of unequal length, ranks that wait for nobody "
        f"{told.words('A', 'gain what theory predicts', 'do not gain what theory predicts', 'may or may not gain what theory predicts')} "
        f"(measured over predicted: {told.span('A', '.3f')}) and "
        f"{told.words('B', 'search as well as ranks that do wait', 'search worse than ranks that do wait', 'cannot be told from ranks that wait in what they find')}; "
        f"{told.words('D1', 'the genetic algorithm is ahead of TPE and CMA-ES where valleys lie along the axes', 'the genetic algorithm is not ahead of TPE and CMA-ES', 'whether the genetic algorithm beats TPE and CMA-ES is undecided')}"
        f"{told.words('D2', ', and turning the axes takes that lead away', '', '')}."
    )
