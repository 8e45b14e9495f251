#!/usr/bin/env python3
"""The way out: real queues, a real DNS, other mail servers, all on loopback."""

import email
import email.policy
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside              # noqa: E402
import posthof_test as pt   # noqa: E402
from world import MESSAGE, World, one_report, untraced  # noqa: E402

def test_relayed_byte_for_byte():
    with World() as w:
        w.send(["b@remote.test"], "bytes")
        sender, rcpts, text, tls = w.mails(1)[0]
        assert sender == w.host.address(1)
        assert rcpts == ["b@remote.test"] and not tls
        want = MESSAGE % (w.host.address(1).encode(), b"bytes")
        assert untraced(text) == want, text
        assert text.startswith(b"Received: "), text
        assert b"127.0.0.1" not in text.split(b"From: A")[0]
        w.queue_empty()


def test_many_recipients_and_reuse():
    with World() as w:
        w.send([f"u{i}@remote.test" for i in range(150)], "many")
        pt.wait_for("150 recipients", lambda:
                    sum(len(m[1]) for m in w.sink.mails) == 150)
        for i in range(20):
            w.send(["b@remote.test"], f"m{i}")
        w.mails(22)
        assert w.sink.connections < 22, w.sink.connections
        w.queue_empty()


def test_temporary_then_good():
    with World() as w:
        w.sink.answers = {"MAIL": ["451 4.3.0 later"],
                          "END": ["452 4.3.1 full"],
                          "BANNER": ["421 4.3.2 busy"]}
        w.send(["b@remote.test"], "later")
        w.mails(1)
        w.queue_empty()
        assert len(w.sink.mails) == 1


def test_refused_is_reported():
    with World() as w:
        w.sink.answers = {"RCPT": ["550 5.1.1 <b@remote.test> unknown"]}
        w.send(["b@remote.test", "c@remote.test"], "refused")
        words = one_report(w, "5.1.1")
        assert "5.1.1 <b@remote.test> unknown" in words
        assert "konnte nicht zugestellt" in words
        assert "could not be delivered" in words
        assert "c@remote.test" not in words
        assert w.mails(1)[0][1] == ["c@remote.test"]
        w.queue_empty()


def test_no_such_domain():
    with World() as w:
        w.send(["b@nowhere.test"], "nowhere")
        one_report(w, "5.1.2")
        w.queue_empty()


def test_null_mx():
    with World() as w:
        w.send(["b@null.test"], "null")
        one_report(w, "5.1.10")


def test_loop():
    with World() as w:
        w.send(["b@loop.test"], "loop")
        one_report(w, "5.4.6")


def test_second_mx_and_no_mx():
    with World() as w:
        w.send(["b@two.test"], "two")
        w.send(["b@nomx.test"], "nomx")
        w.mails(2)
        w.queue_empty()


def test_gives_up():
    with World(conf={"queue-expire": '"3s"',
                     "queue-delay-notice": '"1s"'}) as w:
        w.send(["b@gone.test"], "gone")
        w.reports(2, 30)
        kinds = [r.get_payload()[1].get_payload()[1]["Action"]
                 for r in w.reports(2)]
        assert kinds == ["delayed", "failed"], kinds
        w.queue_empty()


def test_starttls_and_without():
    with World() as w:
        w.sink.tls = outside.server_tls(w.host)
        w.send(["b@remote.test"], "tls")
        assert w.mails(1)[0][3]
        # A remote whose TLS is broken still gets its mail.
        w.sink.answers = {"STARTTLS": ["DROP"]}
        w.send(["b@remote.test"], "clear")
        w.mails(2)
        w.queue_empty()


def test_tls_resumed():
    """The next connection goes on with the session of the last one."""
    with World(conf={"relay-idle": '"0"'}) as w:
        w.sink.tls = outside.server_tls(w.host)
        for i in range(3):
            w.send(["b@remote.test"], f"tls{i}")
            w.mails(i + 1)
            w.queue_empty()
        assert all(m[3] for m in w.sink.mails)
        assert w.sink.connections == 3 and w.sink.resumed == 2, (
            w.sink.connections, w.sink.resumed)


def test_lost_connections():
    with World() as w:
        w.sink.answers = {"RCPT": ["DROP"], "BANNER": ["SLOW"],
                          "DATA": ["garbage"]}
        w.send(["b@remote.test"], "lost")
        w.mails(1, 40)
        w.queue_empty()


