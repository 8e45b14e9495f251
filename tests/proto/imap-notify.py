#!/usr/bin/env python3
"""IMAP: who listens by NOTIFY knows in the end what is there (RFC 5465)."""

import os
import random
import re
import sys
import threading
import time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "Work", "$Label1"]
NAMES = ["a", "b", "a/x", "a/y", "b/z", "c d"]


class Line:
    """A connection spoken by hand."""

    def __init__(self, host, n, deflate=False):
        self.s = host.connect("imaps")
        self.f = self.s.makefile("rwb")
        self.f.readline()
        self.tags = 0
        self.do(f"LOGIN {host.user(n)} {host.password(n)}")

    def do(self, text, body=None):
        """The untagged lines, and whether it was OK."""
        self.tags += 1
        tag = b"t%d" % self.tags
        self.f.write(tag + b" " + text.encode())
        if body is not None:
            self.f.write(b" {%d+}\r\n" % len(body) + body)
        self.f.write(b"\r\n")
        self.f.flush()
        lines = []
        while True:
            line = self.f.readline()
            assert line, (text, lines)
            if line.startswith(tag + b" "):
                assert not line.startswith(tag + b" BAD"), (text, line)
                return lines, line.startswith(tag + b" OK")
            lines.append(line.decode())


class Model:
    """What a peer that only listens has been told."""

    def __init__(self, uidonly=False):
        self.msgs = []          # [uid, flags], by number
        self.exists = 0
        self.names = {}         # name -> subscribed
        self.status = {}        # name -> {item: number}
        self.told_new = set()   # UIDs shown by MessageNew
        self.errors = []

    def take(self, line):
        m = re.fullmatch(r"\* (\d+) EXISTS\r\n", line)
        if m:
            if int(m[1]) < len(self.msgs):
                self.errors.append(line)
            while len(self.msgs) < int(m[1]):
                self.msgs.append([None, None])
            return
        m = re.fullmatch(r"\* (\d+) EXPUNGE\r\n", line)
        if m:
            if not 1 <= int(m[1]) <= len(self.msgs):
                self.errors.append(line)
            else:
                del self.msgs[int(m[1]) - 1]
            return
        m = re.fullmatch(r"\* (\d+) FETCH \(UID (\d+) FLAGS \((.*?)\).*\)\r\n",
                         line)
        if m:
            self.fetch(int(m[1]), int(m[2]), m[3], line)
            return
        m = re.fullmatch(r'\* STATUS "(.*)" \((.*)\)\r\n', line)
        if m:
            words = m[2].split()
            self.status.setdefault(m[1], {}).update(
                zip(words[::2], map(int, words[1::2])))
            return
        m = re.fullmatch(r'\* LIST \((.*)\) "/" "(.*?)"( \("OLDNAME" '
                         r'\("(.*)"\)\))?\r\n', line)
        if m:
            self.list(m[1].split(), m[2], m[4])

    def fetch(self, seq, uid, flags, line):
        if not 1 <= seq <= len(self.msgs):
            self.errors.append(line)
            return
        if self.msgs[seq - 1][0] not in (None, uid):
            self.errors.append(line)
        self.msgs[seq - 1] = [uid, set(flags.split()) - {"\\Recent"}]

    def list(self, words, name, old):
        if old is not None:     # its children go along, RFC 5465 5.4
            for was in list(self.names):
                if was == old or was.startswith(old + "/"):
                    to = name + was[len(old):]
                    self.names[to] = self.names.pop(was)
                    if was in self.status:
                        self.status[to] = self.status.pop(was)
        gone = "\\NonExistent" in words
        sub = "\\Subscribed" in words
        if gone and not sub:
            self.names.pop(name, None)
            self.status.pop(name, None)
        else:
            if gone:
                self.status.pop(name, None)
            self.names[name] = sub


def listen(conn, model, stop):
    conn.s.settimeout(0.1)
    buf = b""
    while not stop.is_set():
        try:
            got = conn.s.recv(65536)
        except TimeoutError:
            continue
        if not got:
            model.errors.append("the listener was closed")
            break
        buf += got
        while b"\r\n" in buf:
            line, buf = buf.split(b"\r\n", 1)
            model.take(line.decode() + "\r\n")


def random_message(rnd):
    return b"Subject: m%d\r\n\r\n%s\r\n" % (rnd.randrange(1000),
                                            b"x" * rnd.randrange(200))


