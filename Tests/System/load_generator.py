#!/usr/bin/env python3
"""The load generator of the benchmark: every answer counted once and judged, every error loud.

    load_generator.py [--server …]

First against a server, then against a scripted one, which says what no server should.
"""

import argparse
import array
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from harness import places
from harness.gateway import decode, successor
from harness.report import Report, expect
from harness.servers import KINDS, Cluster, free_port

PACKAGE = os.path.join(places.ROOT, "Benchmarks", "Load")
GENERATOR = os.path.join(PACKAGE, ".build", "release", "load")


def command(port, *words):
    return [GENERATOR, "--port", str(port), *(str(word) for word in words)]


def succeed(port, *words):
    done = subprocess.run(command(port, *words), capture_output=True, text=True, timeout=120)
    expect(done.returncode == 0 and not done.stderr, f"exit code {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def fail(port, *words, code=1):
    """What it says; with an error it never prints figures."""
    done = subprocess.run(command(port, *words), capture_output=True, text=True, timeout=120)
    expect(done.returncode == code and not done.stdout, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    expect(done.stderr.startswith("load: ") and done.stderr.count("\n") == 1, f"not one line: {done.stderr}")
    return done.stderr


def refused(word, port, *words, code=1):
    text = fail(port, *words, code=code)
    expect(word in text, f"no “{word}” in: {text}")


def build():
    done = subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", PACKAGE], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    expect(done.returncode == 0, done.stdout[-3000:])


# Against a server.


def keys_of(gateway, prefix):
    answer = gateway.range(prefix, successor(prefix), keys_only=True)
    return {decode(kv["key"]).decode()[len(prefix):]: int(kv["version"]) for kv in answer.get("kvs", [])}


def revision(gateway):
    return int(gateway.range("x")["header"]["revision"])


def exact_counts(member):
    """Every request has one answer, and every put one revision, however they are spread."""
    for connections, streams, count in ((1, 1, 50), (1, 256, 1_000), (16, 16, 3_001), (7, 3, 22)):
        before = revision(member.gateway)
        said = succeed(
            member.client_port, "--connections", connections, "--streams", streams, "--count", count, "--keys", 100)
        expect((said["count"], said["puts"], said["ranges"]) == (count, count, 0), said)
        expect(revision(member.gateway) - before == count, f"{revision(member.gateway) - before} revisions of {count}")


def whole_key_space(member):
    """In order it puts each key once; then every range finds its key, and by chance about a tenth are puts."""
    port, gateway = member.client_port, member.gateway
    space = ("--key", "whole/", "--keys", 2_000, "--connections", 4, "--streams", 8)
    succeed(port, *space, "--count", 2_000, "--in-order")
    versions = keys_of(gateway, "whole/")
    expect(set(versions) == {f"{number:08}" for number in range(2_000)}, "other keys than 2,000 in order")
    expect(set(versions.values()) == {1}, "a key was put twice")
    before = revision(gateway)
    said = succeed(port, *space, "--count", 10_000, "--puts", 10)
    expect(said["puts"] + said["ranges"] == 10_000 and 800 < said["puts"] < 1_200, said)
    expect(revision(gateway) - before == said["puts"], "the revision did not grow by the puts")
    expect(sum(keys_of(gateway, "whole/").values()) == 2_000 + said["puts"], "puts went elsewhere")
    expect(said["bytes"] > said["ranges"] * 256, said)


def drawn_from_seed(member):
    """The same seed puts the same keys equally often, another seed others; and it draws evenly."""
    drawn = []
    for prefix, seed in (("first/", 1), ("again/", 1), ("other/", 2)):
        succeed(member.client_port, "--key", prefix, "--keys", 500, "--count", 10_000, "--seed", seed,
                "--connections", 2, "--streams", 16)
        drawn.append(keys_of(member.gateway, prefix))
    expect(drawn[0] == drawn[1], "one seed gave two draws")
    expect(drawn[0] != drawn[2], "two seeds gave one draw")
    for versions in drawn:
        # Twenty puts a key are expected, with a standard deviation of 4.5.
        expect(len(versions) == 500 and max(versions.values()) < 45, "the keys are not drawn evenly")


def exact_percentiles(member):
    with tempfile.NamedTemporaryFile() as file:
        said = succeed(member.client_port, "--count", 2_500, "--streams", 8, "--latencies", file.name)
        times = sorted(array.array("I", file.read()))
    expect(len(times) == 2_500, f"{len(times)} latencies")
    places_of = {"p50": 1_250, "p99": 2_475, "p99.9": 2_497, "worst": 2_499}
    expect({name: times[place] for name, place in places_of.items()} == {name: said[name] for name in places_of}, said)
    # Eight are in flight all the time: their latencies add up to eight times what it took.
    expect(0.9 < sum(times) / 1e6 / (8 * said["seconds"]) <= 1.01, f"{sum(times) / 1e6} s of latencies in {said}")


def errors(member):
    """An error that a server answers, and an answer that is no error but not what was asked for."""
    port = member.client_port
    refused("too large", port, "--count", 20, "--value-bytes", 2_000_000)
    refused("found 0", port, "--count", 20, "--key", "nobody/", "--puts", 0)
    succeed(port, "--count", 1, "--key", "short", "--value-bytes", 10)
    refused("10 bytes, not 256", port, "--count", 20, "--key", "short", "--puts", 0)
    # Values that no window holds at once go out in parts.
    succeed(port, "--count", 8, "--streams", 4, "--key", "long", "--value-bytes", 1_000_000)
    succeed(port, "--count", 8, "--streams", 4, "--key", "long", "--value-bytes", 1_000_000, "--puts", 0)


def servers_end(kind):
    """A server that is killed amid a load, one that stands still, and one that is not there."""
    with Cluster(kind) as cluster:
        member = cluster.members[0]
        endless = ("--connections", 4, "--streams", 4, "--count", 50_000_000, "--patience", 3)
        for end in (lambda: member.signal(signal.SIGSTOP), member.kill):
            before = revision(member.gateway)
            load = subprocess.Popen(
                command(member.client_port, *endless), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while revision(member.gateway) < before + 100:
                expect(load.poll() is None, f"ended with {load.returncode}")
                time.sleep(0.01)
            end()
            said, text = load.communicate(timeout=30)
            expect(load.returncode == 1 and not said, f"exit code {load.returncode}: {said}{text}")
            words = ("closed a connection", "connection broke") if not member.running else ("no answer for 3 s",)
            expect(any(word in text for word in words) and "of 50000000 answered" in text, text)
            member.signal(signal.SIGCONT)
    refused("Connection refused", member.client_port, "--count", 1)


# Against a scripted server.


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def setting(number, value):
    return struct.pack(">HI", number, value)


DATA, HEADERS, RESET, SETTINGS, PING, GO_AWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
HEAD = b"\x88" + literal(b"content-type", b"application/grpc")
TRAILERS = literal(b"grpc-status", b"0") + literal(b"grpc-message", b"")
# By Huffman's code, as etcd and Synod send them: grpc-status, 0; grpc-status, 14.
CODED_TRAILERS = bytes.fromhex("00889acac8b21234da8f8107")
CODED_UNAVAILABLE = bytes.fromhex("00889acac8b21234da8f820b5f")
PUT = b"\0\0\0\0\x04\x0a\x02\x18\x07"


def good(stream):
    return frame(HEADERS, 4, stream, HEAD) + frame(DATA, 0, stream, PUT) + frame(HEADERS, 5, stream, TRAILERS)


class Scripted:
    """Greets, then answers each whole request with what `answer(stream)` gives."""

    def __init__(self, answer, settings=b"", update=None, slices=None):
        self.answer, self.settings, self.update, self.slices = answer, settings, update, slices
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pongs, self.largest = [], 0
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(10)

    def send(self, connection, data):
        for start in range(0, len(data), self.slices or len(data) or 1):
            connection.sendall(data[start:start + (self.slices or len(data))])

    def serve(self):
        try:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as file:
                expect(file.read(24).startswith(b"PRI"), "no preface")
                self.send(connection, frame(SETTINGS, 0, 0, self.settings))
                while head := file.read(9):
                    length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
                    stream, payload = int.from_bytes(head[5:], "big"), file.read(length)
                    if kind == DATA:
                        self.largest = max(self.largest, length)
                        if flags & 1:
                            self.send(connection, self.answer(stream))
                        elif self.update:
                            self.send(connection, self.update(stream, length))
                    if kind == PING:
                        expect(flags & 1, "a ping of its own")
                        self.pongs.append(payload)
        except OSError:
            pass  # The generator went away, as it should.


def scripted_answers():
    """What is no success is none: status, message, and the order of frames."""
    put = ("--count", 3, "--streams", 1)
    head, data = (lambda n: frame(HEADERS, 4, n, HEAD)), (lambda n: frame(DATA, 0, n, PUT))
    cases = (
        ("gRPC status 14", lambda n: head(n) + data(n) + frame(HEADERS, 5, n, CODED_UNAVAILABLE)),
        ("gRPC status 8: no room", lambda n: frame(
            HEADERS, 5, n, HEAD + literal(b"grpc-status", b"8") + literal(b"grpc-message", b"no room"))),
        ("HTTP status 500", lambda n: frame(HEADERS, 4, n, b"\x8e")),
        ("HTTP status 418", lambda n: frame(HEADERS, 4, n, b"\x08\x03418")),
        ("without a gRPC status", lambda n: head(n) + data(n) + frame(HEADERS, 5, n, literal(b"some", b"thing"))),
        ("without a status", lambda n: head(n) + frame(DATA, 1, n, PUT)),
        ("HTTP status missing", lambda n: frame(HEADERS, 5, n, TRAILERS)),
        ("not one gRPC message", lambda n: head(n) + frame(HEADERS, 5, n, TRAILERS)),
        ("not one gRPC message", lambda n: head(n) + data(n) + data(n) + frame(HEADERS, 5, n, TRAILERS)),
        ("has no header", lambda n: head(n) + frame(DATA, 0, n, b"\0\0\0\0\0") + frame(HEADERS, 5, n, TRAILERS)),
        ("breaks off", lambda n: head(n) + frame(DATA, 0, n, PUT[:-3] + b"\x09\x18\x07") + frame(HEADERS, 5, n, TRAILERS)),
        ("asked not to keep", lambda n: frame(HEADERS, 4, n, b"\x88\xbe")),
        ("asked not to keep", lambda n: frame(HEADERS, 4, n, b"\x3f\xe1\x1f" + HEAD)),
        ("headers break off", lambda n: frame(HEADERS, 4, n, HEAD[:-1])),
        ("reset a request with code 7", lambda n: frame(RESET, 0, n, struct.pack(">I", 7))),
        ("goes away, with code 11: calm", lambda n: frame(GO_AWAY, 0, 0, struct.pack(">II", n, 11) + b"calm")),
        ("nothing is in flight", lambda n: good(n + 2)),
        ("nothing is in flight", lambda n: frame(DATA, 0, 0, PUT)),
    )
    for word, answer in cases:
        for first in (True, False):
            # As the first answer, and after one that was good: what was judged once must not excuse the next.
            script = answer if first else lambda n, bad=answer: good(n) if n == 1 else bad(n)
            with Scripted(script) as server:
                text = fail(server.port, *put)
                expect(word in text and f"({0 if first else 1} of 3 answered)" in text, f"no “{word}” in: {text}")
    with Scripted(lambda n: good(n) + good(n)) as server:
        text = fail(server.port, *put)
        expect("nothing is in flight" in text and "(1 of 3 answered)" in text, text)
    return f"{2 * len(cases)} ways to fail"


def scripted_ranges():
    """A range that finds another key, two keys, or another value."""
    def pair(key, value=b"v" * 4):
        return b"\x12" + bytes([len(key) + len(value) + 4]) + b"\x0a" + bytes([len(key)]) + key \
            + b"\x2a" + bytes([len(value)]) + value

    def answers(*pairs):
        body = b"\x0a\x02\x18\x07" + b"".join(pairs)
        message = b"\0" + struct.pack(">I", len(body)) + body
        return lambda n: frame(HEADERS, 4, n, HEAD) + frame(DATA, 0, n, message) + frame(HEADERS, 5, n, TRAILERS)

    ask = ("--count", 3, "--key", "k", "--value-bytes", 4, "--puts", 0)
    for word, answer in (
        ("another key", answers(pair(b"l"))), ("another key", answers(pair(b"kk"))),
        ("found 2", answers(pair(b"k"), pair(b"k"))), ("3 bytes, not 4", answers(pair(b"k", b"vvv"))),
    ):
        with Scripted(answer) as server:
            refused(word, server.port, *ask)
    with Scripted(answers(pair(b"k"))) as server:
        expect(succeed(server.port, *ask)["ranges"] == 3, "three ranges")


def scripted_successes():
    """Headers by Huffman's code, frames that come byte by byte, and pings, which are answered."""
    def coded(n):
        return frame(HEADERS, 4, n, b"\x20" + HEAD) + frame(DATA, 0, n, PUT) + frame(HEADERS, 5, n, CODED_TRAILERS)

    def split(n):
        data = b"".join(frame(DATA, 0, n, PUT[place:place + 1]) for place in range(len(PUT)))
        return frame(HEADERS, 4, n, HEAD) + data + frame(HEADERS, 5, n, TRAILERS)

    with Scripted(coded) as server:
        expect(succeed(server.port, "--count", 100, "--streams", 4)["bytes"] == 100 * len(PUT), "other bytes")
    with Scripted(good, slices=1) as server:
        succeed(server.port, "--count", 10, "--streams", 2)
    with Scripted(split) as server:
        succeed(server.port, "--count", 10, "--streams", 2)
    with Scripted(lambda n: frame(PING, 0, 0, b"%08d" % n) + good(n)) as server:
        succeed(server.port, "--count", 5)
    expect(server.pongs[:4] == [b"%08d" % n for n in (1, 3, 5, 7)], f"pongs {server.pongs}")


def scripted_windows():
    """It never sends more than the windows allow, and goes on when they open."""
    # A stream takes ten bytes, and then as many more as it has taken.
    def more(stream, length):
        return frame(WINDOW, 0, stream, struct.pack(">I", length))

    with Scripted(good, setting(4, 10), update=more) as server:
        succeed(server.port, "--count", 20, "--streams", 3)
        expect(server.largest == 10, f"a frame of {server.largest} bytes into a window of 10")
    # Nothing opens the connection's window of 65,535 bytes.
    with Scripted(good) as server:
        request = 5 + (2 + len("bench/key")) + (3 + 256)
        refused(f"no answer for 1 s ({65_535 // request} of 1000 answered)", server.port, "--count", 1_000, "--patience", 1)
    with Scripted(good, setting(3, 2)) as server:
        refused("allows 2 streams", server.port, "--count", 10, "--streams", 3)


def command_lines():
    """A wrong command line is refused with one line and exit code 2."""
    for word, words in (
        ("--count is missing", ()), ("from 1 to", ("--count", "0")), ("from 1 to", ("--count", "many")),
        ("wants a value", ("--count",)), ("no option", ("--speed", "9")), ("from 0 to 100", ("--count", "1", "--puts", "101")),
        ("more than the 9 requests", ("--count", "9", "--connections", "10")), ("1 to 1000 bytes", ("--count", "9", "--key", "")),
        ("--seed wants", ("--count", "9", "--seed", "-1")),
    ):
        refused(word, 1, *words, code=2)
    refused("from 1 to 65535", 70_000, "--count", 1, code=2)
    refused("IPv4", 1, "--count", 1, "--host", "nowhere")
    refused("No such file", 1, "--count", 1, "--latencies", "/nowhere/file")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    options = parser.parse_args()
    report = Report("load generator")
    report.check("it builds", build)
    with Cluster(options.server) as cluster:
        member = cluster.members[0]
        report.check("counts are exact", exact_counts, member)
        report.check("it fills and finds a whole key space", whole_key_space, member)
        report.check("keys are drawn evenly from a seed", drawn_from_seed, member)
        report.check("percentiles are exact", exact_percentiles, member)
        report.check("an error that the server answers is loud", errors, member)
    report.check("a server that ends or stands still is loud", servers_end, options.server)
    report.check("an answer that is no success is loud", scripted_answers)
    report.check("a range that finds something else is loud", scripted_ranges)
    report.check("headers, frames and pings are taken in every form", scripted_successes)
    report.check("windows are kept", scripted_windows)
    report.check("wrong command lines are refused", command_lines)
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
