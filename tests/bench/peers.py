#!/usr/bin/env python3
"""peers.py [TABLE ...] - Posthof and its peers side by side, in one run.

All hosts are up at once and one is driven at a time, in turns; what counts is
the least CPU of all of a host's processes (cpu.py) in ROUNDS rounds, and how
ours stands to the best peer's: the machine may be slow today, but then it is
so for all.  The goal is the issue's figure to the peer's that it names.
hosts.py has how the peers are set up.

Tables: pop3, lmtp, submission, imap, imap_writing, imap_sessions.  Goals are
those of issues 3 to 5; "floor" is a server that does nothing (floor.c).
"""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpu                                      # noqa: E402
import hosts                                    # noqa: E402
import imap                                     # noqa: E402
import lmtp                                     # noqa: E402
import mtas                                     # noqa: E402
import pop3                                     # noqa: E402
import relay                                    # noqa: E402
import submission                               # noqa: E402
from meter import Imap, build_smtp, message     # noqa: E402

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
    if x is None:
        return "-"
    return f"{x:.{3 if x < 0.1 else 2 if x < 10 else 0}f}"


class Table:
    """Rows of some hosts, ours first.  Where a server mostly waits the row has
    a floor as well: a server that does nothing (floor.c)."""

    def __init__(self, title, *these, bare=None):
        self.hosts, self.bare = these, bare
        names = "".join(f"{h.title:>9}" for h in
                        these + ((bare,) if bare else ()))
        print(f"\n{title:40}{names}   ratio   goal         | wall:{names}",
              flush=True)

    def row(self, name, count, goal, work, rounds=ROUNDS, warm=False,
            bare=False, prepare=None):
        """work(host) does a thing `count` times; goal: (ours, the peer's).
        prepare(host) comes before each and does not count."""
        driven = self.hosts + ((self.bare,) if bare else ())
        least = {h: [float("inf")] * 2 for h in driven}
        for h in driven:
            if warm:
                work(h)
            at_rest(h)
        for turn in range(rounds):
            at = turn % len(driven)
            for h in driven[at:] + driven[:at]:
                if prepare:
                    prepare(h)
                    at_rest(h)
                begin, before = time.monotonic(), h.cpu_us()
                work(h)
                h.done()
                wall = (time.monotonic() - begin) * 1e6
                for i, x in enumerate((at_rest(h) - before, wall)):
                    least[h][i] = min(least[h][i], x / count)
        self._say(name, [least[h][0] for h in driven],
                  [least[h][1] for h in driven], goal)

    def told(self, name, goal, work, rounds=3):
        """work(host) tells what counts itself."""
        least = [min(work(h) for _ in range(rounds)) for h in self.hosts]
        self._say(name, least, [None] * len(least), goal)

    def _say(self, name, cpus, walls, goal):
        ratio = cpus[0] / min(cpus[1:len(self.hosts)])
        verdict = ""
        if goal is not None:
            goal = goal[0] / goal[1]
            verdict = "ok" if ratio <= goal else "missed"
        columns = len(self.hosts) + (self.bare is not None)
        cpus, walls = ("".join(f"{figure(x):>9}" for x in x + [None])
                       [:9 * columns] for x in (cpus, walls))
        print(f"{name:40}{cpus} {ratio:7.3f} "
              + (f"{goal:6.3f}" if verdict else f"{'-':>6}")
              + f" {verdict:6}  |      {walls}", flush=True)


def fill(these, boxes):
    """boxes: account: how many messages.  All hosts at once."""
    texts = [message(i) for i in range(max(boxes.values()))]

    def one(host):
        for n, count in boxes.items():
            c = Imap(host, n)
            c.append(b"INBOX", texts[:count])
            c.close()
    with concurrent.futures.ThreadPoolExecutor(len(these)) as pool:
        for _ in pool.map(one, these):
            pass


# ---- POP3, issue 4

BIG, SMALL = 10000, 2000
DELE_BOXES = (3, 4, 5)


