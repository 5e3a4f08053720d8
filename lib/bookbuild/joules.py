"""The energy of the chapters' runs: a line for the status page, and the page that compares them. Never a number without its source."""

from html import escape

from bookbuild.chapters import CHAPTERS
from bookbuild.layout import Layout, read_json
from efficient_ai.metering import quantity


def brief(run: dict | None) -> str:
    """``2.4 kJ (0.8 to 7.2 kJ, estimated:cpu-time)`` from a run's ledger; runs of before energy was written have none."""
    used = (run or {}).get("energy")
    if not used:
        return ""
    between = f"{quantity(used['low'], 'J')} to {quantity(used['high'], 'J')}, " if "low" in used else ""
    return f"{quantity(used['joules'], 'J')} ({between}{used['source']})"


def page(layout: Layout, profile: str) -> str:
    """One row for each run: the recorded full run of a chapter, and that of this build."""
    rows, notes = [], {}
    for chapter in CHAPTERS:
        runs = {
            "recorded": read_json(layout.root / "results" / f"{chapter.name}.json"),
            "this build": read_json(layout.results(profile, chapter.name)),
        }
        for kind, run in runs.items():
            used = (run or {}).get("energy")
            if not used:
                continue
            marks = []
            for note in used.get("notes", ()):
                marks.append(str(notes.setdefault(note, len(notes) + 1)))
            source = used["source"]
            if kind == "recorded":  # read on another day: nothing that this build measured
                source = source.replace("measured:", "recorded:")
            rows.append(
                [f"{chapter.title}, {kind} (`{run.get('profile', '?')}`)", quantity(used["joules"], "J"),
                 f"{quantity(used.get('low'), 'J')} to {quantity(used.get('high'), 'J')}",
                 quantity(used.get("watts"), "W"), quantity(used.get("seconds"), "s"), source,
                 escape(used.get("covers", "")), str(run.get("machine") or ""), ", ".join(marks)]
            )  # fmt: skip
    if not rows:
        return "*No chapter has recorded its energy yet.*"
    head = ["Run", "Energy", "Between", "Power", "Time", "Source", "What is in it", "Machine", "Notes"]
    lines = [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        for row in [head, ["---"] * len(head), *rows]
    ]
    listed = [f"{number}. {escape(note)}" for note, number in notes.items()]
    return "\n".join(lines) + ("\n\n**Notes**\n\n" + "\n".join(listed) if listed else "")
