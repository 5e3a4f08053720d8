#!/bin/sh
# Stops the Slurm that start.sh started, cancels its jobs and removes its state. Safe to call again.
set -eu

state=${BOOK_SLURM_STATE:-/var/tmp/book-slurm}
conf=/etc/slurm/slurm.conf

[ "$(id -u)" = 0 ] || { echo "stop.sh: must run as root" >&2; exit 1; }
grep -qs '^ClusterName=book$' "$conf" || { echo "stop.sh: no Slurm of start.sh here"; exit 0; }
# With a limit: a controller that is gone must not keep us waiting.
timeout 10 scancel --user=root 2>/dev/null || true
for daemon in slurmd slurmctld; do
    [ -s "$state/$daemon.pid" ] || continue
    pid=$(cat "$state/$daemon.pid")
    kill "$pid" 2>/dev/null || continue
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 40 ] || { kill -9 "$pid" 2>/dev/null || true; break; }
        sleep 0.25
    done
done
rm -rf "$state" "$conf"
echo "Slurm stopped. munged is left running: it is harmless, and others may use it."
