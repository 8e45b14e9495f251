#!/usr/bin/env python3
"""posthof trace (O8): one mail from its acceptance to its end; and the queue's
criteria (O15)."""

import json
import os
import re
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))
import posthof_test as pt   # noqa: E402
import relay                # noqa: E402


def trace(host, word, *options):
    """The lines; [] when nothing is known of it."""
    run = host.admin("trace", word, "--json", *options, check=False)
    return json.loads(run.stdout) if run.returncode == 0 else []


def wait_trace(host, word, event, n=1):
    """Once it has that event so often: it is written once a second."""
    def look():
        lines = trace(host, word)
        return sum(x["event"] == event for x in lines) >= n and lines
    return pt.wait_for(f"{event} of {word}", look)


def events(lines):
    return [x["event"] for x in lines]


def of(lines, event):
    return [x["details"] for x in lines if x["event"] == event]


def files(host):
    folder = os.path.join(host.state, "trace")
    return [os.path.join(folder, x) for x in sorted(os.listdir(folder))]


def test_delivered_here():
    with pt.Host(accounts=3) as host:
        with smtplib.SMTP("127.0.0.1", host.port("smtp"), "x.test") as c:
            c.sendmail("sender@example.net", [host.address(1),
                                              host.address(2)],
                       "Message-ID: <here@x.test>\r\n\r\nsecret words\r\n")
        lines = wait_trace(host, "<here@x.test>", "deliver")
        assert events(lines) == ["deliver", "accept", "accept"], lines
        accept = of(lines, "accept")
        assert accept[0]["from"] == "sender@example.net"
        assert [a["to"] for a in accept] == [host.address(1), host.address(2)]
        assert of(lines, "deliver")[0]["accounts"] == (
            f"{host.user(1)},{host.user(2)}"), lines
        # The same by each of its names.
        for word in (host.address(2).upper(), "sender@example.net",
                     "here@x.test", accept[0]["id"], lines[1]["id"]):
            assert trace(host, word) == lines, word
        assert trace(host, host.address(3)) == []
        # Who looks finds it while the host is stopped as well.
        host.stop()
        assert trace(host, "<here@x.test>") == lines
        text = host.admin("trace", "<here@x.test>")
        assert f"accounts={host.user(1)},{host.user(2)}" in text, text
        with open(files(host)[0], "rb") as f:
            assert b"secret words" not in f.read()
        assert os.stat(files(host)[0]).st_mode & 0o77 == 0
        host.start()


def test_deferred_then_sent_over_a_restart():
    with relay.World() as w:
        w.sink.answers = {"MAIL": ["451 4.3.0 come later, \"please\""]}
        w.host.stop()
        w.host.set_conf({"queue-retry-first": '"4s"',
                         "queue-retry-max": '"4s"'})
        w.host.start()
        w.send(["b@remote.test", "c@remote.test"], "later")
        lines = wait_trace(w.host, "c@remote.test", "deferred")
        now = lines[-1]
        assert now["at"] == "now" and now["event"] == "queue", now
        assert now["details"]["state"] == "deferred", now
        assert now["details"]["attempts"] == "1", now
        w.host.restart()
        w.mails(1)
        lines = wait_trace(w.host, "later@client.test", "final")
        assert {x["message"] for x in lines} == {of(lines, "accept")[0]["id"]}
        relays = of(lines, "relay")
        assert [r["result"] for r in relays] == ["deferred"] * 2 + ["sent"] * 2
        assert relays[0]["reply"] == '451 4.3.0 come later, "please"', relays
        assert "mx.remote.test [127.0.0.2]" in relays[0]["remote"], relays
        assert relays[2]["reply"].startswith("250 "), relays
        assert 0 < int(of(lines, "deferred")[0]["next-in"]) <= 5, lines
        assert of(lines, "final") == [{"delivered": "2", "failed": "0"}]
        row = [x["id"] for x in lines if x["event"] == "relay"][0]
        for word in (row, "b@remote.test", "c@remote.test",
                     w.host.address(1), of(lines, "accept")[0]["id"]):
            assert trace(w.host, word) == lines, word


def test_bounced_with_its_report():
    with relay.World() as w:
        w.sink.answers = {"RCPT": ["550 5.1.1 <b@remote.test> unknown"]}
        w.send(["b@remote.test"], "bounced")
        w.reports(1)
        lines = wait_trace(w.host, "<bounced@client.test>", "final")
        assert of(lines, "relay")[0]["result"] == "failed"
        report = of(lines, "report")[0]
        assert report["action"] == "failed", report
        assert report["to"] == w.host.address(1), report
        assert {"accounts": w.host.user(1)} in of(lines, "deliver"), lines
        assert of(lines, "final") == [{"delivered": "0", "failed": "1"}]


def test_dropped_by_hand():
    with relay.World() as w:
        w.send(["b@gone.test"], "dropped")
        wait_trace(w.host, "b@gone.test", "deferred")
        w.host.admin("queue", "drop", "--all")
        assert trace(w.host, "b@gone.test")[-1]["details"] == {
            "state": "gone"}


