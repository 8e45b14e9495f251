#!/usr/bin/env python3
"""Other hosts that take for ever: a byte now and then in every phase holds no
connection beyond the phase's time (RFC 5321 4.5.3.2), one that is always just
in time not beyond the total, and nobody else waits for them.

With POSTHOF_LONG a byte is a minute and the times are those of the RFC, cut
only where they are over five minutes.
"""

import contextlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside              # noqa: E402
import posthof_test as pt   # noqa: E402

LONG = bool(os.environ.get("POSTHOF_LONG"))
DRIP_SEC = 60 if LONG else 0.4
TIMES = {"relay-timeout": '"5m"', "relay-data-timeout": '"2m"',
         "relay-block-timeout": '"3m"', "relay-end-timeout": '"5m"',
         "relay-total-timeout": '"9m"'}
if not LONG:
    TIMES = {name: '"2s"' for name in TIMES}
    TIMES["relay-total-timeout"] = '"4s"'

# Where it drips: the answer to that, and what the queue says then.
LATE = "does not answer in time"
PHASES = {"banner": ({"BANNER": "220 x"}, LATE),
          "ehlo": ({"EHLO": "250 x"}, LATE),
          "mail": ({"MAIL": "250 2.1.0 ok"}, LATE),
          "rcpt": ({"RCPT": "250 2.1.5 ok"}, LATE),
          "data": ({"DATA": "354 go"}, LATE),
          "end": ({"END": "250 2.0.0 taken"}, LATE)}


def start_sinks(stack, port):
    """{domain: its sink}, each at an address of its own."""
    sinks = {}
    for i, (name, (answers, _)) in enumerate(PHASES.items()):
        s = stack.enter_context(outside.Sink(f"127.0.3.{i + 1}", port))
        s.answers = {verb: [f"DRIP {text} {'z' * 60}"] * 9
                     for verb, text in answers.items()}
        sinks[name] = s
    sinks["body"] = stack.enter_context(outside.Sink("127.0.3.21", port))
    sinks["body"].stuck = True
    # Always just in time: what no single limit catches.
    sinks["total"] = stack.enter_context(outside.Sink("127.0.3.22", port))
    sinks["total"].keywords = ["8BITMIME"]
    for s in sinks.values():
        s.drip_sec = DRIP_SEC
    in_time = outside.Sink.answer

    def late(verb):
        time.sleep(270 if LONG else 1.6)
        return in_time(sinks["total"], verb)
    sinks["total"].answer = late
    sinks["good"] = stack.enter_context(outside.Sink("127.0.3.23", port))
    return sinks


def rows(host):
    listed = json.loads(host.admin("queue", "list", "--json") or "[]")
    return {r["recipients"][0].split("@")[1].removesuffix(".test"): r
            for r in listed}


def send(host, name, size=0):
    c = host.submit(1)
    c.sendmail(host.address(1), [f"u@{name}.test"],
               f"Message-ID: <{name}@c>\r\n\r\n".encode()
               + (b"s" * 76 + b"\r\n") * (size // 78 + 1))
    c.quit()


def test_a_byte_now_and_then():
    port = outside.free_port("127.0.3.1")
    with contextlib.ExitStack() as stack:
        sinks = start_sinks(stack, port)
        zone = stack.enter_context(outside.Zone(
            [f"--host-record={n}.test,{s.server.server_address[0]}"
             for n, s in sinks.items()]))
        host = stack.enter_context(pt.Host(1, {
            "resolver": zone.resolver, "relay-port": port,
            "relay-ipv6": "false", "queue-retry-first": '"1h"', **TIMES}))
        slow = [n for n in sinks if n != "good"]
        for name in slow:
            send(host, name, 9 << 20 if name == "body" else 0)
        pt.wait_for("all under way", lambda: len(
            [r for r in rows(host).values() if r["state"] != "queued"])
            == len(slow))
        send(host, "good")
        pt.wait_for("the other mail", lambda: sinks["good"].mails)
        left = rows(host)
        if LONG:        # else the short times may be over
            assert {r["state"] for r in left.values()} == {"active"}, left
        wanted = {n: PHASES[n][1] for n in PHASES}
        wanted.update(body="takes no data", total="takes too long")

        def ended():
            time.sleep(2 if LONG else 0)
            now = rows(host)
            return all(n in now and words in (now[n]["last_reply"] or "")
                       for n, words in wanted.items())
        try:
            pt.wait_for("an end of each", ended, 1100 if LONG else 30)
        except pt.Failure:
            print("#", {n: (r["state"], r["last_reply"])
                        for n, r in rows(host).items()})
            raise
        assert not any(sinks[n].mails for n in slow if n != "end")
        assert all(sinks[n].connections == 1 for n in slow)
        for s in sinks.values():        # what still drips ends now
            s.drip_sec, s.stuck = 0, False


if __name__ == "__main__":
    pt.main(globals())
