#!/bin/sh
# Makes the book's environment a kernel of your JupyterLab or JupyterHub: hpc/kernel/install.sh [path of the environment]
# Run it once, as the user who will use the kernel. Remove it with: jupyter kernelspec remove efficient-ai
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
environment=$(cd "${1:-$root/.venv}" && pwd) || { echo "install.sh: no environment; run make book first" >&2; exit 1; }
# The kernel's PATH starts with the environment: what a notebook starts by name comes from there too.
exec "$environment/bin/python" -m ipykernel install --user --name efficient-ai \
    --display-name "Efficient AI at Scale" --env PATH "$environment/bin:$PATH"
