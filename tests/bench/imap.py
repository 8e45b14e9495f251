#!/usr/bin/env python3
"""imap.py [NAME ...] - what each thing an IMAP client does costs.

Wall time and the daemons' CPU of each row, beside the goal and the best of
Dovecot 2.3 and Cyrus 3.6 as they were measured on such a machine.  The goal
is about CPU unless the row has none.
"""

import base64
import os
import re
import select
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from meter import (Imap, Meter, cpu_us, heading, message, private_kib,  # noqa
                   pt, say)

BIG = 100000    # messages of account 1's INBOX
SMALL = 20000   # of account 2's
FOLDERS = 500   # of account 3
CONF = {"connections-per-address": 50000, "sessions-per-account": 50000,
        "plaintext-without-tls": "true", "store-cache": "512M",
        "line-max": "64K"}


def fill_big(host):
    """Once, before the first row that wants it."""
    if getattr(host, "has_big", False):
        return
    host.has_big = True
    with Meter(host) as m:
        fill(host, 1, b"INBOX", BIG)
    m.say("MULTIAPPEND by four sessions, a message", BIG, None, None)


def big(host, tls=False):
    fill_big(host)
    c = Imap(host, 1, tls)
    c.ask(b"SELECT INBOX")
    return c


def row(host, name, count, goal, peer, work, warm=True):
    if warm:
        work()
    with Meter(host) as m:
        work()
    m.say(name, count, goal, peer)


