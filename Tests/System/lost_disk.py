#!/usr/bin/env python3
"""Members that lose their disk, or their log, or come back with what belongs to another cluster of the same name.

    lost_disk.py

Nothing that a majority has acknowledged is lost as long as no more than a minority lost its disk: a member that
comes back empty follows, and has no vote. What is missing beside an identity keeps a member from starting, and the
last line of its log says what is missing. A cluster forms once all its first members are there, and two clusters
that were formed apart do not mix, whatever their flags.
"""

import os
import shutil
import sys
import time

from harness.gateway import GatewayError, successor
from harness.report import Report, expect
from harness.servers import Cluster, until

PREFIX = "acknowledged/"


def keys(member, serializable=False):
    answer = member.gateway.range(PREFIX, successor(PREFIX), timeout=2, keys_only=True, serializable=serializable)
    return len(answer.get("kvs", []))


def log(member):
    with open(member.log, errors="replace") as file:
        return file.read()


def last_line(member):
    return member.log_tail(1)


def acknowledged_by_two(cluster, count=20):
    """The leader, another and one that was away while the first two acknowledged puts; all of them are down."""
    leader = cluster.leader()
    other, away = [member for member in cluster.members if member is not leader]
    away.kill()
    for number in range(count):
        leader.gateway.put(f"{PREFIX}{number}", "value", timeout=10)
    leader.kill()
    other.kill()
    return leader, other, away


def wiped_member():
    with Cluster("synod", 3) as cluster:
        leader, wiped, away = acknowledged_by_two(cluster)
        shutil.rmtree(wiped.directory)
        away.start()
        wiped.start()
        until(20, lambda: "has no vote" in log(wiped), f"{wiped.name} does not say that it lost its vote")
        # Long enough for many elections, had the two a quorum.
        end = time.monotonic() + 4
        while time.monotonic() < end:
            try:
                found = keys(away)
            except (OSError, GatewayError):
                continue
            raise AssertionError(f"{away.name} and an empty {wiped.name} answer, with {found} of 20 keys")
        leader.start()
        until(20, lambda: keys(leader) == 20 and keys(away) == 20, "the acknowledged puts are not there again")
        until(20, lambda: keys(wiped, serializable=True) == 20, f"{wiped.name} does not follow")
        leader.gateway.put(f"{PREFIX}more", "value", timeout=10)
        until(10, lambda: keys(wiped, serializable=True) == 21, f"{wiped.name} does not go on following")
        hashes = {
            member.gateway.call("/v3/maintenance/hash", {"revision": 0}).get("hash") for member in cluster.members
        }
        expect(len(hashes) == 1, f"the members differ: {hashes}")
        until(70, lambda: any(f"{wiped.name} (" in log(m) and "no vote any more" in log(m) for m in (leader, away)),
              "the leader does not say whose vote is lost")
        # The empty directory stays what it is, and after a restart it is still known for that.
        wiped.kill()
        said = log(wiped).count("has no vote")
        wiped.start()
        until(20, lambda: log(wiped).count("has no vote") > said, "the lost vote is forgotten after a restart")
        return "20 of 20 puts are there"


def wiped_leader():
    """As above, where the one that lost its disk is the first of the members, which forms the cluster."""
    with Cluster("synod", 3) as cluster:
        first = min(cluster.members, key=lambda m: int(m.gateway.status()["header"]["member_id"]))
        for number in range(20):
            first.gateway.put(f"{PREFIX}{number}", "value", timeout=10)
        first.kill()
        shutil.rmtree(first.directory)
        first.start()
        until(20, lambda: "has no vote" in log(first), f"{first.name} does not say that it lost its vote")
        until(20, lambda: keys(first, serializable=True) == 20, f"{first.name} does not follow")


