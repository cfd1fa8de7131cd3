#!/usr/bin/env python3
"""What etcd promises about watches, while leaders die and watchers reconnect.

    watch_guarantees.py [--server …] [--watchers 1000] [--seconds 12] [--seed N]

Ordered, unique, reliable, atomic: a thousand watchers on one key, each on a connection of its own, get every
event once, in order, with the events of one transaction together. Resumable: a watcher that was cut off goes
on from the revision after its last and misses nothing, across leader changes. Bookmarkable: after a progress
notice for a revision nothing at or below it comes any more.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import threading
import time

from harness.gateway import Gateway, GatewayError, encode
from harness.report import Report, Skip, expect
from harness.servers import KINDS, Cluster


LAST = "last"


class Watcher:
    """A watch through the JSON gateway, one connection for each, read as it comes."""

    def __init__(self, key, end=None, **fields):
        self.create = {"key": encode(key), **fields}
        if end is not None:
            self.create["range_end"] = encode(end)
        self.last, self.seen, self.problems, self.notices, self.connections = 0, [], [], 0, 0
        self.created, self.wanted_notices, self.done = asyncio.Event(), 0, False

    async def run(self, ports):
        """Follows the key until the value LAST; on a lost connection goes on at the next process."""
        attempt = 0
        while not self.done:
            port = ports[attempt % len(ports)]
            attempt += 1
            try:
                await self._connection(port)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                await asyncio.sleep(0.05)

    async def _connection(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16 << 20)
        self.connections += 1
        try:
            create = dict(self.create, start_revision=self.last + 1) if self.last else self.create
            body = json.dumps({"create_request": create}).encode()
            writer.write(
                b"POST /v3/watch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise ValueError(head)
            pending = b""
            while not self.done:
                size = int((await reader.readuntil(b"\r\n")).strip() or b"0", 16)
                chunk = await reader.readexactly(size + 2)
                if size == 0:
                    return
                pending += chunk[:-2]
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    if line:
                        self._take(json.loads(line))
        finally:
            writer.close()

    def _take(self, message):
        result = message.get("result")
        if result is None:
            raise ValueError(message)
        if result.get("canceled"):
            self.problems.append(f"canceled: {result}")
            raise ValueError(result)
        if result.get("created"):
            self.created.set()
            return
        events = result.get("events", [])
        revision = int(result["header"]["revision"])
        if not events:
            self.notices += 1
            self.done = self.done or self.notices == self.wanted_notices
            self.last = max(self.last, revision)
            return
        before = self.last
        for event in events:
            at = int(event["kv"]["mod_revision"])
            if at < self.last or at <= before:
                self.problems.append(f"an event of revision {at} after {self.last} (message began after {before})")
            self.last = max(self.last, at)
            self.done = self.done or event["kv"].get("value") == encode(LAST)
            self.seen.append((at, event["kv"]["key"], event.get("type", "PUT")))


class Writer(threading.Thread):
    """Puts in a transaction of three keys of one prefix, one of them twice as often; keeps what was answered."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.stopping, self.acknowledged, self.failures = cluster, threading.Event(), [], 0

    def run(self):
        index, gateway, count = 0, None, 0
        members = self.cluster.members
        while not self.stopping.is_set():
            if gateway is None:
                index += 1
                gateway = Gateway("127.0.0.1", members[index % len(members)].client_port, timeout=2)
            count += 1
            puts = [{"request_put": {"key": encode(f"watched/{k}"), "value": encode(str(count))}} for k in "abc"]
            try:
                answer = gateway.call("/v3/kv/txn", {"success": puts})
                self.acknowledged.append(int(answer["header"]["revision"]))
            except (OSError, GatewayError):
                self.failures += 1
                gateway.close()
                gateway = None
            time.sleep(0.005)


