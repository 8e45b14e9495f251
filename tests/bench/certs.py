#!/usr/bin/env python3
"""certs.py - what a handshake costs the daemon with one certificate in
tls-dir, and with 1,000.

    tests/bench/certs.py [HANDSHAKES [ROUNDS]]      (600 each, 5 rounds)

Whole handshakes on imaps, each for a name of its own by SNI: with one
certificate always that one's, with 1,000 all of them in turn.  Both hosts run
beside each other and take turns, round by round.  Prints the median of the
rounds' CPU (schedstat, all daemons) per handshake, accept to close.
"""

import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from meter import cpu_us, pt    # noqa: E402

NAMES = 1000


def make(top, count):
    """Certificates n0.example and up, of one key: only looking differs."""
    os.makedirs(top)
    key = os.path.join(top, "..", f"key{count}.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True,
                   stderr=subprocess.DEVNULL)
    for i in range(count):
        name = f"n{i}.example"
        folder = os.path.join(top, name)
        os.makedirs(folder)
        subprocess.run(["openssl", "req", "-x509", "-key", key, "-days", "30",
                        "-subj", f"/CN={name}", "-out",
                        os.path.join(folder, "fullchain.pem")], check=True,
                       stderr=subprocess.DEVNULL)
        shutil.copy(key, os.path.join(folder, "privkey.pem"))


def host_with(count):
    host = pt.Host(accounts=1, start=False)
    top = os.path.join(host.dir, "names")
    make(top, count)
    host.set_conf({"tls-dir": f'"{top}"', "log-level": "warn"})
    host.start()
    return host


def shake(host, context, name):
    with socket.create_connection(("127.0.0.1", host.port("imaps"))) as s, \
            context.wrap_socket(s, server_hostname=name) as t:
        t.recv(4096)
        return t.getpeercert(True)


def measure(host, context, names, handshakes):
    before = cpu_us(host)
    for i in range(handshakes):
        shake(host, context, names[i % len(names)])
    return (cpu_us(host) - before) / handshakes


def main():
    handshakes = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    context = ssl._create_unverified_context()
    context.check_hostname = False
    with host_with(1) as one, host_with(NAMES) as many:
        both = [(one, ["n0.example"], []),
                (many, [f"n{i}.example" for i in range(NAMES)], [])]
        for host, names, _ in both:     # what SNI chooses, and warm
            for name in names:
                if name.encode() not in shake(host, context, name):
                    raise pt.Failure(f"not the certificate of {name}")
        for _ in range(rounds):
            for host, names, got in both:
                got.append(measure(host, context, names, handshakes))
    figures = [statistics.median(got) for _, _, got in both]
    for (_, names, got), figure in zip(both, figures):
        print(f"TLS 1.3 handshake, {len(names):4} names {figure:7.0f} us CPU "
              f"({min(got):.0f} to {max(got):.0f})")
    print(f"1,000 names cost {figures[1] - figures[0]:+.0f} us, "
          f"{(figures[1] / figures[0] - 1) * 100:+.1f} %")


if __name__ == "__main__":
    main()
