"""Optuna with one of its samplers and storages: ``python with_optuna.py JOBS OUT FOLDER SECONDS``.

The processes of a job share a study in a folder in FOLDER. A job that SECONDS cut short leaves its study and its stamps
there, and the next call goes on with it; the time between the two is not counted.
"""

import json
import multiprocessing
import shutil
import sys
import time
import warnings
from pathlib import Path

import common
import optuna

SAMPLERS = {
    "tpe": optuna.samplers.TPESampler,
    "cmaes": optuna.samplers.CmaEsSampler,
    "random": optuna.samplers.RandomSampler,
}


def open_study(side: str, folder: Path, seed: int) -> optuna.Study:
    """The study of a job, made or found, with a sampler of its own."""
    sampler, storage = side.split("-")
    where = None
    if storage == "sqlite":
        where = f"sqlite:///{folder}/study.db"
    elif storage == "journal":
        backend = optuna.storages.journal.JournalFileBackend(f"{folder}/study.log")
        where = optuna.storages.JournalStorage(backend)
    return optuna.create_study(
        storage=where, study_name="job", sampler=SAMPLERS[sampler](seed=seed), load_if_exists=True
    )


def work(job: dict, folder: Path, index: int, share: int, limit: float, sessions: int, gate) -> None:
    """One process: ``share`` trials. Leaves when each ended, with its value, and the seconds of its loop."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # experimental features
    evaluate, names, low, high = common.problem(job)
    seed = (
        job["repeat"] * 1000 + index
    ) * 100 + sessions  # a study that goes on must not draw the same again
    study = open_study(job["side"], folder, seed)

    def objective(trial):
        return evaluate({name: trial.suggest_float(name, low, high) for name in names})

    with open(folder / f"stamps-{sessions}-{index}", "w", buffering=1) as stamps:
        gate.wait()
        begin, cpu = time.monotonic(), time.process_time()
        print(begin, file=stamps)

        def stamp(study, trial):
            print(time.monotonic(), trial.value, time.process_time() - cpu, file=stamps)

        study.optimize(objective, n_trials=share, timeout=limit, callbacks=[stamp])


def read(folder: Path) -> tuple[list, float, float]:
    """(events as ``common.record`` takes them, seconds, processor seconds) of all calls so far."""
    events, seconds, cpu = [], 0.0, 0.0
    for session in range(sessions_in(folder)):
        files = [path.read_text().splitlines() for path in sorted(folder.glob(f"stamps-{session}-*"))]
        rows = [
            [tuple(map(float, line.split())) for line in lines[1:] if len(line.split()) == 3]
            for lines in files
        ]
        begin = min(float(lines[0]) for lines in files if lines)
        here = [
            (when - begin + seconds, loss, 1000 * session + index, used)
            for index, part in enumerate(rows)
            for when, loss, used in part
        ]
        events += here
        cpu += sum(part[-1][2] for part in rows if part)
        seconds = max((event[0] for event in here), default=seconds)
    return events, seconds, cpu


def sessions_in(folder: Path) -> int:
    """How many calls have worked on this job."""
    return len(list(folder.glob("stamps-*-0")))


def run(job: dict, folder: Path, limit: float) -> dict:
    """Start the processes of a job, wait, and return the record of all that was done so far."""
    folder.mkdir(parents=True, exist_ok=True)
    sessions = sessions_in(folder)
    left = max(0, job["evaluations"] - len(read(folder)[0]))
    shares = [left // job["processes"] + (i < left % job["processes"]) for i in range(job["processes"])]
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(job["processes"])
    calls = [(job, folder, i, share, limit, sessions, gate) for i, share in enumerate(shares)]
    if len(calls) == 1:
        work(*calls[0])
        return common.record(*read(folder))
    open_study(job["side"], folder, 0)  # the tables are made once, before anybody is timed
    processes = [context.Process(target=work, args=call) for call in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError(f"a process of {common.name_of(job)} failed")
    return common.record(*read(folder))


def main(jobs: list[dict], out: Path, folder: Path, limit: float) -> None:
    """Run one job after the other. What is kept only in memory cannot go on: it starts anew."""
    answers = []
    for job in jobs:
        place = folder / common.folder_of(job)
        if job["side"].endswith("memory"):
            shutil.rmtree(place, ignore_errors=True)
        answers.append(run(job, place, limit))
    out.write_text(json.dumps(answers))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
