#!/usr/bin/env python3
"""kill -9 in COPY, MOVE and EXPUNGE of many messages: what was answered OK is
done, every message is whole, and the index is sound while the keeper releases
what was expunged.

Short by default; POSTHOF_LONG=1 goes on for minutes.
"""

import imaplib
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

KILLS = 40 if os.environ.get("POSTHOF_LONG") else 4
AT_ONCE = 4      # kills between two ordinary restarts
MESSAGES = 1500
FOLDERS = ("one", "two", "three")


def text(i):
    return (f"Message-ID: <{i}@example.net>\r\nSubject: {i}\r\n\r\n"
            + f"body {i}\r\n" * (i % 7 + 1)).encode()


def fill(c, folder, numbers):
    parts = [b"f APPEND %s" % folder.encode()]
    for i in numbers:
        parts.append(b" {%d+}\r\n%s" % (len(text(i)), text(i)))
    c.send(b"".join(parts) + b"\r\n")
    while not c.readline().startswith(b"f OK"):
        pass


def held(c, folder):
    """Numbers of the folder's messages, each of them read whole."""
    out = []
    if c.select(folder)[1] == [b"0"]:
        return out
    for item in c.fetch("1:*", "(UID BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            number = int(re.search(rb"Subject: (\d+)", item[1])[1])
            assert item[1] == text(number), f"{folder}: {number} is another"
            out.append(number)
    return out


class Work(threading.Thread):
    """One large command; whether it was answered OK."""

    def __init__(self, c, command):
        super().__init__()
        self.c, self.command, self.good = c, command, False

    def run(self):
        try:
            tag = b"w1"
            self.c.send(tag + b" " + self.command + b"\r\n")
            line = b" "
            while line and not line.startswith(tag):
                line = self.c.readline()
            self.good = line.startswith(tag + b" OK")
        except (OSError, imaplib.IMAP4.error):
            pass


def one(host, kind, victim):
    """What was where before and after, and whether it was said to be done."""
    c = host.imap(1)
    before = {f: held(c, f) for f in FOLDERS}
    source, target = random.sample(FOLDERS, 2)
    if len(before[source]) < MESSAGES:
        have = len(before[source])
        fill(c, source, range(have, MESSAGES))
        before[source] = before[source] + list(range(have, MESSAGES))
    c.select(source)
    if kind == "EXPUNGE":
        c.send(b"d STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n")
        while not c.readline().startswith(b"d OK"):
            pass
        command = b"EXPUNGE"
    else:
        command = b"%s 1:* %s" % (kind.encode(), target.encode())
    work = Work(c, command)
    work.start()
    time.sleep(random.uniform(0, 0.06))
    host.kill(victim)
    work.join()
    host.wait_ready()
    c = host.imap(1)
    after = {f: held(c, f) for f in FOLDERS}
    c.logout()
    return source, target, before, after, work.good


def check(kind, source, target, before, after, good):
    left, come = len(before[source]), len(before[target])
    now, there = len(after[source]), len(after[target])
    say = f"{kind} of {left}: {now} left, {come} then {there} there"
    if kind == "COPY":
        assert now == left, say
        assert there in (come, come + left), say
        assert not good or there == come + left, say
    elif kind == "MOVE":
        assert (now, there) in ((left, come), (0, come + left)), say
        assert not good or now == 0, say
    else:
        assert there == come, say
        assert 0 <= now <= left, say
        assert not good or now == 0, say
    other = (set(FOLDERS) - {source, target}).pop()
    assert after[other] == before[other], "another folder has changed"
    return now != left or there != come


def test_kills_in_large_commands():
    with pt.Host(accounts=1) as host:
        host.expect_restarts = True
        c = host.imap(1)
        for folder in FOLDERS:
            c.create(folder)
        done = 0
        for i in range(KILLS):
            if i % AT_ONCE == 0:
                host.restart()
            kind = ("COPY", "EXPUNGE", "MOVE", "EXPUNGE")[i % 4]
            victim = "keeper" if random.random() < 0.3 else "imapd"
            found = one(host, kind, victim)
            done += check(kind, *found)
            run = host.admin("fsck", check=False)
            assert run.returncode == 0, run.stdout + run.stderr
        print(f"# {KILLS} kills, {done} times something was done")


if __name__ == "__main__":
    pt.main(globals())
