#!/usr/bin/env python3
"""Name servers that are slow, wrong or lie: what is temporary waits, what is
final comes back with the right code (RFC 5321 5.1, RFC 7505)."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside              # noqa: E402
import posthof_test as pt   # noqa: E402
from liar import REFUSED, SERVFAIL, Answer, Liar    # noqa: E402
from world import World     # noqa: E402

GOOD, OTHER = "127.0.0.2", "127.0.0.66"     # the sink; nobody


def mx(*hosts, **how):
    """An answer with these MX, all of preference 10 unless they say."""
    return Answer(*((None, "MX", h if " " in h else "10 " + h)
                    for h in hosts), **how)


def host(address=GOOD, **how):
    return Answer((None, "A", address), **how)


ZONE = {("mx.test", "A"): host(ttl=60)}


class Lied:
    """A World whose DNS is ours, and what has come of each recipient."""

    def __init__(self, answers, conf=None):
        self.zone = Liar({**ZONE, **answers})
        self.world = World({"resolver-timeout": '"4s"', **(conf or {})},
                           zone=self.zone)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.world.__exit__(*what)

    def send(self, *domains):
        c = self.world.host.submit(1)
        for d in domains:
            c.sendmail(self.world.host.address(1), [f"u@{d}"],
                       f"Message-ID: <{d}@c>\r\n\r\nx\r\n".encode())
        c.quit()

    def arrived(self, *domains, seconds=30):
        pt.wait_for(f"mail for {domains}", lambda: {
            r for m in self.world.sink.mails for r in m[1]}
            >= {f"u@{d}" for d in domains}, seconds)

    def deferred(self, /, **words):
        """{domain without .test: what queue list says of it}"""
        def look():
            rows = self.world.host.admin("queue", "list").splitlines()
            return all(any(f" u@{d}.test " in row and w in row
                           for row in rows) for d, w in words.items())
        pt.wait_for(f"{words} in the queue", look, 30)

    def bounced(self, /, **codes):
        """{domain without .test: status}; the mails that came back."""
        got = {}
        for r in self.world.reports(len(codes), 30):
            fields = r.get_payload()[1].get_payload()[1]
            name = fields["Final-Recipient"].split("u@")[1]
            got[name.removesuffix(".test")] = (fields["Status"],
                                               fields["Diagnostic-Code"])
        assert {n: s for n, (s, _) in got.items()} == codes, got
        return got


def test_tolerated():
    """Odd, but the way is clear."""
    answers = {
        ("slow.test", "MX"): mx("slow.mx.test", delay=1),
        ("slow.mx.test", "A"): host(delay=1),
        ("cut.test", "MX"): mx("mx.test", truncate=True),
        ("case.test", "MX"): mx("MX.Test", shout=True),
        ("zero.test", "MX"): mx("mx.test", ttl=0),
        # RFC 5321 5.1: an alias of a domain; forbidden: one behind an MX.
        ("alias.test", "MX"): Answer((None, "CNAME", "true.mx.test")),
        ("true.mx.test", "MX"): mx("mx.test"),
        ("tocname.test", "MX"): mx("alias.mx.test"),
        ("alias.mx.test", "A"): Answer((None, "CNAME", "mx.test"),
                                       ("mx.test", "A", GOOD)),
        # Some of the MX are none.
        ("half.test", "MX"): mx("1 no host.test", "2 127.0.0.66",
                                "3 gone.test", "4 mx.test"),
        ("flip.test", "MX"): [Answer(rcode=SERVFAIL), mx("mx.test")],
        ("flop.test", "MX"): [Answer(rcode=REFUSED), mx("mx.test")],
        ("nomx.test", "A"): host(),
    }
    names = [n for n, _ in answers if not n.endswith(".mx.test")]
    with Lied(answers) as l:
        l.send(*names)
        l.arrived(*names)
        l.world.queue_empty()
        assert len(l.world.sink.mails) == len(names)


def test_hundreds_of_hosts():
    """The best of all count, wherever in the answer; a real name server that
    has to say it over TCP."""
    records = [f"--mx-host=many.test,h{i}.many.test,{1000 - i}"
               for i in range(400)]
    records += [f"--host-record=h{i}.many.test,127.0.0.77"
                for i in range(399)]
    records.append("--host-record=h399.many.test,127.0.0.2")
    with World(zone=outside.Zone(records)) as w:
        w.send(["u@many.test"], "many")
        began = time.monotonic()
        w.mails(1)
        # Refused connections cost nothing, but there was none to be refused.
        assert "127.0.0.77" not in w.host.log()
        assert time.monotonic() - began < 10


def test_final():
    """What a later try would not change."""
    answers = {
        ("null.test", "MX"): mx("0 "),
        # RFC 5321 5.1: MX records of no use are no reason to try the domain.
        ("bad.test", "MX"): mx("1 no host.test", "2 b@d.test"),
        ("bad.test", "A"): host(),
        ("literal.test", "MX"): mx("127.0.0.2"),
        ("nohost.test", "MX"): mx("gone.test"),
        ("nohost.test", "A"): host(),
        ("empty.test", "TXT"): Answer(),
        ("self.test", "MX"): mx("mail.posthof.test"),
    }
    with Lied(answers) as l:
        l.send(*(n for n, _ in answers), "nowhere.test")
        got = l.bounced(null="5.1.10", bad="5.4.4", literal="5.4.4",
                        nohost="5.4.4", empty="5.4.4", self="5.4.6",
                        nowhere="5.1.2")
        assert "556" in got["null"][1], got
        # Nobody else has said so (RFC 3464 2.3.6).
        for r in l.world.reports(7):
            text, fields, _ = r.get_payload()
            assert "Remote-MTA" not in fields.as_string()
            assert "Grund:" in text.get_content()
            assert "other server says" not in text.get_content()
        l.world.queue_empty()
        assert not l.world.sink.mails


def test_temporary():
    """What a later try may change, until it is too late for it; and others
    are not held up."""
    answers = {
        ("servfail.test", "MX"): Answer(rcode=SERVFAIL),
        ("refused.test", "MX"): Answer(rcode=REFUSED),
        ("loop.test", "MX"): Answer((None, "CNAME", "pool.mx.test")),
        ("pool.mx.test", "MX"): Answer((None, "CNAME", "loop.test")),
        ("hostfail.test", "MX"): mx("fail.mx.test"),
        ("fail.mx.test", "A"): Answer(rcode=SERVFAIL),
        ("good.test", "MX"): mx("mx.test"),
    }
    with Lied(answers, {"queue-expire": '"5s"'}) as l:
        bad = ["servfail", "refused", "loop", "hostfail"]
        l.send(*(f"{b}.test" for b in bad), "good.test")
        l.arrived("good.test")
        l.deferred(**{b: "4.4.3" for b in bad})
        l.bounced(**{b: "5.4.3" for b in bad})
        l.world.queue_empty()


def test_not_believed():
    """Answers to other questions, and answers to what was not asked."""
    poison = (("mx.test", "A", OTHER), ("good.test", "MX", "1 evil.test"),
              ("evil.test", "A", OTHER))
    answers = {
        ("otherid.test", "MX"): mx("mx.test", wrong_id=True),
        ("othername.test", "MX"): mx("mx.test", name="fake.test"),
        ("silent.test", "MX"): Answer(drop=True),
        ("poison.test", "MX"): Answer((None, "MX", "10 mx.test"), *poison,
                                      more=poison, ttl=600),
        ("good.test", "MX"): mx("mx.test"),
    }
    with Lied(answers) as l:
        l.send("poison.test")
        l.arrived("poison.test")
        l.send("good.test")
        l.arrived("good.test")
        l.send("otherid.test", "othername.test", "silent.test")
        l.deferred(otherid="4.4.3", othername="4.4.3", silent="4.4.3")
        assert len(l.world.sink.mails) == 2
        assert OTHER not in l.world.host.log()


if __name__ == "__main__":
    pt.main(globals())
