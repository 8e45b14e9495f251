"""A Posthof host that relays into a world of its own: a zone, a sink."""

import email
import email.policy

import outside
import posthof_test as pt

RECORDS = [
    "--mx-host=remote.test,mx.remote.test,10",
    "--address=/mx.remote.test/127.0.0.2",
    "--mx-host=two.test,dead.two.test,10",
    "--mx-host=two.test,live.two.test,20",
    "--address=/dead.two.test/127.0.0.9",
    "--address=/live.two.test/127.0.0.2",
    "--host-record=nomx.test,127.0.0.2",
    "--dns-rr=null.test,15,000000",
    "--mx-host=loop.test,mail.posthof.test,10",
    "--mx-host=loop.test,posthof.test,10",
    "--address=/mail.posthof.test/127.0.0.1",
    "--mx-host=gone.test,dead.two.test,10",
    "--mx-host=pf.test,mx.pf.test,10",
    "--address=/mx.pf.test/127.0.0.3",
    "--mx-host=other.test,mx.other.test,10",
    "--address=/mx.other.test/127.0.0.4",
]

MESSAGE = (b"From: A <%s>\r\nTo: b@remote.test\r\nSubject: out\r\n"
           b"Message-ID: <%s@client.test>\r\n"
           b"Date: Mon, 23 Nov 2026 20:00:00 +0000\r\n\r\n"
           b".\r\n..two\r\nGr\xc3\xbc\xc3\x9fe\r\n")


class World:
    """A host that relays, its zone, and a sink on 127.0.0.2."""

    def __init__(self, conf=None, zone=None, **sink):
        self.port = outside.free_port("127.0.0.2")
        self.zone = zone or outside.Zone(RECORDS)
        self.sink = outside.Sink("127.0.0.2", self.port, **sink)
        self.host = pt.Host(accounts=4, conf={
            "resolver": self.zone.resolver, "relay-port": self.port,
            "queue-retry-first": '"200ms"', "queue-retry-max": '"200ms"',
            "relay-ipv6": "false", "relay-timeout": '"3s"',
            "relay-data-timeout": '"3s"', "relay-block-timeout": '"3s"',
            "relay-end-timeout": '"3s"',
            "relay-connect-timeout": '"2s"', **(conf or {})})

    def __enter__(self):
        return self

    def __exit__(self, *what):
        try:
            self.host.__exit__(*what)
        finally:
            self.sink.close()
            self.zone.close()

    def send(self, to, word, options=(), rcpt=()):
        c = self.host.submit(1)
        c.sendmail(self.host.address(1), to,
                   MESSAGE % (self.host.address(1).encode(), word.encode()),
                   options, rcpt)
        c.quit()

    def mails(self, n, seconds=20):
        return pt.wait_for(f"{n} mails at the sink", lambda:
                           len(self.sink.mails) >= n and self.sink.mails,
                           seconds)

    def reports(self, n, seconds=20):
        """The DSNs in account 1's INBOX, parsed, once there are n."""
        c = self.host.imap(1)

        def look():
            count = int(c.select("INBOX", readonly=True)[1][0])
            return count >= n and count
        count = pt.wait_for(f"{n} reports", look, seconds)
        c.logout()
        return [email.message_from_bytes(r, policy=email.policy.default)
                for r in self.host.mails(1)[:count]]

    def queue_empty(self):
        pt.wait_for("an empty queue", lambda:
                    self.host.admin("queue", "list", "--json").strip()
                    in ("[]", ""))


def untraced(message):
    """Without the lines that handing over adds in front."""
    return message[message.index(b"From: A"):]


def one_report(world, status, action="failed"):
    report = world.reports(1)[0]
    assert report.get_content_type() == "multipart/report", report
    assert report.get_param("report-type") == "delivery-status"
    text, fields, original = report.get_payload()
    words = text.get_content()
    fields = fields.get_payload()
    assert fields[1]["Action"] == action, fields[1]
    assert fields[1]["Status"] == status, fields[1]
    assert "Message-ID: <" in original.as_string()
    assert report["Auto-Submitted"] == "auto-replied"
    return words
