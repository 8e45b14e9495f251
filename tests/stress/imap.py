#!/usr/bin/env python3
"""Many IMAP clients with random commands on shared folders, while mail comes
in and POP3 takes some away; every response is held against a model.

    tests/stress/imap.py [--seconds 60] [--clients 20] [--seed N]

Without arguments 5 seconds, or 60 when POSTHOF_LONG is set (`make stress`).
A finding names the rule, the client and the command; the same seed makes the
same commands (not the same timing).

What is checked of each session:
  - EXISTS never shrinks but by EXPUNGE or VANISHED (RFC 9051 7.4.1), and no
    sequence number is past it
  - no EXPUNGE or VANISHED while no command runs, nor during FETCH, STORE or
    SEARCH by sequence numbers (RFC 9051 7.5.1, RFC 7162 3.2.10)
  - a sequence number keeps its UID, UIDs rise with them (RFC 9051 2.3.1)
  - after QRESYNC is on it is VANISHED, before it is EXPUNGE (RFC 7162 3.2.10)
  - the MODSEQ of a message never falls, and other flags have another MODSEQ
    (RFC 7162 3.1)
  - UID commands' FETCH responses have a UID (RFC 9051 6.4.9)
  - never BAD; NO only where somebody else may have taken the message or the
    folder's name away (RFC 2180 4.1)
and of all together:
  - a UID of a folder means one message for ever (by its EMAILID and size)
  - a message of a UID and MODSEQ has one set of flags, whoever looks
  - new UIDs are larger than all that were seen before; UIDVALIDITY stays
  - at the end all sessions and STATUS agree, message for message
"""

import argparse
import os
import poplib
import random
import re
import select
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import posthof_test as pt

FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted",
         "$Forwarded", "work", "later"]
FOLDERS = ["INBOX", "Box", "Gr&APw-n/deep"]
SHARED = "Box"      # of account 1; account 2 has all rights to it
HISTORY = 30        # lines that a finding shows
BY_NUMBER = {"FETCH", "STORE", "SEARCH", "SORT"}


class Broken(AssertionError):
    """A rule that the server broke."""


def rule(true, text):
    if not true:
        raise Broken(text)


# -- responses

TOKEN = re.compile(rb'\(|\)|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|'
                   rb'((?:\\?[^\s()"{]|\[[^\]]*\])+)')


def parse(line):
    """The words of a response, lists as lists."""
    stack, at = [[]], 0
    while at < len(line):
        if line[at:at + 1] in b" \r\n":
            at += 1
            continue
        m = TOKEN.match(line, at)
        if not m:
            raise Broken(f"grammar at {line[at:at + 40]!r}")
        at = m.end()
        if m[0] == b"(":
            stack.append([])
        elif m[0] == b")":
            rule(len(stack) > 1, f"parenthesis in {line[:200]!r}")
            done = stack.pop()
            stack[-1].append(done)
        elif m[2] is not None:
            size = int(m[2])
            stack[-1].append(line[at:at + size])
            at += size
        elif m[1] is not None:
            stack[-1].append(m[1])
        else:
            stack[-1].append(m[3].decode())
    rule(len(stack) == 1, f"parenthesis in {line[:200]!r}")
    return stack[0]


def numbers(text):
    """The members of a sequence set."""
    for part in text.split(","):
        low, _, high = part.partition(":")
        low, high = sorted((int(low), int(high or low)))
        rule(high - low < 1000000, f"set {text}")
        yield from range(low, high + 1)


# -- what all sessions have seen

