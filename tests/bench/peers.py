#!/usr/bin/env python3
"""peers.py [pop3 ...] - Posthof and its peers side by side, in one run.

All hosts are up at once and one is driven at a time, in turns; what counts is
the least CPU of all of a host's processes (cpu.py) in ROUNDS rounds, and how
ours stands to the best peer's: the machine may be slow today, but then it is
so for all.  The goal is the issue's figure to the peer's that it names.
hosts.py has how the peers are set up.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpu                                      # noqa: E402
import hosts                                    # noqa: E402
import mtas                                     # noqa: E402
import pop3                                     # noqa: E402
from meter import Imap, message                 # noqa: E402

ROUNDS = 5


def at_rest(host):
    """Its CPU, once it has come to rest: who still runs is not counted up to
    the last."""
    before, now = None, host.cpu_us()
    for _ in range(100):
        if before is not None and now - before < 100:
            break
        time.sleep(0.02)
        before, now = now, host.cpu_us()
    return now


def figure(x):
    return "-" if x is None else f"{x:.2f}" if x < 10 else f"{x:.0f}"


class Table:
    """Rows of some hosts, ours first."""

    def __init__(self, title, *these):
        self.hosts = these
        names = "".join(f"{h.title:>9}" for h in these)
        print(f"\n{title:40}{names} {'ratio':>6} {'goal':>6}        "
              f" | wall:{names}")

    def row(self, name, count, goal, work, rounds=ROUNDS, warm=False):
        """work(host) does a thing `count` times; goal: (ours, the peer's)."""
        least = {h: [float("inf")] * 2 for h in self.hosts}
        for h in self.hosts:
            if warm:
                work(h)
            at_rest(h)
        for turn in range(rounds):
            at = turn % len(self.hosts)
            for h in self.hosts[at:] + self.hosts[:at]:
                begin, before = time.monotonic(), h.cpu_us()
                work(h)
                wall = (time.monotonic() - begin) * 1e6
                for i, x in enumerate((at_rest(h) - before, wall)):
                    least[h][i] = min(least[h][i], x / count)
        self._say(name, [least[h][0] for h in self.hosts],
                  [least[h][1] for h in self.hosts], goal)

    @staticmethod
    def _say(name, cpus, walls, goal):
        ratio = cpus[0] / min(cpus[1:])
        verdict = ""
        if goal is not None:
            goal = goal[0] / goal[1]
            verdict = "ok" if ratio <= goal else "missed"
        print(f"{name:40}" + "".join(f"{figure(x):>9}" for x in cpus)
              + f" {ratio:6.3f} "
              + (f"{goal:6.3f}" if verdict else f"{'-':>6}")
              + f" {verdict:6}  |      "
              + "".join(f"{figure(x):>9}" for x in walls), flush=True)


def fill(host, n, count, first=0):
    c = Imap(host, n)
    c.append(b"INBOX", [message(first + i) for i in range(count)])
    c.close()


# ---- POP3, issue 4

BIG, SMALL = 10000, 2000
DELE_BOXES = (3, 4, 5)


def bench_pop3():
    with hosts.Ours(5) as ours, hosts.Dovecot(5, ours) as dovecot, \
            hosts.Cyrus(5, ours) as cyrus:
        for h in (ours, dovecot, cyrus):
            fill(h, 2, BIG)
            for n in DELE_BOXES:
                fill(h, n, SMALL)
        pop3_table(Table("POP3, CPU us", ours, dovecot, cyrus))


def pop3_table(t):
    for tls, goal in ((True, (500, 1600)), (False, (100, 758))):
        t.row("check mail, " + ("TLS 1.3" if tls else "in clear"), 100, goal,
              lambda h: [pop3.check(h, 1, tls) for _ in range(100)],
              warm=True)
    t.row(f"check mail, {BIG} messages", 30, (300, 2400),
          lambda h: [pop3.check(h, 2, False) for _ in range(30)], warm=True)
    pop3_session(t)
    boxes = {h: iter(DELE_BOXES) for h in t.hosts}
    t.row("DELE of all and QUIT, a message", SMALL, (2, 4.2),
          lambda h: pop3.dele_all(h, next(boxes[h]), SMALL), len(DELE_BOXES))


def pop3_session(t):
    """What one does in a session that stays."""
    c = {h: pop3.Client(h).login(2) for h in t.hosts}
    for command, goal in ((b"LIST\r\n", (0.09, 0.18)),
                          (b"UIDL\r\n", (0.1, 0.19))):
        t.row(command.decode().strip() + ", a message", 5 * BIG, goal,
              lambda h: pop3.list_all(c[h], command), warm=True)
    t.row("RETR of 5.6 KB, pipelined", BIG, (8, 18),
          lambda h: pop3.retr_pipelined(c[h], BIG), 3, warm=True)
    t.row("RETR of 5.6 KB, one by one", 2000, (20, 40),
          lambda h: pop3.retr_one_by_one(c[h], 2000))
    for h in t.hosts:
        c[h].ask(b"QUIT\r\n")
        c[h].close()


# ---- running them

def main():
    tables = {name[6:]: f for name, f in globals().items()
              if name.startswith("bench_")}
    wanted = sys.argv[1:] or list(tables)
    if not set(wanted) <= set(tables):
        sys.exit("tables: " + " ".join(tables))
    missing = [name for name in ("dovecot", "cyrus") if not
               os.path.exists(os.path.join(mtas.TREES, name, "done"))]
    if os.getuid() != 0 or missing:
        print("peers: skipped: " + (
            f"no {' '.join(missing)} in {mtas.TREES}: make bench-peers gets "
            "them" if missing else "chroot wants root"))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cpu.check()
    for name in wanted:
        tables[name]()


if __name__ == "__main__":
    main()
