#!/usr/bin/env python3
"""imapd remembers dates, sizes and digests of headers: what it answers from
memory is what a daemon answers that has just been started."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

WORDS = ["Grün", "plan", "PLAN", "Re: plan", "[list] plan", "ẞtraße", "zeta",
         "", "=?utf-8?q?gr=C3=BCn?=", "=?iso-8859-1?q?gr=FCn?= x", "Fwd: zeta"]
NAMES = ["Anna <anna@example.net>", "BERT@example.net",
         "=?utf-8?q?J=C3=BCrgen?= <j@example.org>", ""]
QUERIES = [
    "SEARCH FROM anna", "SEARCH FROM jürgen", 'SEARCH FROM ""',
    "SEARCH TO bert", "SEARCH CC example", 'SEARCH CC ""',
    "SEARCH SUBJECT grün", "SEARCH SUBJECT PLAN", 'SEARCH SUBJECT ""',
    "SEARCH NOT SUBJECT plan", "SEARCH OR FROM anna SUBJECT zeta",
    "SEARCH SUBJECT plan SINCE 1-Feb-2020", "SEARCH SENTSINCE 1-Mar-2021",
    "SEARCH SENTBEFORE 1-Mar-2021", "SEARCH SENTON 15-May-2021",
    "SEARCH HEADER SUBJECT str", "SEARCH FROM anna HEADER X-Odd yes",
    "SEARCH SINCE 1-Feb-2020", "SEARCH LARGER 400", "SEARCH SMALLER 400",
    "UID SEARCH 5:9 SUBJECT plan",
    "SORT (DATE) UTF-8 ALL", "SORT (REVERSE DATE) UTF-8 ALL",
    "SORT (SUBJECT) UTF-8 ALL", "SORT (REVERSE SUBJECT) UTF-8 ALL",
    "SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "UID SORT (SUBJECT) UTF-8 2:8",
    "SORT (ARRIVAL) UTF-8 ALL", "SORT (REVERSE SIZE) UTF-8 ALL",
    "SORT (FROM SUBJECT) UTF-8 ALL", "UID SORT (DATE) UTF-8 SUBJECT plan",
    "THREAD REFERENCES UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "UID THREAD REFERENCES UTF-8 SUBJECT plan",
]


def message(r, i):
    """Some have no date, a broken one, several From fields, or a header too
    large to be remembered."""
    lines = [f"Message-ID: <{i}@x>"]
    if r.random() < 0.9:
        lines.append(f"From: {r.choice(NAMES)}")
    if r.random() < 0.1:
        lines.append("From: another anna <second@example.net>")
    if r.random() < 0.7:
        lines.append(f"To: {r.choice(NAMES)}")
    if r.random() < 0.3:
        lines.append(f"Cc: {r.choice(NAMES)}")
    if r.random() < 0.9:
        lines.append(f"Subject: {r.choice(WORDS)}")
    if r.random() < 0.8:
        lines.append(f"Date: {r.randrange(1, 28)} May 20{r.randrange(18, 24)} "
                     f"{r.randrange(24):02}:00:00 {r.choice(['+', '-'])}0900")
    elif r.random() < 0.5:
        lines.append("Date: yesterday")
    if i > 3 and r.random() < 0.6:
        refs = " ".join(f"<{r.randrange(i)}@x>" for _ in range(3))
        lines.append(f"References: {refs}")
    elif i > 3 and r.random() < 0.5:
        lines.append(f"In-Reply-To: <{r.randrange(i)}@x>")
    if r.random() < 0.3:
        lines.append("X-Odd: yes")
    if r.random() < 0.02:
        lines.append("Cc: " + ", ".join(f"<n{k}@example.net>"
                                        for k in range(900)))
    return ("\r\n".join(lines) + "\r\n\r\n"
            + "text\r\n" * r.randrange(1, 60)).encode()


def append(c, r, first, count):
    for i in range(first, first + count):
        year = r.randrange(2018, 2024)
        day = f'"{r.randrange(10, 28)}-Jan-{year} 00:00:00 +0000"'
        assert c.append("INBOX", "", day, message(r, i))[0] == "OK"


def ask(c, query):
    """The untagged answer of one command; texts that are not ASCII go as
    literals."""
    c.send(b"q1 ")
    for k, word in enumerate(query.split(" ")):
        text = word.encode()
        if k:
            c.send(b" ")
        if word.isascii():
            c.send(text)
        else:
            c.send(b"{%d+}\r\n%s" % (len(text), text))
    c.send(b"\r\n")
    lines = []
    while True:
        line = c.readline()
        if line.startswith(b"q1 "):
            if not line.startswith(b"q1 OK"):
                raise pt.Failure(f"{query}: {line}")
            return lines
        lines.append(line)


def answers(c):
    return [ask(c, q) for q in QUERIES]


def compare(what, got, want):
    for q, x, y in zip(QUERIES, got, want):
        if x != y:
            raise pt.Failure(f"{what}: {q}\n{x}\n{y}")


def opened(host):
    c = host.imap(1)
    c.select("INBOX")
    return c


def test_memory_and_index_agree():
    r = random.Random(7)
    with pt.Host(1) as host:
        c = opened(host)
        append(c, r, 0, 250)
        first = answers(c)
        if not any(b"SORT" in line and len(line) > 50
                   for lines in first for line in lines):
            raise pt.Failure("nothing to sort")
        compare("asked again", answers(c), first)
        append(c, r, 250, 40)
        c.store("3:30", "+FLAGS", r"(\Deleted)")
        c.expunge()
        c.noop()
        warm = answers(c)
        compare("in another order", list(reversed(
            [ask(c, q) for q in reversed(QUERIES)])), warm)
        host.restart()
        compare("after a restart", answers(opened(host)), warm)


if __name__ == "__main__":
    pt.main(globals())