class World:
    def __init__(self):
        self.lock = threading.Lock()
        self.validity = {}      # folder -> UIDVALIDITY
        self.message = {}       # (folder, uid) -> [EMAILID, size]
        self.flags = {}         # (folder, uid, modseq) -> flags
        self.top = {}           # folder -> largest UID seen
        self.counts = {}
        self.findings = []

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def saw_uid(self, folder, uid):
        with self.lock:
            self.top[folder] = max(uid, self.top.get(folder, 0))

    def saw_validity(self, folder, value):
        with self.lock:
            rule(self.validity.setdefault(folder, value) == value,
                 f"UIDVALIDITY of {folder} was {self.validity[folder]}, "
                 f"is {value}")

    def saw(self, folder, uid, items):
        """Facts of a FETCH response that hold for everybody."""
        with self.lock:
            self.top[folder] = max(uid, self.top.get(folder, 0))
            for i, name in enumerate(("EMAILID", "RFC822.SIZE")):
                if name in items:
                    known = self.message.setdefault((folder, uid),
                                                    [None, None])
                    got = str(items[name])
                    rule(known[i] in (None, got),
                         f"UID {uid} of {folder} had {name} {known[i]}, "
                         f"has {got}")
                    known[i] = got
            if "FLAGS" in items and "MODSEQ" in items:
                key = folder, uid, items["MODSEQ"]
                flags = self.flags.setdefault(key, items["FLAGS"])
                rule(flags == items["FLAGS"],
                     f"UID {uid} of {folder} at MODSEQ {key[2]} has flags "
                     f"{sorted(flags)} and {sorted(items['FLAGS'])}")


class Message:
    __slots__ = ("uid", "flags", "modseq")

    def __init__(self):
        self.uid = self.flags = self.modseq = None


# -- one session

