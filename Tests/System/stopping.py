#!/usr/bin/env python3
"""Members that are stopped with SIGTERM, one after the other, cost no client an answer.

    stopping.py [--server …] [--rounds 2] [--connections 32]

Clients put without pause and without repeating anything, over gRPC and JSON, each on one connection until the
server says that it leaves (GOAWAY, `Connection: close`), and then on one to the next member. Meanwhile each
member of three is stopped and started again. No put that was sent may fail, none may take long, and the
process ends with exit code 0 within its bound.
"""

import argparse
import http.client
import json
import signal
import socket
import sys
import threading
import time

from harness.gateway import encode
from harness.http2 import Connection, NotServed, field
from harness.report import Report, expect
from harness.servers import KINDS, Cluster

PUT, WATCH, KEEP_ALIVE = "/etcdserverpb.KV/Put", "/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive"
# A put that meets the handover waits for the new leader and not for its own time, which is 7 s, to be over.
SLOWEST = 3.0
# What a server takes for its requests at most, and a second for the rest.
END_LIMIT = 8.0


class Client(threading.Thread):
    """Puts without pause. What it could not connect to it has not sent anything to."""

    def __init__(self, load, index):
        super().__init__(daemon=True)
        self.load, self.index, self.done, self.slowest, self.failures = load, index, 0, 0.0, []

    def run(self):
        target = self.index
        while not self.load.stopping.is_set():
            target += 1
            member = self.load.cluster.members[target % len(self.load.cluster.members)]
            try:
                connection = self.connect(member)
            except OSError:
                time.sleep(0.01)
                continue
            try:
                while self.put(connection) and not self.load.stopping.is_set():
                    self.done += 1
            except Exception as error:
                self.failures.append(f"{type(self).__name__} {self.index} at {member.name}: {error!r}")
            finally:
                connection.close()

    def timed(self, body):
        start = time.monotonic()
        result = body()
        self.slowest = max(self.slowest, time.monotonic() - start)
        return result


class OverGRPC(Client):
    def connect(self, member):
        return Connection("127.0.0.1", member.client_port)

    def put(self, connection):
        """Several at a time on one connection; false when the server leaves."""
        key = b"stopping/%d" % self.index

        def calls():
            numbers = [connection.begin(PUT, field(1, key) + field(2, b"value")) for _ in range(4)]
            return [connection.finish(number) for number in numbers]

        try:
            self.timed(calls)
        except NotServed:
            return False
        return not connection.is_leaving


class OverJSON(Client):
    def connect(self, member):
        connection = http.client.HTTPConnection("127.0.0.1", member.client_port, timeout=20)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def put(self, connection):
        body = json.dumps({"key": encode(f"stopping/{self.index}"), "value": encode("value")})

        def call():
            connection.request("POST", "/v3/kv/put", body)
            response = connection.getresponse()
            return response, response.read()

        response, text = self.timed(call)
        expect(response.status == 200, f"{response.status}: {text}")
        return not response.will_close


class Load:
    def __init__(self, cluster, connections):
        self.cluster, self.stopping = cluster, threading.Event()
        self.clients = [(OverJSON if index % 3 == 0 else OverGRPC)(self, index) for index in range(connections)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for client in self.clients:
            client.join(30)

    @property
    def done(self):
        return sum(client.done for client in self.clients)

    def wait_for(self, more, timeout=20):
        wanted, deadline = self.done + more, time.monotonic() + timeout
        while self.done < wanted:
            expect(time.monotonic() < deadline, f"{wanted - self.done} of {more} puts are missing")
            time.sleep(0.01)


def rolling(options):
    ends = []
    with Cluster(options.server, 3) as cluster:
        with Load(cluster, options.connections) as load:
            load.wait_for(100)
            for _ in range(options.rounds):
                # The leader first: the order among members would spare it otherwise.
                for member in sorted(cluster.members, key=lambda member: member is not cluster.leader()):
                    start = time.monotonic()
                    code = member.stop()
                    ends.append(time.monotonic() - start)
                    expect(code == 0 or options.server != "synod", f"{member.name} ended with {code}")
                    member.start()
                    cluster.wait_ready(30, [member])
                    load.wait_for(100)
        failures = [failure for client in load.clients for failure in client.failures]
        slowest = max(client.slowest for client in load.clients)
    note = f"{load.done} rounds of puts, the slowest {slowest:.2f} s; members ended in {min(ends):.2f} to {max(ends):.2f} s"
    expect(not failures, f"{note}; {len(failures)} puts failed: {failures[:5]}")
    expect(slowest < SLOWEST and max(ends) < END_LIMIT, note)
    return note


def last_words(options):
    """A put that was answered is told to the watcher of the same member before its stream ends."""
    with Cluster(options.server, 1) as cluster:
        member = cluster.members[0]
        lease = int(member.gateway.call("/v3/lease/grant", {"TTL": 60})["ID"])
        connection = Connection("127.0.0.1", member.client_port)
        watch = connection.begin(WATCH, field(1, field(1, b"k") + field(2, b"l")), ends=False)
        expect(connection.next_message(watch), "the watch is not created")
        keep = connection.begin(KEEP_ALIVE, field(1, lease), ends=False)
        expect(connection.next_message(keep), "the lease is not renewed")
        put = connection.begin(PUT, field(1, b"k1") + field(2, b"v"))
        start = time.monotonic()
        member.signal(signal.SIGTERM)
        connection.finish(put)
        expect(b"k1" in connection.next_message(watch), "the event of an answered put is missing")
        for stream in (watch, keep):
            expect(connection.next_message(stream) is None, "a stream goes on")
            call = connection.calls[stream]
            expect(call.status == 14 and call.message == b"etcdserver: server stopped", f"{call.status}, {call.message}")
        expect(member.process.wait(10) == 0, "exit code")
        took = time.monotonic() - start
        expect(took < 3, f"it took {took:.1f} s to end")
        return f"ended in {took:.2f} s"


def impatience(options):
    """A client that does not go on holds up the end for as long as requests may take, or until the second signal."""
    with Cluster(options.server, 1) as cluster:
        member = cluster.members[0]
        connection = Connection("127.0.0.1", member.client_port)
        connection.begin(PUT)
        connection.call("/etcdserverpb.KV/Range", field(1, b"k"))
        member.signal(signal.SIGTERM)
        while not connection.is_leaving:
            connection.read()
        expect(member.running, "the end does not wait for a call that is under way")
        start = time.monotonic()
        member.signal(signal.SIGINT)
        code = member.process.wait(5)
        expect(code == -signal.SIGINT and time.monotonic() - start < 1, f"ended with {code}")
        # And within its bound without a second one.
        member.start()
        cluster.wait_ready()
        connection = Connection("127.0.0.1", member.client_port)
        connection.begin(PUT)
        connection.call("/etcdserverpb.KV/Range", field(1, b"k"))
        start = time.monotonic()
        expect(member.stop() == 0, "exit code")
        return f"a call that never goes on was given up after {time.monotonic() - start:.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    report = Report("stopping")
    report.check("puts all succeed while members are stopped one by one", rolling, options)
    report.check("what was answered is told before streams end", last_words, options)
    if options.server == "synod":
        report.check("the end has a bound, and a second signal is one", impatience, options)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
