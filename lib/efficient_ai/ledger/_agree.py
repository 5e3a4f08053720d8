"""Whether a run agrees with a recorded one."""

from collections.abc import Mapping

AGREES = "agrees"
WITHIN = "differs within both intervals"
DIFFERS = "differs"
NOT_RECORDED = "not recorded"


def agreement(ours: Mapping, record: Mapping | None) -> str:
    """How one row of a ledger file compares with the same claim of a recorded run.

    * ``"agrees"``: the same verdict (at whatever scale), and the intervals overlap, or neither run has a value;
    * ``"differs within both intervals"``: another verdict, but the intervals overlap: noise explains the difference;
    * ``"differs"``: the intervals lie apart, or an exact claim has another verdict;
    * ``"not recorded"``: there is no record of this claim.

    Args:
        ours, record: rows of the files as dictionaries, see :class:`~efficient_ai.ledger.Entry`.
    """
    if record is None:
        return NOT_RECORDED
    same = _side(ours["verdict"]) == _side(record["verdict"])
    if ours["value"] is None or record["value"] is None:
        return AGREES if same else NOT_RECORDED if record["value"] is None else DIFFERS
    if "range" in (ours["interval"], record["interval"]) or "property" in (ours["kind"], record["kind"]):
        return AGREES if same else DIFFERS
    (low, high), (least, most) = _ends(ours), _ends(record)
    if low > most or high < least:
        return DIFFERS
    return AGREES if same else WITHIN


def _side(verdict: str) -> str:
    return "replicated" if verdict.startswith("replicated") else verdict


def _ends(row: Mapping) -> tuple[float, float]:
    if row["low"] is None or row["high"] is None:
        return row["value"], row["value"]
    return row["low"], row["high"]
