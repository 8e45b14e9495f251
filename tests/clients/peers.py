#!/usr/bin/env python3
"""Debian's exim4 and opensmtpd on both sides, with a zone on loopback: their
mail comes to our port 25, ours goes to them."""

import email
import email.policy
import os
import re
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import mtas                 # noqa: E402
import posthof_test as pt   # noqa: E402
from world import MESSAGE, World, one_report, untraced  # noqa: E402

RECORDS = [
    "--mx-host=exim.test,mx.exim.test,10",
    "--host-record=mx.exim.test,127.0.0.5",
    "--mx-host=osmtpd.test,mx.osmtpd.test,10",
    "--host-record=mx.osmtpd.test,127.0.0.6",
    "--mx-host=posthof.test,mail.posthof.test,10",
    "--host-record=mail.posthof.test,127.0.0.1",
]

KINDS = {"exim": (mtas.Exim, "127.0.0.5", "exim.test"),
         "osmtpd": (mtas.Opensmtpd, "127.0.0.6", "osmtpd.test")}


class Peer:
    """A World and one of them in it."""

    def __init__(self, kind, conf=None):
        program, address, self.domain = KINDS[kind]
        zone = mtas.zone(RECORDS)
        self.world = World(conf, zone=zone)
        try:
            self.mta = program(address, self.world.port, self.domain, zone,
                               self.world.host.port("smtp"), self.world.host)
        except BaseException:
            self.world.__exit__(*sys.exc_info())
            raise

    def __enter__(self):
        return self.world, self.mta

    def __exit__(self, *what):
        try:
            self.mta.__exit__(*what)
        finally:
            self.world.__exit__(*what)


def submit_there(mta, sender, to, text, mail_options=(), rcpt_options=()):
    with smtplib.SMTP(mta.address, mta.port, "client.test", timeout=30) as c:
        c.sendmail(sender, [to], text, mail_options, rcpt_options)


def inbox(world, n, count):
    """The mails of account n, once there are so many."""
    c = world.host.imap(n)
    pt.wait_for(f"{count} mails", lambda: int(
        c.select("INBOX", readonly=True)[1][0]) >= count, 20)
    raw = [c.fetch(str(i + 1), "(BODY.PEEK[])")[1][0][1]
           for i in range(count)]
    c.logout()
    return raw


def bytes_arrive(kind):
    """Small and big, byte for byte; their log."""
    with Peer(kind) as (w, mta):
        w.send([f"box@{mta.domain}"], "to-them")
        got = pt.wait_for("a mail there", mta.received, 20)[0]
        want = MESSAGE % (w.host.address(1).encode(), b"to-them")
        got = got.replace(b"\r\n", b"\n")
        assert untraced(got) == want.replace(b"\r\n", b"\n"), got
        text = (b"From: A <%s>\r\nMessage-ID: <big@c>\r\n\r\n"
                % w.host.address(1).encode() + b"." * 70 + b"\r\n"
                + (b"..\r\n.\r\n" + b"x" * 70 + b"\r\n") * 10000)
        c = w.host.submit(1)
        c.sendmail(w.host.address(1), [f"box@{mta.domain}"], text)
        c.quit()
        pt.wait_for("the big mail", lambda: len(mta.received()) == 2, 30)
        big = max(mta.received(), key=len).replace(b"\r\n", b"\n")
        assert big.endswith(text[text.index(b"\r\n\r\n"):].replace(
            b"\r\n", b"\n")), len(big)
        w.queue_empty()
        return mta.log()


def refused_and_told_to_wait(kind, words):
    with Peer(kind) as (w, mta):
        w.send([f"nobody@{mta.domain}", f"box@{mta.domain}"], "refused")
        told = one_report(w, words[0])
        assert words[1] in told, told
        assert f"Der andere Server sagt (mx.{mta.domain} [127." in told, told
        pt.wait_for("the other's mail", mta.received, 20)
        w.queue_empty()
        w.send([f"grey@{mta.domain}"], "grey")
        pt.wait_for("a deferral", lambda: words[2] in
                    w.host.admin("queue", "list", "--json"), 20)
        mta.welcome()
        pt.wait_for("the second mail", lambda: len(mta.received()) == 2, 20)
        w.queue_empty()


def they_send(kind, mail_options, rcpt_options):
    """Small and big; what they see of us, and unknown addresses bounced by
    them."""
    text = (b"From: A <box@%s>\r\nSubject: in\r\nMessage-ID: <in@there>\r\n"
            b"\r\n.\r\n..two\r\nGr\xc3\xbc\xc3\x9fe\r\n")
    with Peer(kind) as (w, mta):
        text %= mta.domain.encode()
        submit_there(mta, f"box@{mta.domain}", w.host.address(2), text,
                     mail_options, rcpt_options)
        got = inbox(w, 2, 1)[0]
        assert got.endswith(text), got
        assert re.search(rb"Received: from mx\.%s .*\r?\n?.*with ESMTPS"
                         % mta.domain.encode(), got), got
        big = text + b"x" * 70 + b"\r\n" + (b".y" * 35 + b"\r\n") * 20000
        submit_there(mta, f"box@{mta.domain}", w.host.address(3), big)
        assert inbox(w, 3, 1)[0].endswith(big)
        submit_there(mta, f"box@{mta.domain}", "who@posthof.test", text)
        bounce = pt.wait_for("a bounce there", lambda: [
            m for m in mta.received() if b"who@posthof.test" in m], 20)[0]
        assert b"5.1.1" in bounce, bounce
        return mta.log(), mta.received()


