"""A cluster in a real notebook kernel: ``%%px``, what happens to it when engines fail, and that nothing is left."""

import os
import signal
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

pytestmark = [pytest.mark.mpi, pytest.mark.notebook]

START = "from efficient_ai.parallel import start_cluster, run_ranks\ncluster = start_cluster({n}, where='laptop', cell_timeout=3)"


def execute(cells, table, tmp_path, **settings):
    """The executed notebook and the error it ended with; its kernel and everything below carry the mark of ``table``."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
        **settings,
    )
    try:
        client.execute(env=table.env | {"TMPDIR": str(tmp_path)})
    except CellExecutionError as error:
        return notebook, error
    return notebook, None


def text_of(cell):
    return "".join(output.get("text", "") + "\n".join(output.get("traceback", [])) for output in cell.outputs)


def test_cells_on_all_ranks_and_what_happens_when_they_fail(process_table, tmp_path):
    cells = [
        START.format(n=2),
        "%%px\nimport time\ntime.sleep(0.2 * (1 - mpi_rank))\nprint('from', mpi_rank, 'of', mpi_size)",
        "%%px\nif mpi_rank == 0:\n    MPI.COMM_WORLD.recv(source=1)",  # a hang
        "%%px\nprint('again', mpi_rank)",
        "%%px\nimport os\nif mpi_rank == 1: os.kill(os.getpid(), 9)\nMPI.COMM_WORLD.barrier()",
        "%%px\nprint('once more', mpi_rank)",
        "def double(comm, x):\n    return comm.allreduce(x)\ncluster.run(double, 4)",
    ]
    notebook, _ = execute(cells, process_table, tmp_path, allow_errors=True)
    cells = notebook.cells
    assert text_of(cells[0]).count("\n") == 1 and "2 MPI ranks on this machine" in text_of(cells[0])
    printed = text_of(cells[1])
    assert 0 <= printed.find("from 0 of 2") < printed.find("from 1 of 2")
    assert "not finished after 3 s" in text_of(cells[2])
    assert "MPI.COMM_WORLD.recv(source=1)" in text_of(cells[2])
    assert "again 0" in text_of(cells[3]) and "again 1" in text_of(cells[3])
    assert "Rank 1 died by signal 9 (SIGKILL)" in text_of(
        cells[4]
    ) and "a new set of 2 engines is up" in text_of(cells[4])
    assert "once more 1" in text_of(cells[5])
    assert cells[6].outputs[0]["data"]["text/plain"] == "[8, 8]"
    process_table.wait_until_empty()
    assert list(tmp_path.glob("engines-*")) == []


def test_a_second_start_stops_the_first_and_a_notebook_that_fails_leaves_nothing(process_table, tmp_path):
    cells = [
        START.format(n=1) + "\nfirst = cluster",
        START.format(n=1) + "\ncluster.run(lambda comm, x: comm.allreduce(x), 4)",
        "first.run(lambda comm: comm.rank)",
    ]
    notebook, error = execute(cells, process_table, tmp_path)
    assert error.ename == "ClusterError" and "this cluster is stopped" in error.evalue
    assert "The cluster of 1 rank from before is stopped" in text_of(notebook.cells[1])
    assert notebook.cells[1].outputs[-1]["data"]["text/plain"] == "[4]"
    process_table.wait_until_empty()
    assert list(tmp_path.glob("engines-*")) == []


def test_nothing_is_left_when_a_kernel_is_killed(process_table, tmp_path):
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=process_table.env | {"TMPDIR": str(tmp_path)}, cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        started = client.execute_interactive(START.format(n=2), timeout=60, output_hook=lambda _: None)
        assert started["content"]["status"] == "ok"
        pid = client.execute_interactive(
            "import os, pathlib; pathlib.Path('pid').write_text(str(os.getpid()))", timeout=10
        )
        assert pid["content"]["status"] == "ok"
        client.execute("cluster.run(lambda comm: comm.recv(source=0))")  # engines that wait inside MPI
        assert len(process_table.alive()) > 6
        os.kill(int(Path(tmp_path, "pid").read_text()), signal.SIGKILL)
        process_table.wait_until_empty()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert list(tmp_path.glob("engines-*")) == []
