#!/usr/bin/env python3
"""provision.py - how long a batch of N accounts takes.

    tests/bench/provision.py [N]                            (10,000)

Three batches in one host: accounts with hashes, the same once more (nothing
changes), and accounts whose passwords are made here, with their SCRAM keys.
One line each: wall, and CPU of the keeper, which does the work.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

HASH = "{SSHA}QbDJz8VXDo0PWZrFzdQqZ3EHMMhhc2Rm"


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measure(host, what, lines):
    pid = host.children()["keeper"][0]
    used, start = cpu(pid), time.monotonic()
    out = host.admin("provision", stdin="\n".join(lines).encode())
    wall = time.monotonic() - start
    assert out.endswith(f"{len(lines)} done, 0 refused\n"), out[-200:]
    print(f"provision: {len(lines)} accounts, {what}: {wall:.1f} s, "
          f"CPU {cpu(pid) - used:.1f} s", flush=True)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    with pt.Host(accounts=1) as host:
        host.admin("package", "add", "web8")
        host.admin("package", "add", "web9")
        host.admin("domain", "add", "viele.example", "--package", "web9")
        hashed = [f"account add web9p{i} --address u{i}@viele.example "
                  f"--quota 1G --password-hash {HASH}"
                  for i in range(1, n + 1)]
        measure(host, "hashes", hashed)
        measure(host, "the same again", hashed)
        measure(host, "made passwords",
                [f"account add web8p{i}" for i in range(1, n + 1)])


if __name__ == "__main__":
    main()