def test_exim_receives():
    log = bytes_arrive("exim")
    lines = [x for x in log.splitlines() if " <= " in x]
    # Over TLS, pipelined, in chunks (K), with the right size.
    assert len(lines) == 2 and all(
        "P=esmtps" in x and "X=TLS1.3" in x and re.search(r" K ", x)
        for x in lines), lines


def test_exim_refuses_and_greylists():
    refused_and_told_to_wait("exim", (
        "5.1.1", "nobody of that name lives here", "greylisted, come back"))


def test_exim_size():
    """RFC 1870 6.1: told by MAIL already, so no body goes out."""
    with Peer("exim") as (w, mta):
        c = w.host.submit(1)
        c.sendmail(w.host.address(1), [f"box@{mta.domain}"],
                   b"Message-ID: <size@c>\r\n\r\n"
                   + (b"z" * 76 + b"\r\n") * 30000)
        c.quit()
        one_report(w, "5.3.4")
        w.queue_empty()
        assert not mta.received()


def test_exim_takes_utf8_and_tells_success():
    """An address that is not ASCII goes to who takes it (RFC 6531), and DSN
    parameters go along: exim itself reports the delivery (RFC 3461 5.2)."""
    with Peer("exim") as (w, mta):
        c = w.host.submit(1)
        c.ehlo()
        text = (f"From: <{w.host.address(1)}>\r\nTo: j\u00fcrgen@{mta.domain}"
                "\r\nSubject: Gr\u00fc\u00dfe\r\nMessage-ID: <u@c>\r\n\r\n"
                "\u00e4\r\n").encode()
        c.command_encoding = "utf-8"
        c.mail(w.host.address(1), ["SMTPUTF8", "BODY=8BITMIME", "RET=HDRS",
                                   "ENVID=q+3D1"])
        code, reply = c.rcpt(f"j\u00fcrgen@{mta.domain}",
                             ["NOTIFY=SUCCESS,FAILURE"])
        assert code == 250, reply
        assert c.data(text)[0] == 250
        c.quit()
        got = pt.wait_for("the mail", mta.received, 20)[0]
        assert "Subject: Gr\u00fc\u00dfe".encode() in got, got
        told = email.message_from_bytes(
            inbox(w, 1, 1)[0], policy=email.policy.default)
        assert told.get_param("report-type") == "delivery-status", told
        fields = told.get_payload()[1].as_string()
        assert "Action: delivered" in fields, fields
        # As it was given to us and to exim; it does not decode xtext.
        assert "Original-Envelope-ID: q+3D1" in fields, fields
        assert "Reporting-MTA: dns; mx.exim.test" in fields, fields
        w.queue_empty()


def test_exim_sends():
    log, mails = they_send("exim", ["BODY=8BITMIME", "RET=HDRS"],
                           ["NOTIFY=SUCCESS,FAILURE"])
    line = [x for x in log.splitlines()
            if " => web100p2@posthof.test" in x][0]
    # Over TLS; K: in chunks; L: the command pipeline was ours to take.
    assert "X=TLS1.3" in line and " K " in line, line
    # Who asked for it hears from us that it is there.
    told = [m for m in mails if b"delivery-status" in m
            and b"web100p2@posthof.test" in m]
    assert told and b"Action: delivered" in told[0], mails


def test_opensmtpd_receives():
    """Its TLS breaks off (see mtas.py); the mail goes in clear, RFC 7435 3."""
    log = bytes_arrive("osmtpd")
    assert "EVP lib" in log and "message msgid=" in log, log[-3000:]


def test_opensmtpd_refuses_and_greylists():
    refused_and_told_to_wait("osmtpd", (
        "5.0.0", "Invalid recipient: <nobody@osmtpd.test>", "come back"))


def test_opensmtpd_takes_no_utf8():
    with Peer("osmtpd") as (w, mta):
        c = w.host.submit(1)
        c.ehlo()
        c.command_encoding = "utf-8"
        c.mail(w.host.address(1), ["SMTPUTF8"])
        c.rcpt(f"j\u00fcrgen@{mta.domain}")
        c.rcpt(f"box@{mta.domain}")
        assert c.data("Subject: \u00e4\r\nMessage-ID: <u@c>\r\n\r\nx\r\n"
                      .encode())[0] == 250
        c.quit()
        # RFC 6533 3: who is not ASCII is told so in UTF-8.
        told = w.reports(1)[0].get_payload()[1]
        assert told.get_content_type() == "message/global-delivery-status"
        fields = told.as_bytes().decode()
        assert f"utf-8; j\u00fcrgen@{mta.domain}" in fields, fields
        assert "Status: 5.6.7" in fields and "box@" not in fields, fields
        # Words of ours, which name the other server.
        assert "Remote-MTA" not in fields, fields
        assert f"non-ASCII letters (mx.{mta.domain} [127" in fields, fields
        got = pt.wait_for("the other's mail", mta.received, 20)[0]
        assert b"Subject: =?" in got and got.isascii(), got
        w.queue_empty()


def test_opensmtpd_sends():
    log, _ = they_send("osmtpd", [], [])
    assert "ciphers=TLSv1.3" in log, log[-3000:]


if __name__ == "__main__":
    pt.main(globals())
