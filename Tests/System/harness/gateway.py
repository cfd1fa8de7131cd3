"""A client of the JSON gateway on one kept connection, from Python's own library."""

import base64
import http.client
import json
import socket


class GatewayError(Exception):
    """The server answered with an error: HTTP status, gRPC code, text."""

    def __init__(self, status, code, message):
        super().__init__(f"HTTP {status}, code {code}: {message}")
        self.status, self.code, self.message = status, code, message


def encode(value):
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def decode(text):
    return base64.b64decode(text or "")


def successor(prefix):
    """The range end that makes a range of everything that starts with the prefix."""
    raw = bytearray(prefix.encode() if isinstance(prefix, str) else prefix)
    while raw and raw[-1] == 0xFF:
        raw.pop()
    if not raw:
        return b"\0"
    raw[-1] += 1
    return bytes(raw)


class Gateway:
    def __init__(self, host, port, timeout=10.0):
        self.host, self.port, self.timeout, self.connection = host, port, timeout, None

    def call(self, path, body, timeout=None):
        """POSTs a request. Raises GatewayError, or OSError when there was no answer."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout or self.timeout)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.sock.settimeout(timeout or self.timeout)
            self.connection.request("POST", path, json.dumps(body))
            response = self.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise error if isinstance(error, OSError) else OSError(repr(error)) from error
        if response.will_close:
            self.close()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {"message": text.decode(errors="replace")}
        if response.status != 200:
            raise GatewayError(response.status, answer.get("code"), answer.get("message") or answer.get("error"))
        return answer

    def get(self, path):
        """GETs a page: its status and text."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def put(self, key, value, timeout=None, **fields):
        """The revision of the put."""
        answer = self.call("/v3/kv/put", {"key": encode(key), "value": encode(value), **fields}, timeout)
        return int(answer["header"]["revision"])

    def range(self, key, end=None, timeout=None, **fields):
        body = {"key": encode(key), **fields}
        if end is not None:
            body["range_end"] = encode(end)
        return self.call("/v3/kv/range", body, timeout)

    def delete(self, key, end=None, timeout=None):
        body = {"key": encode(key)}
        if end is not None:
            body["range_end"] = encode(end)
        return self.call("/v3/kv/deleterange", body, timeout)

    def status(self, timeout=None):
        return self.call("/v3/maintenance/status", {}, timeout)
