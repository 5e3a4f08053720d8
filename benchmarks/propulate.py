"""Side by side: our optimiser, the package ``propulate``, Optuna, cma, nevergrad and pymoo, on the same functions with the same budgets.

    python benchmarks/propulate.py             everything that is not measured yet; hours
    python benchmarks/propulate.py --quick     one repeat of the short jobs; minutes
    python benchmarks/propulate.py --report    only write the report of what is there
    python benchmarks/propulate.py --again --below 1 --only 'overhead/*/sphere/*'   once more, on a quiet machine

Makes the peers' environment in ``build/peers/propulate`` on the first call. Every finished job is a line of
``build/benchmarks/propulate.jsonl``; an interrupted run goes on where it was. From these lines comes
``results/benchmarks/propulate.json``. Only search loops are timed, with one thread per process; each line has the load
of the machine, since times on a busy machine are longer.
"""

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import metadata
from itertools import groupby
from pathlib import Path

from propulate_sides import common, ours, plan, report

from efficient_ai import provenance, records
from efficient_ai._paths import build_dir, project_root
from efficient_ai.parallel import run_ranks
from efficient_ai.parallel._mpi import rank_environment

HERE = Path(__file__).resolve().parent
SIDES = HERE / "propulate_sides"
ROOT = project_root() or HERE.parent
KEPT = build_dir() / "benchmarks"
LINES = KEPT / "propulate.jsonl"
PEERS = records.Peers("propulate")
COMPARED = ("propulate", "optuna", "cmaes", "cma", "nevergrad", "pymoo", "sqlalchemy")
LIMIT = 3600.0  # seconds for one job on MPI ranks; none needs a tenth of it


def measure(jobs: list[dict], seconds: float) -> list[dict]:
    """Run jobs of one side with one number of processes; their records. Optuna stops after ``seconds`` per job."""
    side, processes = jobs[0]["side"], jobs[0]["processes"]
    if side.startswith("ours"):
        return run_ranks(ours.run_all, processes, jobs, timeout=LIMIT)[0]
    python = PEERS.python
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "records.json"
        if side.startswith("propulate"):
            command = [python.with_name("mpiexec"), "-n", str(processes), python, SIDES / "with_package.py"]
        else:
            command = [python, SIDES / ("with_ask.py" if side in plan.ASKED else "with_optuna.py")]
        command += [json.dumps(jobs), out, KEPT / "studies", str(seconds)]
        limit = LIMIT + seconds * len(jobs)
        environment = rank_environment(PYTHONPATH="")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)
        if done.returncode or not out.exists():
            name = common.name_of(jobs[0])
            raise RuntimeError(f"{name} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return json.loads(out.read_text())


def versions() -> dict[str, str]:
    """The packages that were compared, and what they run on, from both environments."""
    theirs = PEERS.versions(*COMPARED, "mpi4py", "mpich", "numpy", "scipy")
    ours = {name: metadata.version(name) for name in ("mpi4py", "mpich", "numpy")}
    return theirs | {f"{name} (ours)": version for name, version in ours.items()}


def defects() -> dict[str, float]:
    """What the package does where it says something else, see ``with_defects.py``."""
    command = [PEERS.python, SIDES / "with_defects.py"]
    done = subprocess.run(
        command, env=rank_environment(PYTHONPATH=""), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def lines() -> list[dict]:
    """All that was measured so far; a last line that was cut off is left out."""
    kept = []
    for line in LINES.read_text().splitlines() if LINES.exists() else []:
        try:
            kept.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return kept


def wanted(jobs: Iterable[dict], pattern: str, again: bool) -> Iterator[dict]:
    """The jobs whose name fits the pattern and that no finished line stands for, unless ``again``."""
    finished = {common.name_of(line) for line in lines() if line["done"] >= line["evaluations"]}
    for job in jobs:
        name = common.name_of(job)
        if fnmatch.fnmatch(name, pattern) and (again or name not in finished):
            yield job


def batches(jobs: Iterable[dict]) -> Iterator[list[dict]]:
    """Seeds of the same comparison of quality go together, since starting takes longer than they do."""

    def together(job: dict):
        own = () if job["part"] == "quality" else (job["processes"], job["repeat"])
        return job["part"], job["side"], job["function"], job["evaluations"], *own

    for _, group in groupby(jobs, key=together):
        yield list(group)


def main() -> None:
    """Measure what is missing, then write the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one repeat of the short jobs")
    parser.add_argument(
        "--only", default="*", help="jobs whose name fits this pattern, e.g. 'overhead/ours/*'"
    )
    parser.add_argument(
        "--again", action="store_true", help="measure these jobs once more; the newest line of a job counts"
    )
    parser.add_argument("--seconds", type=float, default=1800, help="limit of one call of an Optuna job")
    parser.add_argument(
        "--below", type=float, default=1e9, help="wait before each job until the load is below this"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing")
    args = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    for jobs in [] if args.report else batches(wanted(plan.plan(args.quick), args.only, args.again)):
        while (before := os.getloadavg()[0]) >= args.below:
            time.sleep(5)
        for job in jobs if args.again else []:  # else a study that is complete would answer from its file
            shutil.rmtree(KEPT / "studies" / common.folder_of(job), ignore_errors=True)
        answers = measure(jobs, args.seconds)
        about = {"load": [round(before, 2), round(os.getloadavg()[0], 2)], "commit": provenance.commit()}
        about["date"] = time.strftime("%Y-%m-%d %H:%M")
        with open(LINES, "a") as file:
            for job, answer in zip(jobs, answers, strict=True):
                file.write(json.dumps(job | answer | about) + "\n")
        done, spent = (sum(answer[key] for answer in answers) for key in ("done", "seconds"))
        print(
            f"{common.name_of(jobs[-1])}: {done} evaluations, {1000 * spent / max(done, 1):.3f} ms each, load {before:.1f}",
            flush=True,
        )
    head = {"machine": provenance.machine(), "commit": provenance.commit(), "versions": versions()}
    summary = head | report.summarise(lines()) | {"defects": defects()}
    place = ROOT / "results" / "benchmarks" / "propulate.json"
    place.write_text(report.to_json(summary))
    print("\n".join(report.as_text(summary)))


if __name__ == "__main__":
    main()
