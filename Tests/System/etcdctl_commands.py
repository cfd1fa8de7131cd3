#!/usr/bin/env python3
"""What operators type: etcdctl's commands, by each etcdctl that is here, against one and three processes.

    etcdctl_commands.py [--server synod|etcd-3.4|etcd-3.5] [--sizes 1,3] [--perf]
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time

from harness import peers, places
from harness.report import Report, Skip, expect
from harness.servers import KINDS, Cluster


class Ctl:
    def __init__(self, path, version, cluster):
        self.path, self.version, self.cluster = path, version, cluster

    def command(self, *arguments, endpoints=None):
        return [self.path, f"--endpoints={endpoints or self.cluster.endpoints}", *arguments]

    def __call__(self, *arguments, endpoints=None, stdin="", fails=False, timeout=30):
        """Runs a command, expects it to succeed (or to fail), and returns what it printed."""
        done = subprocess.run(
            self.command(*arguments, endpoints=endpoints), input=stdin, capture_output=True, text=True,
            timeout=timeout, env={**os.environ, "ETCDCTL_API": "3"})
        text = done.stdout + done.stderr
        expect((done.returncode != 0) == fails, f"{arguments}: exit code {done.returncode}: {text}")
        return text if fails else done.stdout

    def start(self, *arguments):
        return subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env={**os.environ, "ETCDCTL_API": "3"})


def lines_of(process, count, timeout=10):
    """The next lines of a running command; it is ended when they do not come."""
    import threading

    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        return [process.stdout.readline().rstrip("\n") for _ in range(count)]
    finally:
        timer.cancel()


def put_get_del(ctl):
    expect(ctl("put", "a/1", "one") == "OK\n", "put")
    ctl("put", "a/2", "two")
    ctl("put", "b", "other")
    expect(ctl("get", "--prefix", "a/") == "a/1\none\na/2\ntwo\n", "get --prefix")
    expect(ctl("get", "a/1", "--print-value-only") == "one\n", "get one")
    expect(ctl("get", "--prefix", "a/", "--keys-only") == "a/1\n\na/2\n\n", "keys only")
    expect(ctl("get", "--prefix", "a/", "--limit=1", "--order=DESCEND", "--sort-by=KEY") == "a/2\ntwo\n", "sorted")
    expect(ctl("get", "--prefix", "a/", "--consistency=s") == "a/1\none\na/2\ntwo\n", "serializable")
    expect(ctl("get", "--from-key", "a/2", "--limit=2") == "a/2\ntwo\nb\nother\n", "from key")
    expect(ctl("put", "--prev-kv", "a/1", "uno") == "OK\na/1\none\n", "put --prev-kv")
    expect(ctl("del", "--prev-kv", "a/1") == "1\na/1\nuno\n", "del --prev-kv")
    expect(ctl("del", "--prefix", "a/") == "1\n", "del --prefix")
    expect(ctl("del", "nothing") == "0\n", "del of nothing")
    expect("request is too large" in ctl("put", "big", stdin="x" * 1_600_000, fails=True), "too large")


def txn(ctl):
    ctl("put", "t", "v1")
    took = ctl("txn", stdin='value("t") = "v1"\n\nput t v2\nget t\n\nput t wrong\n\n')
    expect(took == "SUCCESS\n\nOK\n\nt\nv2\n", f"taken branch: {took!r}")
    other = ctl("txn", stdin='mod("t") = "1"\n\nput t wrong\n\nget t\n\n')
    expect(other == "FAILURE\n\nt\nv2\n", f"other branch: {other!r}")
    text = ctl("txn", stdin="\nput t x\nput t y\n\n\n", fails=True)
    expect("duplicate key given in txn request" in text, text)


def watch(ctl):
    watcher = ctl.start("watch", "--prefix", "w/", "--prev-kv")
    try:
        time.sleep(0.5)
        ctl("put", "w/1", "first")
        seen = lines_of(watcher, 3)
        expect(seen == ["PUT", "w/1", "first"], f"the first event: {seen}")
        ctl("del", "w/1")
        seen = lines_of(watcher, 4)
        expect(seen == ["DELETE", "w/1", "first", "w/1"], f"the deletion with what was there: {seen}")
    finally:
        watcher.kill()
        watcher.wait()
    revision = json.loads(ctl("put", "w/2", "x", "-w", "json"))["header"]["revision"]
    resumed = ctl.start("watch", "--prefix", "w/", f"--rev={revision - 2}")
    try:
        seen = lines_of(resumed, 8)
        expect(seen == ["PUT", "w/1", "first", "DELETE", "w/1", "", "PUT", "w/2"], f"history: {seen}")
    finally:
        resumed.kill()
        resumed.wait()


def lease(ctl):
    lease_id = re.match(r"lease (\w+) granted with TTL\(60s\)", ctl("lease", "grant", "60")).group(1)
    ctl("put", "--lease=" + lease_id, "l/1", "x")
    text = ctl("lease", "timetolive", lease_id, "--keys")
    expect(re.match(rf"lease {lease_id} granted with TTL\(60s\), remaining\((59|60)s\), attached keys\(\[l/1\]\)", text), text)
    expect(lease_id in ctl("lease", "list"), "lease list")
    expect(ctl("lease", "keep-alive", "--once", lease_id) == f"lease {lease_id} keepalived with TTL(60)\n", "renewal")
    expect(ctl("lease", "revoke", lease_id) == f"lease {lease_id} revoked\n", "revoke")
    expect(ctl("get", "l/1") == "", "its key is gone")
    expect("requested lease not found" in ctl("lease", "revoke", lease_id, fails=True), "revoked twice")
    expect("requested lease not found" in ctl("put", "--lease=" + lease_id, "l/1", "x", fails=True), "put to it")
    short = re.match(r"lease (\w+) granted", ctl("lease", "grant", "2")).group(1)
    ctl("put", "--lease=" + short, "l/2", "x")
    deadline = time.monotonic() + 10
    while ctl("get", "l/2") != "":
        expect(time.monotonic() < deadline, "a lease of 2 s has not ended its key after 10 s")
        time.sleep(0.2)
    expect("already expired" in ctl("lease", "timetolive", short), "the ended lease")


def keep_alive(ctl):
    lease_id = re.match(r"lease (\w+) granted", ctl("lease", "grant", "2")).group(1)
    ctl("put", "--lease=" + lease_id, "l/3", "x")
    keeper = ctl.start("lease", "keep-alive", lease_id)
    try:
        expect(lines_of(keeper, 1) == [f"lease {lease_id} keepalived with TTL(2)"], "the first renewal")
        time.sleep(4)
        expect(ctl("get", "l/3") == "l/3\nx\n", "renewed past its time")
    finally:
        keeper.kill()
        keeper.wait()
    ctl("lease", "revoke", lease_id)


def compaction(ctl):
    ctl("put", "c", "1")
    ctl("put", "c", "2")
    revision = json.loads(ctl("put", "c", "3", "-w", "json"))["header"]["revision"]
    expect(ctl("get", "c", f"--rev={revision - 2}") == "c\n1\n", "an old revision")
    expect(ctl("compaction", str(revision - 1)) == f"compacted revision {revision - 1}\n", "compaction")
    text = ctl("get", "c", f"--rev={revision - 2}", fails=True)
    expect("mvcc: required revision has been compacted" in text, text)
    expect(ctl("get", "c", f"--rev={revision - 1}") == "c\n2\n", "the compacted revision itself")
    text = ctl("compaction", str(revision - 1), fails=True)
    expect("mvcc: required revision has been compacted" in text, text)
    expect("future revision" in ctl("compaction", str(revision + 100), fails=True), "a future revision")
    expect("compacted revision" in ctl("compaction", "--physical", str(revision)), "physical")
    watcher = ctl.start("watch", "c", "--rev=1")
    output, _ = watcher.communicate(timeout=10)
    expect("required revision has been compacted" in output, f"watching compacted history: {output}")


def endpoints(ctl):
    table = ctl("endpoint", "status", "--cluster", "-w", "table")
    rows = [line for line in table.splitlines() if "http://127.0.0.1" in line]
    expect(len(rows) == len(ctl.cluster.members), table)
    expect(sum("true" in row.split("|")[5] for row in rows) == 1, f"one leader: {table}")
    states = json.loads(ctl("endpoint", "status", "--cluster", "-w", "json"))
    expect(len({s["Status"]["leader"] for s in states}) == 1, "all know the same leader")
    expect(all(s["Status"]["dbSize"] > 0 for s in states), "sizes")
    expect(ctl("endpoint", "health", "--cluster").count("is healthy") <= len(rows), "health")
    hashes = json.loads(ctl("endpoint", "hashkv", "--cluster", "-w", "json"))
    expect(len(hashes) == len(rows) and len({h["HashKV"]["hash"] for h in hashes}) == 1, f"hashkv: {hashes}")
    return table.splitlines()[3]


def health(ctl):
    done = subprocess.run(ctl.command("endpoint", "health"), capture_output=True, text=True, timeout=30)
    text = done.stdout + done.stderr
    expect(done.returncode == 0 and text.count("is healthy") == len(ctl.cluster.members), text)


def snapshot(ctl):
    lease = ctl("lease", "grant", "600").split()[1]
    ctl("put", "s", "kept")
    ctl("put", "s/leased", "for a while", f"--lease={lease}")
    ctl("txn", stdin="\n\nput s/1 one\nput s/2 two\ndel s/none\n\n\n")
    ctl("del", "s/1")
    path = os.path.join(ctl.cluster.directory, f"saved-{ctl.version}")
    text = ctl("snapshot", "save", path, endpoints=ctl.cluster.members[0].endpoint)
    expect("napshot saved at " + path in text, text)
    with open(path, "rb") as file:
        data = file.read()
    expect(len(data) % 512 == 32, f"{len(data)} bytes")
    expect(hashlib.sha256(data[:-32]).digest() == data[-32:], "the checksum at its end")
    status = json.loads(ctl("snapshot", "status", path, "-w", "json"))
    expect(status["revision"] == revision_of(ctl) and status["totalKey"] > 0, f"{status}")
    back = restored(ctl, path)
    os.remove(path)
    return f"{len(data)} bytes; {back}"


def revision_of(ctl):
    return json.loads(ctl("get", "s", "-w", "json"))["header"]["revision"]


def restored(ctl, path):
    """An etcd that is started from the snapshot holds the same keys, with their revisions, versions and leases."""
    kind = f"etcd-{ctl.version}"
    try:
        cluster = Cluster(kind)
    except Skip as reason:
        return reason
    member = cluster.members[0]
    ctl("snapshot", "restore", path, f"--data-dir={member.directory}", f"--name={member.name}",
        f"--initial-cluster={member.name}={member.peer_url}", f"--initial-advertise-peer-urls={member.peer_url}")
    with cluster:
        listing = ("get", "", "--prefix", "-w", "json")
        here, there = (json.loads(each(*listing))["kvs"] for each in (ctl, Ctl(ctl.path, ctl.version, cluster)))
        expect(here == there, f"{here}\n{there}")
    return f"{len(there)} keys in {kind}"


def maintenance(ctl):
    text = ctl("defrag")
    expect(text.count("Finished defragmenting etcd member") == len(ctl.cluster.members), text)
    expect(ctl("alarm", "list") == "", "no alarms")
    expect(ctl("alarm", "disarm") == "", "nothing to disarm")
    members = ctl("member", "list").splitlines()
    expect(len(members) == len(ctl.cluster.members), str(members))
    expect(all(", started, m" in line and line.endswith("false") for line in members), str(members))


def move_leader(ctl):
    if len(ctl.cluster.members) == 1:
        return "one process has nobody to move to"
    states = json.loads(ctl("endpoint", "status", "--cluster", "-w", "json"))
    leader = states[0]["Status"]["leader"]
    target = next(s["Status"]["header"]["member_id"] for s in states if s["Status"]["header"]["member_id"] != leader)
    text = ctl("move-leader", f"{target:x}")
    expect(f"Leadership transferred from {leader:x} to {target:x}" in text, text)
    states = json.loads(ctl("endpoint", "status", "--cluster", "-w", "json"))
    expect({s["Status"]["leader"] for s in states} == {target}, f"{target:x} leads: {states}")


def lock_and_elect(ctl):
    expect(ctl("lock", "mutex", "echo", "held") == "held\n", "a command under a lock")
    holder = ctl.start("lock", "mutex")
    try:
        expect(lines_of(holder, 1)[0].startswith("mutex/"), "the lock is held")
        waiter = ctl.start("lock", "mutex")
        time.sleep(0.5)
        expect(waiter.poll() is None, "a second one waits")
        holder.terminate()
        holder.wait(10)
        expect(lines_of(waiter, 1)[0].startswith("mutex/"), "and gets it")
        waiter.terminate()
        waiter.wait(10)
    finally:
        holder.kill()
    leader = ctl.start("elect", "office", "alice")
    try:
        first = lines_of(leader, 2)
        expect(first[0].startswith("office/") and first[1] == "alice", f"elected: {first}")
        listener = ctl.start("elect", "--listen", "office")
        seen = lines_of(listener, 2)
        listener.kill()
        listener.wait()
        expect(seen[1] == "alice", f"observed: {seen}")
    finally:
        leader.terminate()
        leader.wait(10)


def check_perf(ctl):
    text = ctl("check", "perf", "--load=s", "--prefix=/perf/", timeout=150)
    expect("PASS" in text.splitlines()[-1] and "FAIL" not in text, text)
    return text.splitlines()[-4:]


CASES = {
    "put, get and del": put_get_del,
    "txn takes the branch that its comparisons choose": txn,
    "watch prints events and resumes from history": watch,
    "lease grant, timetolive, list, keep-alive --once, revoke and expiry": lease,
    "lease keep-alive keeps a lease": keep_alive,
    "compaction": compaction,
    "endpoint status and hashkv --cluster": endpoints,
    "endpoint health": health,
    "snapshot save, status and restore": snapshot,
    "defrag, alarm and member list": maintenance,
    "move-leader": move_leader,
    "lock and elect": lock_and_elect,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--sizes", default="1,3")
    parser.add_argument("--perf", action="store_true", help="also etcdctl check perf, a minute each")
    options = parser.parse_args()
    report = Report("etcdctl")
    peers.ensure()
    programs = places.etcdctls()
    for version in ("3.4", "3.5"):
        if version not in programs:
            report.skip(f"etcdctl {version}", "it is not on this machine")
    cases = dict(CASES, **({"check perf": check_perf} if options.perf else {}))
    for size in map(int, options.sizes.split(",")):
        with Cluster(options.server, size) as cluster:
            for version, path in programs.items():
                ctl = Ctl(path, version, cluster)
                for name, case in cases.items():
                    report.check(f"{name} (etcdctl {version}, {size} × {options.server})", case, ctl)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
