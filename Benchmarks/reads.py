"""How long one client's puts wait while another client reads ranges without end.

The reader is h2load with two ranges in flight and windows that hold whole answers; the writer sends 200 puts a
second, one in flight, on a connection of its own, and every wait is counted. Ranges are over 60,000 keys of 100
bytes (7 MB), over 60 values of 1 MB (60 MB), and over the 60,000 keys with the count or the keys alone.
"""

import os
import re
import signal
import subprocess
import tempfile
import time

from figures import percentile
from harness.gateway import encode
from harness.report import expect

KEYS, KEY_VALUE = 60_000, "x" * 100
BLOBS, BLOB_VALUE = 60, "y" * 1_000_000
SECONDS, RATE = 4, 200
# Places among a thousand sorted waits; the last of all is the worst.
PLACES = {"p50": 500, "p90": 900, "p99": 990, "p99.9": 999}
COLUMNS = [*PLACES, "worst"]


def field(number, data):
    length, size = len(data), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


def over(prefix):
    return field(1, prefix + b"/") + field(2, prefix + b"0")


LOADS = {
    "alone": None,
    "60,000 keys": over(b"many"),
    "60 MB": over(b"large"),
    "count": over(b"many") + bytes([9 << 3, 1]),
    "keys only": over(b"many") + bytes([8 << 3, 1]),
}


def fill(cluster):
    gateway = cluster.leader().gateway
    for start in range(0, KEYS, 120):
        gateway.call("/v3/kv/txn", {"success": [
            {"request_put": {"key": encode(f"many/{n:07}"), "value": encode(KEY_VALUE)}}
            for n in range(start, start + 120)]})
    for n in range(BLOBS):
        gateway.put(f"large/{n:03}", BLOB_VALUE, timeout=30)


def write(folder, name, body):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(b"\0" + len(body).to_bytes(4, "big") + body)
    return path


def h2load(path, port, method, log, *more):
    return ["h2load", "-t", "1", "-d", path, "-H", "content-type: application/grpc", "-H", "te: trailers",
            f"--log-file={log}", *more, f"http://127.0.0.1:{port}/etcdserverpb.KV/{method}"]


def waits(cluster, folder, body):
    """The milliseconds of every put, and how many ranges were answered a second meanwhile."""
    port = cluster.leader().client_port
    put = write(folder, "put", field(1, b"bench/probe") + field(2, b"v" * 256))
    reader = None
    with tempfile.NamedTemporaryFile(dir=folder) as reads, tempfile.NamedTemporaryFile(dir=folder) as puts:
        if body is not None:
            reader = subprocess.Popen(
                h2load(write(folder, "range", body), port, "Range", reads.name, "-n", "1000000", "-c", "1", "-m", "2"),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.5)
        begun = time.monotonic()
        out = subprocess.run(
            h2load(put, port, "Put", puts.name, "-n", str(SECONDS * RATE), "-c", "1", "-m", "1", f"--rps={RATE}"),
            capture_output=True, text=True, timeout=300).stdout
        elapsed = time.monotonic() - begun
        if reader:
            reader.send_signal(signal.SIGKILL)
            reader.wait()
        expect(re.search(rf" {SECONDS * RATE} succeeded", out), f"h2load: {out}")
        times = sorted(int(line.split()[2]) / 1000 for line in open(puts.name))
        answered = [line.split()[1] for line in open(reads.name) if line.count("\t") == 2]
        expect(body is None or answered and all(status == "200" for status in answered), "the ranges failed")
    return times, len(answered) / (elapsed + 0.5) if reader else None


def measure(clusters, rounds):
    """{load: {server: figures}}, the servers alternating."""
    for cluster in clusters.values():
        fill(cluster)
    print(f"{'puts beside':<13}{'':>9}  {'server':<9}" + "".join(f"{column + ' ms':>10}" for column in COLUMNS)
          + f"{'ranges/s':>9}", flush=True)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="synod-bench-reads-") as folder:
        for name, body in LOADS.items():
            rows = {kind: ([], []) for kind in clusters}
            for _ in range(rounds):
                for kind, cluster in clusters.items():
                    times, rate = waits(cluster, folder, body)
                    rows[kind][0].extend(times)
                    if rate is not None:
                        rows[kind][1].append(rate)
            figures[name] = {}
            label = name
            for kind, (times, rates) in rows.items():
                times.sort()
                row = {column: percentile(times, place) for column, place in PLACES.items()} | {"worst": times[-1]}
                if rates:
                    row["ranges"] = sum(rates) / len(rates)
                figures[name][kind] = row
                print(f"{label:<13}{'':>9}  {kind:<9}" + "".join(f"{row[column]:>10.2f}" for column in COLUMNS)
                      + f"{row.get('ranges', 0):>9.1f}", flush=True)
                label = ""
    return figures