def fill(host, n, folder, count, sessions=4):
    """Messages of all kinds, by several sessions."""
    def part(k):
        c = Imap(host, n)
        c.append(folder, [message(i) for i in range(k, count, sessions)])
        c.close()
    threads = [threading.Thread(target=part, args=(k,))
               for k in range(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


# ---- rows, in the order they run

def bench_select(host):
    c = big(host)
    row(host, f"SELECT of {BIG}, again", 2000, 13, 26,
        lambda: [c.ask(b"SELECT INBOX") for _ in range(2000)])
    row(host, f"SELECT of {BIG}, again, pipelined", 2000, 13, 26,
        lambda: c.ask_many([b"SELECT INBOX"] * 2000))
    fresh = [Imap(host, 1) for _ in range(400)]
    row(host, f"SELECT of {BIG}, fresh session", 400, 40, 173,
        lambda: [c.ask(b"SELECT INBOX") for c in fresh], False)
    for c in fresh:
        c.close()


def bench_noop(host):
    c = big(host)
    row(host, "NOOP", 5000, None, None,
        lambda: [c.ask(b"NOOP") for _ in range(5000)])


def bench_flags(host):
    c = big(host)
    row(host, "FETCH 1:* (UID FLAGS), a message", 3 * BIG, 0.2, 0.45,
        lambda: [c.ask(b"FETCH 1:* (UID FLAGS)") for _ in range(3)])


def bench_envelope(host):
    """After a start the store's cache is empty: its pages are read, their
    checksums made, and its memory touched for the first time."""
    what = (b"FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)")
    fill_big(host)
    host.restart()
    c = big(host)
    row(host, "FETCH ENVELOPE ..., first after a start", BIG, 1.3, 2.7,
        lambda: c.ask(what), False)
    c = big(host)
    row(host, "FETCH ENVELOPE ..., first of a session", BIG, 1.3, 2.7,
        lambda: c.ask(what), False)
    row(host, "FETCH ENVELOPE ..., again", BIG, 1.3, 2.7,
        lambda: c.ask(what), False)


def bench_header(host):
    c = big(host)
    row(host, "FETCH BODY.PEEK[HEADER.FIELDS (...)]", BIG, 1.1, 2.3,
        lambda: c.ask(b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC "
                      b"SUBJECT MESSAGE-ID REFERENCES)]"))


def bench_body(host):
    for tls, goal, peer in ((False, 4.5, 9), (True, 12, 25)):
        c = big(host, tls)
        row(host, "FETCH BODY.PEEK[], " + ("TLS" if tls else "plain"),
            20000, goal, peer,
            lambda: c.ask(b"FETCH 1:20000 BODY.PEEK[]"))


SEARCHES = (
    ("flag", b"FLAGGED UNSEEN", 0.03, 0.08, BIG),
    ("date", b"SINCE 1-Jan-2026 BEFORE 1-Jan-2027", 0.05, 0.19, BIG),
    ("from", b"FROM emma.keller", 0.8, 2.1, BIG),
    ("subject", b'SUBJECT "holiday photos"', 0.8, 1.7, BIG),
    ("body", b"BODY nowheretobefound", 10, 44, 20000),
)


def bench_search(host):
    c = big(host)
    for name, key, goal, peer, count in SEARCHES:
        if count != BIG:
            key = b"1:%d " % count + key
        times = 1 if name == "body" else 3
        row(host, f"SEARCH by {name}, a message", count * times, goal, peer,
            lambda: [c.ask(b"SEARCH RETURN (COUNT) " + key)
                     for _ in range(times)])


def bench_sort(host):
    c = big(host)
    for name, goal, peer in (("DATE", 0.12, 0.32), ("SUBJECT", 0.15, 0.30)):
        command = b"SORT (%s) UTF-8 ALL" % name.encode()
        row(host, f"SORT {name}, a message, first", BIG, None, None,
            lambda: c.ask(command), False)
        row(host, f"SORT {name}, a message", BIG, goal, peer,
            lambda: c.ask(command), False)


def bench_thread(host):
    c = big(host)
    command = b"THREAD REFERENCES UTF-8 ALL"
    row(host, "THREAD=REFERENCES, a message, first", BIG, None, None,
        lambda: c.ask(command), False)
    row(host, "THREAD=REFERENCES, a message", BIG, 0.6, 1.3,
        lambda: c.ask(command), False)


def bench_qresync(host):
    c = big(host)
    said = c.ask(b"SELECT INBOX", keep=True)
    validity = re.search(rb"UIDVALIDITY (\d+)", said)[1]
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", said)[1]
    c = Imap(host, 1)
    c.ask(b"ENABLE QRESYNC")
    before = c.bytes
    with Meter(host) as m:
        c.ask(b"SELECT INBOX (QRESYNC (%s %s 1:%d))" % (validity, modseq, BIG))
    m.say(f"QRESYNC reopen of {BIG}, unchanged", 1, None, None)
    say("  bytes on the wire", c.bytes - before, None, 1024, None, "B")


def bench_store(host):
    c = big(host)
    for sign in (b"+", b"-"):
        row(host, f"STORE 1:* {sign.decode()}FLAGS, a message", BIG, 0.25,
            0.51, lambda: c.ask(b"STORE 1:* %sFLAGS (\\Flagged)" % sign),
            False)


def settle(host):
    """Until the daemons have had nothing to do for two seconds."""
    quiet, now = 0, cpu_us(host)
    while quiet < 4:
        time.sleep(0.5)
        before, now = now, cpu_us(host)
        quiet = quiet + 1 if now - before < 5000 else 0


def bench_move(host):
    fill(host, 2, b"INBOX", SMALL)
    c = Imap(host, 2)
    for name in (b"one", b"two"):
        c.ask(b"CREATE " + name)
    c.ask(b"SELECT INBOX")
    row(host, "COPY, a message", SMALL, 3, 6.8,
        lambda: c.ask(b"COPY 1:* one"), False)
    c.ask(b"SELECT one")
    row(host, "MOVE, a message", SMALL, 4, 10,
        lambda: c.ask(b"MOVE 1:* two"), False)
    c.ask(b"SELECT INBOX")
    c.ask(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    settle(host)
    row(host, "EXPUNGE, a message of two copies", SMALL, 1.1, 2.2,
        lambda: c.ask(b"EXPUNGE"), False)
    c.ask(b"SELECT two")
    c.ask(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    settle(host)
    row(host, "EXPUNGE, a message", SMALL, 1.1, 2.2,
        lambda: c.ask(b"EXPUNGE"), False)
    row(host, "  what the keeper does of it later", SMALL, None, None,
        lambda: settle(host), False)


def bench_list(host):
    c = Imap(host, 3)
    c.ask_many([b"CREATE folder/%04d" % i for i in range(FOLDERS)])
    row(host, f"LIST with STATUS of {FOLDERS}, a folder", FOLDERS * 20, 3,
        6.6, lambda: c.ask_many([
            b'LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))'] * 20, 5))


def append_each(host, n, texts):
    c = Imap(host, n)
    for text in texts:
        c.append(b"INBOX", [text], 1)
    c.close()


def append_eight(host, first, texts):
    """By a session of each of eight accounts."""
    threads = [threading.Thread(target=append_each,
                                args=(host, first + k, texts[k::8]))
               for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def bench_append(host):
    texts = [message(i) for i in range(2000)]
    row(host, "APPEND durable, one session", 500, 120, 388,
        lambda: append_each(host, 4, texts[:500]), False)
    row(host, "APPEND durable, eight sessions", 2000, 90, 437,
        lambda: append_eight(host, 4, texts), False)
    c = Imap(host, 4)
    row(host, "MULTIAPPEND of 250, a message", 2000, 40, None,
        lambda: c.append(b"INBOX", texts), False)


def login_and_out(host, n, count):
    word = base64.b64encode(b"\0%s\0%s" % (host.user(n).encode(),
                                           host.password(n).encode()))
    for _ in range(count):
        c = Imap(host, tls=True)
        c.ask(b"AUTHENTICATE PLAIN " + word)
        c.ask(b"LOGOUT")
        c.close()


def bench_login(host):
    row(host, "connect, TLS 1.3, PLAIN, LOGOUT", 300, 500, 1393,
        lambda: login_and_out(host, 4, 300))


MIXED = (b"NOOP", b"SELECT INBOX", b"FETCH 1:20 (UID FLAGS ENVELOPE)",
         b"FETCH 7 BODY.PEEK[]", b"STATUS INBOX (MESSAGES UNSEEN)",
         b"SEARCH UNSEEN", b"STORE 3 +FLAGS.SILENT (\\Seen)",
         b'LIST "" *', b"FETCH 1:* FLAGS", b"NOOP")


def mixed_sessions(host, first):
    """50 with TLS, of ten accounts that get 100 messages each."""
    for n in range(first, first + 10):
        c = Imap(host, n)
        c.append(b"INBOX", [message(i) for i in range(100)])
        c.close()
    return [Imap(host, first + k % 10, True) for k in range(50)]


def mixed(sessions):
    """3,000 commands; each session has one under way."""
    for step in range(60):
        tags = [c.send(MIXED[(step + k) % len(MIXED)] if step
                       else b"SELECT INBOX")
                for k, c in enumerate(sessions)]
        for c, tag in zip(sessions, tags):
            c.wait(tag)


def bench_mixed(host):
    sessions = mixed_sessions(host, 20)
    row(host, "mixed commands of 50 TLS sessions", 3000, 45, 149,
        lambda: mixed(sessions))
    for c in sessions:
        c.close()


def idle_delivery(host, n, count):
    """Milliseconds from a delivery's end of DATA to the news, the median."""
    c = Imap(host, n)
    c.ask(b"SELECT INBOX")
    c.send(b"IDLE")
    c.read()
    c.sock.settimeout(60)
    times = []
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(host.lmtp_socket)
        lines = s.makefile("rb")

        def reply():
            line = b"---- "
            while line[3:4] == b"-":
                line = lines.readline()
            if line[:1] not in (b"2", b"3"):
                raise pt.Failure(f"LMTP: {line}")
        reply()
        s.sendall(b"LHLO bench\r\n")
        reply()
        for i in range(count):
            s.sendall(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<%s>\r\n"
                      b"DATA\r\n" % host.address(n).encode())
            for _ in range(3):
                reply()
            begin = time.monotonic()
            s.sendall(message(i) + b".\r\n")
            while b" EXISTS" not in c.read():
                pass
            times.append(time.monotonic() - begin)
            reply()
            time.sleep(0.003)
    c.close()
    times.sort()
    return times[len(times) // 2] * 1e3


def bench_idle_delivery(host):
    say("delivery seen by IDLE, end of DATA to news, p50",
        idle_delivery(host, 15, 200), None, 0.5, 0.7, "ms")


def in_idle(host, n, count, tls=False):
    """Sessions with INBOX."""
    idle = []
    while len(idle) < count:
        c = Imap(host, n, tls)
        c.ask(b"SELECT INBOX")
        c.space = None
        c.send(b"IDLE")
        c.read()
        idle.append(c)
    return idle


def tell_all(host, n, idle):
    """A delivery, until each has heard of it."""
    poll = select.epoll()
    waiting = {c.sock.fileno(): c for c in idle}
    for fd in waiting:
        poll.register(fd, select.EPOLLIN)
    for fd, _ in poll.poll(0):      # more words about the one before
        waiting[fd].read()
    host.deliver(n, message(1))
    while waiting:
        for fd, _ in poll.poll(30):
            if b" EXISTS" in waiting[fd].read():
                poll.unregister(fd)
                del waiting[fd]
    poll.close()


def bench_idle_many(host):
    idle = in_idle(host, 16, 2000)
    with Meter(host) as m:
        tell_all(host, 16, idle)
    say("2,000 sessions in IDLE all told", m.wall / 1e6, None, 0.3, 3.3, "s")
    say("  CPU of it, a session", m.wall / 2000, m.cpu / 2000, None, None)
    for c in idle:
        c.close()


def bench_memory(host):
    first = private_kib(host, "imapd")
    idle = []
    for upto in (2000, 10000):
        idle += in_idle(host, 17, upto - len(idle), True)
        time.sleep(1)
        say(f"memory of an idle TLS session, at {upto}",
            (private_kib(host, "imapd") - first) / upto, None, 24, 605,
            "KiB")
    for c in idle:
        c.close()


# ---- running them

def main():
    wanted = sys.argv[1:]
    rows = [(name[6:], f) for name, f in globals().items()
            if name.startswith("bench_")]
    unknown = set(wanted) - {name for name, _ in rows}
    if unknown:
        sys.exit(f"no such row: {' '.join(unknown)}; there are: "
                 + " ".join(name for name, _ in rows))
    with pt.Host(30, CONF) as host:
        heading()
        for name, f in rows:
            if not wanted or name in wanted:
                f(host)


if __name__ == "__main__":
    main()
