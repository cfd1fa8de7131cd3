#!/usr/bin/env python3
"""Three processes under put load lose their leader again and again, and nothing that was acknowledged.

    leader_faults.py [--server …] [--seconds 25] [--writers 8] [--seed N]

The leader is killed with SIGKILL every few seconds, processes are frozen with SIGSTOP and thawed in between.
Afterwards the history is read back and must hold every acknowledged put at the revision that its answer
named, and answers must have come in the order of revisions. All processes must have the same HashKV. The time
from each kill to the first put that was sent after it and acknowledged is printed and must be below 3 s.
Then a process is kept away until the log behind it is trimmed, and must come back while load goes on.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from harness import places
from harness.gateway import Gateway, GatewayError, decode, encode
from harness.report import Report, Skip, expect
from harness.servers import KINDS, Cluster

PREFIX = "faults/"
DOWNTIME_LIMIT = 3.0


class Put:
    __slots__ = ("key", "value", "sent", "answered", "revision")

    def __init__(self, key, value):
        self.key, self.value, self.sent = key, value, time.monotonic()
        self.answered = self.revision = None


class Load:
    """Writers that put without pause, each to one process until it fails and then to the next."""

    def __init__(self, cluster, writers, seed):
        self.cluster, self.puts, self.stopping = cluster, [[] for _ in range(writers)], threading.Event()
        self.threads = [
            threading.Thread(target=self._write, args=(index, random.Random(f"{seed}/{index}")), daemon=True)
            for index in range(writers)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def _write(self, index, chance):
        members = self.cluster.members
        target, gateway, puts = index, None, self.puts[index]
        while not self.stopping.is_set():
            if gateway is None:
                target = (target + 1) % len(members)
                gateway = Gateway("127.0.0.1", members[target].client_port, timeout=1.0)
            put = Put(f"{PREFIX}{index}/{chance.randrange(40)}", f"{index}-{len(puts)}-{chance.getrandbits(64):x}")
            puts.append(put)
            try:
                put.revision = gateway.put(put.key, put.value)
                put.answered = time.monotonic()
            except (OSError, GatewayError):
                # Its outcome is unknown; nothing is claimed about it.
                gateway.close()
                gateway = None
                time.sleep(0.01)

    @property
    def acknowledged(self):
        return [put for puts in self.puts for put in list(puts) if put.answered]

    def first_after(self, moment, timeout):
        """Seconds from the moment to the answer of the first put sent after it; None when none came."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = []
            for puts in self.puts:
                for put in reversed(puts):
                    if put.sent < moment:
                        break
                    if put.answered:
                        found.append(put.answered - moment)
            if found:
                return min(found)
            time.sleep(0.005)
        return None

    def wait_for(self, count, timeout):
        deadline, start = time.monotonic() + timeout, len(self.acknowledged)
        while len(self.acknowledged) < start + count:
            expect(time.monotonic() < deadline, f"no {count} puts in {timeout} s")
            time.sleep(0.05)


def history(member, until, timeout=120):
    """Every put under the prefix up to a revision, from the watch history: {revision: (key, value)}."""
    import http.client

    seen = {}
    connection = http.client.HTTPConnection("127.0.0.1", member.client_port, timeout=timeout)
    try:
        create = {"key": encode(PREFIX), "range_end": encode(PREFIX[:-1] + "0"), "start_revision": 1}
        connection.request("POST", "/v3/watch", json.dumps({"create_request": create}))
        stream = connection.getresponse()
        last = 0
        while last < until:
            line = stream.readline()
            expect(line, "the watch ended early")
            for event in json.loads(line)["result"].get("events", []):
                kv = event["kv"]
                revision = int(kv["mod_revision"])
                expect(revision > last, f"revision {revision} after {last} in the history")
                last = revision
                seen[revision] = (decode(kv["key"]).decode(), decode(kv.get("value")).decode())
    finally:
        connection.close()
    return seen


def verify(cluster, load):
    acknowledged = sorted(load.acknowledged, key=lambda put: put.revision)
    expect(acknowledged, "no put was acknowledged")
    newest = max(put.revision for put in acknowledged)
    current = cluster.members[0].gateway.range(PREFIX, PREFIX[:-1] + "0", timeout=20)
    for member in cluster.members:
        seen = history(member, newest)
        for put in acknowledged:
            expect(
                seen.get(put.revision) == (put.key, put.value),
                f"{member.name}: the put of {put.key}={put.value} acknowledged at revision {put.revision} "
                f"is {seen.get(put.revision)} in the history")
    expect(len({put.revision for put in acknowledged}) == len(acknowledged), "two puts have one revision")
    # What was answered before another was sent has the lower revision.
    answered = sorted(acknowledged, key=lambda put: put.answered)
    index, highest = 0, 0
    for put in sorted(acknowledged, key=lambda put: put.sent):
        while answered[index].answered < put.sent:
            highest = max(highest, answered[index].revision)
            index += 1
        expect(put.revision > highest, f"{put.key} got revision {put.revision} after {highest} was answered")
    latest = {}
    for put in acknowledged:
        latest[put.key] = put
    for kv in current.get("kvs", []):
        put = latest.pop(decode(kv["key"]).decode(), None)
        if put and int(kv["mod_revision"]) == put.revision:
            expect(decode(kv["value"]).decode() == put.value, f"{put.key} has another value")
        elif put:
            expect(int(kv["mod_revision"]) > put.revision, f"{put.key} went back in time")
    expect(not latest, f"acknowledged keys are missing: {list(latest)[:5]}")
    return len(acknowledged)


