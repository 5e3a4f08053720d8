#!/bin/sh
# Starts a real Slurm with one node on this machine, for tests. Root only; Debian or Ubuntu packages slurm-wlm, munge.
# Safe to call again: what runs already is left alone. Stop it with stop.sh. Never run this on a real cluster's node.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
state=${BOOK_SLURM_STATE:-/var/tmp/book-slurm}
conf=/etc/slurm/slurm.conf

fail() { echo "start.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "must run as root"
for tool in munged munge slurmctld slurmd sinfo; do
    PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install slurm-wlm munge"
done
if [ -s "$conf" ] && ! grep -q '^ClusterName=book$' "$conf"; then
    fail "$conf belongs to another cluster; nothing was changed"
fi

# munge: the key that Slurm's parts use to trust each other
mkdir -p /etc/munge /run/munge /var/log/munge /var/lib/munge
[ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 2>/dev/null
chown -R munge:munge /etc/munge /run/munge /var/log/munge /var/lib/munge
chmod 700 /etc/munge
chmod 400 /etc/munge/munge.key
chmod 755 /run/munge
if ! munge -n </dev/null 2>/dev/null | unmunge >/dev/null 2>&1; then
    rm -f /run/munge/munge.socket.2*
    setpriv --reuid=munge --regid=munge --clear-groups /usr/sbin/munged
fi
munge -n </dev/null | unmunge >/dev/null || fail "munge does not work; see /var/log/munge"

# Slurm's configuration and daemons
mkdir -p "$state/spool" "$state/state" /etc/slurm
first=$(($(date +%s) % 60000000 + 1))
sed -e "s|@HOST@|$(hostname -s)|g" -e "s|@STATE@|$state|g" -e "s|@FIRST@|$first|g" "$here/slurm.conf.in" >"$conf"
running() { [ -s "$state/$1.pid" ] && kill -0 "$(cat "$state/$1.pid")" 2>/dev/null; }
running slurmctld || /usr/sbin/slurmctld
running slurmd || /usr/sbin/slurmd

# ready when the node says so
tries=0
until sinfo --noheader --format=%T 2>/dev/null | grep -Eq '^(idle|mixed|allocated)$'; do
    tries=$((tries + 1))
    [ "$tries" -le 60 ] || fail "the node did not come up in 30 s; see $state/slurmctld.log and $state/slurmd.log"
    [ "$tries" != 20 ] || scontrol update nodename="$(hostname -s)" state=resume 2>/dev/null || true
    sleep 0.5
done
sinfo
