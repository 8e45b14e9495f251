#!/usr/bin/env python3
"""pop3.py [NAME ...] - the CPU that pop3d takes for each thing a client does,
beside the goal and the best of Dovecot 2.3 and Cyrus 3.6 as they were measured
on such a machine.

Of all its threads, by schedstat; the client's own does not count.  The least
of ROUNDS rounds, since others use the machine as well.  Where a server mostly
waits, the row below is the same dialogue with one that does nothing (floor.c),
in turn with ours: below that nobody gets on this machine.
"""

import glob
import os
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from meter import Floor, heading, private_kib, pt, say     # noqa: E402

ROUNDS = 5
# account: messages, bytes of each
BOXES = {1: (0, 0), 2: (10000, 5600), 3: (100000, 300), 4: (5000, 300),
         5: (5000, 300), 6: (5000, 300)}
CONF = {"connections-per-address": 5000, "plaintext-without-tls": "true",
        "line-max": "64K", "store-cache": "512M"}


def cpu_us(host, program="pop3d"):
    pid = host.children()[program][0]
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1000


class Client:
    """As little as will do: sends, and reads up to an end."""

    def __init__(self, host, tls=False):
        self.host = host
        s = socket.create_connection(("127.0.0.1", host.port(
            "pop3s" if tls else "pop3")))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl._create_unverified_context()
            s = context.wrap_socket(s)
        self.sock = s
        self.quick_ack = getattr(host, "quick_ack", False)
        self.left = b""
        self.line()

    def more(self):
        if self.quick_ack:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data = self.sock.recv(1 << 20)
        if not data:
            raise pt.Failure("closed")
        return data

    def until(self, end):
        data = self.left
        while True:
            at = data.find(end)
            if at >= 0:
                self.left = data[at + len(end):]
                return data[:at]
            data += self.more()

    def line(self):
        return self.until(b"\r\n")

    def ask(self, text):
        self.sock.sendall(text)
        answer = self.line()
        if not answer.startswith(b"+OK"):
            raise pt.Failure(f"{text}: {answer}")
        return answer

    def login(self, n):
        self.ask(f"USER {self.host.user(n)}\r\n".encode())
        self.ask(f"PASS {self.host.password(n)}\r\n".encode())
        return self

    def dots(self, count):
        """Reads so many multi-line replies."""
        seen, tail = 0, self.left
        self.left = b""
        while seen < count:
            seen += tail.count(b"\r\n.\r\n")
            if seen >= count:
                break
            tail = tail[-4:] if not tail.endswith(b"\r\n.\r\n") else b""
            tail += self.more()

    def close(self):
        self.sock.close()


def once(host, count, work):
    """Wall time and CPU of one of count operations."""
    cpu, begin = cpu_us(host), time.monotonic()
    work()
    return ((time.monotonic() - begin) * 1e6 / count,
            (cpu_us(host) - cpu) / count)


def least(done):
    return min(d[0] for d in done), min(d[1] for d in done)


def measure(host, name, count, work, goal, peer, rounds=ROUNDS):
    done = [once(host, count, work) for _ in range(rounds)]
    say(name, *least(done), goal, peer)


def measure_beside(host, floor, name, count, work, goal, peer):
    """work(host) and work(floor) in turn."""
    done, bare = [], []
    for _ in range(ROUNDS):
        done.append(once(host, count, lambda: work(host)))
        bare.append(once(floor, count, lambda: work(floor)))
    say(name, *least(done), goal, peer)
    say("  beside a server that does nothing", *least(bare), None, None)


def check(host, n, tls, *more):
    c = Client(host, tls).login(n)
    c.ask(b"STAT\r\n")
    for command in more:
        c.sock.sendall(command)
        c.dots(1)
    c.ask(b"QUIT\r\n")
    c.close()


def bench_check_mail(host):
    with Floor("pop3") as floor:
        for tls, goal, peer in ((True, 500, 1600), (False, 100, 758)):
            def work(at):
                for _ in range(200):
                    check(at, 1, tls)
            check(host, 1, tls)
            measure_beside(host, floor, "check mail, "
                           + ("TLS 1.3" if tls else "in clear"), 200, work,
                           goal, peer)


