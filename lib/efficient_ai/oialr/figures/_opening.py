"""The first paragraph of the page: what held, from the numbers of this run."""

from efficient_ai.ledger import interval
from efficient_ai.oialr.experiments import Runs, difference


def opening(found: Runs) -> str:
    """OIALR against full rank, one cut at the end and a random basis, in sentences."""

    def against(name: str) -> str:
        value, low, high = interval(difference(found, "OIALR", name).values)
        return f"{value:+.1f} points [{low:+.1f}, {high:+.1f}]"

    own = [run.counts for run in found["OIALR"].values()]
    trained = 100 * sum(c.trained / c.dense for c in own) / len(own)
    stored = 100 * sum(c.stored / c.dense for c in own) / len(own)
    return (
        f"In this run OIALR trains {trained:.0f} % of the parameters at the end and stores {stored:.0f} % of the dense model. "
        f"Its accuracy differs from full rank by {against('full rank')}, from training in random bases of the same ranks by "
        f"{against('random basis')}, and from full rank that is simply cut once at the end by {against('cut at the end')}."
    )
