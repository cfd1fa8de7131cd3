"""h2load with prebuilt gRPC messages."""

import os
import re
import subprocess
import tempfile

from harness.report import expect


def field(number, data):
    """A length-delimited protobuf field."""
    length, size = len(data), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


class Load:
    """One h2load process, which sends the gRPC message in the file `body` again and again: started, then read."""

    def __init__(self, folder, body, path, port, clients, streams, count):
        self.count = count
        self.log = tempfile.NamedTemporaryFile(dir=folder, suffix=".log")
        self.process = subprocess.Popen(
            ["h2load", "-n", str(count), "-c", str(min(clients, count)), "-m", str(streams), "-t", "1",
             "-d", os.path.join(folder, body), "-H", "content-type: application/grpc", "-H", "te: trailers",
             f"--log-file={self.log.name}", f"http://127.0.0.1:{port}{path}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, timeout=120):
        """Seconds, bytes of answers, and the microseconds of every request."""
        try:
            text, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        done = re.search(r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded", text)
        expect(done and int(done.group(2)) == self.count, f"h2load: {text}")
        times = []
        with open(self.log.name) as file:
            for line in file:
                _, status, microseconds = line.split()
                expect(status == "200", f"HTTP status {status}")
                times.append(int(microseconds))
        expect(len(times) == self.count, f"{len(times)} of {self.count} requests logged")
        seconds = re.search(r"finished in ([\d.]+)(us|ms|s|m)", text)
        scale = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[seconds.group(2)]
        data = int(re.search(r"\((\d+)\) data", text).group(1))
        return float(seconds.group(1)) * scale, data, times
