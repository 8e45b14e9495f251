#!/usr/bin/env python3
"""The log: each line is time, level, program, perhaps an id, an event and
key=value pairs; one id leads from the connection to the delivery."""

import os
import re
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import outside
import posthof_test as pt
from posthof_test import same

HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) "
                  r"(error|warn|info|debug) (\w+) (.*)")
# Ids of sessions ("i5-1a") and of messages ("Q1A2B3C4").
WORDS = re.compile(r"(?:([a-z][0-9a-f]+-[0-9a-f]+|Q[0-9A-F]+) )?"
                   r"([a-z][a-z-]*)"
                   r"(?: (.*))?")
PAIR = re.compile(r' ?([A-Za-z][A-Za-z0-9_-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


class Line:
    def __init__(self, text):
        head = HEAD.fullmatch(text)
        assert head, f"no log line: {text!r}"
        self.text, self.level, self.program = text, head[2], head[3]
        words = WORDS.fullmatch(head[4].rstrip())
        assert words, f"no event: {text!r}"
        self.id, self.event, rest = words[1], words[2], words[3] or ""
        self.pairs, at = {}, 0
        while at < len(rest):
            m = PAIR.match(rest, at)
            assert m, f"no key=value at {rest[at:]!r}: {text!r}"
            self.pairs[m[1]] = m[2].strip('"')
            at = m.end()


def lines(host):
    return [Line(text) for text in host.log().splitlines()]


def wait_line(host, **want):
    """The first line with this event and these pairs."""
    def found():
        for line in lines(host):
            if line.event == want["event"] and all(
                    line.pairs.get(k.replace("_", "-"),
                                   line.id if k == "id" else None) == v
                    for k, v in want.items() if k != "event"):
                return line
        return None
    return pt.wait_for(f"a line {want}", found)


def of(host, session):
    return [(line.event, line.pairs) for line in lines(host)
            if line.id == session]


def test_imap_session(host):
    c = host.imap(1)
    c.select("INBOX")
    c.logout()
    login = wait_line(host, event="login", account=host.user(1))
    pt.wait_for("its end", lambda: [e for e, _ in of(host, login.id)]
                == ["connect", "login", "close"])
    connect, _, close = of(host, login.id)
    assert connect[1]["peer"].startswith("127.0.0.1:")
    same(close[1]["reason"], "logout")
    assert int(close[1]["in"]) > 0 and int(close[1]["out"]) > 0


def submit(host, sender, to, mid):
    s = smtplib.SMTP_SSL("127.0.0.1", host.port("submissions"),
                         context=host.tls())
    s.login(sender, host.password(1))
    s.sendmail(host.address(1), [to],
               f"From: {host.address(1)}\r\nTo: {to}\r\n"
               f"Message-ID: <{mid}@x.test>\r\nSubject: x\r\n\r\nx\r\n")
    s.quit()


def test_from_connect_to_delivery(host):
    """The session's id is on connect, login and accept; accept names the
    message."""
    submit(host, host.user(1), host.address(2), "local")
    accept = wait_line(host, event="accept", to=host.address(2))
    pt.wait_for("its end", lambda: [e for e, _ in of(host, accept.id)]
                == ["connect", "login", "accept", "close"])
    same(accept.pairs["account"], host.user(1))
    assert re.fullmatch(r"Q[0-9A-F]+", accept.pairs["id"])


def test_from_connect_to_the_other_host():
    """... and the message's id leads to its row of the queue, whose lines
    have what the other host said."""
    with outside.Zone(["--mx-host=far.test,127.0.0.1,10"]) as zone:
        with pt.Host(2, conf={
                "resolver": zone.resolver,
                "relay-port": str(outside.free_port())}) as host:
            submit(host, host.user(1), "a@far.test", "far")
            accept = wait_line(host, event="accept", to="a@far.test")
            queue = wait_line(host, event="queue",
                              from_id=accept.pairs["id"])
            relay = wait_line(host, event="relay", id=queue.id)
            same(relay.pairs["to"], "a@far.test")
            same(relay.pairs["result"], "deferred")
            lines(host)


def test_refusals_have_it_too(host):
    s = smtplib.SMTP("127.0.0.1", host.port("smtp"))
    s.helo("x.test")
    s.mail("a@x.test")
    code, _ = s.rcpt("nobody-here@" + pt.DOMAIN)
    same(code // 100, 5)
    s.quit()
    line = wait_line(host, event="refused", why="unknown")
    same(of(host, line.id)[0][0], "connect")


def test_hostile_bytes(host):
    """What strangers send stays inside quotes."""
    s = smtplib.SMTP("127.0.0.1", host.port("smtp"))
    s.helo("x.test")
    s.docmd('MAIL FROM:<"a b=c\\"d"@x.test>')
    s.docmd('RCPT TO:<"x y=z"@' + pt.DOMAIN + ">")
    s.quit()
    c = pt.imaplib.IMAP4_SSL("127.0.0.1", host.port("imaps"),
                             ssl_context=host.tls())
    try:
        c.login('"a b=c\\"', "wrong")
    except c.error:
        pass
    c.shutdown()
    lines(host)


def test_zz_all_lines(host):
    """Every line of this host: starting, serving, reloading."""
    host.admin("domain", "list")
    host.admin("reload")
    host.restart()
    all_lines = lines(host)
    assert {line.program for line in all_lines} >= {
        "posthof", "recover", "imapd", "submitd", "keeper"}
    assert len(all_lines) > 20


if __name__ == "__main__":
    pt.main(globals())
