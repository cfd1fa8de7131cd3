#!/usr/bin/env python3
"""Ten thousand streams of wrong bytes on each port: the process stays up and keeps nothing of them.

    bad_bytes.py [--server …] [--streams 10000] [--seed N]

A stream is random bytes, or something valid with bytes changed, dropped, doubled or cut off: HTTP/2 prefaces
and frames with gRPC messages, JSON requests, and on the peer port what a peer really said, recorded by a
relay between two processes. Some connections are closed at once, some half-closed, some left open until the
end. Between rounds the process must answer; at the end its descriptors are back where they were, and memory
and the number of threads have not grown with the number of streams. Requests over the limits are refused in
the protocol's words.
"""

import argparse
import random
import socket
import struct
import sys
import threading
import time

from harness.gateway import GatewayError
from harness.report import Report, Skip, expect
from harness.servers import KINDS, Cluster, free_port

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def http2_frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header field without indexing or Huffman coding."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def grpc_call(path, message, stream=1, end=True):
    fields = [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"), (b"te", b"trailers"),
    ]
    head = http2_frame(1, 4, stream, b"".join(literal(*field) for field in fields))
    body = b"\0" + struct.pack(">I", len(message)) + message
    return head + http2_frame(0, 1 if end else 0, stream, body)


def valid_client_streams():
    settings = PREFACE + http2_frame(4, 0, 0, b"")
    put = b"\x0a\x03key\x12\x05value"
    watch = b"\x0a\x05\x0a\x03key"
    yield settings + grpc_call(b"/etcdserverpb.KV/Put", put)
    yield settings + grpc_call(b"/etcdserverpb.KV/Range", b"\x0a\x01\x00\x12\x01\x00")
    yield settings + grpc_call(b"/etcdserverpb.KV/Txn", b"\x12\x10\x12\x0e" + put)
    yield settings + grpc_call(b"/etcdserverpb.Watch/Watch", watch, end=False)
    yield settings + grpc_call(b"/etcdserverpb.Lease/LeaseKeepAlive", b"\x08\x01", end=False)
    yield settings + b"".join(grpc_call(b"/etcdserverpb.KV/Range", b"\x0a\x01k", 2 * n + 1) for n in range(20))
    yield settings + http2_frame(6, 0, 0, b"12345678") + http2_frame(8, 0, 0, struct.pack(">I", 1 << 20))
    for path, body in (
        (b"/v3/kv/put", b'{"key":"Zm9v","value":"YmFy"}'), (b"/v3/kv/range", b'{"key":"Zm9v"}'),
        (b"/v3/watch", b'{"create_request":{"key":"Zm9v"}}'),
        (b"/v3/kv/txn", b'{"compare":[{"key":"Zm9v"}],"success":[{"request_put":{"key":"Zm9v"}}]}'),
    ):
        yield b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)
    yield b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def mutated(chance, streams):
    """One of the streams, wrong in a few places, or bytes out of nowhere."""
    if chance.random() < 0.15 or not streams:
        return chance.randbytes(chance.randrange(1, 600))
    data = bytearray(chance.choice(streams))
    if len(data) > 60_000:
        start = chance.randrange(len(data) - 60_000)
        data = data[: chance.randrange(200)] + data[start : start + 60_000]
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(max(1, len(data)))
        kind = chance.randrange(6)
        if kind == 0:
            data[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = chance.randbytes(chance.randrange(1, 20))
        elif kind == 3:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
        elif kind == 4:
            data[at : at + 4] = struct.pack(">I", chance.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 24]))
        elif len(data) > 1:
            del data[chance.randrange(1, len(data)) :]
        if not data:
            data += b"\0"
    return bytes(data)


class Relay:
    """Listens in a peer's place and keeps what others say to it while it passes it on."""

    def __init__(self, port, target):
        self.target, self.heard, self.listener = target, [], socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                inward, _ = self.listener.accept()
                outward = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                continue
            said = bytearray()
            self.heard.append(said)
            threading.Thread(target=self._pass, args=(inward, outward, said), daemon=True).start()
            threading.Thread(target=self._pass, args=(outward, inward, None), daemon=True).start()

    @staticmethod
    def _pass(source, sink, said):
        try:
            while data := source.recv(65536):
                if said is not None and len(said) < 1 << 20:
                    said += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.close()
            except OSError:
                pass