def bench_big_box(host):
    for n, goal, peer in ((2, 300, 2400), (3, 3000, None)):
        check(host, n, False)
        measure(host, f"check mail, {BOXES[n][0]} messages", 100,
                lambda: [check(host, n, False) for _ in range(100)],
                goal, peer)


def bench_first_look(host):
    """After a start nothing is in memory."""
    host.restart()
    measure(host, f"first check mail, {BOXES[3][0]} messages", 1,
            lambda: check(host, 3, False), None, None, 1)
    before = private_kib(host, "pop3d")
    measure(host, f"STAT, UIDL, LIST over TLS, {BOXES[3][0]} messages", 1,
            lambda: check(host, 3, True, b"UIDL\r\n", b"LIST\r\n"),
            None, None)
    grown = max(0, private_kib(host, "pop3d") - before)
    say("  and what stays in memory", grown, None, None, None, "KiB")


def list_all(c, command, times=5):
    for _ in range(times):
        c.sock.sendall(command)
        c.dots(1)


def retr_pipelined(c, count):
    for at in range(1, count + 1, 500):
        c.sock.sendall(b"".join(b"RETR %d\r\n" % i for i in
                                range(at, min(at + 500, count + 1))))
        c.dots(min(500, count + 1 - at))


def retr_one_by_one(c, count):
    for i in range(1, count + 1):
        c.sock.sendall(b"RETR %d\r\n" % i)
        c.dots(1)


def dele_all(host, n, count):
    c = Client(host).login(n)
    for at in range(1, count + 1, 500):
        c.sock.sendall(b"".join(b"DELE %d\r\n" % i
                                for i in range(at, at + 500)))
        for _ in range(500):
            c.line()
    c.ask(b"QUIT\r\n")
    c.close()


def bench_list(host):
    count = BOXES[3][0]
    c = Client(host).login(3)
    for command, goal, peer in ((b"LIST\r\n", 0.09, 0.18),
                                (b"UIDL\r\n", 0.1, 0.19)):
        list_all(c, command)
        measure(host, command.decode().strip() + ", a message", 5 * count,
                lambda: list_all(c, command), goal, peer)
    c.close()


def bench_retr(host):
    count = BOXES[2][0]
    c = Client(host).login(2)
    retr_pipelined(c, count)
    measure(host, "RETR of 5.6 KB, pipelined", count,
            lambda: retr_pipelined(c, count), 8, 18)
    with Floor("pop3") as floor:
        clients = {host: c, floor: Client(floor).login(2)}
        measure_beside(host, floor, "RETR of 5.6 KB, one by one", 3000,
                       lambda at: retr_one_by_one(clients[at], 3000), 20, 40)
        clients[floor].close()
    c.close()


def bench_dele(host):
    boxes = iter((4, 5, 6))
    count = BOXES[4][0]
    keeper = cpu_us(host, "keeper")
    measure(host, "DELE of all and QUIT, a message", count,
            lambda: dele_all(host, next(boxes), count), 2, 4.2, 3)
    time.sleep(5)
    say("  and later in the keeper", 0,
        (cpu_us(host, "keeper") - keeper) / (3 * count), None, None)


def fill(host):
    program = os.path.join(host.dir, "load")
    subprocess.run(["gcc", "-O2", "-o", program,
                    os.path.join(HERE, "load.c")], check=True)
    for n, (count, size) in BOXES.items():
        if count:
            subprocess.run([program, host.lmtp_socket, "16", str(count),
                            str(size), host.address(n)], check=True,
                           stdout=subprocess.DEVNULL)


def main():
    with pt.Host(len(BOXES), CONF) as host:
        fill(host)
        heading()
        for name, f in list(globals().items()):
            if name.startswith("bench_") and (
                    not sys.argv[1:] or name[6:] in sys.argv[1:]):
                f(host)


if __name__ == "__main__":
    main()
