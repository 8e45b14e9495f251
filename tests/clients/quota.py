#!/usr/bin/env python3
"""Limits of accounts and packages, reached from all sides at once; who is
over hears it in the session (O7, W2)."""

import email
import email.policy
import json
import os
import re
import smtplib
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

HEAD = b"From: <a@example.net>\r\nSubject: %s\r\n\r\n"
# What the host itself writes goes over a limit, and would be counted here.
ALONE = {"quota-warnings": "false"}
EACH = 14       # messages each thread tries
TRIES = 9 * EACH


def mail(word, size=0):
    line = b"0123456789" * 7 + b"\r\n"
    return HEAD % word + b"x\r\n" + line * (size // len(line))


def usage(host, words):
    got = json.loads(host.admin(*words, "--json"))
    return got["bytes_used"], got["messages_used"]


def of_package(host):
    return usage(host, ("package", "show", pt.PACKAGE))


def of_account(host, n):
    return usage(host, ("account", "show", host.user(n)))


class Doors:
    """Each way in; what was taken, and the answers to what was not."""

    def __init__(self, host, size=0):
        self.host, self.size = host, size
        self.taken = {"lmtp": 0, "append": 0, "submission": 0, "mx": 0}
        self.answers = set()
        self.lock = threading.Lock()

    def count(self, door, answer):
        with self.lock:
            if answer is None:
                self.taken[door] += 1
            else:
                self.answers.add((door, answer))

    def lmtp(self, n, text):
        with smtplib.LMTP(self.host.lmtp_socket, timeout=60) as c:
            try:
                c.sendmail("a@example.net", self.host.address(n), text)
                return None
            except smtplib.SMTPRecipientsRefused as e:
                return reply(*e.recipients[self.host.address(n)])
            except smtplib.SMTPDataError as e:
                return reply(e.smtp_code, e.smtp_error)

    def mx(self, n, text):
        c = self.host.smtp(60)
        try:
            c.ehlo()
            for code, words in (c.mail("a@example.net"),
                                c.rcpt(self.host.address(n))):
                if code != 250:
                    return reply(code, words)
            code, words = c.data(text)
            return None if code == 250 else reply(code, words)
        finally:
            c.close()

    def submission(self, n, text):
        sender = self.host.address(n).encode()
        c = self.host.submit(n, 60)
        try:
            c.sendmail(sender.decode(), self.host.address(n),
                       text.replace(b"a@example.net", sender))
            return None
        except smtplib.SMTPRecipientsRefused as e:
            return reply(*e.recipients[self.host.address(n)])
        except smtplib.SMTPDataError as e:
            return reply(e.smtp_code, e.smtp_error)
        finally:
            c.close()

    def append(self, n, text):
        c = self.host.imap(n, 60)
        try:
            ok, words = c.append("INBOX", None, None, text)
            return None if ok == "OK" else words[0].split(b"]")[0].decode()
        finally:
            c.logout()

    def run(self, door, n, meeting):
        for i in range(EACH):
            if i == 1:
                meeting.wait(60)    # each has been in, now all at once
            text = mail(b"%s %d %d" % (door.encode(), n, i), self.size)
            self.count(door, getattr(self, door)(n, text))

    def storm(self, accounts):
        ways = [(d, n) for d in ("lmtp", "append", "submission")
                for n in accounts]
        meeting = threading.Barrier(len(ways))
        threads = [threading.Thread(target=self.run, args=(*w, meeting))
                   for w in ways]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return len(ways) * EACH


def reply(code, words):
    return f"{code} {words.decode().split()[0]}"


FULL = {("lmtp", "452 4.2.2"), ("submission", "452 4.2.2"),
        ("append", "[OVERQUOTA")}


def count(host, n):
    c = host.imap(n)
    try:
        return int(c.select("INBOX", True)[1][0])
    finally:
        c.logout()


def no_bounce(host, accounts):
    """Nobody gets a report, nothing waits in the queue."""
    for n in accounts:
        c = host.imap(n)
        c.select("INBOX", True)
        assert c.search(None, "OR FROM MAILER-DAEMON SUBJECT Undeliver") == \
            ("OK", [b""]), n
        c.logout()
    assert json.loads(host.admin("queue", "list", "--json") or "[]") in \
        ([], {"queue": []}), host.admin("queue", "list", "--json")


def test_messages_of_a_package():
    """Nine threads, three ways in, three accounts, one limit: reached to the
    message and not passed."""
    with pt.Host(accounts=3, conf=ALONE) as host:
        host.admin("package", "set", pt.PACKAGE, "--messages", "40")
        doors = Doors(host)
        tried = doors.storm((1, 2, 3))
        taken = sum(doors.taken.values())
        print(f"# {tried} tried, {taken} taken: {doors.taken}")
        assert taken == 40 and tried == TRIES, doors.taken
        assert all(doors.taken[d] for d in ("lmtp", "append", "submission"))
        assert of_package(host)[1] == 40
        assert sum(count(host, n) for n in (1, 2, 3)) == 40
        assert doors.answers == FULL, doors.answers
        no_bounce(host, (1, 2, 3))


def test_bytes_of_a_package():
    with pt.Host(accounts=3, conf=ALONE) as host:
        host.admin("package", "set", pt.PACKAGE, "--quota", "200K")
        doors = Doors(host, 6000)
        doors.storm((1, 2, 3))
        used = of_package(host)[0]
        print(f"# {used} of {200 * 1024} bytes: {doors.taken}")
        assert 200 * 1024 - 7000 < used <= 200 * 1024, used
        assert used == sum(of_account(host, n)[0] for n in (1, 2, 3))
        assert doors.answers == FULL, doors.answers
        # What is smaller still goes in, to the last byte.
        for n in (1, 2, 3):
            while doors.lmtp(n, mail(b"small")) is None:
                pass
        assert 200 * 1024 - 700 < of_package(host)[0] <= 200 * 1024
        no_bounce(host, (1, 2, 3))


def test_messages_of_an_account():
    with pt.Host(accounts=2, conf=ALONE) as host:
        host.admin("account", "set", host.user(1), "--messages", "12")
        doors = Doors(host)
        doors.storm((1,))
        assert sum(doors.taken.values()) == 12, doors.taken
        assert of_account(host, 1)[1] == count(host, 1) == 12
        assert doors.answers == FULL, doors.answers
        # One recipient of several (RFC 2033 4.2); the MX says so at RCPT.
        with smtplib.LMTP(host.lmtp_socket, timeout=60) as c:
            refused = c.sendmail("a@example.net",
                                 [host.address(1), host.address(2)],
                                 mail(b"both"))
        assert list(refused) == [host.address(1)], refused
        assert count(host, 2) == 1
        c = host.smtp()
        c.ehlo()
        assert c.mail("a@example.net")[0] == 250
        code, words = c.rcpt(host.address(1))
        assert code == 452 and words.startswith(b"4.2.2"), (code, words)
        assert c.rcpt(host.address(2))[0] == 250
        c.close()
        no_bounce(host, (1, 2))


def test_room_again():
    """What is deleted, by IMAP or with its account, makes room at once, for
    the account and for its package."""
    with pt.Host(accounts=3, conf=ALONE) as host:
        host.admin("package", "set", pt.PACKAGE, "--messages", "6")
        doors = Doors(host)
        for n in (1, 1, 1, 2, 2, 3):
            assert doors.lmtp(n, mail(b"fill")) is None
        ways = (doors.lmtp, doors.mx, doors.submission, doors.append)
        for way in ways:
            assert way(2, mail(b"over")) is not None, way
        c = host.imap(1)
        c.select("INBOX")
        c.store("1:2", "+FLAGS", "\\Deleted")
        c.expunge()
        c.logout()
        assert of_package(host)[1] == 4
        assert doors.mx(2, mail(b"room")) is None
        assert doors.append(3, mail(b"room")) is None
        for way in ways:
            assert way(3, mail(b"over")) is not None, way
        host.admin("account", "del", host.user(2), "--now")
        assert of_package(host)[1] == 3
        for way in ways[:3]:
            assert way(3, mail(b"room")) is None, way
        assert doors.append(1, mail(b"over")) == "[OVERQUOTA"
        # COPY is no way around (RFC 9208 4.2); MOVE needs no room.
        c = host.imap(3)
        c.select("INBOX")
        ok, words = c.copy("1", "Trash")
        assert ok == "NO" and words[0].startswith(b"[OVERQUOTA]"), words
        assert c.uid("MOVE", "1:*", "Trash")[0] == "OK"
        c.logout()
        assert of_package(host)[1] == 6


def warnings(host, n):
    """The INBOX's warnings, parsed, oldest first."""
    mails = [email.message_from_bytes(m, policy=email.policy.default)
             for m in host.mails(n)]
    return [m for m in mails if m["Auto-Submitted"] == "auto-generated"]


def test_warnings_of_a_package():
    """Everyone in it is told, in his own language: it is his mail that will
    be refused."""
    with pt.Host(accounts=2, conf={"quota-time": '"1s"'}) as host:
        host.admin("account", "set", host.user(1), "--lang", "de")
        host.admin("account", "set", host.user(2), "--lang", "en")
        host.admin("package", "set", pt.PACKAGE, "--messages", "100")
        doors = Doors(host)
        with smtplib.LMTP(host.lmtp_socket, timeout=60) as c:
            for _ in range(81):
                c.sendmail("a@example.net", host.address(1), mail(b"fill"))
        pt.wait_for("warnings", lambda: warnings(host, 1)
                    and warnings(host, 2))
        de, en = warnings(host, 1)[0], warnings(host, 2)[0]
        assert re.fullmatch(r"Die Konten von web100 sind zu 8\d % voll",
                            de["Subject"]), de["Subject"]
        text = de.get_content()
        assert re.search(r"Es sind 8\d von höchstens 100 Nachrichten", text)
        assert f"In Ihrem Postfach {host.user(1)} sind 8" in text, text
        assert re.fullmatch(r"The mailboxes of web100 are 8\d % full",
                            en["Subject"]), en["Subject"]
        text = en.get_content()
        assert re.search(r"hold 8\d of at most 100 messages", text), text
        assert re.search(rf"Your mailbox {host.user(2)} has [01] mess", text)
        # Again at 95.
        while doors.lmtp(1, mail(b"fill")) is None:
            pass
        pt.wait_for("the second", lambda: len(warnings(host, 1)) == 2
                    and len(warnings(host, 2)) == 2)
        assert " 9" in warnings(host, 2)[1]["Subject"] or \
            " 10" in warnings(host, 2)[1]["Subject"]


if __name__ == "__main__":
    pt.main(globals())
