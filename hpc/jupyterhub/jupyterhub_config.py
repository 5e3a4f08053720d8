"""JupyterHub whose users work on this book inside Slurm jobs. An example to adapt: lines marked "site".

Needs on the hub's machine: jupyterhub, batchspawner, wrapspawner and configurable-http-proxy, and the Slurm commands.
Start with: jupyterhub --config hpc/jupyterhub/jupyterhub_config.py
Inside such a job start_cluster finds the allocation by itself: the ranks run on the job's cores.
"""

import os

import batchspawner  # noqa: F401  registers the handler through which a job tells its port

c = get_config()  # noqa: F821  given by JupyterHub

environment = os.environ.get(
    "BOOK_ENVIRONMENT", "/opt/efficient-ai/.venv"
)  # site: where the book's environment lies
c.JupyterHub.bind_url = "http://:8000"  # site: https, or a web server in front
c.JupyterHub.hub_ip = "0.0.0.0"  # compute nodes must reach the hub
c.JupyterHub.hub_connect_ip = os.environ.get("HUB_ADDRESS", "")  # site: its address, as compute nodes see it

# site: who may come in. JupyterHub lets nobody in unless told.
c.JupyterHub.authenticator_class = "pam"
c.Authenticator.allowed_users = set(os.environ.get("HUB_USERS", "").split()) or {"student"}

c.JupyterHub.spawner_class = "wrapspawner.ProfilesSpawner"
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 300  # a job may wait in the queue
c.Spawner.http_timeout = 120
# Jobs are submitted as the user. Without sudo, root may use: "runuser -u {username} --"
c.BatchSpawnerBase.exec_prefix = "sudo -E -u {username}"
c.BatchSpawnerBase.req_runtime = "02:00:00"
c.BatchSpawnerBase.req_partition = ""  # site
c.SlurmSpawner.batch_script = f"""#!/bin/sh
#SBATCH --job-name=book
#SBATCH --nodes=1
#SBATCH --ntasks={{{{nprocs}}}}
#SBATCH --time={{{{runtime}}}}
#SBATCH --chdir={{{{homedir}}}}
#SBATCH --output={{{{homedir}}}}/jupyterhub-%j.log
{{% if partition %}}#SBATCH --partition={{{{partition}}}}
{{% endif %}}
# batchspawner-singleuser is found through PATH. No srun around it: its steps would then hold the job's cores.
export PATH={environment}/bin:$PATH
{{{{cmd}}}}
"""
c.ProfilesSpawner.profiles = [
    ("4 ranks, 2 hours", "ranks4", "batchspawner.SlurmSpawner", {"req_nprocs": "4"}),
    ("16 ranks, 2 hours", "ranks16", "batchspawner.SlurmSpawner", {"req_nprocs": "16"}),
]
