#!/usr/bin/env python3
"""A cluster of three under load is upgraded process by process, and loses nothing.

    upgrade.py --from BINARY [--writers 8] [--seed N]

All three start as the earlier program. One after the other is stopped with SIGTERM, and started as the new one on the
data that it left; puts go on at all of them, a lease is kept alive, and the history is compacted meanwhile. While both
run, one of each is kept away for longer than the log reaches, and comes back by a checkpoint of the other program.
Every acknowledged put must be there at its revision, the lease as well, and all processes must have the same HashKV.
"""

import argparse
import os
import random
import sys
import threading

from harness.gateway import GatewayError
from harness.report import Report, expect
from harness.servers import Cluster
from leader_faults import Load, hash_of_all, verify

LEASE, SECONDS = 4711, 5
SNAPSHOT_COUNT = 1000


class Renewals(threading.Thread):
    """Keeps the lease alive, at whichever member answers."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.stopping = cluster, threading.Event()

    def run(self):
        target = 0
        while not self.stopping.wait(0.5):
            try:
                self.cluster.members[target % 3].gateway.call("/v3/lease/keepalive", {"ID": LEASE}, timeout=1)
            except (OSError, GatewayError):
                target += 1


def keep_away(cluster, load, member):
    """For more entries than the log of the others holds."""
    member.kill()
    load.wait_for(SNAPSHOT_COUNT * 3, 120)
    size = os.path.getsize(member.log)
    member.start()
    cluster.wait_ready(60, [member])
    with open(member.log, errors="replace") as log:
        log.seek(size)
        expect("checkpoint" in log.read(), f"{member.name} came back without a checkpoint")


def upgrade(cluster, options):
    gateway = cluster.members[0].gateway
    gateway.call("/v3/lease/grant", {"ID": LEASE, "TTL": SECONDS})
    gateway.put("leased", "kept", lease=LEASE)
    led = []
    renewals = Renewals(cluster)
    with Load(cluster, options.writers, options.seed) as load:
        renewals.start()
        load.wait_for(200, 30)
        for number, member in enumerate(cluster.members):
            code = member.stop()
            expect(code == 0, f"{member.name} ended with {code}")
            member.binary = None
            member.start()
            cluster.wait_ready(60, [member])
            load.wait_for(500, 60)
            led.append(cluster.leader().name)
            if number == 1:
                for kept in (member, cluster.members[2]):
                    keep_away(cluster, load, kept)
        load.wait_for(500, 60)
    renewals.stopping.set()
    renewals.join(5)
    cluster.wait_ready()
    count = verify(cluster, load)
    for member in cluster.members:
        found = member.gateway.range("leased").get("kvs", [])
        expect(len(found) == 1, f"{member.name} has lost the key of a lease that was renewed")
    revision = int(cluster.members[0].gateway.range("leased")["header"]["revision"])
    cluster.members[1].gateway.call("/v3/kv/compaction", {"revision": revision, "physical": True})
    return f"{count} acknowledged puts all there; led after each step: {', '.join(led)}; {hash_of_all(cluster)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="earlier", required=True, metavar="BINARY")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"upgrade from {options.earlier}, seed {options.seed}")
    report = Report("upgrade")
    flags = [f"--snapshot-count={SNAPSHOT_COUNT}", "--snapshot-catchup-entries=200"]
    cluster = Cluster("synod", 3, flags)
    for member in cluster.members:
        member.binary = options.earlier
    with cluster:
        report.check("process by process, under load", upgrade, cluster, options)
        if report.failed:
            for member in cluster.members:
                print(f"--- the end of the log of {member.name} ---\n{member.log_tail()}")
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
