"""A name server that answers as it is told, rightly or not: UDP and TCP on
one port of loopback."""

import socket
import socketserver
import struct
import threading
import time

import outside

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16,
         "AAAA": 28}
NAMES = {number: name for name, number in TYPES.items()}
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


def wire_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        out += bytes([len(label)]) * (label != "") + label.encode("latin-1")
    return out + b"\0"


def read_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels), at + 1


def rdata(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "MX":
        preference, host = value.split(" ", 1)
        return struct.pack("!H", int(preference)) + wire_name(host)
    return wire_name(value)         # CNAME, NS


def record(name, kind, value, ttl):
    data = value if isinstance(value, bytes) else rdata(kind, value)
    return (wire_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl,
                                          len(data)) + data)


class Answer:
    """What comes back: records are (name, type, value) with value as text or
    as the bytes of the RDATA; name None is the name asked for."""

    def __init__(self, *records, rcode=0, more=(), delay=0, ttl=1,
                 truncate=False, wrong_id=False, name=None, drop=False,
                 shout=False, authority=()):
        self.records, self.rcode, self.more = records, rcode, more
        self.delay, self.ttl, self.truncate = delay, ttl, truncate
        self.wrong_id, self.name, self.drop = wrong_id, name, drop
        self.shout, self.authority = shout, authority

    def wire(self, ident, asked, kind, tcp):
        """truncate: over UDP, and then there are no records yet."""
        cut = not tcp and self.truncate
        sections = [[], [], []] if cut else [self.records, self.authority,
                                             self.more]
        name = self.name or (asked.swapcase() if self.shout else asked)
        body = b"".join(
            record(owner or name, what, value, self.ttl)
            for section in sections for owner, what, value in section)
        flags = 0x8580 | self.rcode | (0x0200 if cut else 0)
        return struct.pack("!HHHHHH", ident ^ (0x5555 * self.wrong_id), flags,
                           1, *map(len, sections)) + \
            wire_name(name) + struct.pack("!HH", kind, 1) + body


class Liar:
    """answers: {(name, type): Answer or [Answer, ...]}; of a list each is
    used once and the last one from then on.  Who has no type at all is
    NXDOMAIN."""

    def __init__(self, answers):
        self.answers = {(n.lower(), t): a if isinstance(a, list) else [a]
                        for (n, t), a in answers.items()}
        self.names = {n for n, _ in self.answers}
        self.asked = []
        self.lock = threading.Lock()
        self.address = "127.0.0.1"
        liar = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                reply = liar.reply(data, False)
                if reply:
                    sock.sendto(reply, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(30)
                head = self.request.recv(2, socket.MSG_WAITALL)
                if len(head) == 2:
                    data = self.request.recv(struct.unpack("!H", head)[0],
                                             socket.MSG_WAITALL)
                    reply = liar.reply(data, True)
                    self.request.sendall(struct.pack("!H", len(reply))
                                         + reply)

        class UdpServer(socketserver.ThreadingUDPServer):
            daemon_threads = True
            max_packet_size = 65536

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        while True:
            self.port = outside.free_port()
            try:
                self.servers = [TcpServer((self.address, self.port), Tcp)]
                self.servers.append(UdpServer((self.address, self.port), Udp))
                break
            except OSError:         # free for one of them only
                for s in self.servers:
                    s.server_close()
        self.threads = [threading.Thread(target=s.serve_forever, args=(0.05,))
                        for s in self.servers]
        for t in self.threads:
            t.start()

    def choose(self, name, kind):
        with self.lock:
            self.asked.append((name, kind))
            queue = self.answers.get((name.lower(), kind))
            if queue:
                return queue.pop(0) if len(queue) > 1 else queue[0]
        known = name.lower() in self.names
        return Answer(rcode=0 if known else NXDOMAIN)

    def reply(self, data, tcp):
        ident = struct.unpack("!H", data[:2])[0]
        name, at = read_name(data, 12)
        kind = struct.unpack("!H", data[at:at + 2])[0]
        answer = self.choose(name, NAMES.get(kind, str(kind)))
        time.sleep(answer.delay)
        return b"" if answer.drop else answer.wire(ident, name, kind, tcp)

    @property
    def resolver(self):
        return f'"{self.address}@{self.port}"'

    def close(self):
        for s, t in zip(self.servers, self.threads):
            s.shutdown()
            t.join()
            s.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