def bench_pop3():
    with hosts.Ours(5) as ours, hosts.Dovecot(5, ours) as dovecot, \
            hosts.Cyrus(5, ours) as cyrus, hosts.Bare("pop3") as bare:
        fill((ours, dovecot, cyrus),
             {2: BIG, **dict.fromkeys(DELE_BOXES, SMALL)})
        pop3_table(Table("POP3, CPU us", ours, dovecot, cyrus,
                         bare=bare))


def pop3_table(t):
    for tls, goal in ((True, (500, 1600)), (False, (100, 758))):
        t.row("check mail, " + ("TLS 1.3" if tls else "in clear"), 100, goal,
              lambda h: [pop3.check(h, 1, tls) for _ in range(100)],
              2 * ROUNDS, warm=True, bare=True)
    t.row(f"check mail, {BIG} messages", 30, (300, 2400),
          lambda h: [pop3.check(h, 2, False) for _ in range(30)], warm=True)
    pop3_session(t)
    boxes = {h: iter(DELE_BOXES) for h in t.hosts}
    t.row("DELE of all and QUIT, a message", SMALL, (2, 4.2),
          lambda h: pop3.dele_all(h, next(boxes[h]), SMALL), len(DELE_BOXES))


def pop3_session(t):
    """What one does in a session that stays."""
    c = {h: pop3.Client(h).login(2) for h in t.hosts + (t.bare,)}
    for command, goal in ((b"LIST\r\n", (0.09, 0.18)),
                          (b"UIDL\r\n", (0.1, 0.19))):
        t.row(command.decode().strip() + ", a message", 5 * BIG, goal,
              lambda h: pop3.list_all(c[h], command), warm=True)
    t.row("RETR of 5.6 KB, pipelined", BIG, (8, 18),
          lambda h: pop3.retr_pipelined(c[h], BIG), 3, warm=True)
    t.row("RETR of 5.6 KB, one by one", 2000, (20, 40),
          lambda h: pop3.retr_one_by_one(c[h], 2000), bare=True)
    for session in c.values():
        session.ask(b"QUIT\r\n")
        session.close()


# ---- LMTP and submission, issue 5

BOXES = 10


def bench_lmtp():
    with hosts.Ours(BOXES) as ours, hosts.Dovecot(BOXES, ours) as dovecot, \
            hosts.Cyrus(BOXES, ours) as cyrus:
        t = Table("LMTP, durable, 5.6 KB, CPU us", ours, dovecot, cyrus)
        for h in t.hosts:
            lmtp.build(h)
        to = [ours.address(n) for n in range(1, BOXES + 1)]
        t.row("32 connections, a message", 1000, (80, 1240),
              lambda h: lmtp.load(h, 32, 1000, *to), 3)
        t.row("one connection, a message", 300, None,
              lambda h: lmtp.load(h, 1, 300, *to), 3)
        t.row("ten recipients at once, a delivery", 1000, (25, 860),
              lambda h: lmtp.load(h, 8, 100, f"+{BOXES}", *to), 3)


def bench_submission():
    port = relay.free_port()
    with hosts.Ours(BOXES, {**relay.LOTS,
                            "smarthost": f'"127.0.0.2:{port}"'}) as ours, \
            hosts.PostfixDovecot(BOXES, ours, port) as postfix:
        t = Table("Submission, TLS and AUTH, CPU us", ours, postfix)
        program = os.path.join(ours.dir, "smtp")
        build_smtp(program)
        for how, name, count, goal in (
                ("submit", "kept connections, local", 1000, (150, 4180)),
                ("each", "a connection a message, local", 300, (700, 5769))):
            t.row(name, count, goal,
                  lambda h: submission.submit(h, program, how, 8, count), 3,
                  warm=True)

        def away(h, count=1000):
            sink = relay.Sink(program, port, count)
            relay.submit(h, program, 1, 8, count, 5600, "u%d@away.test")
            sink.wait()
        t.row("kept connections, to a sink", 1000, (300, 2044), away, 3,
              warm=True)


# ---- IMAP, issue 3

MANY, SOME, FOLDERS = 20000, 4000, 200
HEADERS = (b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC SUBJECT "
           b"MESSAGE-ID REFERENCES)]")