def lost_log():
    with Cluster("synod", 3) as cluster:
        _, lost, _ = acknowledged_by_two(cluster)
        shutil.rmtree(os.path.join(lost.directory, "log"))
        lost.start()
        expect(lost.process.wait(20) == 1, f"{lost.name} ended with {lost.process.returncode}")
        expect("the log of member" in last_line(lost) and "is missing" in last_line(lost), last_line(lost))
        cluster.flags.append("--wal-dir=" + os.path.join(cluster.directory, "elsewhere"))
        lost.start()
        expect(lost.process.wait(20) == 1, f"{lost.name} ended with {lost.process.returncode}")
        expect("elsewhere" in last_line(lost) and "--wal-dir" in last_line(lost), last_line(lost))


def lost_identity():
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        member.gateway.put(f"{PREFIX}1", "value")
        member.kill()
        identity = os.path.join(member.directory, "identity")
        os.rename(identity, identity + ".aside")
        member.start()
        expect(member.process.wait(20) == 1, f"it ended with {member.process.returncode}")
        expect("no identity in" in last_line(member), last_line(member))
        os.rename(identity + ".aside", identity)
        member.start()
        until(20, lambda: keys(member) == 1, "the identity is back, and the member does not start")


def lost_store():
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        store = os.path.join(member.directory, "store-1")
        member.gateway.put(f"{PREFIX}0", "value")
        member.stop()
        shutil.rmtree(store)
        member.start()
        until(20, lambda: keys(member) == 1, "the log holds everything, and the store is not made from it")
        member.stop()
        os.unlink(os.path.join(member.directory, "current-store"))
        member.start()
        expect(member.process.wait(20) == 1, f"it ended with {member.process.returncode}")
        expect("current-store is missing" in last_line(member), last_line(member))


def formed_apart():
    with Cluster("synod", 3) as cluster:
        cluster.members[0].gateway.put(f"{PREFIX}first", "value")
        until(10, lambda: all(keys(m, serializable=True) == 1 for m in cluster.members), "somebody does not follow")
        for member in cluster.members:
            member.stop()
            os.rename(member.directory, member.directory + ".first")
        for member in cluster.members:
            member.start()
        cluster.wait_ready()
        one, two, three = cluster.members
        three.stop()
        shutil.rmtree(three.directory)
        os.rename(three.directory + ".first", three.directory)
        three.start()
        until(20, lambda: "formed apart" in log(three), "the member of the first cluster does not say so")
        until(20, lambda: any("formed apart" in log(m) for m in (one, two)), "the second cluster does not say so")
        expect(keys(one) == 0, "the two clusters have mixed")
        # Who reaches nobody hears its clients only after a while.
        until(20, lambda: keys(three, serializable=True) == 1, "the member of the first cluster has lost its data")


def waits_for_all():
    cluster = Cluster("synod", 3)
    try:
        one, two, three = cluster.members
        one.start()
        two.start()
        waiting = lambda m: "waiting for" in log(m) and three.name in log(m)
        until(20, lambda: waiting(one) or waiting(two), "nobody says for whom the cluster waits")
        expect(not cluster.leader(timeout=2), "two of three have formed the cluster")
        # What comes and goes meanwhile does not matter.
        two.kill()
        two.start()
        started = time.monotonic()
        three.start()
        cluster.wait_ready()
        return f"ready {time.monotonic() - started:.1f} s after the last one was started"
    finally:
        cluster.__exit__(sys.exc_info()[0], None, None)


def main():
    report = Report("lost disk")
    report.check("a member that lost its disk has no vote, and nothing acknowledged is lost", wiped_member)
    report.check("so is the member that formed the cluster", wiped_leader)
    report.check("a member without its log does not start, nor with an empty --wal-dir", lost_log)
    report.check("a member without its identity does not start", lost_identity)
    report.check("a store is made anew from a log that holds everything, and one that is not named is not thrown away", lost_store)
    report.check("clusters that were formed apart do not mix, and both say so", formed_apart)
    report.check("a cluster forms once all its first members are there, in whatever order", waits_for_all)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