def test_stale_connection():
    """A connection the remote is tired of says nothing about the next mail."""
    with World(conf={"relay-connections-per-domain": "1",
                     "queue-retry-first": '"1h"'}) as w:
        w.sink.answers = {"MAIL": ["250 ok", "421 4.4.2 enough", "250 ok",
                                   "DROP"],
                          "BANNER": ["220 slow to begin"]}
        for i in range(6):
            w.send(["b@remote.test"], f"stale{i}")
        w.mails(6)
        w.queue_empty()
        assert "result=deferred" not in w.host.log()


def test_seven_bits():
    """Who takes no 8-bit mail gets it re-encoded (RFC 6152 3)."""
    with World(keywords=["SIZE 10000000"]) as w:
        w.send(["b@remote.test"], "seven")
        text = w.mails(1)[0][2]
        got = email.message_from_bytes(text, policy=email.policy.default)
        assert text.isascii(), text
        assert got["Content-Transfer-Encoding"] == "quoted-printable"
        assert got.get_payload(decode=True) == (
            b".\r\n..two\r\nGr\xc3\xbc\xc3\x9fe\r\n")
        c = w.host.submit(1)
        c.sendmail(w.host.address(1), ["b@remote.test"],
                   b"Subject: Gr\xc3\xbc\xc3\x9fe\r\nMessage-ID: <h@c>\r\n"
                   b"\r\nx\r\n")
        c.quit()
        one_report(w, "5.6.3")
        w.queue_empty()
        assert len(w.sink.mails) == 1


def test_big_mail_and_early_answer():
    """A body of several reads; a remote that answers in its middle."""
    with World() as w:
        text = (b"Message-ID: <big@c>\r\n\r\n"
                + b".0123456789" * 7 + b"\r\n") + (
                    b"." * 76 + b"\r\n") * 50000
        c = w.host.submit(1)
        c.sendmail(w.host.address(1), ["b@remote.test"], text)
        c.quit()
        got = w.mails(1, 60)[0][2]
        assert got.endswith(text[text.index(b"\r\n\r\n"):]), len(got)
        w.queue_empty()
        w.sink.early = "552 5.3.4 no more, thank you"
        c = w.host.submit(1)
        # The same again would not go out (another Message-ID does).
        text = text.replace(b"<big@c>", b"<early@c>")
        c.sendmail(w.host.address(1), ["b@remote.test"], text)
        c.quit()
        one_report(w, "5.3.4")
        w.queue_empty()


def test_queue_commands():
    with World() as w:
        w.send(["b@gone.test"], "queued")
        pt.wait_for("an attempt", lambda: "4.4.1" in
                    w.host.admin("queue", "list", "--json"))
        listed = w.host.admin("queue", "list")
        assert "b@gone.test" in listed, listed
        ident = [x for x in listed.split() if x.startswith("Q")][0]
        assert "4.4.1" in w.host.admin("queue", "show", ident)
        w.host.admin("queue", "retry", ident)
        w.host.admin("queue", "drop", ident)
        w.queue_empty()


def state_of(w, word):
    rows = json.loads(w.host.admin("queue", "list", "--json") or "[]")
    return [r["state"] for r in rows if r["message_id"] == f"{word}@client.test"]


def test_active():
    """The states while the daemon relays; what an operator does to a row that
    is being sent counts when that is over."""
    with World() as w:
        gate = threading.Event()
        w.sink.before_end = lambda _: gate.wait(20)
        w.sink.answers = {"END": ["451 4.3.0 later", "451 4.3.0 later"]}
        w.send(["b@remote.test"], "one")
        pt.wait_for("active", lambda: state_of(w, "one") == ["active"])
        ident = [x for x in w.host.admin("queue", "list").split()
                 if x.startswith("Q")][0]
        assert "active" in w.host.admin("queue", "show", ident)
        w.host.admin("queue", "hold", ident)
        gate.set()
        pt.wait_for("held", lambda: state_of(w, "one") == ["held"])
        w.send(["b@gone.test"], "two")
        pt.wait_for("deferred", lambda: state_of(w, "two") == ["deferred"])
        w.host.admin("queue", "drop", "--domain", "gone.test")
        w.host.admin("queue", "release", ident)
        w.mails(1)
        w.queue_empty()
        # Listing goes on while mail comes and goes.
        for i in range(30):
            w.send(["b@remote.test"], f"m{i}")
            seen = set(state_of(w, f"m{i}"))
            assert seen <= {"queued", "active"}, seen
        w.mails(31)
        w.queue_empty()


