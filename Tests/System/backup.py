#!/usr/bin/env python3
"""`synod backup` and `synod restore`: what is taken under load is what a new cluster begins with.

    backup.py [--writers 8] [--seed N]

A backup is taken from each member of a cluster under load, and restored to a cluster of one and to one of three. There
HashKV at the backup's revision, ranges at several revisions, versions and leases are those of the first cluster, and
revisions go on from there. What is torn, foreign or changed is refused, and nothing of it stays. A backup that its
client takes slowly costs the server no memory and the others no time, and one whose server goes says so.
"""

import argparse
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness import places
from harness.gateway import encode
from harness.report import Report, expect
from harness.servers import Cluster, free_port, until
from leader_faults import Load

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("SYNOD_", "ETCD_"))}
LEASES = {4711: 60, 4712: 3600, 4713: 100_000}


def run(*arguments, cwd=None, timeout=60, **more):
    return subprocess.run(
        [places.synod(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        env=CLEAN, cwd=cwd, **more)


def backup(path, member, *flags):
    """Takes one, and returns the revision that it says it holds."""
    done = run("backup", path, *(flags or (f"--endpoint={member.endpoint}",)))
    expect(done.returncode == 0, f"backup: {done.stderr}")
    return int(re.search(r"holds revision (\d+)", done.stdout).group(1))


def restore(path, cluster):
    """Restores to every member of a cluster that has not been started."""
    initial = ",".join(f"{member.name}={member.peer_url}" for member in cluster.members)
    for member in cluster.members:
        done = run(
            "restore", path, f"--data-dir={member.directory}", f"--name={member.name}", f"--initial-cluster={initial}",
            f"--initial-advertise-peer-urls={member.peer_url}", f"--initial-cluster-token={cluster.directory}")
        expect(done.returncode == 0, f"restore: {done.stderr}")


def hash_at(member, revision):
    answer = member.gateway.call("/v3/maintenance/hashkv", {"revision": revision}, timeout=30)
    return answer["hash"], answer.get("compact_revision")


def rows(member, revision):
    """Everything at a revision: key to value, create and mod revision, version and lease."""
    found = member.gateway.range("\0", "\0", timeout=30, revision=revision, serializable=True).get("kvs", [])
    fields = ("value", "create_revision", "mod_revision", "version", "lease")
    return {row["key"]: tuple(row.get(field) for field in fields) for row in found}


def leases(member):
    """Id, granted time and keys of each."""
    listed = member.gateway.call("/v3/lease/leases", {}).get("leases", [])
    found = {}
    for lease in sorted(int(entry["ID"]) for entry in listed):
        answer = member.gateway.call("/v3/lease/timetolive", {"ID": lease, "keys": True})
        found[lease] = (answer["grantedTTL"], sorted(answer.get("keys", [])))
    return found


def fill(cluster):
    """Something of every kind: leases with keys, deletions, a transaction, a compaction."""
    gateway = cluster.members[0].gateway
    for lease, seconds in LEASES.items():
        gateway.call("/v3/lease/grant", {"ID": lease, "TTL": seconds})
        for number in range(3):
            gateway.put(f"leased/{lease}/{number}", f"of {lease}", lease=lease)
    for number in range(200):
        gateway.put(f"some/{number % 50}", f"value {number}")
    gateway.delete("some/1", "some/2")
    gateway.call("/v3/kv/txn", {"success": [
        {"request_put": {"key": encode("both/a"), "value": encode("1")}},
        {"request_put": {"key": encode("both/b"), "value": encode("1")}},
        {"request_delete_range": {"key": encode("some/30")}}]})
    revision = gateway.put("large", "x" * 900_000)
    gateway.call("/v3/kv/compaction", {"revision": revision - 100, "physical": True})
    return revision


def compare(source, copies, revision, since):
    """Every member of `copies` shows at `revision` and before it what `source` does."""
    chance = random.Random(revision)
    looked = sorted({revision, since, *(chance.randint(since, revision) for _ in range(5))})
    for copy in copies:
        found, wanted = hash_at(copy, revision), hash_at(source, revision)
        expect(found == wanted, f"HashKV of {copy.name} at {revision} is {found}, not {wanted}")
        for at in looked:
            expect(rows(copy, at) == rows(source, at), f"what {copy.name} has at revision {at} differs")
        expect(leases(copy) == leases(source), f"leases of {copy.name}: {leases(copy)}, not {leases(source)}")


def goes_on(cluster, revision, before):
    """The new cluster goes on with the revision and the versions that follow."""
    key = "some/3"
    expect(cluster.members[0].gateway.put(key, "new") == revision + 1, "the revision does not go on")
    for member in cluster.members:
        found = member.gateway.range(key)["kvs"][0]
        old = before[encode(key)]
        expect(found["create_revision"] == old[1], f"it was created anew: {found}")
        expect(int(found["version"]) == int(old[3]) + 1, f"its version does not go on: {found}")
        for lease in LEASES:
            member.gateway.call("/v3/lease/keepalive", {"ID": lease})


def under_load(folder, options):
    with Cluster("synod", 3) as source:
        since = fill(source)
        taken, slowest = [], 0.0
        with Load(source, options.writers, options.seed) as load:
            load.wait_for(500, 60)
            for member in source.members:
                path = os.path.join(folder, f"{member.name}.backup")
                began = time.monotonic()
                taken.append((path, backup(path, member)))
                load.wait_for(300, 60)
                slowest = max(
                    [slowest] + [put.answered - put.sent for put in load.acknowledged if put.sent > began])
        expect(slowest < 2, f"a put took {slowest:.2f} s beside a backup")
        expect(taken[0][1] < taken[1][1] < taken[2][1], f"no puts between the backups: {taken}")
        # Under its name there is a whole one, and nothing beside it.
        expect(sorted(os.listdir(folder)) == [f"m{n}.backup" for n in (1, 2, 3)], str(os.listdir(folder)))
        for (path, revision), size in zip(taken, (1, 3, 3)):
            new = Cluster("synod", size)
            restore(path, new)
            with new:
                before = rows(new.members[0], revision)
                compare(source.members[0], new.members, revision, since)
                goes_on(new, revision, before)
                hashes = {hash_at(member, 0) for member in new.members}
                expect(len(hashes) == 1, f"the members differ: {hashes}")
        revisions = ", ".join(str(revision) for _, revision in taken)
        return f"revisions {revisions} restored to 1, 3 and 3 members; slowest put beside a backup {slowest * 1000:.0f} ms"


def stopped_directory(folder, options):
    path, other = os.path.join(folder, "one"), os.path.join(folder, "two")
    with Cluster("synod", 1) as source:
        member = source.members[0]
        fill(source)
        revision = backup(path, member)
        refused = run("backup", other, f"--data-dir={member.directory}")
        expect(refused.returncode == 1 and "is in use by process" in refused.stderr, refused.stderr)
        expect(member.stop() == 0, "it does not stop in order")
        expect(backup(other, member, f"--data-dir={member.directory}") == revision, "another revision")
        member.start()
        source.wait_ready()
        new = Cluster("synod", 1)
        restore(other, new)
        with new:
            compare(member, new.members, revision, revision)
            # It gives a backup as well, which may be restored in turn.
            again = os.path.join(folder, "again")
            expect(backup(again, new.members[0]) == revision, "another revision")
            third = Cluster("synod", 1)
            restore(again, third)
            with third:
                compare(member, third.members, revision, revision)


def refusals(folder, options):
    path, data = os.path.join(folder, "whole"), os.path.join(folder, "data")
    with Cluster("synod", 1) as source:
        fill(source)
        backup(path, source.members[0])
        with open(path, "rb") as file:
            whole = file.read()
    chance = random.Random(options.seed)

    def refused(content, words):
        changed = os.path.join(folder, "changed")
        with open(changed, "wb") as file:
            file.write(content)
        done = run("restore", changed, f"--data-dir={data}")
        expect(done.returncode == 1 and words in done.stderr, f"exit code {done.returncode}: {done.stderr}")
        expect(not os.path.exists(data), f"something stays: {os.path.exists(data) and os.listdir(data)}")

    for count in [5, 12, 13, 200, len(whole) // 2, len(whole) - 1]:
        refused(whole[:count], "ends before its end")
    for _ in range(10):
        position = chance.randrange(12, len(whole))
        refused(whole[:position] + bytes([whole[position] ^ 1 << chance.randrange(8)]) + whole[position + 1:], "a checkpoint")
    refused(b"", "empty")
    refused(b"a file of somebody else's\n" * 100, "no checkpoint of synod")
    refused(whole + b"x", "after its end")
    refused(whole + whole, "after its end")
    # What the head says is under a check of its own.
    done = run("restore", path, f"--data-dir={folder}")
    expect(done.returncode == 1 and "is not empty" in done.stderr, done.stderr)
    expect(os.path.exists(path), "what was there is gone")
    done = run("restore", path, f"--data-dir={data}", "--name=a", "--initial-cluster=b=http://127.0.0.1:1")
    expect(done.returncode == 1 and "couldn't find local name" in done.stderr, done.stderr)
    expect(run("restore", os.path.join(folder, "nothing"), f"--data-dir={data}").returncode == 1, "no file")
    expect(not os.path.exists(data), "something stays")
    for arguments in (["backup"], ["restore", "a", "b"], ["backup", "x", "--endpoint=a", "--data-dir=b"]):
        expect(run(*arguments).returncode == 2, f"exit code of {arguments}")
    port = free_port()
    done = run("backup", os.path.join(folder, "x"), f"--endpoint=http://127.0.0.1:{port}")
    expect(done.returncode == 1 and "refused" in done.stderr, done.stderr)
    expect(sorted(os.listdir(folder)) == ["changed", "whole"], str(os.listdir(folder)))


def large_store(cluster, count=240):
    value = "x" * (256 << 10)
    for number in range(count):
        cluster.members[0].gateway.put(f"large/{number}", value)
    return count * len(value)


def anonymous(member):
    """What it holds besides the store's pages, in bytes."""
    return member.reading("RssAnon") * 1024


def slow_client(folder, options):
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        size = large_store(cluster)
        before, most, slowest, revisions = anonymous(member), 0, 0.0, []
        with socket.create_connection(("127.0.0.1", member.client_port)) as client:
            client.sendall(b"GET /synod/backup HTTP/1.0\r\nHost: x\r\n\r\n")
            taken = 0
            while True:
                began = time.monotonic()
                revisions.append(member.gateway.put("beside", "v"))
                slowest, most = max(slowest, time.monotonic() - began), max(most, anonymous(member))
                # A little at a time, so that the server always has more than its client takes.
                for _ in range(16):
                    chunk = client.recv(64 << 10)
                    taken += len(chunk)
                if not chunk:
                    break
        expect(taken > size, f"{taken} bytes of a store of {size}")
        grown = most - before
        expect(grown < 24 << 20, f"the server has grown by {grown >> 20} MiB")
        expect(slowest < 1, f"a put took {slowest:.2f} s")
        return (f"{taken >> 20} MiB taken slowly: the server grew by {grown / (1 << 20):.1f} MiB, the slowest of "
                f"{len(revisions)} puts took {slowest * 1000:.0f} ms")


def server_goes(folder, options):
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        large_store(cluster)
        for end in (signal.SIGKILL, signal.SIGTERM):
            # Nobody reads what it writes, so that it is in the middle.
            process = subprocess.Popen(
                [places.synod(), "backup", "-", f"--endpoint={member.endpoint}"], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN)
            expect(len(process.stdout.read(1000)) == 1000, "no bytes")
            began = time.monotonic()
            member.signal(end)
            member.process.wait(20)
            took = time.monotonic() - began
            rest, errors = process.communicate(timeout=30)
            expect(process.returncode == 1, f"exit code {process.returncode}: {errors}")
            expect(b"ends before its end" in errors or b"reset" in errors, str(errors))
            member.gateway.close()
            member.start()
            cluster.wait_ready()
        return f"with a backup under way SIGTERM ends the server in {took:.1f} s"


def lost_disk(folder, options):
    path = os.path.join(folder, "backup")
    with Cluster("synod", 1) as source:
        fill(source)
        revision = backup(path, source.members[0])
    new = Cluster("synod", 3)
    restore(path, new)
    with new:
        wiped = new.members[2]
        wiped.stop()
        shutil.rmtree(wiped.directory)
        new.members[0].gateway.put("while/away", "v", timeout=20)
        # As another cluster: the flags alone do not know of the backup.
        wiped.start()
        until(20, lambda: "belongs to cluster" in text(wiped), f"{wiped.name} does not say why it is refused")
        wiped.kill()
        shutil.rmtree(wiped.directory)
        new.flags.append("--initial-cluster-state=existing")
        wiped.start()
        until(20, lambda: wiped.gateway.range("while/away", serializable=True, timeout=2).get("kvs"),
              f"{wiped.name} does not follow")
        expect(rows(wiped, revision) == rows(new.members[0], revision), "it has not all that was restored")
        expect(hash_at(wiped, 0) == hash_at(new.members[0], 0), "HashKV differs")


def not_restored(folder, options):
    path = os.path.join(folder, "backup")
    with Cluster("synod", 1) as source:
        fill(source)
        backup(path, source.members[0])
    new = Cluster("synod", 3)
    restore(path, new)
    shutil.rmtree(new.members[1].directory)
    try:
        for member in new.members:
            member.start()
        until(20, lambda: any("belongs to cluster" in text(member) for member in new.members), "nobody says what is wrong")
        expect(not new.leader(timeout=2), "a cluster has formed of members that begin with different states")
    finally:
        new.__exit__(None, None, None)


def text(member):
    with open(member.log, errors="replace") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    report = Report("backup")

    def check(name, body):
        with tempfile.TemporaryDirectory(prefix="synod-backup-") as folder:
            report.check(name, body, folder, options)

    check("taken under load, it restores to one member and to three, the same in every revision", under_load)
    check("a stopped data directory gives the same backup, and a restored cluster gives one as well", stopped_directory)
    check("what is torn, changed or foreign is refused, and nothing of it stays", refusals)
    check("a client that takes it slowly costs the server no memory and others no time", slow_client)
    check("a server that goes in the middle of it is noticed, and its end does not wait for it", server_goes)
    check("a member of a restored cluster that lost its disk follows by a checkpoint", lost_disk)
    check("restored members form no cluster with one that begins with nothing", not_restored)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