def test_waited_and_reported():
    """HOLDFOR, then a copy here, one away, and reports of both (NOTIFY)."""
    with relay.World() as w:
        host = w.host
        w.send(["b@remote.test", host.address(2)], "held", ["HOLDFOR=600"],
               ["NOTIFY=SUCCESS"])
        lines = wait_trace(host, "held@client.test", "accept")
        assert lines[-1]["details"]["state"] == "scheduled", lines
        host.admin("account", "suspend", host.user(1))
        host.admin("queue", "retry", "--all")
        lines = wait_trace(host, "held@client.test", "release")
        assert of(lines, "release")[0]["failed"], lines
        assert lines[-1]["details"]["state"] == "held", lines
        host.admin("account", "resume", host.user(1))
        host.admin("queue", "release", "--all")
        lines = wait_trace(host, "b@remote.test", "final")
        assert {"accounts": host.user(2), "msgid": "held@client.test"} in (
            of(lines, "deliver")), lines
        assert {r["action"] for r in of(lines, "report")} == {
            "delivered", "relayed"}, lines
        assert lines[-1]["at"] != "now", lines
        assert len({x["message"] for x in lines}) == 1, lines


def test_latest_of_many():
    with pt.Host(accounts=1) as host:
        for i in range(5):
            host.deliver(1, f"Message-ID: <n{i}@x.test>\r\n\r\nx\r\n")
        wait_trace(host, host.address(1), "deliver", 5)
        run = host.admin("trace", host.address(1), "--limit", "2",
                         check=False)
        text = run.stdout.decode()
        assert "n3@x" in text and "n4@x" in text and "n2@x" not in text, text
        assert b"there are more" in run.stderr


def test_kept_for_days_and_bounded():
    with pt.Host(accounts=1, conf={"trace-days": "2"}) as host:
        host.deliver(1, "Message-ID: <one@x.test>\r\n\r\nx\r\n")
        wait_trace(host, "one@x.test", "deliver")
        host.stop()
        # Torn by a crash, with a line that is none.
        with open(files(host)[0], "a", encoding="ascii") as f:
            f.write("\n\x01 junk = = \"\ninfo\n2026 info s Q1 acc")
        day = os.path.basename(files(host)[0])
        old = time.strftime("submitd-%Y-%m-%d",
                            time.gmtime(time.time() - 2 * 86400))
        for name in (old, "submitd-x", "other"):
            with open(os.path.join(host.state, "trace", name), "w",
                      encoding="ascii"):
                pass
        host.start()
        pt.wait_for("the old one's end", lambda: [
            os.path.basename(x) for x in files(host)]
            == ["other", day, "submitd-x"])
        host.deliver(1, "Message-ID: <two@x.test>\r\n\r\nx\r\n")
        wait_trace(host, "two@x.test", "deliver")
        assert trace(host, "one@x.test")
        # A day has so much and no more; what is off leaves nothing.
        host.stop()
        with open(files(host)[1], "a", encoding="ascii") as f:
            f.write("\n" * (1 << 20))
        host.set_conf({"trace-size": '"1M"'})
        host.start()
        size = os.stat(files(host)[1]).st_size
        host.deliver(1, "Message-ID: <three@x.test>\r\n\r\nx\r\n")
        pt.wait_for("a warning", lambda: "trace incomplete=file" in host.log())
        assert os.stat(files(host)[1]).st_size == size
        host.stop()
        host.set_conf({"trace-days": "0"})
        host.start()
        host.deliver(1, "Message-ID: <four@x.test>\r\n\r\nx\r\n")
        pt.wait_for("no files", lambda: day not in [
            os.path.basename(x) for x in files(host)])
        run = host.admin("trace", "four@x.test", check=False)
        assert run.returncode == 1 and b"trace-days is 0" in run.stderr


def test_queue_criteria():
    with relay.World() as w:
        w.send(["b@gone.test", "c@gone.test"], "one")
        w.send(["d@dead.two.test"], "two", ["HOLDFOR=600"])
        pt.wait_for("an attempt", lambda: "4.4.1" in
                    w.host.admin("queue", "list", "--json"))

        def listed(*criteria):
            rows = json.loads(w.host.admin("queue", "list", "--json",
                                           *criteria))
            return sorted(a for r in rows for a in r["recipients"])
        both = ["b@gone.test", "c@gone.test"]
        last = ["d@dead.two.test"]
        me = w.host.address(1)
        assert listed() == both + last
        assert listed("--domain", "GONE.test") == both
        assert listed("--recipient", "C@gone.test") == both
        assert listed("--recipient", "d@dead.two.test") == last
        assert listed("--sender", me) == both + last
        assert listed("--sender", "x@y.test") == []
        assert listed("--sender", "<>") == []
        assert listed("--sender", me, "--domain", "dead.two.test") == last
        assert listed("--recipient", "b@gone.test", "--domain",
                      "dead.two.test") == []
        row = [r for r in json.loads(w.host.admin("queue", "list", "--json"))
               if "b@gone.test" in r["recipients"]][0]
        assert row["state"] == "deferred" and row["attempts"] >= 1, row
        assert 0 <= row["age"] < 60 and row["next_at"], row
        text = w.host.admin("queue", "list")
        assert re.match(r"ID +STATE +SIZE +TRIES +AGE +NEXT ", text), text
        assert re.search(r" \d+s +20", text), text
        w.host.admin("queue", "drop", "--recipient", "b@gone.test")
        assert listed() == last
        w.host.admin("queue", "drop", "--domain", "dead.two.test")
        assert listed() == []


if __name__ == "__main__":
    pt.main(globals())