ENVELOPE = b"FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)"
# Over all of MANY, so many times.
READING = (
    ("FETCH ENVELOPE ..., again", ENVELOPE, (1.3, 2.7), 1),
    ("FETCH 1:* (UID FLAGS)", b"FETCH 1:* (UID FLAGS)", (0.2, 0.45), 5),
    ("FETCH HEADER.FIELDS", HEADERS, (1.1, 2.3), 1),
    ("SORT DATE", b"SORT (DATE) UTF-8 ALL", (0.12, 0.32), 5),
    ("SORT SUBJECT", b"SORT (SUBJECT) UTF-8 ALL", (0.15, 0.30), 5),
    ("THREAD=REFERENCES", b"THREAD REFERENCES UTF-8 ALL", (0.6, 1.3), 1),
)


@contextlib.contextmanager
def three_hosts(accounts, boxes):
    """Ours, Dovecot and Cyrus with so many messages."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(hosts.Ours(accounts))
        these = (ours, *(stack.enter_context(kind(accounts, ours))
                         for kind in (hosts.Dovecot, hosts.Cyrus)))
        if boxes:
            fill(these, boxes)
        yield these


def selected(h, n=1, tls=False):
    c = Imap(h, n, tls)
    c.ask(b"SELECT INBOX")
    return c


def bench_imap():
    with three_hosts(1, {1: MANY}) as these:
        t = Table(f"IMAP, {MANY} messages, CPU us each", *these)
        c = {}

        def again(h):
            h.restart()
            c[h] = selected(h)
        for h in these:
            selected(h).ask(ENVELOPE)
        t.row("FETCH ENVELOPE ..., after a start", MANY, (1.3, 2.7),
              lambda h: c[h].ask(ENVELOPE), 3, prepare=again)
        for name, command, goal, times in READING:
            t.row(name, MANY * times, goal,
                  lambda h: [c[h].ask(command) for _ in range(times)], 3,
                  warm=True)
        for sign, other in ((b"+", b"-"), (b"-", b"+")):
            t.row(f"STORE {sign.decode()}FLAGS", MANY, (0.25, 0.51),
                  lambda h: c[h].ask(b"STORE 1:* %sFLAGS (\\Flagged)" % sign),
                  3, prepare=lambda h: c[h].ask(
                      b"STORE 1:* %sFLAGS.SILENT (\\Flagged)" % other))
        imap_searches(t, c)
        imap_opening(t, c)


def imap_searches(t, c):
    for name, key, ours, theirs, _ in imap.SEARCHES:
        count, times = (SOME, 1) if name == "body" else (MANY, 5)
        if count != MANY:
            key = b"1:%d " % count + key
        t.row(f"SEARCH by {name}", count * times, (ours, theirs),
              lambda h: [c[h].ask(b"SEARCH RETURN (COUNT) " + key)
                         for _ in range(times)], 3, warm=True)
    for tls, goal in ((False, (4.5, 9)), (True, (12, 25))):
        b = {h: selected(h, tls=tls) for h in t.hosts}
        t.row("FETCH BODY.PEEK[], " + ("TLS" if tls else "plain"), SOME, goal,
              lambda h: b[h].ask(b"FETCH 1:%d BODY.PEEK[]" % SOME), 3,
              warm=True)


def imap_opening(t, c):
    t.row("SELECT, again", 300, (13, 26),
          lambda h: [c[h].ask(b"SELECT INBOX") for _ in range(300)],
          warm=True)
    fresh = {}

    def anew(h):
        for session in fresh.pop(h, ()):
            session.close()
        fresh[h] = [Imap(h, 1) for _ in range(50)]
    t.row("SELECT, fresh session", 50, (40, 173),
          lambda h: [session.ask(b"SELECT INBOX") for session in fresh[h]],
          prepare=anew)
    for h in t.hosts:
        c[h].ask_many([b"CREATE folder/%04d" % i for i in range(FOLDERS)])
    t.row("LIST with STATUS, a folder", 5 * FOLDERS, (3, 6.6),
          lambda h: c[h].ask_many([b'LIST "" * RETURN (STATUS (MESSAGES '
                                   b'UNSEEN UIDNEXT))'] * 5, 5), warm=True)


def bench_imap_writing():
    with three_hosts(12, {1: SOME}) as these:
        t = Table("IMAP, writing, CPU us a message", *these)
        c = {h: selected(h) for h in these}

        def copied(h):
            """A folder with a copy of all; another without."""
            c[h].ask(b"SELECT INBOX")
            c[h].folder = b"f%d" % c[h].count
            c[h].ask(b"CREATE " + c[h].folder)
            c[h].ask(b"CREATE to" + c[h].folder)
            c[h].ask(b"COPY 1:* " + c[h].folder)
            c[h].ask(b"SELECT " + c[h].folder)

        def doomed(h):
            copied(h)
            c[h].ask(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        t.row("COPY", SOME, (3, 6.8), lambda h: c[h].ask(
            b"COPY 1:* to" + c[h].folder), 3, prepare=copied)
        t.row("MOVE", SOME, (4, 10), lambda h: c[h].ask(
            b"MOVE 1:* to" + c[h].folder), 3, prepare=copied)
        t.row("EXPUNGE", SOME, (1.1, 2.2), lambda h: c[h].ask(b"EXPUNGE"), 3,
              prepare=doomed)
        texts = [message(i) for i in range(1000)]
        t.row("APPEND durable, one session", 100, (120, 388),
              lambda h: imap.append_each(h, 3, texts[:100]), 3)
        t.row("APPEND durable, eight sessions", 400, (90, 437),
              lambda h: imap.append_eight(h, 4, texts[:400]), 3)
        t.row("MULTIAPPEND of 250", 1000, None,
              lambda h: c[h].append(b"INBOX", texts), 3)
        t.told("delivery seen by IDLE, ms", (0.5, 0.7),
                  lambda h: imap.idle_delivery(h, 12, 10))


def bench_imap_sessions(idle=100):
    """Not more in IDLE than a user of Dovecot's may have of inotify (128)."""
    with three_hosts(11, {}) as these, hosts.Bare("imap") as bare:
        t = Table("IMAP, sessions, CPU us", *these, bare=bare)
        t.row("connect, TLS 1.3, PLAIN, LOGOUT", 100, (500, 1393),
              lambda h: imap.login_and_out(h, 1, 100), 2 * ROUNDS,
              warm=True, bare=True)
        sessions = {}

        def memory(h):
            before = h.private_kib()
            sessions[h] = imap.in_idle(h, 1, idle, True)
            at_rest(h)
            return (h.private_kib() - before) / idle
        t.told(f"an idle TLS session of {idle}, KiB", (24, 605), memory, 1)
        t.row(f"a delivery told to {idle} of IDLE, a session", idle, None,
              lambda h: imap.tell_all(h, 1, sessions[h]), 3)
        for session in sum(sessions.values(), []):
            session.close()
        sessions = {h: imap.mixed_sessions(h, 2) for h in these}
        t.row("mixed commands of 50 TLS sessions", 3000, (45, 149),
              lambda h: imap.mixed(sessions[h]), 3, warm=True)
        for session in sum(sessions.values(), []):
            session.close()


# ---- running them

def main():
    tables = {name[6:]: f for name, f in globals().items()
              if name.startswith("bench_")}
    wanted = sys.argv[1:] or list(tables)
    if not set(wanted) <= set(tables):
        sys.exit("tables: " + " ".join(tables))
    missing = [name for name in ("dovecot", "cyrus") if not
               os.path.exists(os.path.join(mtas.TREES, name, "done"))]
    missing += ["postfix"] if shutil.which("postfix") is None else []
    if missing or os.getuid() != 0:
        print("peers: skipped: " + (
            f"no {' '.join(missing)}: make bench-peers gets what it takes"
            if missing else "to enter a peer's tree takes root"))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cpu.check()
    for name in wanted:
        tables[name]()


if __name__ == "__main__":
    main()