def many(cluster, options):
    """One key, many watchers, on all processes."""
    count, events = options.watchers, 30
    gateway = cluster.members[0].gateway

    async def watch_all():
        watchers = [Watcher("one/key") for _ in range(count)]
        ports = [member.client_port for member in cluster.members]
        tasks = [
            asyncio.create_task(watcher.run([ports[n % len(ports)]]))
            for n, watcher in enumerate(watchers)
        ]
        await asyncio.wait_for(asyncio.gather(*(watcher.created.wait() for watcher in watchers)), 60)
        revisions = []
        start = time.monotonic()
        for value in [str(n) for n in range(events - 1)] + [LAST]:
            revisions.append(await asyncio.to_thread(gateway.put, "one/key", value))
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        took = time.monotonic() - start
        for watcher in watchers:
            expect(not watcher.problems, str(watcher.problems[:3]))
            got = [revision for revision, _, _ in watcher.seen]
            expect(got == revisions, f"a watcher got {got} of {revisions}")
            expect(watcher.connections == 1, "a watcher lost its connection")
        return f"{count} watchers × {events} events in {took:.2f} s"

    return asyncio.run(watch_all())


def faults(cluster, options):
    """Watchers of a prefix that move to another process whenever theirs dies, while leaders die."""
    chance = random.Random(options.seed)
    writer = Writer(cluster)
    ports = [member.client_port for member in cluster.members]
    start = int(cluster.members[0].gateway.range("x")["header"]["revision"]) + 1

    async def watch_all():
        watchers = [
            Watcher("watched/", "watched0", start_revision=start, progress_notify=n % 2 == 0) for n in range(30)
        ]
        tasks = []
        for n, watcher in enumerate(watchers):
            order = ports[n % len(ports) :] + ports[: n % len(ports)]
            tasks.append(asyncio.create_task(watcher.run(order)))
        await asyncio.wait_for(asyncio.gather(*(watcher.created.wait() for watcher in watchers)), 30)
        writer.start()
        kills = await asyncio.to_thread(kill_leaders, cluster, options.seconds, chance)
        writer.stopping.set()
        await asyncio.to_thread(writer.join)
        await asyncio.to_thread(cluster.wait_ready)
        # What was sent and not answered may have been done: the history says what happened.
        newest = await asyncio.to_thread(cluster.members[0].gateway.put, "watched/a", LAST)
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        return watchers, newest, kills

    watchers, newest, kills = asyncio.run(watch_all())
    reference = watchers[0].seen
    acknowledged = set(writer.acknowledged)
    by_revision = {}
    for revision, key, _ in reference:
        by_revision.setdefault(revision, []).append(key)
    expect(acknowledged <= set(by_revision), "an acknowledged transaction was not seen")
    for revision, keys in by_revision.items():
        expect(revision == newest or len(set(keys)) == len(keys) == 3, f"revision {revision} came as {keys}")
    for watcher in watchers:
        expect(not watcher.problems, str(watcher.problems[:3]))
        expect(watcher.seen == reference, "two watchers saw different histories")
    reconnects = sum(watcher.connections - 1 for watcher in watchers)
    return f"{len(by_revision)} revisions, {kills} leaders killed, {reconnects} reconnections"


def kill_leaders(cluster, seconds, chance):
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.5, 1.5))
        leader = cluster.leader()
        expect(leader, "no leader")
        leader.kill()
        kills += 1
        time.sleep(chance.uniform(0.2, 0.6))
        leader.start()
        cluster.wait_ready(30)
    return kills


def bookmarks(cluster, _):
    """progress_notify: a notice for the current revision comes to a watcher of a quiet key."""

    async def watch():
        watcher = Watcher("quiet", progress_notify=True)
        watcher.wanted_notices = 2
        port = cluster.members[-1].client_port
        task = asyncio.create_task(watcher.run([port]))
        await asyncio.wait_for(watcher.created.wait(), 10)
        revision = await asyncio.to_thread(cluster.members[0].gateway.put, "loud", "x")
        await asyncio.wait_for(task, 30)
        expect(watcher.last >= revision, f"the notice says {watcher.last}, the store is at {revision}")
        expect(not watcher.seen, "events of another key")

    return asyncio.run(watch())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"watch guarantees on {options.server}, seed {options.seed}")
    report = Report("watches")
    try:
        flags = ["--experimental-watch-progress-notify-interval=500ms"]
        with Cluster(options.server, 3, flags) as cluster:
            name = f"{options.watchers} watchers on one key get every event, once and in order"
            report.check(name, many, cluster, options)
            report.check("a progress notice is a bookmark", bookmarks, cluster, options)
            report.check("watchers resume across leader changes and miss nothing", faults, cluster, options)
            if report.failed:
                for member in cluster.members:
                    print(f"--- the end of the log of {member.name} ---\n{member.log_tail()}")
    except Skip as reason:
        report.skip("all", reason)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
