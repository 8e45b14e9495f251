#!/usr/bin/env python3
"""kill -9 of pop3d between DELE and QUIT's answer: nothing is lost that was
not deleted, and a QUIT deletes all it was told to or nothing.

Short by default; POSTHOF_LONG=1 does 200 kills.
"""

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

LONG = bool(os.environ.get("POSTHOF_LONG"))
KILLS = 200 if LONG else 8
MESSAGES = 4000     # more than one transaction takes
AT_ONCE = 4         # kills; after more in a minute the supervisor pauses


def fill(host, n, count, start):
    with host.connect("lmtp") as s:
        f = s.makefile("rb")
        f.readline()
        s.sendall(b"LHLO x\r\n")
        while f.readline()[3:4] == b"-":
            pass
        for at in range(0, count, 100):
            some = range(start + at, start + min(at + 100, count))
            s.sendall(b"".join(
                b"MAIL FROM:<a@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\n"
                b"Subject: m%d\r\nX-Id: m%d\r\n\r\nx\r\n.\r\n"
                % (host.address(n).encode(), i, i) for i in some))
            for _ in some:
                for _ in range(3):
                    f.readline()
                answer = f.readline()
                assert answer.startswith(b"250"), answer
        s.sendall(b"QUIT\r\n")
        f.readline()


def uidls(host, n):
    c = host.pop3(n, timeout=60)
    found = [line.split()[1].decode() for line in c.uidl()[1]]
    c.quit()
    return found


def killer(host, after):
    time.sleep(after)
    host.kill("pop3d")


def delete_and_quit(host, n, numbers, after):
    """Pipelines the deletions; True when QUIT was answered +OK."""
    c = host.pop3(n, timeout=60)
    c.sock.sendall(b"".join(b"DELE %d\r\n" % i for i in numbers))
    for _ in numbers:
        assert c.file.readline().startswith(b"+OK")
    t = threading.Thread(target=killer, args=(host, after))
    t.start()
    try:
        c.sock.sendall(b"QUIT\r\n")
        answer = c.file.readline()
    except OSError:
        answer = b""
    t.join()
    c.close()
    return answer.startswith(b"+OK")


def test_kills_between_dele_and_quit():
    with pt.Host(accounts=1) as host:
        host.expect_restarts = True
        made = deleted = 0
        for i in range(KILLS):
            if i % AT_ONCE == 0:
                host.restart()
            before = uidls(host, 1)
            if len(before) < MESSAGES:
                fill(host, 1, MESSAGES - len(before), made)
                made += MESSAGES - len(before)
                before = uidls(host, 1)
            assert len(set(before)) == len(before) == MESSAGES
            share = random.choice((0.02, 0.3, 0.9))
            chosen = [k for k in range(1, MESSAGES + 1)
                      if random.random() < share]
            good = delete_and_quit(host, 1, chosen,
                                   random.uniform(0, 0.12))
            host.wait_ready()
            gone = {before[k - 1] for k in chosen}
            after = uidls(host, 1)
            if after == before:
                assert not good, f"kill {i}: +OK, and nothing is deleted"
                continue
            assert after == [u for u in before if u not in gone], \
                f"kill {i}: {len(before) - len(after)} of {len(chosen)}"
            deleted += 1
        run = host.admin("fsck", check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        print(f"# {KILLS} kills, {deleted} times the messages went")


if __name__ == "__main__":
    pt.main(globals())
