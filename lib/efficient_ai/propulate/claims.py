"""The claims of the paper that the chapter tests, with the rules by which each is judged."""

from efficient_ai.ledger import Claim, Published, Rule, Sentence

ABSTRACT = (
    Sentence("s1", "Workers propagate populations asynchronously: none waits for another"),
    Sentence("s2", "The search is up to three orders of magnitude faster than Optuna", "up to 1000"),
    Sentence("s3", "The solutions are as good"),
)
"""The sentences of the abstract that claim something, in our words."""

CLAIMS = (
    Claim(
        id="A",
        kind="abstract",
        sentence="s1",
        claim="No waiting: with evaluation times that vary, asynchronous workers are busy all the time, while workers "
        "that meet after each generation wait for the slowest",
        source="Sections 1 and 3: the barrier of a generational algorithm is removed",
        measured="Utilisation of an asynchronous run over that of a synchronous one, evaluation times exponential and "
        "slept on real MPI ranks, divided by the ratio that theory predicts for the times that were slept: a "
        "synchronous generation lasts as long as its slowest evaluation, an asynchronous worker never waits",
        rules={
            # Short naps: what a wake-up costs is a visible part of them, so the band is wider.
            "smoke": Rule(low=0.8, high=1.2, n=3),
            "laptop": Rule(low=0.95, high=1.05, n=10),
            "full": Rule(low=0.95, high=1.05, n=20),
        },
    ),
    Claim(
        id="B",
        kind="abstract",
        sentence="s3",
        claim="Without sacrificing accuracy: at equal evaluations, asynchronous evolution ends as well as synchronous",
        source="Abstract",
        measured="Share of the seeds in which the asynchronous search ends with the smaller loss (ties count half), "
        "over the nine benchmark functions, 8 workers, equal evaluations; 0.5 is no difference",
        rules={
            "smoke": Rule(low=0.35, high=0.65, n=3),
            "laptop": Rule(low=0.35, high=0.65, n=20),
            "full": Rule(low=0.4, high=0.6, n=50),
        },
    ),
    Claim(
        id="C1",
        kind="abstract",
        sentence="s2",
        repeats="timings",
        claim="Faster than Optuna, which writes every suggestion to a journal file",
        source="Abstract: up to three orders of magnitude",
        measured="Overhead per evaluation of Optuna's TPE over ours, both with all results in files, two processes, 400 "
        "free evaluations, repeats on two functions, recorded by the benchmark",
        rules=dict.fromkeys(("smoke", "laptop", "full"), Rule(low=10, n=6)),
        published=Published(1000, "up to; storage and workers not given in what could be read", neutral=1),
        statistic="median",
    ),
    Claim(
        id="C2",
        kind="abstract",
        sentence="s2",
        repeats="timings",
        claim="Faster than Optuna, which writes every suggestion to an SQLite database",
        source="Abstract: up to three orders of magnitude",
        measured="Overhead per evaluation of Optuna's TPE over ours, both with all results in files, two processes, 400 "
        "free evaluations, repeats on two functions, recorded by the benchmark",
        rules=dict.fromkeys(("smoke", "laptop", "full"), Rule(low=100, n=6)),
        published=Published(1000, "up to; storage and workers not given in what could be read", neutral=1),
        statistic="median",
    ),
    Claim(
        id="D1",
        kind="ours",
        claim="On many separate valleys along the axes, the genetic algorithm needs fewer evaluations than TPE and CMA-ES",
        source="Abstract: no loss of solution quality; expectation of this book",
        measured="Orders of magnitude by which its loss is below the better median of the two, rastrigin in 20 variables, "
        "400 evaluations",
        rules={
            "smoke": Rule(low=0.05, n=3),
            "laptop": Rule(low=0.05, n=10),
            "full": Rule(low=0.05, n=20),
        },
        statistic="median",
    ),
    Claim(
        id="D2",
        kind="ours",
        claim="Turning the axes takes that lead away",
        source="Expectation of this book: the operators move single variables",
        measured="Orders of magnitude by which its loss is below the better median of the two, rotated rastrigin in 20 "
        "variables, 400 evaluations",
        rules={
            "smoke": Rule(high=0.05, n=3),
            "laptop": Rule(high=0.05, n=10),
            "full": Rule(high=0.05, n=20),
        },
        statistic="median",
    ),
    Claim(
        id="D3",
        kind="ours",
        claim="On a smooth bowl CMA-ES needs far fewer evaluations than the genetic algorithm",
        source="Expectation of this book: CMA-ES learns the step size",
        measured="Orders of magnitude by which the loss of the genetic algorithm is below that of the best rival, sphere in "
        "2 variables, 400 evaluations",
        rules={
            "smoke": Rule(high=-6, n=3),
            "laptop": Rule(high=-6, n=10),
            "full": Rule(high=-6, n=20),
        },
        statistic="median",
    ),
    Claim(
        id="E1",
        kind="paper",
        claim="Several islands with rare pollination (probability 0.1) find the right one of two funnels more often than one "
        "population",
        source="Section 3: the island model; the two double funnels are in the paper's suite",
        measured="Success rate of 4 islands minus that of one population, bisphere and birastrigin in 30 variables, equal "
        "workers and evaluations, simulated clock",
        rules={
            "smoke": Rule(low=0.05, n=6),
            "laptop": Rule(low=0.05, n=40),
            "full": Rule(low=0.05, n=100),
        },
    ),
    Claim(
        id="E2",
        kind="ours",
        claim="They do if an exchange is very rare (probability 0.001)",
        source="Expectation of this book, found by trying on other seeds than those of this run",
        measured="Success rate of 4 islands minus that of one population, bisphere and birastrigin in 30 variables, equal "
        "workers and evaluations, simulated clock",
        rules={
            "smoke": Rule(low=0.05, n=6),
            "laptop": Rule(low=0.05, n=40),
            "full": Rule(low=0.05, n=100),
        },
    ),
    Claim(
        id="F1",
        kind="paper",
        claim="More workers, less time: a fixed number of evaluations is shared out without loss (strong scaling)",
        source="Sections 1 and 3: no communication is waited for",
        measured="Parallel efficiency on 4 MPI ranks relative to one rank, evaluations slept",
        rules={
            "smoke": Rule(low=0.85, n=3),
            "laptop": Rule(low=0.85, n=10),
            "full": Rule(low=0.85, n=20),
        },
    ),
    Claim(
        id="F2",
        kind="paper",
        claim="Evaluations per worker stay as fast when workers are added (weak scaling)",
        source="Sections 1 and 3: no communication is waited for",
        measured="Parallel efficiency on 4 MPI ranks relative to one rank, the same number of evaluations per rank",
        rules={
            "smoke": Rule(low=0.85, n=3),
            "laptop": Rule(low=0.85, n=10),
            "full": Rule(low=0.85, n=20),
        },
    ),
    Claim(
        id="G",
        kind="property",
        claim="Replicated populations agree: after the last message every worker holds the same individuals",
        source="Section 3: all workers of an island share one population",
        measured="1 if all ranks end with the identical set of individuals and none is lost or doubled, else 0",
        rules={
            "smoke": Rule(low=1, high=1, n=3),
            "laptop": Rule(low=1, high=1, n=10),
            "full": Rule(low=1, high=1, n=20),
        },
    ),
    Claim(
        id="G2",
        kind="property",
        claim="Migration conserves individuals: whoever was evaluated is active on exactly one island",
        source="Section 3: migrants leave their island",
        measured="1 if on two islands of real ranks everybody born is active exactly once, and ranks of an island agree",
        rules={
            "smoke": Rule(low=1, high=1, n=3),
            "laptop": Rule(low=1, high=1, n=10),
            "full": Rule(low=1, high=1, n=20),
        },
    ),
)