class Client:
    def __init__(self, world, host, account, seed, qresync):
        self.world, self.host, self.account = world, host, account
        self.random = random.Random(seed)
        self.name = f"client {seed} of {host.user(account)}"
        self.wants_qresync = qresync
        # {name: what the folder is for all of us}
        self.folders = {f: f"{account}:{f}" for f in FOLDERS}
        if account == 2:
            self.folders[f"Other Users/{host.user(1)}/{SHARED}"] = \
                f"1:{SHARED}"
        self.folder = None
        self.view = []
        self.vanished = False   # QRESYNC is on
        self.running = None     # (name, is UID) of the command under way
        self.tags = 0
        self.history = []
        self.buffer = b""
        raw = socket.create_connection(("127.0.0.1", host.port("imaps")))
        self.sock = host.tls().wrap_socket(raw)
        self.sock.settimeout(60 * pt.SLOW)
        self.line()
        self.command("LOGIN", f"{host.user(account)} "
                     f"{host.password(account)}")
        if qresync:
            self.command("ENABLE", "QRESYNC")
            self.vanished = True

    # - the wire

    def fill(self):
        got = self.sock.recv(65536)
        rule(got, "the server closed")
        self.buffer += got

    def line(self):
        """A whole response, literals included."""
        at = 0
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                self.fill()
                continue
            m = re.search(rb"\{(\d+)\}$", self.buffer[at:end])
            if not m:
                break
            at = end + 2 + int(m[1])
            while len(self.buffer) < at:
                self.fill()
        line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
        self.note("S: " + line[:300].decode(errors="replace"))
        return line

    def note(self, text):
        self.history = (self.history + [text])[-HISTORY:]

    def drain(self):
        """What came while no command ran."""
        self.running = None
        while True:
            if b"\r\n" in self.buffer:
                self.untagged(self.line())
            elif not self.sock.pending() and not select.select(
                    [self.sock], [], [], 0)[0]:
                return
            else:
                self.sock.setblocking(False)
                try:
                    self.fill()
                except ssl.SSLWantReadError:
                    return      # a ticket, or part of a record
                finally:
                    self.sock.settimeout(60 * pt.SLOW)

    def command(self, name, rest="", literal=None, uid=False):
        """Its tagged answer: (OK or NO, text)."""
        self.drain()
        self.tags += 1
        tag = f"t{self.tags}"
        words = " ".join(filter(None, [tag, "UID" if uid else "", name,
                                       rest]))
        self.note("C: " + words)
        self.running = name, uid
        self.sock.sendall(words.encode() + (b"" if literal is None else
                                            b" {%d+}\r\n" % len(literal)
                                            + literal) + b"\r\n")
        self.world.count(name)
        while True:
            line = self.line()
            if line.startswith(b"* "):
                self.untagged(line)
            elif line.startswith(tag.encode() + b" "):
                break
            else:
                raise Broken(f"neither tagged nor untagged: {line[:80]!r}")
        self.running = None
        word, _, text = line[len(tag) + 1:].decode().partition(" ")
        rule(word in ("OK", "NO"), f"answer {line.decode()}")
        return word, text

    def idle(self, seconds):
        self.drain()
        self.tags += 1
        tag = f"t{self.tags}"
        self.note(f"C: {tag} IDLE")
        self.running = "IDLE", False
        self.world.count("IDLE")
        self.sock.sendall(tag.encode() + b" IDLE\r\n")
        end = time.monotonic() + seconds
        going = False
        while not going or time.monotonic() < end:
            if going and b"\r\n" not in self.buffer and \
                    not self.sock.pending() and not select.select(
                        [self.sock], [], [], max(0, end - time.monotonic()))[0]:
                break
            line = self.line()
            if line.startswith(b"+"):
                going = True
            else:
                self.untagged(line)
        self.note("C: DONE")
        self.sock.sendall(b"DONE\r\n")
        while not (line := self.line()).startswith(tag.encode()):
            self.untagged(line)
        self.running = None
        rule(b" OK" in line, f"IDLE: {line!r}")

    # - the model

    def untagged(self, line):
        words = parse(line[2:])
        if words[0] in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
            rule(words[0] == "OK", f"untagged {line[:200]!r}")
            return
        if words[0] == "VANISHED":
            self.on_vanished(words)
        elif len(words) > 1 and str(words[0]).isdigit():
            handler = {"EXISTS": self.on_exists, "EXPUNGE": self.on_expunge,
                       "FETCH": self.on_fetch, "RECENT": None}
            rule(words[1] in handler, f"response {line[:80]!r}")
            if handler[words[1]]:
                handler[words[1]](int(words[0]), *words[2:])
        elif words[0] in ("SEARCH", "SORT", "ESEARCH"):
            self.on_search(words)

    def on_exists(self, n):
        rule(n >= len(self.view), f"{n} EXISTS after {len(self.view)}")
        self.view += [Message() for _ in range(n - len(self.view))]

    def may_expunge(self, what):
        rule(self.running is not None, f"{what} while no command runs")
        name, uid = self.running
        rule(uid or name not in BY_NUMBER, f"{what} during {name}")

    def on_expunge(self, n):
        self.may_expunge("EXPUNGE")
        rule(not self.vanished, "EXPUNGE though QRESYNC is on")
        rule(1 <= n <= len(self.view), f"EXPUNGE {n} of {len(self.view)}")
        del self.view[n - 1]

    def on_vanished(self, words):
        rule(self.vanished, "VANISHED though QRESYNC is off")
        if words[1] == ["EARLIER"]:
            rule(self.running and self.running[0] in ("SELECT", "FETCH"),
                 "VANISHED (EARLIER) unasked")
            return
        self.may_expunge("VANISHED")
        for uid in numbers(words[1]):
            self.vanish(uid)

    def vanish(self, uid):
        """Its place; where UIDs have not been told yet, one of the places
        that it can have, which are alike."""
        place = None
        for i, m in enumerate(self.view):
            if m.uid == uid:
                place = i
            if m.uid is not None and m.uid >= uid:
                break
            if m.uid is None:
                place = i
            else:
                place = None
        rule(place is not None, f"VANISHED {uid}, which we do not have")
        del self.view[place]

    def on_fetch(self, n, pairs):
        rule(1 <= n <= len(self.view), f"FETCH {n} of {len(self.view)}")
        items = dict(zip(pairs[::2], pairs[1::2]))
        rule(len(items) * 2 == len(pairs), f"FETCH items {pairs!r}")
        m = self.view[n - 1]
        if "UID" in items:
            self.has_uid(n, m, int(items["UID"]))
        else:
            rule(not self.running or not self.running[1] or
                 self.running[0] not in ("FETCH", "STORE"),
                 f"UID {self.running} without UID in FETCH {n}")
        if "FLAGS" in items:
            items["FLAGS"] = frozenset(f for f in items["FLAGS"]
                                       if f != "\\Recent")
        if "MODSEQ" in items:
            items["MODSEQ"] = int(items["MODSEQ"][0])
        self.has_flags(n, m, items)
        if m.uid is not None:
            self.world.saw(self.folder, m.uid, items)

    def has_uid(self, n, m, uid):
        rule(m.uid in (None, uid), f"message {n} had UID {m.uid}, has {uid}")
        m.uid = uid
        for near, sign in ((n - 2, 1), (n, -1)):
            other = self.view[near].uid if 0 <= near < len(self.view) else None
            rule(other is None or (uid - other) * sign > 0,
                 f"UID {uid} of {n} beside UID {other}")

    def has_flags(self, n, m, items):
        modseq, flags = items.get("MODSEQ"), items.get("FLAGS")
        if modseq is not None:
            rule(m.modseq is None or modseq >= m.modseq,
                 f"MODSEQ of {n} (UID {m.uid}) fell from {m.modseq} to "
                 f"{modseq}")
            rule(flags is None or m.flags is None or m.modseq != modseq
                 or flags == m.flags,
                 f"flags of {n} (UID {m.uid}) changed within MODSEQ {modseq}")
            if flags is None and m.modseq != modseq:
                m.flags = None      # it changed, but we were not told how
            m.modseq = modseq
        if flags is not None:
            if modseq is None and flags != m.flags:
                m.modseq = None
            m.flags = flags

    def on_search(self, words):
        if words[0] == "ESEARCH" or not self.running or self.running[1]:
            return
        for word in words[1:]:
            if isinstance(word, str) and word.isdigit():
                rule(1 <= int(word) <= len(self.view),
                     f"{words[0]} found {word} of {len(self.view)}")

    # - commands

    def any_folder(self):
        return self.random.choice(list(self.folders))

    def select(self, folder):
        self.drain()
        self.folder, self.view = None, []
        extra = " (CONDSTORE)" if self.random.random() < 0.3 else ""
        self.folder = self.folders[folder]
        word, text = self.command("SELECT", f'"{folder}"' + extra)
        rule(word == "OK", f"SELECT {folder}: {text}")
        self.learn()

    def learn(self):
        """UIDs and flags of what is new to us."""
        items = "(UID FLAGS MODSEQ EMAILID RFC822.SIZE)"
        for _ in range(50):
            self.drain()
            first = next((i for i, m in enumerate(self.view, 1)
                          if m.uid is None), None)
            if first is None:
                return
            before = len(self.view)
            word, _ = self.command("FETCH", f"{first}:{before} {items}")
            # Messages that others expunge show as missing until we allow
            # the server to say so (RFC 2180 4.1).
            if word == "NO" or any(m.uid is None for m in
                                   self.view[first - 1:before]):
                self.command("NOOP")

    def some(self, by_uid):
        """A set of up to six of our messages; None: there is none."""
        self.drain()
        known = [(i, m.uid) for i, m in enumerate(self.view, 1)
                 if m.uid is not None]
        if not known:
            return None
        picked = self.random.sample(known, min(len(known),
                                               self.random.randint(1, 6)))
        return ",".join(str(uid if by_uid else i) for i, uid in picked)

    def do_noop(self):
        self.command("NOOP")

    def do_idle(self):
        self.idle(self.random.random() * 0.2)

    def do_select(self):
        self.select(self.any_folder())

    def do_fetch(self):
        uid = self.random.random() < 0.5
        if (which := self.some(uid)) is not None:
            items = self.random.choice(
                ["FLAGS", "(FLAGS UID)", "(UID FLAGS MODSEQ)",
                 "(UID EMAILID RFC822.SIZE)", "ENVELOPE",
                 "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "BODY[TEXT]"])
            self.command("FETCH", f"{which} {items}", uid=uid)

    def do_changed_since(self):
        known = [m.modseq for m in self.view if m.modseq]
        since = self.random.choice(known) if known else 1
        vanished = " VANISHED" if self.vanished else ""
        self.command("FETCH", f"1:* (FLAGS) (CHANGEDSINCE {since}{vanished})",
                     uid=True)

    def do_store(self):
        uid = self.random.random() < 0.5
        if (which := self.some(uid)) is not None:
            sign = self.random.choice(["+", "-", "", "+", "-"])
            silent = self.random.choice(["", "", ".SILENT"])
            flags = " ".join(self.random.sample(FLAGS,
                                                self.random.randint(1, 3)))
            self.command("STORE", f"{which} {sign}FLAGS{silent} ({flags})",
                         uid=uid)

    def do_store_unchanged_since(self):
        known = [m for m in self.view if m.uid and m.modseq]
        if known:
            m = self.random.choice(known)
            self.command("STORE", f"{m.uid} (UNCHANGEDSINCE {m.modseq}) "
                         "+FLAGS ($Forwarded)", uid=True)

    def do_search(self):
        uid = self.random.random() < 0.5
        name = self.random.choice(["SEARCH", "SEARCH", "SORT"])
        keys = self.random.choice(["ALL", "UNSEEN", "FLAGGED", "DELETED",
                                   "KEYWORD work", "SUBJECT stress"])
        order = "(REVERSE ARRIVAL) UTF-8 " if name == "SORT" else ""
        self.command(name, order + keys, uid=uid)

    def do_expunge(self):
        if self.random.random() < 0.5:
            self.command("EXPUNGE")
        elif (which := self.some(True)) is not None:
            self.command("STORE", f"{which} +FLAGS.SILENT (\\Deleted)",
                         uid=True)
            self.command("EXPUNGE", which, uid=True)

    def do_append(self):
        folder = self.any_folder()
        name = self.folders[folder]
        top = self.world.top.get(name, 0)
        text = (f"From: a@{pt.DOMAIN}\r\nSubject: stress {self.name}\r\n\r\n"
                + "x" * self.random.randint(1, 2000) + "\r\n").encode()
        word, answer = self.command("APPEND", f'"{folder}" ($Forwarded)',
                                    text)
        rule(word == "OK", f"APPEND: {answer}")
        self.new_uids(name, top, r"\[APPENDUID (\d+) ([\d:,]+)\]", answer)

    def new_uids(self, folder, top, pattern, text):
        m = re.search(pattern, text)
        rule(m, f"no UIDs in {text}")
        self.world.saw_validity(folder, int(m[1]))
        for uid in numbers(m[m.lastindex]):
            rule(uid > top, f"new UID {uid} in {folder}, {top} was there")
            self.world.saw_uid(folder, uid)

    def do_copy(self):
        uid = self.random.random() < 0.7
        name = self.random.choice(["COPY", "MOVE"])
        folder = self.any_folder()
        if (which := self.some(uid)) is None:
            return
        target = self.folders[folder]
        top = self.world.top.get(target, 0)
        word, text = self.command(name, f'{which} "{folder}"', uid=uid)
        if word == "OK" and name == "COPY" and "COPYUID" in text:
            pattern = r"\[COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]"
            m = re.search(pattern, text)
            rule(m and len(set(numbers(m[2]))) == len(set(numbers(m[3]))),
                 f"COPYUID sets: {text}")
            self.new_uids(target, top, pattern, text)

    def do_status(self):
        self.command("STATUS", f'"{self.any_folder()}" (MESSAGES '
                     "UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)")

    CHOICES = [(do_noop, 6), (do_idle, 4), (do_select, 2), (do_fetch, 14),
               (do_changed_since, 4), (do_store, 14),
               (do_store_unchanged_since, 3), (do_search, 6), (do_expunge, 5),
               (do_append, 8), (do_copy, 6), (do_status, 3)]

    def run(self, end):
        kinds, weights = zip(*self.CHOICES)
        self.select(self.any_folder())
        while time.monotonic() < end and not self.world.findings:
            self.random.choices(kinds, weights)[0](self)
            self.learn()

    # - the end

    def settle(self, folder):
        """What this session believes when nothing moves any more."""
        if self.folder != self.folders[folder]:
            self.select(folder)
        self.command("NOOP")
        self.learn()
        self.command("FETCH", "1:* (UID FLAGS MODSEQ EMAILID RFC822.SIZE)",
                     uid=True)
        return [(m.uid, m.flags, m.modseq) for m in self.view]


# -- the others

def deliverer(world, host, account, end, seed):
    rng = random.Random(seed)
    while time.monotonic() < end and not world.findings:
        host.deliver(account, b"Subject: stress delivery\r\n\r\n"
                     + b"yyyyyyy\r\n" * rng.randint(1, 300))
        world.count("delivery")
        time.sleep(rng.random() * 0.1)


def collector(world, host, account, end, seed):
    """POP3 that deletes some of what it finds."""
    rng = random.Random(seed)
    while time.monotonic() < end and not world.findings:
        p = host.pop3(account)
        n = len(p.list()[1])
        for i in rng.sample(range(1, n + 1), min(n, 3)):
            try:        # IMAP may have been quicker
                p.retr(i)
                p.dele(i)
            except poplib.error_proto as e:
                rule("deleted by another" in str(e), f"POP3: {e}")
        p.quit()
        world.count("POP3 session")
        time.sleep(rng.random() * 0.3)


def guarded(world, name, call, history):
    try:
        call()
    except Exception as e:      # every end but a good one is a finding
        text = f"{name}: {type(e).__name__}: {e}"
        if history:
            text += "\n    after " + "\n          ".join(history())
        world.findings.append(text)


def agree(world, clients):
    """All sessions that know a folder see the same, and so does STATUS."""
    for key in sorted({k for c in clients for k in c.folders.values()}):
        mine = [(c, name) for c in clients for name, k in c.folders.items()
                if k == key]
        views = [c.settle(name) for c, name in mine]
        for (c, name), view in zip(mine, views):
            rule(view == views[0],
                 f"{c.name} sees {name} unlike {mine[0][0].name}: "
                 f"{sorted(set(view) ^ set(views[0]), key=str)[:6]}")
        status(*mine[0], views[0])
        status(*mine[-1], views[0])
        world.count("folder at the end")


def status(c, folder, view):
    seen = {}

    def take(line):
        words = parse(line[2:])
        if words[0] == "STATUS":
            seen.update(zip(words[2][::2], map(int, words[2][1::2])))
    keep, c.untagged = c.untagged, take
    c.command("STATUS", f'"{folder}" (MESSAGES UNSEEN UIDNEXT DELETED '
              "HIGHESTMODSEQ)")
    c.untagged = keep
    want = {"MESSAGES": len(view),
            "UNSEEN": sum("\\Seen" not in f for _, f, _ in view),
            "DELETED": sum("\\Deleted" in f for _, f, _ in view)}
    for key, value in want.items():
        rule(seen[key] == value, f"STATUS {folder} {key} is {seen[key]}, "
             f"the session counts {value}")
    top = c.world.top.get(c.folders[folder], 0)
    rule(seen["UIDNEXT"] > top, f"UIDNEXT {seen['UIDNEXT']}, {top} was there")
    rule(seen["HIGHESTMODSEQ"] >= max([m for _, _, m in view], default=0),
         "HIGHESTMODSEQ is too small")


def stress(host, seconds, nclients, seed):
    world = World()
    for account in (1, 2):
        c = host.imap(account)
        for folder in FOLDERS[1:]:
            c.create(f'"{folder}"')
        if account == 1:
            rule(c.setacl(SHARED, host.user(2), "lrswitedkx")[0] == "OK",
                 "SETACL")
        c.logout()
    clients = [Client(world, host, 1 + i % 2, seed + i, i % 3 == 0)
               for i in range(nclients)]
    end = time.monotonic() + seconds
    threads = [threading.Thread(
        target=guarded, args=(world, c.name, lambda c=c: c.run(end),
                              lambda c=c: c.history)) for c in clients]
    for account in (1, 2):
        threads += [threading.Thread(
            target=guarded, args=(world, job.__name__, lambda job=job,
                                  account=account: job(
                                      world, host, account, end,
                                      seed + 1000 + account), None))
                    for job in (deliverer, collector)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if not world.findings:
        guarded(world, "the end", lambda: agree(world, clients), None)
    for c in clients:
        c.sock.close()
    commands = sum(world.counts.values())
    print(f"# seed {seed}: {nclients} clients, {seconds} s, {commands} "
          "commands, " + ", ".join(f"{n} {k}" for k, n in
                                   sorted(world.counts.items())))
    if world.findings:
        raise pt.Failure("\n".join(world.findings[:5]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float,
                        default=60 if os.environ.get("POSTHOF_LONG") else 5)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int,
                        default=random.randrange(1, 1000000))
    args = parser.parse_args()
    sys.argv[1:] = []

    def test_random_commands(host):
        stress(host, args.seconds, args.clients, args.seed)

    pt.main({"test_random_commands": test_random_commands}, accounts=2)


if __name__ == "__main__":
    main()