def test_queue_survives_restart():
    with World() as w:
        w.sink.answers = {"MAIL": ["451 4.3.0 later"] * 3}
        w.send(["b@remote.test"], "restart")
        w.host.restart()
        w.mails(1)
        w.queue_empty()
        assert len(w.sink.mails) == 1


def test_smart_host():
    with World() as w:
        w.host.stop()
        w.host.set_conf({"smarthost": f'"127.0.0.2:{w.port}"'})
        w.host.start()
        w.send(["b@nowhere.test"], "smart")
        assert w.mails(1)[0][1] == ["b@nowhere.test"]


def test_own_greeting():
    """Who greets with our name is us, whatever the DNS says."""
    with World() as w:
        w.sink.name = "mail.posthof.test"
        w.send(["b@remote.test"], "self")
        one_report(w, "5.4.6")
        w.queue_empty()
        assert not w.sink.mails


def smart(w, target, more=None, passwords="127.0.0.2 me@isp.test s3cret pw"):
    """The host anew, behind the sink as its smart host."""
    w.host.stop()
    path = os.path.join(w.host.dir, "passwords")
    with open(path, "w", encoding="utf-8") as f:
        f.write("# host login password\nother.test a b\n" + passwords + "\n")
    w.host.set_conf({"smarthost": f'"127.0.0.2:{w.port} {target}"',
                     "relay-passwords": f'"{path}"', **(more or {})})
    w.host.start()


def test_smart_host_login():
    """By PLAIN, else LOGIN; never in clear unless told to, and what is wrong
    about it is no fault of the mail (RFC 4954)."""
    for mechanisms in ("PLAIN LOGIN", "LOGIN"):
        with World() as w:
            w.sink.tls = outside.server_tls(w.host)
            w.sink.logins = {"me@isp.test": "s3cret pw"}
            w.sink.mechanisms = mechanisms
            smart(w, "")
            w.send(["b@nowhere.test"], "login")
            assert w.mails(1)[0][3]
            w.queue_empty()
            assert "s3cret" not in w.host.log()
    with World() as w:
        w.sink.logins = {"me@isp.test": "other"}
        smart(w, "")
        w.send(["b@nowhere.test"], "clear")
        last_words(w, "no login without TLS")
        assert not any("AUTH" in c for c in w.sink.commands)
        smart(w, "tls=none")
        last_words(w, "535 5.7.8 who are you?")
        assert not w.sink.mails


def last_words(w, words):
    pt.wait_for(words, lambda: words in
                w.host.admin("queue", "list", "--json"))


def test_tls_rules():
    with World() as w:
        smart(w, "tls=must", passwords="")
        w.send(["b@nowhere.test"], "must")
        last_words(w, "offers no TLS")
        w.sink.tls = outside.server_tls(w.host)
        assert w.mails(1)[0][3]
        w.queue_empty()
        # Its certificate is of our own CA, but not of this name.
        smart(w, "tls=verify", passwords="")
        w.send(["b@nowhere.test"], "verify")
        last_words(w, "certificate does not do")
        smart(w, "tls=none", passwords="")
        assert not w.mails(2)[1][3]


def test_routes_and_source():
    with World() as w:
        w.host.stop()
        w.host.set_conf({
            "relay-routes": f'{{"far.test 127.0.0.2:{w.port}"}}',
            "relay-source": '{"127.0.0.77", "::1"}'})
        w.host.start()
        w.send(["b@far.test", "b@nowhere.test"], "route")
        assert w.mails(1)[0][1] == ["b@far.test"]
        assert w.sink.peers == {"127.0.0.77"}, w.sink.peers
        one_report(w, "5.1.2")


