"""What a benchmark measured, kept in ``results/benchmarks/<name>.json``: written once, read by chapters.

* ``read(name)``, ``Record``   one file with what is said of every record: where, when, at which load, from which commit
* ``Sitting(name)``            the runner of a benchmark: jobs in turns, each finished one kept, the file when all are
* ``Peers(name)``              the environment of the packages that a benchmark compares with
* ``child(command)``           one measurement in a fresh process with one thread; its last line is the answer

::

    sitting = records.Sitting("petnet")
    rows = sitting.run(jobs, measure)
    sitting.write({"rows": rows})
"""

from efficient_ai.records._child import ONE_THREAD, child
from efficient_ai.records._peers import Peers
from efficient_ai.records._record import Record, path_of, read
from efficient_ai.records._sitting import Sitting

__all__ = ["ONE_THREAD", "Peers", "Record", "Sitting", "child", "path_of", "read"]