def assault(member, port, valid, count, chance, left_open):
    """Sends the streams; every refusal is fine, silence too."""
    sent = 0
    for n in range(count):
        try:
            with_answer = chance.random() < 0.3
            stream = socket.create_connection(("127.0.0.1", port), 5)
            stream.settimeout(0.02 if with_answer else 2)
            stream.sendall(mutated(chance, valid))
            sent += 1
            if with_answer:
                try:
                    stream.recv(4096)
                except OSError:
                    pass
            if chance.random() < 0.2:
                stream.shutdown(socket.SHUT_WR)
            if chance.random() < 0.02 and len(left_open) < 50:
                left_open.append(stream)
            else:
                if chance.random() < 0.3:
                    # RST instead of FIN.
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stream.close()
        except OSError:
            pass
        if n % 500 == 499:
            expect(member.running, f"{member.name} ended with {member.process.returncode} after {n + 1} streams")
            member.gateway.put("still", str(n), timeout=10)
    expect(sent > count * 0.9, f"only {sent} of {count} streams could be sent")


def survives(cluster, member, port, valid, options, seed):
    chance = random.Random(seed)
    # The first streams pay for what the process makes once.
    assault(member, port, valid, options.streams // 10, chance, [])
    settle(member)
    memory, descriptors, threads = (member.reading("VmRSS"), member.descriptors, member.reading("Threads"))
    left_open = []
    assault(member, port, valid, options.streams, chance, left_open)
    for stream in left_open:
        stream.close()
    settle(member, descriptors)
    after = member.descriptors
    expect(after <= descriptors + 3, f"{descriptors} descriptors before, {after} after")
    expect(member.reading("Threads") <= threads + 16, f"{threads} threads before, {member.reading('Threads')} after")
    grown = (member.reading("VmRSS") - memory) / 1024
    expect(grown < 64, f"memory grew by {grown:.0f} MiB over {options.streams} streams")
    for other in cluster.members:
        other.gateway.put("after", "x")
    return f"{options.streams} streams; memory {grown:+.1f} MiB, descriptors {after - descriptors:+d}"


def settle(member, descriptors=0, timeout=15):
    """Waits until closed connections are gone."""
    deadline, last = time.monotonic() + timeout, -1
    while time.monotonic() < deadline:
        now = member.descriptors
        if now == last and now <= (descriptors + 3 if descriptors else now):
            return
        last = now
        time.sleep(0.5)


def too_large(member):
    """Oversized requests have etcd's answers and leave the connection or at least the process usable."""
    big = "x" * (1_572_864 + 100)
    try:
        member.gateway.put("big", big)
        raise AssertionError("a put over the limit was taken")
    except GatewayError as error:
        expect("request is too large" in str(error), str(error))
    except OSError:
        pass
    operations = [{"request_put": {"key": f"{n:04}", "value": ""}} for n in range(129)]
    try:
        member.gateway.call("/v3/kv/txn", {"success": operations})
        raise AssertionError("129 operations were taken")
    except GatewayError as error:
        expect(error.message == "etcdserver: too many operations in txn request", str(error))
    nested = "["*100_000
    try:
        member.gateway.call("/v3/kv/range", {"key": nested})
    except (GatewayError, OSError):
        pass
    with socket.create_connection(("127.0.0.1", member.client_port), 5) as stream:
        stream.sendall(b"POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b"[" * 200_000)
    with socket.create_connection(("127.0.0.1", member.client_port), 5) as stream:
        try:
            stream.sendall(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200_000)
        except OSError:
            pass
    member.gateway.put("after", "x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"bad bytes to {options.server}, seed {options.seed}")
    report = Report("bad bytes")
    try:
        # The second process is known to the others by the relay's port, which passes on to its real one.
        cluster = Cluster(options.server, 2)
        told = cluster.members[1].peer_port
        real = free_port()
        cluster.members[1].listen_peer_port = real
        relay = Relay(told, real)
        with cluster:
            for n in range(50):
                cluster.members[0].gateway.put(f"key{n}", "x" * 100)
            member = cluster.members[1]
            name = "the client port takes random and mutated streams"
            report.check(name, survives, cluster, member, member.client_port, list(valid_client_streams()), options, options.seed)
            heard = [bytes(said) for said in relay.heard if said]
            name = "the peer port takes random and mutated streams"
            report.check(name, survives, cluster, member, real, heard, options, options.seed + 1)
            report.check("requests over the limits are refused", too_large, member)
            if report.failed:
                for each in cluster.members:
                    print(f"--- the end of the log of {each.name} ---\n{each.log_tail()}")
    except Skip as reason:
        report.skip("all", reason)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
