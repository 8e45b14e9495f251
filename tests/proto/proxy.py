#!/usr/bin/env python3
"""Who is behind a load balancer: PROXY headers on every door, XCLIENT."""

import contextlib
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

V1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n"
V2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12)
      + socket.inet_aton("192.0.2.9") + socket.inet_aton("127.0.0.1")
      + struct.pack(">HH", 4712, 25))
PLAIN = ("smtp", "submission", "imap", "pop3")


def raw(host, name):
    return socket.create_connection(("127.0.0.1", host.port(name)), 10)


def first(s):
    return s.makefile("rb").readline()


class Balanced(pt.Host):
    """Everybody comes through a balancer, the test's own look as well."""

    def connect(self, name, timeout=10):
        if name == "lmtp":
            return super().connect(name, timeout)
        s = raw(self, name)
        s.sendall(b"PROXY UNKNOWN\r\n")
        if name in pt.TLS_AT_ONCE:
            s = self.tls().wrap_socket(s, server_hostname=pt.DOMAIN)
        return s


def test_every_door():
    with Balanced(accounts=1, conf={"proxy-from": '{"127.0.0.1"}'}) as host:
        for name in pt.PORTS:
            for head, ip in ((V1, "192.0.2.7:4711"), (V2, "192.0.2.9:4712")):
                s = raw(host, name)
                s.sendall(head)
                if name in pt.TLS_AT_ONCE:
                    s = host.tls().wrap_socket(s, server_hostname=pt.DOMAIN)
                assert first(s), name
                assert f"peer={ip}" in host.log(), (name, ip)
                s.close()
        # In pieces, and with the first command in the same packet.
        s = raw(host, "smtp")
        for byte in V1:
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        assert first(s).startswith(b"220 ")
        s.close()
        s = raw(host, "pop3")
        s.sendall(V1 + b"CAPA\r\n")
        f = s.makefile("rb")
        assert f.readline().startswith(b"+OK") and f.readline()
        s.close()


def test_bad_headers_are_the_end():
    with Balanced(accounts=1, conf={"proxy-from": '{"127.0.0.0/8"}'}) as host:
        for name in PLAIN:
            for junk in (b"EHLO x\r\n", b"PROXY TCP4 a b c d\r\n",
                         V1[:-2] + b"\n", b"PROXY " + b"x" * 200):
                s = raw(host, name)
                s.sendall(junk)
                with contextlib.suppress(ConnectionResetError):
                    assert s.recv(100) == b"", (name, junk)
                s.close()


def test_others_cannot():
    """Who is not listed is not believed."""
    with pt.Host(accounts=1, conf={"proxy-from": '{"192.0.2.0/24"}'}) as host:
        s = raw(host, "smtp")
        f = s.makefile("rb")
        assert f.readline().startswith(b"220 ")
        s.sendall(V1)
        assert f.readline().startswith(b"500 ")
        assert "192.0.2.7" not in host.log()
        s.close()


def test_the_limit_is_the_clients():
    conf = {"proxy-from": '{"127.0.0.1"}', "connections-per-address": 4}
    with Balanced(accounts=1, conf=conf) as host:
        held = []
        for port in range(6):
            s = raw(host, "smtp")
            s.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 %d 25\r\n" % port)
            held.append(first(s)[:3])
            held.append(s)
        assert held[::2] == [b"220"] * 4 + [b"421"] * 2, held
        s = raw(host, "smtp")
        s.sendall(V2)
        assert first(s).startswith(b"220 ")


if __name__ == "__main__":
    pt.main(globals())
