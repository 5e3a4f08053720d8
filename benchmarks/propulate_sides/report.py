"""From the lines of single runs to the report: medians, windows, ratios, break-even costs, curves."""

import json
from collections import defaultdict
from statistics import median

import numpy as np

from propulate_sides import common

OURS = "ours"
QUALITY_POINTS = (1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 113, 160, 200, 226, 260, 300, 320, 350, 375, 400)
KEEPING = "ours-checkpoint"
REQUIRED = (  # (peer, at least this many times our overhead at 4 000 evaluations)
    ("propulate", 3),
    ("propulate-nodump", 3),
    ("tpe-journal", 10),
    ("tpe-sqlite", 100),
)
FLAT = 1.5
"""Overhead at 100 000 known individuals over that at 1 000 which still counts as flat on a shared machine."""


CALM = 2.0
"""Difference in load, in processes, beyond which two repeats are not put together."""


def newest(lines: list[dict]) -> list[dict]:
    """The last line of each job."""
    return list({common.name_of(line): line for line in lines}.values())


def window(clock: list[list[float]], n: int) -> tuple[float, float] | None:
    """Mean wall and processor seconds per evaluation while the number of evaluations grew from ``0.8 n`` to ``n``.

    ``None`` if the run did not get there. Between the kept numbers of evaluations it is interpolated.
    """
    if not clock or n > clock[-1][0]:
        return None
    numbers, *columns = zip(*clock, strict=True)
    low = max(1, round(0.8 * n))
    wall, processor = (float(np.diff(np.interp([low, n], numbers, column))[0]) for column in columns)
    return wall / (n - low), processor / (n - low)


def break_even(theirs: float, ours: float, processes: int, difference: float) -> float:
    """What one evaluation must cost so that the total times differ by less than ``difference``, in seconds.

    With ``processes`` evaluating at once, a run of ``N`` takes ``N (cost / processes + overhead)``.

    Args:
        theirs: overhead per evaluation, wall time of the whole run over ``N``, in seconds.
        ours: the same, of our side.
        processes: how many evaluate at once.
        difference: 0.01 for one per cent.
    """
    return max(0.0, processes * (theirs - (1 + difference) * ours) / difference)


def overhead(lines: list[dict]) -> list[dict]:
    """One row per side, function, budget and number of processes: medians over repeats, and the repeats.

    Repeats on a much busier machine than the calmest one are left out.
    """
    groups = defaultdict(list)
    for line in newest(lines):
        if line["part"] != "quality" and line["done"]:
            groups[tuple(line[k] for k in ("part", "side", "function", "evaluations", "processes"))].append(
                line
            )
    rows = []
    for (part, side, function, evaluations, processes), repeats in groups.items():
        calmest = min(run["load"][0] for run in repeats)
        runs = [run for run in repeats if run["load"][0] <= calmest + CALM]
        each = [1000 * run["seconds"] / run["done"] for run in runs]
        at = {n: [both for run in runs if (both := window(run["clock"], n))] for n in common.WINDOWS}
        wall, cpu = (
            {str(n): _digits(1000 * median(both[k] for both in seen)) for n, seen in at.items() if seen}
            for k in (0, 1)
        )
        rows.append(
            {
                "part": part,
                "side": side,
                "function": function,
                "evaluations": evaluations,
                "done": min(run["done"] for run in runs),
                "processes": processes,
                "ms": _digits(median(each)),
                "ms_low": _digits(min(each)),
                "ms_high": _digits(max(each)),
                "cpu_ms": _digits(median(1000 * run["cpu"] / run["done"] for run in runs)),
                "windows": wall,
                "cpu_windows": cpu,
                "repeats": [
                    {k: run[k] for k in ("repeat", "done", "seconds", "cpu", "load", "date", "commit")}
                    for run in runs
                ],
            }
        )
    return rows


def ratios(rows: list[dict]) -> list[dict]:
    """Every peer beside our side with the same function, budget and number of processes.

    ``ratio`` is to our side without a checkpoint, ``ratio_checkpoint`` to the one that writes every evaluation to a file
    as soon as it is done. A peer that keeps its evaluations in files itself has its break-even cost from the latter.
    """
    mine = {(row["side"], *_place(row)): row for row in rows if row["part"] == "overhead"}
    found = []
    for row in rows:
        plain, keeping = (mine.get((side, *_place(row))) for side in (OURS, KEEPING))
        if row["part"] != "overhead" or row["side"].startswith(OURS) or plain is None:
            continue
        fair = keeping if keeping and _keeps(row["side"]) else plain
        costs = {
            f"{share:.0%}": _digits(break_even(row["ms"] / 1000, fair["ms"] / 1000, row["processes"], share))
            for share in (0.01, 0.1)
        }
        about = {k: row[k] for k in ("side", "function", "evaluations", "done", "processes")}
        for end, our in (("", plain), ("_checkpoint", keeping)):
            if our:
                about[f"ratio{end}"] = _digits(row["ms"] / our["ms"])
                about[f"cpu_ratio{end}"] = _digits(row["cpu_ms"] / our["cpu_ms"])
        found.append(about | {"break_even_s": costs})
    return found


def _keeps(side: str) -> bool:
    """Whether a side writes its evaluations to files."""
    return side == "propulate" or side.endswith(("-journal", "-sqlite"))