def work(host, n, seed, rounds, folders, failed):
    rnd = random.Random(seed)
    try:
        c = Line(host, n)
        c.do("SELECT INBOX")
        for _ in range(rounds):
            what = rnd.randrange(12 if folders else 7)
            name = rnd.choice(NAMES)
            if what in (0, 1):
                c.do("APPEND INBOX", random_message(rnd))
            elif what == 2:
                c.do(f"UID STORE {rnd.randrange(1, 60)}:* "
                     f"{rnd.choice('+-')}FLAGS.SILENT "
                     f"({rnd.choice(FLAGS)})")
            elif what == 3:
                uid = rnd.randrange(1, 200)
                c.do(f"UID STORE {uid}:{uid + 3} +FLAGS.SILENT (\\Deleted)")
                c.do("EXPUNGE")
            elif what == 4:
                c.do(f"UID MOVE {rnd.randrange(1, 200)} Sent")
            elif what == 5:
                uid = rnd.randrange(1, 200)
                c.do(f"UID COPY {uid}:{uid + 4} "
                     f"{rnd.choice(['Sent', 'Archive', 'INBOX'])}")
            elif what == 6:
                c.do(f"APPEND {rnd.choice(['Sent', 'Archive'])}",
                     random_message(rnd))
            elif what == 7:
                c.do(f'CREATE "{name}"')
            elif what == 8:
                c.do(f'DELETE "{name}"')
            elif what == 9:
                c.do(f'RENAME "{name}" "{rnd.choice(NAMES)}"')
            elif what == 10:
                c.do(f'{rnd.choice(["", "UN"])}SUBSCRIBE "{name}"')
            else:
                c.do(f'APPEND "{name}"', random_message(rnd))
        c.s.close()
    except Exception as e:      # told by the test, not by the thread
        failed.append(f"seed {seed}: {e!r}")


def start(host, n, who):
    """A session that listens, and what it is told to begin with."""
    c, model = Line(host, n), Model()
    for line in c.do("SELECT INBOX")[0]:
        model.take(line)
    for line in c.do('LIST (SUBSCRIBED) "" *')[0]:
        model.take(line)
    for line in c.do('LIST "" * RETURN (SUBSCRIBED)')[0]:
        model.take(line)
    lines, good = c.do(
        f"NOTIFY SET STATUS ({who} (MessageNew (UID FLAGS) MessageExpunge "
        "FlagChange)) (PERSONAL (MessageNew MessageExpunge FlagChange "
        "MailboxName SubscriptionChange))")
    assert good
    for line in lines:
        model.take(line)
    return c, model


def check(host, n, model):
    c = Line(host, n)
    truth = Model()
    c.do("EXAMINE INBOX")
    for line in c.do("FETCH 1:* (UID FLAGS)")[0]:
        m = re.fullmatch(r"\* \d+ FETCH \(UID (\d+) FLAGS \((.*)\)\)\r\n", line)
        if m:
            truth.msgs.append([int(m[1]), set(m[2].split()) - {"\\Recent"}])
    for line in c.do('LIST (SUBSCRIBED) "" *')[0]:
        truth.take(line)
    lines = c.do('LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT '
                 'UNSEEN))')[0]
    for line in lines:
        truth.take(line)
    assert not model.errors, model.errors[:5]
    assert [m[0] for m in model.msgs] == [m[0] for m in truth.msgs], \
        (model.msgs, truth.msgs)
    wrong = [(a, b) for a, b in zip(model.msgs, truth.msgs) if a != b]
    assert not wrong, (len(wrong), len(truth.msgs), wrong[:3])
    assert model.names == truth.names, (model.names, truth.names)
    for name, numbers in truth.status.items():
        if name == "INBOX":     # selected there
            continue
        told = model.status.get(name, {"MESSAGES": 0, "UIDNEXT": 1})
        for item in ("MESSAGES", "UIDNEXT"):
            assert told[item] == numbers[item], (name, told, numbers)
        if "UNSEEN" in told:
            assert told["UNSEEN"] == numbers["UNSEEN"], (name, told, numbers)


def agree(host, n, model):
    """In the end; on a busy machine that may be a while away."""
    end = time.monotonic() + 20 * pt.SLOW
    while True:
        try:
            check(host, n, model)
            return
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def play(host, who, rounds, folders):
    n = host.fresh()
    conn, model = start(host, n, who)
    stop, failed = threading.Event(), []
    ear = threading.Thread(target=listen, args=(conn, model, stop))
    ear.start()
    seed = int(os.environ.get("SEED", time.time()))
    print(f"# SEED={seed}")
    hands = [threading.Thread(target=work, args=(
        host, n, seed + k, rounds, folders and k == 0, failed))
        for k in range(3)]
    for t in hands:
        t.start()
    for t in hands:
        t.join()
    try:
        assert not failed, failed
        agree(host, n, model)
    finally:
        stop.set()
        ear.join()


def test_messages_of_several_sessions(host):
    play(host, "SELECTED", 120, False)


def test_folders_come_and_go(host):
    play(host, "SELECTED", 80, True)


def test_slow_listener_is_told_the_end(host):
    """It reads nothing while much happens: what it missed is put together,
    not piled up."""
    n = host.fresh()
    conn, model = start(host, n, "SELECTED")
    c = Line(host, n)
    c.do("SELECT INBOX")
    for k in range(300):
        c.do("APPEND INBOX", b"Subject: %d\r\n\r\n" % k)
        c.do("UID STORE 1:* +FLAGS.SILENT (\\Flagged)")
        c.do("UID STORE 1:* -FLAGS.SILENT (\\Flagged)")
    stop = threading.Event()
    ear = threading.Thread(target=listen, args=(conn, model, stop))
    ear.start()
    try:
        agree(host, n, model)
    finally:
        stop.set()
        ear.join()


if __name__ == "__main__":
    pt.main(globals())
