"""A SCRAM client (RFC 5802, RFC 7677), by hand."""

import base64
import hashlib
import hmac
import os


def b64(data):
    return base64.b64encode(data).decode()


def end_point(sock):
    """tls-server-end-point of a certificate signed with SHA-256."""
    return hashlib.sha256(sock.getpeercert(binary_form=True)).digest()


class Scram:
    """mech: SCRAM-SHA-1 or SCRAM-SHA-256, with or without -PLUS."""

    def __init__(self, user, password, mech="SCRAM-SHA-256", gs2="n,,",
                 binding=b""):
        self.hash = "sha1" if "SHA-1" in mech else "sha256"
        self.password = password.encode()
        self.gs2, self.binding = gs2, binding
        self.nonce = b64(os.urandom(18))
        self.bare = f"n={user},r={self.nonce}"
        self.server_key = self.message = self.salt = None

    def first(self):
        return (self.gs2 + self.bare).encode()

    def final(self, challenge):
        fields = dict(p.split("=", 1) for p in
                      challenge.decode().split(","))
        assert fields["r"].startswith(self.nonce)
        self.salt = base64.b64decode(fields["s"])
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, self.salt,
                                     int(fields["i"]))
        client = hmac.digest(salted, b"Client Key", self.hash)
        self.server_key = hmac.digest(salted, b"Server Key", self.hash)
        last = (f"c={b64(self.gs2.encode() + self.binding)}"
                f",r={fields['r']}")
        self.message = ",".join((self.bare, challenge.decode(),
                                 last)).encode()
        mac = hmac.digest(hashlib.new(self.hash, client).digest(),
                          self.message, self.hash)
        proof = bytes(a ^ b for a, b in zip(client, mac))
        return f"{last},p={b64(proof)}".encode()

    def check(self, challenge):
        mac = hmac.digest(self.server_key, self.message, self.hash)
        assert challenge == b"v=" + b64(mac).encode(), challenge

    def answer(self, challenge):
        """For imaplib's authenticate()."""
        if not challenge:
            return self.first()
        if challenge.startswith(b"v="):
            self.check(challenge)
            return b""
        return self.final(challenge)