def required(rows: list[dict], compared: list[dict]) -> list[dict]:
    """What we ask of our side, what was measured, and whether it holds: the worst case of all functions and worlds.

    Other programs lengthen a long run more than a short one, so a ratio must hold in wall time and in processor time.
    """
    found = []
    for row in rows:
        # Judged by processor time: what else runs on a shared machine changes by the second.
        at = row["cpu_windows"]
        if row["part"] == "growth" and {"1000", "100000"} <= at.keys():
            value = at["100000"] / at["1000"]
            what = f"processor time per evaluation at 100 000 over that at 1 000, {row['function']}, {row['processes']} ranks"
            found.append({"rule": what, "at_most": FLAT, "value": _digits(value), "holds": value <= FLAT})
    for side, least in REQUIRED:
        end = "_checkpoint" if _keeps(side) else ""
        cases = [row for row in compared if row["side"] == side and row["evaluations"] == 4000]
        values = [row[clock + end] for row in cases for clock in ("ratio", "cpu_ratio") if clock + end in row]
        if values:
            like = " with checkpoints" if end else ""
            what = f"overhead of {side} over ours{like} at 4 000 evaluations, wall and processor time, least of all cases"
            found.append(
                {"rule": what, "at_least": least, "value": min(values), "holds": min(values) >= least}
            )
    return found


def quality(lines: list[dict]) -> dict:
    """``{function: {side: {"n", "best", "processes"}}}``; ``best`` has one row of smallest losses per seed."""
    found: dict = {}
    for line in newest(lines):
        if line["part"] == "quality" and line["done"] >= line["evaluations"]:
            ns, best = zip(*line["best"], strict=True)
            kept = [n for n in QUALITY_POINTS if n <= line["evaluations"]]
            last = [best[np.searchsorted(ns, n, side="right") - 1] for n in kept]
            side = found.setdefault(line["function"], {}).setdefault(
                line["side"], {"processes": line["processes"], "n": kept, "best": []}
            )
            side["best"].append([float(f"{loss:.4g}") for loss in last])
    return found


def summarise(lines: list[dict]) -> dict:
    """The whole report but for the machine."""
    rows = overhead(lines)
    compared = ratios(rows)
    return {
        "date": max((line["date"] for line in lines), default=None),
        "notes": [
            "ms: wall time of the search loop over evaluations done, median of the repeats; cpu_ms: processor time of "
            "all processes in that loop. Times on this shared machine are longer while its load is high.",
            "propulate writes its checkpoint as it does by default; propulate-nodump does not. With one worker and "
            "checkpoints it waits for ever for its own message under this MPI, so that case is left out.",
            "nevergrad begins in the middle of the box, where several of the nine functions have their minimum; only the "
            "shifted ones tell what it can do.",
            "The 4 000 evaluations of Optuna with journal and SQLite are one repeat.",
            "The functions of the comparison of quality are FUNCTIONS and HARDER of efficient_ai.propulate.functions; their "
            "evaluations on MPI ranks sleep 2 ms, so that the ranks take turns.",
        ],
        "required": required(rows, compared),
        "overhead": rows,
        "ratios": compared,
        "quality": quality(lines),
    }


def as_text(summary: dict) -> list[str]:
    """The report in lines for a terminal."""
    text = [f"{summary['machine']}, {summary['date']}"]
    for row in summary["overhead"]:
        windows = ", ".join(f"{n}: {ms:.3g}/{row['cpu_windows'][n]:.3g}" for n, ms in row["windows"].items())
        text.append(
            f"{row['side']:18} {row['function']:10} {row['evaluations']:6} x {row['processes']}  {row['ms']:9.4g} ms "
            f"({row['ms_low']:.3g} to {row['ms_high']:.3g}), cpu {row['cpu_ms']:.3g} ms; {windows}"
        )
    for row in summary["ratios"]:
        text.append(
            f"{row['side']:18} {row['function']:10} {row['evaluations']:6} x {row['processes']}  {row['ratio']:7.4g} times "
            f"ours, {row.get('ratio_checkpoint', float('nan')):.4g} with checkpoints (cpu {row['cpu_ratio']:.3g}); within 1 % from {row['break_even_s']['1%']:.3g} s per evaluation"
        )
    for rule in summary["required"]:
        text.append(f"{'holds' if rule['holds'] else 'DOES NOT HOLD'}: {rule['rule']}: {rule['value']:g}")
    for function, sides in summary["quality"].items():
        last = ", ".join(
            f"{side} {median(row[-1] for row in kept['best']):.3g} ({len(kept['best'])})"
            for side, kept in sides.items()
        )
        text.append(f"{function}: {last}")
    return text


def to_json(value, depth: int = 0) -> str:
    """JSON with innermost lists and short dictionaries on one line, so that differences of two reports can be read."""
    flat = json.dumps(value)
    if len(flat) <= 160 or not isinstance(value, (dict, list)) or _numbers(value):
        return flat
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {to_json(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(inner + to_json(item, depth + 1) for item in value) + "\n" + " " * depth + "]"


def _numbers(value) -> bool:
    return isinstance(value, list) and all(isinstance(item, (int, float)) for item in value)


def _place(row: dict) -> tuple:
    return row["function"], row["evaluations"], row["processes"]


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