def hash_of_all(cluster, timeout=60):
    """The one HashKV of all processes, at the same revision."""
    ctl = next(iter(places.etcdctls().values()), None)
    if ctl is None:
        raise Skip("no etcdctl to ask for HashKV")
    deadline = time.monotonic() + timeout
    while True:
        done = subprocess.run(
            [ctl, f"--endpoints={cluster.endpoints}", "endpoint", "hashkv", "-w", "json"],
            capture_output=True, text=True, timeout=60, env={**os.environ, "ETCDCTL_API": "3"})
        hashes = json.loads(done.stdout) if done.returncode == 0 else []
        states = {(h["HashKV"]["header"]["revision"], h["HashKV"]["hash"]) for h in hashes}
        if len(states) == 1 and len(hashes) == len(cluster.members):
            return "revision {}, hash {}".format(*states.pop())
        expect(time.monotonic() < deadline, f"HashKV differs: {done.stdout}{done.stderr}")
        time.sleep(0.3)


def kill_leaders(cluster, load, seconds, chance):
    """The seconds from each kill to the first acknowledged put, and how many processes were frozen."""
    downtimes, frozen = [], 0
    end = time.monotonic() + seconds
    load.wait_for(20, 20)
    while time.monotonic() < end:
        leader = cluster.leader()
        expect(leader, "no leader")
        moment = time.monotonic()
        leader.kill()
        downtime = load.first_after(moment, 15)
        expect(downtime is not None, f"no put was acknowledged within 15 s of killing {leader.name}")
        downtimes.append(downtime)
        time.sleep(chance.uniform(0.2, 1.0))
        leader.start()
        cluster.wait_ready(30, [leader])
        if chance.random() < 0.7:
            member = chance.choice(cluster.members)
            member.signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.3, 2.5))
            member.signal(signal.SIGCONT)
            frozen += 1
        load.wait_for(20, 20)
        time.sleep(chance.uniform(0.2, 0.8))
    return downtimes, frozen


def faults(cluster, options):
    with Load(cluster, options.writers, options.seed) as load:
        downtimes, frozen = kill_leaders(cluster, load, options.seconds, random.Random(options.seed))
    cluster.wait_ready()
    count = verify(cluster, load)
    note = (
        f"{count} acknowledged puts all there; {len(downtimes)} leaders killed, {frozen} processes frozen; "
        f"to the first put after a kill {min(downtimes):.2f} to {max(downtimes):.2f} s; {hash_of_all(cluster)}")
    expect(max(downtimes) < DOWNTIME_LIMIT, note)
    return note


def absence(cluster, options):
    """Keeps a process away for more entries than the log holds."""
    leader = cluster.leader()
    away = next(member for member in cluster.members if member is not leader)
    with Load(cluster, options.writers, f"{options.seed}/absence") as load:
        away.kill()
        load.wait_for(options.snapshot_count * 4, 120)
        away.start()
        start = time.monotonic()
        cluster.wait_ready(60, [away])
        took = time.monotonic() - start
        load.wait_for(20, 20)
    verify(cluster, load)
    note = f"back after {took:.2f} s; {hash_of_all(cluster)}"
    if options.server == "synod":
        with open(away.log, errors="replace") as log:
            expect("checkpoint" in log.read(), f"{away.name} came back without a checkpoint; {note}")
    return note


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--snapshot-count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"leader faults on {options.server}, seed {options.seed}")
    report = Report("leader faults")
    flags = [f"--snapshot-count={options.snapshot_count}"]
    if options.server == "synod":
        flags.append("--snapshot-catchup-entries=200")
    try:
        with Cluster(options.server, 3, flags) as cluster:
            report.check("nothing acknowledged is lost while leaders are killed", faults, cluster, options)
            report.check("a process that was away for long comes back", absence, cluster, options)
            if report.failed:
                for member in cluster.members:
                    print(f"--- the end of the log of {member.name} ---\n{member.log_tail()}")
    except Skip as reason:
        report.skip("all", reason)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
