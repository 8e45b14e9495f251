#!/usr/bin/env python3
"""Outlook's TLS, on all ports (CLIENTS D): no SNI from Outlook 2013, old Apple
Mail; sessions are resumed, without which Outlook and Outlook Express fail."""

import os
import socket
import ssl
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import posthof_test as pt


def connect(host, door, context, session=None):
    raw = socket.create_connection(("127.0.0.1", host.port(door)))
    return context.wrap_socket(raw, session=session)


def test_no_sni(host):
    """The default certificate is valid for the server that people typed."""
    for door in pt.TLS_AT_ONCE:
        with connect(host, door, host.tls()) as s:
            names = [v for k, v in s.getpeercert()["subjectAltName"]
                     if k == "DNS"]
            assert pt.DOMAIN in names and "mail." + pt.DOMAIN in names, names


def test_sessions_are_resumed(host):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for door in pt.TLS_AT_ONCE:
            context = host.tls()
            context.minimum_version = context.maximum_version = version
            with connect(host, door, context) as s:
                s.recv(4096)
                # The ticket comes behind the greeting, or later.
                s.sendall(b"NOOP\r\n")
                s.recv(4096)
                session = s.session
            with connect(host, door, context, session) as s:
                assert s.session_reused, (door, version)


def test_old_protocols_are_refused(host):
    """TLS 1.1 and older (printers): refused, and the server goes on."""
    context = host.tls()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        connect(host, "imaps", context).close()
        raise pt.Failure("TLS 1.1 was accepted")
    except (ssl.SSLError, ConnectionError):
        pass
    connect(host, "imaps", host.tls()).close()


if __name__ == "__main__":
    pt.main(globals(), accounts=1)
