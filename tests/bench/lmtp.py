#!/usr/bin/env python3
"""lmtp.py - deliveries by LMTP: rate, the daemons' CPU, latency."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from meter import cpu_us, pt    # noqa: E402

BIG = 100000    # messages of the big folder, account 1


def build(host, name="load"):
    """What load() and floor() run."""
    program = os.path.join(host.dir, name)
    subprocess.run(["gcc", "-O2", "-pthread", "-o", program,
                    os.path.join(HERE, name + ".c")], check=True)
    return program


def load(host, connections, count, *rcpts, size=5600):
    """Deliveries by the C program beside this one: its four figures."""
    done = subprocess.run(
        [os.path.join(host.dir, "load"), host.lmtp_socket, str(connections),
         str(count), str(size), *rcpts], stdout=subprocess.PIPE, check=True,
        timeout=600)
    return [float(x) for x in done.stdout.split()]


def deliver(host, name, connections, count, *rcpts):
    before = cpu_us(host)
    _, rate, median, p99 = load(host, connections, count, *rcpts)
    cpu = cpu_us(host) - before
    print(f"{name:34} {count:7}  {rate:9.0f}/s  {cpu / count:9.1f} us "
          f"CPU each  {median:.2f} ms median, {p99:.2f} ms 99 %", flush=True)


def floor(host, count):
    """What a bare loop pays for what one connection asks: four round trips,
    6 KB and 3.5 KB written, two syncs side by side."""
    done = subprocess.run(
        [build(host, "durable"), host.dir, str(count), "6000", "3500"],
        stdout=subprocess.PIPE, check=True, timeout=600)
    _, rate, median, p99, cpu = [float(x) for x in done.stdout.split()]
    print(f"{'(a bare loop of what one asks)':34} {count:7}  {rate:9.0f}/s  "
          f"{cpu:9.1f} us CPU each  {median:.2f} ms median, {p99:.2f} ms 99 %",
          flush=True)


def bench_lmtp(host):
    """The big folder comes to be."""
    build(host)
    floor(host, 3000)
    others = [host.address(n) for n in (3, 4)]
    for connections, count in ((1, 5000), (8, 10000), (32, 20000)):
        deliver(host, f"LMTP, 5.6 KB, {connections} connections",
                connections, count, *others)
    deliver(host, "LMTP, ten recipients, 8 connections", 8, 2000, "+10",
            *[host.address(n) for n in range(5, 15)])
    deliver(host, "LMTP, the big folder", 32, BIG, host.address(1))


def main():
    with pt.Host(14, {"connections-per-address": 5000}) as host:
        bench_lmtp(host)


if __name__ == "__main__":
    main()
