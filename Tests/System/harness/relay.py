"""A relay between members that stands in for a network: it can go silent without closing, and be slow."""

import socket
import threading
import time


class _Connection:
    def __init__(self, near, far):
        self.near, self.far = near, far
        # Nothing is passed on any more, and nobody is told: as when packets are dropped.
        self.dead = False

    def close(self):
        for end in (self.near, self.far):
            try:
                end.close()
            except OSError:
                pass


class Relay:
    """Passes what comes to `port` on to `target`, until it is told otherwise."""

    def __init__(self, port, target, rate=None):
        self.target, self.rate = target, rate
        self._hole, self._closed, self._free_at = False, False, 0.0
        self._connections, self._lock = [], threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self):
        """Everything that is connected hears nothing more, for ever, and so does what connects until `recover`."""
        with self._lock:
            self._hole = True
            for connection in self._connections:
                connection.dead = True

    def recover(self):
        """From now on who connects is served."""
        with self._lock:
            self._hole = False

    def close(self):
        self._closed = True
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                connection.close()

    def _accept(self):
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.rate:
                # What the system would hold for the relay is no part of the network.
                near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
            connection = _Connection(near, far)
            with self._lock:
                connection.dead = self._hole
                self._connections = [c for c in self._connections if c.dead or c.near.fileno() >= 0]
                self._connections.append(connection)
            threading.Thread(target=self._pump, args=(connection, near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(connection, far, near, False), daemon=True).start()

    def _pump(self, connection, source, sink, is_paced):
        while not connection.dead:
            try:
                data = source.recv(16 << 10)
                if connection.dead:
                    return
                if not data:
                    break
                if is_paced and self.rate:
                    self._await_turn(len(data))
                sink.sendall(data)
            except OSError:
                break
        if not connection.dead:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            connection.close()

    def _await_turn(self, count):
        with self._lock:
            begin = max(time.monotonic(), self._free_at)
            self._free_at = begin + count / self.rate
        time.sleep(max(0.0, self._free_at - time.monotonic()))
