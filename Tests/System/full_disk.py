#!/usr/bin/env python3
"""A full quota and a full disk: writes get etcd's error, reads and deletes go on, space comes back.

    full_disk.py [--server …] [--only quota|disk]

The disk is a small tmpfs, so that part needs root. etcd itself ends when its disk is full, so only the quota
is tested on it.
"""

import argparse
import os
import subprocess
import sys
import time

from harness import places
from harness.gateway import GatewayError, successor
from harness.report import Report, Skip, expect
from harness.servers import KINDS, Cluster

FULL = "etcdserver: mvcc: database space exceeded"
VALUE = "v" * 64_000


def fill(gateway, limit):
    """Puts until the server says that it is full. How many were acknowledged."""
    for n in range(limit):
        try:
            gateway.put(f"fill/{n:06}", VALUE, timeout=30)
        except GatewayError as error:
            expect(error.message == FULL, f"put {n}: {error}")
            return n
    raise AssertionError(f"{limit} puts of {len(VALUE)} bytes did not fill it")


def while_full(cluster, count):
    """What still works, and what does not."""
    for member in cluster.members:
        gateway = member.gateway
        expect(int(gateway.range("fill/", successor("fill/"), count_only=True)["count"]) == count, "linearizable count")
        answer = gateway.range(f"fill/{count - 1:06}", serializable=True)
        expect(answer.get("count") == "1", "serializable read of the last acknowledged put")
        status = gateway.get("/health")
        expect(status[0] == 503 or "false" in status[1], f"/health says {status}")
    gateway = cluster.members[0].gateway
    for body in ({"success": [{"request_put": {"key": "eA==", "value": "eA=="}}]},):
        try:
            gateway.call("/v3/kv/txn", body)
            raise AssertionError("a transaction with a put was taken")
        except GatewayError as error:
            expect(error.message == FULL, str(error))
    try:
        gateway.call("/v3/lease/grant", {"TTL": 60})
        raise AssertionError("a lease was granted")
    except GatewayError as error:
        expect(error.message == FULL, str(error))
    alarms = gateway.call("/v3/maintenance/alarm", {"action": "GET"}).get("alarms", [])
    expect(alarms and all(alarm["alarm"] == "NOSPACE" for alarm in alarms), f"alarms: {alarms}")


def recover(cluster):
    """Deletes, compacts, defragments and disarms, as an operator does, and puts again."""
    gateway = cluster.members[0].gateway
    answer = gateway.delete("fill/", successor("fill/"), timeout=30)
    expect(int(answer["deleted"]) > 0, "a delete while full")
    gateway.call("/v3/kv/compaction", {"revision": int(answer["header"]["revision"]), "physical": True}, timeout=60)
    for member in cluster.members:
        member.gateway.call("/v3/maintenance/defragment", {}, timeout=60)
    deadline = time.monotonic() + 20
    while True:
        # One by one, as etcdctl does it.
        for alarm in gateway.call("/v3/maintenance/alarm", {"action": "GET"}).get("alarms", []):
            gateway.call("/v3/maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
        try:
            for n in range(20):
                gateway.put(f"again/{n}", VALUE, timeout=30)
            return
        except GatewayError as error:
            expect(error.message == FULL and time.monotonic() < deadline, f"after making room: {error}")
            time.sleep(0.5)


def quota(options):
    with Cluster(options.server, options.size, [f"--quota-backend-bytes={16 << 20}"]) as cluster:
        count = fill(cluster.leader().gateway, 2_000)
        time.sleep(1)
        while_full(cluster, count)
        recover(cluster)
        return f"full after {count} puts of {len(VALUE)} bytes"


def disk(options):
    if os.geteuid() != 0:
        raise Skip("mounting a tmpfs needs root")
    folder = places.scratch("disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320m", "tmpfs", folder], capture_output=True).returncode:
        os.rmdir(folder)
        raise Skip("a tmpfs cannot be mounted here")
    try:
        # Little is kept behind a checkpoint, so that the log gives space back soon.
        flags = ["--snapshot-count=500", "--snapshot-catchup-entries=100"]
        with Cluster(options.server, 1, flags, directory=folder) as cluster:
            member = cluster.members[0]
            count = fill(member.gateway, 20_000)
            while_full(cluster, count)
            # The server must also start again from a disk that is full.
            expect(member.stop() == 0, "exit code on a full disk")
            member.start()
            cluster.wait_ready()
            expect(int(member.gateway.range("fill/", successor("fill/"), count_only=True)["count"]) == count, "after a restart")
            recover(cluster)
            return f"full after {count} puts of {len(VALUE)} bytes on 320 MiB"
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--only", choices=("quota", "disk"))
    parser.add_argument("--size", type=int, default=3, help="processes of the quota's cluster")
    options = parser.parse_args()
    report = Report("full disk")
    if options.only != "disk":
        report.check("a full quota refuses puts, serves the rest and can be emptied", quota, options)
    if options.only != "quota" and options.server == "synod":
        report.check("a full disk refuses puts, serves the rest and can be emptied", disk, options)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
