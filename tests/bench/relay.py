#!/usr/bin/env python3
"""relay.py [NAME ...] - the queue and the way out: rate, CPU, delay.

A sink on 127.0.0.2 takes everything; sender and sink are the C program
smtp.c, whose CPU does not count.
"""

import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from meter import Meter, main_smtp, pt, say    # noqa: E402
import outside              # noqa: E402

LOTS = {"connections-per-address": 5000, "recipients-max": 1000,
        "resolver": '"127.0.0.1@1"', "relay-ipv6": "false"}


HOSTS = 1000    # of the mailing's recipients


def free_port():
    """One that is free at every address."""
    with socket.create_server(("0.0.0.0", 0)) as s:
        return s.getsockname()[1]


class Sink:
    """Counts to `count`, then has seconds and connections.  It is at every address of 127/8."""

    def __init__(self, program, port, count, delay_ms=0):
        self.process = subprocess.Popen(
            [program, "sink", "0.0.0.0", str(port), str(count),
             str(delay_ms)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def wait(self, seconds=300):
        out, _ = self.process.communicate(timeout=seconds)
        return [float(x) for x in out.split()]

    def close(self):
        self.process.kill()
        self.process.wait()


def submit(host, program, n, connections, count, size, rcpt):
    done = subprocess.run(
        [program, "submit", str(host.port("submissions")), str(connections),
         str(count), str(size), host.user(n), host.password(n),
         host.address(n), rcpt], stdout=subprocess.PIPE, check=True,
        timeout=600)
    return [float(x) for x in done.stdout.split()]


def row(host, program, port, name, connections, count, size, goal, peer):
    sink = Sink(program, port, count)
    with Meter(host) as m:
        submit(host, program, 1, connections, count, size, "u%d@away.test")
        _, used = sink.wait()
    m.say(f"{name}, {used:.0f} out", count, goal, peer)


def bench_relay(program):
    port = free_port()
    with pt.Host(4, {**LOTS, "smarthost": f'"127.0.0.2:{port}"'}) as host:
        row(host, program, port, "warm up", 8, 2000, 5600, None, None)
        for connections in (1, 8, 32):
            row(host, program, port,
                f"submitted and relayed, 5.6 KB, {connections} in",
                connections, 500 if connections == 1 else 20000, 5600, 300,
                2044)


def mailing(host, n, count, each=200):
    """To so many recipients at 1,000 hosts, 200 a message."""
    c = host.submit(n)
    c.ehlo()
    for first in range(0, count, each):
        lines = [f"MAIL FROM:<{host.address(n)}>"]
        lines += [f"RCPT TO:<u{i}@d{i % HOSTS}.many.test>"
                  for i in range(first, first + each)]
        c.sock.sendall("".join(x + "\r\n" for x in lines).encode())
        for _ in lines:
            code, text = c.getreply()
            if code != 250:
                raise pt.Failure(text)
        c.data(f"Subject: mailing {first}\r\n\r\nto all\r\n".encode())
    c.quit()


def single_mail(host, n):
    c = host.submit(n)
    began = time.monotonic()
    c.sendmail(host.address(n), ["single@one.many.test"],
               b"Subject: single\r\n\r\nto one\r\n")
    c.quit()
    return began


def bench_mailing(program, count=50000):
    """Every host takes its time for each; meanwhile another account sends one
    mail at a time."""
    port = free_port()
    sink = Sink(program, port, count + 3, 100)
    records = [f"--host-record=d{i}.many.test,127.0.0.2"
               for i in range(HOSTS)]
    records.append("--host-record=one.many.test,127.0.0.2")
    with outside.Zone(records) as zone, \
            pt.Host(4, {**LOTS, "relay-port": port,
                        "resolver": zone.resolver}) as host:
        began = time.monotonic()
        mailing(host, 1, count)
        say(f"mailing to {count} accepted", (time.monotonic() - began) * 1e3,
            None, None, None, "ms")
        delays = []
        for _ in range(3):
            began = single_mail(host, 2)
            word, at = sink.process.stdout.readline().split()
            assert word == b"single"
            delays.append((float(at) - began) * 1e3)
        left = host.admin("queue", "list", "--json").count('"id"')
        say(f"another's mail out, {left} rows wait", max(delays), None,
            1000, None, "ms")
        host.admin("queue", "drop", "--all")
    sink.close()


def one_transaction(host, n, count, hosts):
    """A message to so many recipients, in one transaction; seconds for RCPT
    and for DATA."""
    c = host.submit(n, timeout=600)
    c.ehlo()
    began = time.monotonic()
    c.mail(host.address(n))
    for first in range(0, count, 500):
        some = range(first, min(first + 500, count))
        c.sock.sendall("".join(
            f"RCPT TO:<u{i}@d{i % hosts}.many.test>\r\n"
            for i in some).encode())
        for _ in some:
            code, text = c.getreply()
            if code != 250:
                raise pt.Failure(text)
    middle = time.monotonic()
    c.data(b"Subject: one for all\r\n\r\nx\r\n")
    c.quit()
    return middle - began, time.monotonic() - middle


def peak_mib(host):
    """The most memory that submitd has had."""
    for pid in host.children()["submitd"]:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return int(f.read().split("VmHWM:")[1].split()[0]) / 1024


def started_at(host):
    """When submitd was, on the monotonic clock."""
    for pid in host.children()["submitd"]:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return (int(f.read().rsplit(")", 1)[1].split()[19])
                    / os.sysconf("SC_CLK_TCK"))


def bench_many(_):
    """50,000 recipients in one transaction; then 200,000 rows when the host
    starts: until its first mail is out."""
    port = free_port()
    with socket.create_server(("127.0.0.2", port), backlog=200), pt.Host(
            2, {**LOTS, "recipients-max": 100000,
                "smarthost": f'"127.0.0.2:{port}"'}) as host:
        for hosts in (1000, 50000, 50000, 50000):
            rcpt, data = one_transaction(host, 1, 50000, hosts)
            say(f"50000 RCPT at {hosts} domains, replies", rcpt * 1e3, None,
                None, None, "ms")
            say("  their DATA", data * 1e3, None, None, None, "ms")
        one_transaction(host, 2, 50000, 50000)
        say("  memory then, the most", peak_mib(host), None, None, None,
            "MiB")
        host.stop()
        out = []
        with outside.Sink("127.0.0.3", port) as sink:
            sink.before_end = lambda _: out.append(time.monotonic())
            host.set_conf({"smarthost": f'"127.0.0.3:{port}"'})
            began = time.monotonic()
            host.start()
            pt.wait_for("a mail", lambda: out, 60)
            say("start of all daemons until a mail is out", (out[0] - began)
                * 1e3, None, None, None, "ms")
            say("  of submitd", (out[0] - started_at(host)) * 1e3, None, 1000,
                None, "ms")
            pt.wait_for("500 mails", lambda: len(out) > 500, 60)
            say("  memory then, the most", peak_mib(host), None, None, None,
                "MiB")
            host.stop()


if __name__ == "__main__":
    main_smtp(globals())
