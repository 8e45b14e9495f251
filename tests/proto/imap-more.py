#!/usr/bin/env python3
"""IMAP: what a transcript cannot say."""

import os
import re
import sys
import threading
import time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def raw(host, n):
    """A logged-in connection, spoken by hand."""
    s = host.connect("imaps")
    f = s.makefile("rwb")
    f.readline()
    f.write(f"x LOGIN {host.user(n)} {host.password(n)}\r\n".encode())
    f.flush()
    assert f.readline().startswith(b"x OK")
    return s, f


def until(f, tag):
    lines = []
    while not lines or not lines[-1].startswith(tag + b" "):
        line = f.readline()
        assert line, lines
        lines.append(line)
    return lines


def message(size, k=0):
    head = f"From: a@b\r\nSubject: m{k}\r\n\r\n".encode()
    line = b"0123456789abcdef" * 4 + b"\r\n"
    body = (line * (size // len(line) + 1))[:size - len(head) - 2]
    return head + body + b"\r\n"


def test_long_search_tells_its_progress(_):
    """RFC 9585 4: as it goes on, and never in the midst of a line."""
    with pt.Host(accounts=1, conf={"imap-progress": "1ms"}) as host:
        s, f = raw(host, 1)
        body = message(16000)
        f.write(b"a APPEND INBOX" + b" {%d+}\r\n%s" % (len(body), body) * 1500
                + b"\r\nb SELECT INBOX\r\n")
        f.flush()
        until(f, b"b")
        keys = b" ".join(b"NOT BODY no%dsuch" % k for k in range(250))
        f.write(b"c1 SEARCH RETURN (COUNT) " + keys + b"\r\n"
                b"c]2 SEARCH RETURN (COUNT) " + keys + b"\r\n"
                b"c3 SORT RETURN (COUNT) (SUBJECT) UTF-8 " + keys + b"\r\n")
        f.flush()
        for tag, name in ((b"c1", b'"c1"'), (b"c]2", b"NIL"),
                          (b"c3", b'"c3"')):
            lines, last = until(f, tag), -1
            assert len(lines) > 2, lines
            goal = b"3000" if tag == b"c3" else b"1500"
            for line in lines[:-2]:
                m = re.fullmatch(rb"\* OK \[INPROGRESS \((.*) (\d+) (\d+)\)\]"
                                 rb" .*\r\n", line)
                assert m and m[1] == name and m[3] == goal, line
                assert last <= int(m[2]) <= int(m[3]), lines
                last = int(m[2])
            assert b" COUNT 1500" in lines[-2], lines
        s.close()


def test_long_listings_are_whole(host):
    """Each message is told once where the output pauses at its high-water
    mark, in and out of the index."""
    n = host.fresh()
    s, f = raw(host, n)
    count = 9000
    for at in range(0, count, 500):
        f.write(b"a APPEND INBOX" + b" {3+}\r\na\r\n" * 500 + b"\r\n")
        f.flush()
        assert until(f, b"a")[-1].startswith(b"a OK"), at
    f.write(b"b SELECT INBOX\r\n")
    f.flush()
    until(f, b"b")
    for items in ("(UID FLAGS)", "(UID FLAGS MODSEQ)",
                  "(UID RFC822.SIZE INTERNALDATE FLAGS)"):
        f.write(f"c FETCH 1:* {items}\r\n".encode())
        f.flush()
        got = [line for line in until(f, b"c") if b" FETCH " in line]
        assert len(got) == count, len(got)
        for i, line in enumerate(got, 1):
            assert line.startswith(b"* %d FETCH (UID %d " % (i, i)) and \
                line.count(b"FETCH") == 1, line
    s.close()


def test_large_messages_come_back_whole(host):
    n = host.fresh()
    c = host.imap(n)
    sizes = [3, 4096, 65536, 262144, 262145, 1048577, 9000001]
    for k, size in enumerate(sizes):
        text = message(size, k) if size > 100 else b"a\r\n"
        assert c.append("INBOX", None, None, text)[0] == "OK"
    c.select()
    for k, size in enumerate(sizes):
        want = message(size, k) if size > 100 else b"a\r\n"
        got = c.fetch(str(k + 1), "(RFC822.SIZE BODY.PEEK[])")[1][0]
        assert got[1] == want, (size, len(got[1]))
        at = size // 3
        part = c.fetch(str(k + 1), f"BODY.PEEK[]<{at}.70000>")[1][0][1]
        assert part == want[at:at + 70000], size
    c.logout()


def test_slow_client_costs_little(host):
    n = host.fresh()
    c = host.imap(n)
    for k in range(40):
        c.append("INBOX", None, None, message(1 << 20, k))
    s, f = raw(host, n)
    f.write(b"a SELECT INBOX\r\n")
    f.flush()
    until(f, b"a")
    before = host.memory("imapd")
    f.write(b"b FETCH 1:* BODY.PEEK[]\r\n")
    f.flush()
    time.sleep(2)
    grown = host.memory("imapd") - before
    assert grown < 8 << 20 or pt.SLOW > 1, grown
    # Others are served meanwhile.
    t = time.monotonic()
    assert c.noop()[0] == "OK"
    assert time.monotonic() - t < 1 * pt.SLOW
    total, tail = 0, b""
    while not tail.endswith(b"b OK fetched\r\n"):
        chunk = s.recv(1 << 16)
        assert chunk
        total += len(chunk)
        tail = (tail + chunk)[-50:]
    assert total > 40 << 20
    s.close()
    c.logout()


def test_idle_sees_a_delivery_fast(host):
    n = host.fresh()
    s, f = raw(host, n)
    f.write(b"a SELECT INBOX\r\nb IDLE\r\n")
    f.flush()
    until(f, b"a")
    assert f.readline().startswith(b"+ ")
    worst = 0
    for k in range(20):
        t = time.monotonic()
        host.deliver(n, b"Subject: x\r\n\r\nx\r\n")
        sent = time.monotonic()
        line = f.readline()
        worst = max(worst, time.monotonic() - sent)
        assert line == b"* %d EXISTS\r\n" % (k + 1), line
        f.readline()
        assert time.monotonic() - t < 5 * pt.SLOW
    assert worst < 0.5 * pt.SLOW, worst
    s.close()


def test_password_change_ends_sessions(host):
    n = host.fresh()
    s, f = raw(host, n)
    f.write(b"b IDLE\r\n")
    f.flush()
    assert f.readline().startswith(b"+ ")
    host.admin("account", "passwd", host.user(n), "--password-stdin",
               stdin=b"another-password-1\n")
    s.settimeout(10)
    line = f.readline()
    assert line.startswith(b"* BYE "), line
    assert f.readline() == b""
    s.close()


def test_replace_counts_the_difference(host):
    """RFC 8508 3.4: in a mailbox that could not hold both."""
    n = host.fresh()
    host.admin("account", "set", host.user(n), "--quota", "100K")
    c = host.imap(n)
    assert c.append("INBOX", None, None, message(60000))[0] == "OK"
    assert c.append("INBOX", None, None, message(60000))[0] == "NO"
    c.select("INBOX")
    s, f = raw(host, n)
    f.write(b"a SELECT INBOX\r\n")
    f.flush()
    until(f, b"a")
    for size, answer in ((70000, b"OK"), (120000, b"NO [OVERQUOTA]"),
                         (50000, b"OK"), (300000, b"NO [OVERQUOTA]")):
        body = message(size)
        f.write(b"b REPLACE 1 INBOX {%d+}\r\n%s\r\n" % (len(body), body))
        f.flush()
        assert until(f, b"b")[-1].startswith(b"b " + answer)
    f.write(b"c FETCH 1:* (UID RFC822.SIZE)\r\n")
    f.flush()
    assert until(f, b"c")[0] == b"* 1 FETCH (UID 3 RFC822.SIZE 50000)\r\n"
    typ, data = c.getquotaroot("INBOX")
    assert b"STORAGE 49 100" in data[1][0], data
    s.close()


def test_catenate_of_large_parts_needs_little_memory(_):
    """RFC 4469: 20 MB and 10 MB are put together on disk."""
    with pt.Host(accounts=1, conf={"message-max": "100M"}) as host:
        c = host.imap(1)
        big = message(20 << 20)
        assert c.append("INBOX", None, None, big)[0] == "OK"
        s, f = raw(host, 1)
        before = host.memory("imapd")
        f.write(b'a APPEND INBOX CATENATE (URL "/INBOX/;UID=1" '
                b"TEXT {10485760+}\r\n" + b"b" * 10485760 +
                b' URL "/INBOX/;UID=1/;PARTIAL=100.1000")\r\n')
        f.flush()
        assert until(f, b"a")[-1].startswith(b"a OK")
        grown = host.memory("imapd") - before
        c.select("INBOX")
        got = c.fetch("2", "(BODY.PEEK[])")[1][0][1]
        assert got == big + b"b" * 10485760 + big[100:1100]
        # file pages of what is mapped count too, until they are unmapped
        assert grown < 8 << 20 or pt.SLOW > 1, grown
        s.close()


def test_over_quota(host):
    n = host.fresh()
    host.admin("account", "set", host.user(n), "--quota", "100K")
    c = host.imap(n)
    assert c.append("INBOX", None, None, message(60000))[0] == "OK"
    typ, data = c.append("INBOX", None, None, message(60000))
    assert typ == "NO" and data[0].startswith(b"[OVERQUOTA]"), (typ, data)
    c.select()
    typ, data = c.copy("1", "Archive")
    assert typ == "NO" and data[0].startswith(b"[OVERQUOTA]"), (typ, data)
    typ, data = c.getquotaroot("INBOX")
    assert b"STORAGE 59 100" in data[1][0], data
    c.logout()


def test_many_pipelined(host):
    n = host.fresh()
    s, f = raw(host, n)
    count = 5000

    def send():
        f.write(b"".join(b"t%d NOOP\r\n" % i for i in range(count)))
        f.flush()
    t = threading.Thread(target=send)
    t.start()
    for i in range(count):
        assert f.readline() == b"t%d OK done\r\n" % i
    t.join()
    s.close()


def test_two_sessions_agree(host):
    """Flags and expunges of one are told to the other, in numbers that fit."""
    n = host.fresh()
    a, b = host.imap(n), host.imap(n)
    for k in range(30):
        a.append("INBOX", None, None, message(200, k))
    a.select()
    b.select()
    for k in (30, 17, 16, 3, 1):
        a.store(str(k), "+FLAGS.SILENT", r"(\Deleted)")
    a.expunge()
    b.untagged_responses.clear()
    b.noop()
    gone = [int(x) for x in b.untagged_responses["EXPUNGE"]]
    assert gone == [30, 17, 16, 3, 1], gone
    uids_a = a.uid("search", None, "ALL")[1]
    uids_b = b.uid("search", None, "ALL")[1]
    assert uids_a == uids_b
    assert len(uids_a[0].split()) == 25
    a.logout()
    b.logout()


def test_keywords_up_to_the_limit(host):
    n = host.fresh()
    c = host.imap(n)
    c.append("INBOX", None, None, message(200))
    c.select()
    for k in range(48):
        assert c.store("1", "+FLAGS.SILENT", f"(kw{k})")[0] == "OK", k
    typ, data = c.store("1", "+FLAGS.SILENT", "(onemore)")
    assert typ == "NO" and data[0].startswith(b"[LIMIT]"), (typ, data)
    flags = c.fetch("1", "FLAGS")[1][0]
    assert all(b"kw%d" % k in flags for k in range(48)), flags
    assert c.search(None, "KEYWORD", "KW47")[1] == [b"1"]
    c.logout()


def test_login_timeout(_host):
    with pt.Host(accounts=1, conf={"login-timeout": "1s"}) as host:
        s = host.connect("imaps")
        f = s.makefile("rwb")
        f.readline()
        started = time.monotonic()
        try:
            while time.monotonic() - started < 20:
                f.write(b"a NOOP\r\n")
                f.flush()
                line = f.readline()
                if not line or line.startswith(b"* BYE"):
                    break
                time.sleep(0.2)
        except OSError:
            pass
        assert time.monotonic() - started < 10
        s.close()


if __name__ == "__main__":
    pt.main(globals())
