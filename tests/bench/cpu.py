"""The CPU of a server whole: of all its processes, those that have ended
included.

A server is started inside a group: a cgroup of its own where the kernel lets
us make one (version 2, or version 1 with cpuacct), which counts what ran in
it to the microsecond.  Elsewhere the tree of processes is walked, in ticks of
10 ms: living ones and what they have reaped.
"""

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import sys
import time

NUMBERS = itertools.count()
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def _mounts():
    """(version, where the cgroup of this process is)."""
    own = {}
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for word in controllers.split(","):
            own[word] = path
    for line in read("/proc/self/mountinfo").splitlines():
        fields, kind = line.split(" - ")
        root, at = fields.split()[3:5]
        kind, _, options = kind.split()
        if kind == "cgroup2":
            version, path = 2, own.get("")
        elif kind == "cgroup" and "cpuacct" in options.split(","):
            version, path = 1, own.get("cpuacct")
        else:
            continue
        if path is not None:
            path = path.removeprefix(root.rstrip("/"))
            yield version, at + path.rstrip("/")


class Cgroup:
    """One of the kernel's."""

    def __init__(self, version, parent, name):
        self.version, self.parent = version, parent
        self.dir = os.path.join(parent, name)
        os.mkdir(self.dir)

    def _enter(self, where):
        with open(os.path.join(where, "cgroup.procs"), "w",
                  encoding="ascii") as f:
            f.write(str(os.getpid()))

    @contextlib.contextmanager
    def inside(self):
        """What is started in here is counted."""
        self._enter(self.dir)
        try:
            yield
        finally:
            self._enter(self.parent)

    def us(self):
        if self.version == 1:
            return int(read(os.path.join(self.dir, "cpuacct.usage"))) / 1000
        words = read(os.path.join(self.dir, "cpu.stat")).split()
        return float(words[words.index("usage_usec") + 1])

    def pids(self):
        return [int(x) for x in
                read(os.path.join(self.dir, "cgroup.procs")).split()]

    def close(self):
        for _ in range(500):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.rmdir(self.dir)
                return
            time.sleep(0.01)


class Walk:
    """Without the kernel's help.  Orphans become children of ours."""

    def __init__(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.roots = set()

    @staticmethod
    def _stats():
        """pid: (parent, ticks of it and of what it has reaped)."""
        found = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = read(f"/proc/{entry}/stat").rsplit(")", 1)[1].split()
                found[int(entry)] = (int(words[1]),
                                     sum(map(int, words[11:15])))
        return found

    def _children(self):
        return {pid for pid, (parent, _) in self._stats().items()
                if parent == os.getpid()}

    @contextlib.contextmanager
    def inside(self):
        before = self._children()
        try:
            yield
        finally:
            self.roots |= self._children() - before

    def _all(self):
        stats = self._stats()
        ours, more = set(), self.roots & set(stats)
        while more:
            ours |= more
            more = {pid for pid, (parent, _) in stats.items()
                    if parent in ours} - ours
        return ours, stats

    def us(self):
        ours, stats = self._all()
        return sum(stats[pid][1] for pid in ours) * TICK_US

    def pids(self):
        return list(self._all()[0])

    def close(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def group(name):
    """A new one."""
    for version, parent in sorted(_mounts(), reverse=True):
        with contextlib.suppress(OSError):
            made = Cgroup(version, parent, f"posthof-bench-{os.getpid()}-"
                          f"{next(NUMBERS)}-{name}")
            try:
                with made.inside():
                    return made
            except OSError:
                made.close()
    return Walk()


BUSY = """
import os, resource, sys, time
for _ in range(10):
    if os.fork() == 0:
        while time.process_time() < 0.03:
            pass
        os._exit(0)
    os.wait()
print(sum(sum(resource.getrusage(who)[:2]) for who in
          (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)), flush=True)
sys.stdin.read()
"""


def check():
    """Ten children that each took 30 ms and have ended, with their parent:
    what the group says of them, and what they themselves do."""
    busy = group("busy")
    try:
        with busy.inside():
            parent = subprocess.Popen(
                [sys.executable, "-S", "-c", BUSY], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
        with parent:
            said = float(parent.stdout.readline()) * 1e3
            time.sleep(0.05)
            counted = busy.us() / 1e3
            parent.stdin.close()
    finally:
        busy.close()
    how = (f"cgroup v{busy.version}" if isinstance(busy, Cgroup)
           else "walking the processes")
    print(f"CPU by {how}: {counted:.0f} ms of {said:.0f} ms in children that "
          "have ended")
    if abs(counted - said) > 0.1 * said:
        sys.exit("CPU is not counted as it should be")