def test_chunks():
    """BDAT where it is offered (RFC 3030): a small mail in one turn, a big one
    in pieces, a refused one without harm to the next."""
    with World(keywords=["PIPELINING", "8BITMIME", "CHUNKING"]) as w:
        w.send(["b@remote.test"], "small")
        want = MESSAGE % (w.host.address(1).encode(), b"small")
        assert untraced(w.mails(1)[0][2]) == want
        text = b"Message-ID: <big@c>\r\n\r\n" + (b"." * 76 + b"\r\n") * 50000
        c = w.host.submit(1)
        c.sendmail(w.host.address(1), ["b@remote.test"], text)
        c.quit()
        assert w.mails(2, 60)[1][2].endswith(text[text.index(b"\r\n\r\n"):])
        assert sum("BDAT" in c for c in w.sink.commands) > 10
        w.sink.answers = {"RCPT": ["550 5.1.1 who?"],
                          "END": ["452 4.3.1 full"]}
        w.send(["c@remote.test"], "refused")
        one_report(w, "5.1.1")
        w.send(["b@remote.test"], "later")
        w.mails(3)
        w.queue_empty()
        assert not any(c == "DATA" for c in w.sink.commands)
        assert len(w.sink.mails) == 3


def test_utf8_header():
    """SMTPUTF8 mail to ASCII addresses gets an ASCII header where needed."""
    text = ("From: J\u00fcrgen <%s>\r\nTo: b@remote.test\r\n"
            "Subject: Gr\u00fc\u00dfe\r\nMessage-ID: <u@c>\r\n\r\n"
            "\u00e4\r\n")
    for words, plain in (["8BITMIME"], True), (["8BITMIME", "SMTPUTF8"], False):
        with World(keywords=words) as w:
            c = w.host.submit(1)
            c.ehlo()
            c.sendmail(w.host.address(1), ["b@remote.test"],
                       (text % w.host.address(1)).encode(),
                       ["SMTPUTF8", "BODY=8BITMIME"])
            c.quit()
            got = w.mails(1)[0][2]
            assert got.isascii() == plain, got
            mail = email.message_from_bytes(got, policy=email.policy.default)
            assert mail["Subject"] == "Gr\u00fc\u00dfe"
            assert "J\u00fcrgen" in mail["From"]
            assert mail.get_payload(decode=True) == "\u00e4\r\n".encode()
            w.queue_empty()


def test_remote_posthof():
    """Through a second Posthof's port 25 into a mailbox there."""
    with World() as w:
        with pt.Host(accounts=2, conf={
                "hostname": '"mx.other.test"',
                "listen-smtp": f'{{"127.0.0.4:{w.port}"}}'},
                start=False) as other:
            other.admin("package", "add", "web200")
            other.admin("domain", "add", "other.test", "--package", "web200")
            other.admin("address", "add", "post@other.test", "--to",
                        other.user(1))
            other.process = subprocess.Popen(
                [other.program, "-c", other.conf_path, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=open(other.log_path, "ab"),
                stderr=subprocess.STDOUT, start_new_session=True)
            pt.wait_for("the other host", lambda: " ready" in other.log())
            w.send(["post@other.test"], "second")
            c = other.imap(1)
            pt.wait_for("the mail", lambda:
                        c.select("INBOX")[1] == [b"1"])
            text = c.fetch("1", "(BODY.PEEK[])")[1][0][1]
            want = MESSAGE % (w.host.address(1).encode(), b"second")
            assert untraced(text) == want, text
            c.logout()


def test_postfix_both_ways():
    with World() as w:
        with outside.Postfix("127.0.0.3", w.port, "pf.test", "posthof.test",
                             ("127.0.0.1", w.host.port("smtp"))) as pf:
            w.send(["box@pf.test"], "to-postfix")
            mails = pt.wait_for("a mail at postfix", pf.received)
            want = MESSAGE % (w.host.address(1).encode(), b"to-postfix")
            assert untraced(mails[0]).replace(b"\n", b"\r\n") == want
            w.queue_empty()
            import smtplib
            with smtplib.SMTP("127.0.0.3", w.port) as c:
                c.sendmail("sender@pf.test", [w.host.address(2)],
                           b"From: A <sender@pf.test>\r\nSubject: in\r\n\r\n"
                           b"back\r\n")
            c = w.host.imap(2)
            pt.wait_for("a mail from postfix", lambda:
                        c.select("INBOX")[1] == [b"1"])
            c.logout()


if __name__ == "__main__":
    pt.main(globals())
