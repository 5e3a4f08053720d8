"""Shut a process in: what of the machine it sees, and how much it may take. Run as ``python -I isolation.py JSON``.

Two ways, the first that works is taken:

* ``bubblewrap``: the program `bwrap`, where it is installed and may be used;
* ``namespaces``: the same by system calls, for root or where users may make namespaces of their own. It is what this file does.

Standard library only: this file is run by a bare interpreter.
"""

import ctypes
import json
import os
import resource
import signal
import sys

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH, PDEATHSIG, NO_NEW_PRIVS = 2, 1, 38
_LIBC = ctypes.CDLL(None, use_errno=True)
FIRST_USER = 1_200_000  # user numbers that no account of a machine has
HOME = "/home/student"
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
)


def _call(name, *arguments):
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source, target, kind, flags, data=None):
    encoded = [each.encode() if each is not None else None for each in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), data.encode() if data else None)


def enter(user):
    """Namespaces of our own, with root's rights over them."""
    outside = (os.getuid(), os.getgid())
    flags = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    _call("unshare", flags if user is not None else flags | NEWUSER)
    if user is None:
        for file, line in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {outside[0]} 1"),
            ("gid_map", f"0 {outside[1]} 1"),
        ):
            with open(f"/proc/self/{file}", "w") as out:
                out.write(line)


def new_root(root, shown, megabytes):
    """A file system that holds what ``shown`` names, read-only, and an empty home that can be written."""
    _mount(None, "/", None, REC | PRIVATE)
    _mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "size=16m,mode=755")
    for place in ("/dev", "/proc", "/tmp", HOME):
        os.makedirs(root + place, exist_ok=True)
    for place in ("/tmp", HOME):  # first: what is shown may lie below them
        _mount("tmpfs", root + place, "tmpfs", NOSUID | NODEV, f"size={megabytes}m,mode=1777")
    for source, place in shown:
        _show(source, root + place)
    for device in ("null", "zero", "random", "urandom"):
        target = f"{root}/dev/{device}"
        open(target, "w").close()
        _mount(f"/dev/{device}", target, None, BIND)
    try:
        _mount("proc", root + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    except OSError:
        pass  # where the system covers parts of it; nothing here needs it
    os.chdir(root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", DETACH)
    _mount(None, "/", None, REMOUNT | BIND | RDONLY | NOSUID | NODEV)
    os.chdir(HOME)


def _show(source, target):
    if os.path.islink(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "a").close()
    _mount(source, target, None, BIND)
    kept = os.statvfs(source).f_flag & (NOSUID | NODEV | NOEXEC | 1024 | 2048)  # locked in a user's namespace
    if os.statvfs(source).f_flag & 4096:
        kept |= 1 << 21  # relatime
    _mount(None, target, None, REMOUNT | BIND | RDONLY | kept | NOSUID)


def limits(seconds, memory, processes, file_size):
    """What one process, or one user, may take."""
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (value, value))
        except ValueError:  # a stricter one holds already
            pass


def drop(user):
    """Give up all rights: to an unused user, or as the only user of the namespace without its capabilities."""
    _LIBC.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _LIBC.prctl(28, 1 | 2 | 4 | 8, 0, 0, 0)  # root is nobody special after exec
    if _LIBC.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def main(how):
    """Run ``how["command"]`` shut in; returns its exit status. When this process ends, all that it started ends."""
    user = FIRST_USER + how["slot"] if os.getuid() == 0 else None
    _LIBC.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    enter(user)
    child = os.fork()
    if child == 0:
        _LIBC.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        new_root(how["root"], how["shown"], how["disk"] >> 20)
        limits(how["seconds"], how["memory"], how["processes"], how["disk"])
        drop(user)
        _LIBC.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of the user takes it back
        os.execve(how["command"][0], how["command"], how["environment"])
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
