"""A gRPC client over HTTP/2 from Python's own library: as much as a test needs to be a client with manners."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACKNOWLEDGED, END_HEADERS = 1, 1, 4
# Below SETTINGS_MAX_FRAME_SIZE, whose default nobody here raises.
FRAME_BYTES = 16_384

# How many bits each byte takes in HPACK's Huffman code, which is canonical (RFC 7541, appendix B).
BITS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c060a0a0c0d06080b0a0a080b080606060505"
    "050606060606060607080f060c0a0d06070707070707070707070707070707070707070707070807080d130d0e060f050605"
    "06050606060507070606060506070605050607070707070f0b0e0d1c14161414161616171617171717171817181816171817"
    "1717171516171617171816151416161717151716161815161717151516151716171714161616171616171a1a141316171619"
    "1a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c"
    "1b1b1b1b1b1a1e")


def _codes():
    codes, code, length = {}, 0, 0
    for symbol in sorted(range(len(BITS)), key=lambda symbol: (BITS[symbol], symbol)):
        code <<= BITS[symbol] - length
        length = BITS[symbol]
        codes[length, code] = symbol
        code += 1
    return codes


CODES = _codes()


def plain(coded):
    """What a Huffman coded string says."""
    text, code, length = bytearray(), 0, 0
    for byte in coded:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in CODES:
                text.append(CODES[length, code])
                code = length = 0
    return bytes(text)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, bits, first=0):
    """HPACK's form of an integer behind the upper bits of a byte."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    coded, value = bytearray([first | limit]), value - limit
    while value >= 128:
        coded.append(value % 128 | 128)
        value //= 128
    return bytes(coded) + bytes([value])


def literal(name, value, first=0):
    """A field with both its strings as they are; `first` 0x40 has it entered into the table."""
    return bytes([first]) + integer(len(name), 7) + name + integer(len(value), 7) + value


def fields_of(block):
    """The literal fields of a header block, and `:status` by its place in the static table."""
    fields, at = {}, 0

    def number(bits):
        nonlocal at
        value, limit = block[at] & (1 << bits) - 1, (1 << bits) - 1
        at += 1
        if value == limit:
            shift = 0
            while True:
                value += (block[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if block[at - 1] < 128:
                    break
        return value

    def string():
        nonlocal at
        coded = block[at] & 128
        length = number(7)
        text, at = block[at : at + length], at + length
        return plain(text) if coded else text

    while at < len(block):
        if block[at] & 128:
            place = number(7)
            if 8 <= place <= 14:
                fields[b":status"] = (b"200", b"204", b"206", b"304", b"400", b"404", b"500")[place - 8]
        elif block[at] & 224 == 32:
            number(5)
        else:
            place = number(6 if block[at] & 64 else 4)
            name = string() if place == 0 else b":status" if 8 <= place <= 14 else b"%d" % place
            fields[name] = string()
    return fields


class CallError(Exception):
    """The call ended with another status than OK."""

    def __init__(self, code, message):
        super().__init__(f"code {code}: {message}")
        self.code, self.message = code, message


class NotServed(Exception):
    """The server has said that it did nothing of the call: it may be made anew elsewhere."""


class Call:
    def __init__(self):
        self.data, self.block, self.status, self.message, self.ended = bytearray(), bytearray(), None, b"", False

    def take_message(self):
        """The next message of the answer, or None when it is not complete."""
        if len(self.data) < 5:
            return None
        size = struct.unpack(">I", self.data[1:5])[0]
        if len(self.data) < 5 + size:
            return None
        message = bytes(self.data[5 : 5 + size])
        del self.data[: 5 + size]
        return message


class Connection:
    """One connection; any number of calls on it, one thread."""

    def __init__(self, host, port, timeout=20.0):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received, self.calls, self.next, self.authority = bytearray(), {}, 1, f"{host}:{port}".encode()
        # Told that the connection ends: no new call is to be made on it.
        self.is_leaving = False
        # No table for the answers' headers, so that they can be read one by one.
        settings = struct.pack(">HIHI", 1, 0, 4, (1 << 31) - 1)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 30)))

    def close(self):
        self.socket.close()

    def begin(self, path, message=None, metadata=(), ends=True, before=b""):
        """Begins a call and returns its number; `before` goes out ahead of it."""
        stream, self.next = self.next, self.next + 2
        fields = [
            (b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", self.authority),
            (b"content-type", b"application/grpc"), (b"te", b"trailers"),
        ]
        block = b"".join(literal(*field) for field in fields)
        block += b"".join(field if isinstance(field, bytes) else literal(*field) for field in metadata)
        pieces = [block[at : at + FRAME_BYTES] for at in range(0, len(block), FRAME_BYTES)]
        out = bytearray(before)
        for index, piece in enumerate(pieces):
            flags = END_HEADERS if index == len(pieces) - 1 else 0
            out += frame(CONTINUATION if index else HEADERS, flags, stream, piece)
        self.calls[stream] = Call()
        if message is not None:
            out += self._message(stream, message, ends)
        self.socket.sendall(out)
        return stream

    def send(self, stream, message, ends=False):
        self.socket.sendall(self._message(stream, message, ends))

    def _message(self, stream, message, ends):
        body = b"\0" + struct.pack(">I", len(message)) + message
        return frame(DATA, END_STREAM if ends else 0, stream, body)

    def finish(self, stream):
        """Waits for the end of a unary call and returns its message. Raises CallError, NotServed or OSError."""
        call = self.calls[stream]
        while not call.ended:
            self.read()
        del self.calls[stream]
        if call.status != 0:
            raise CallError(call.status, call.message.decode(errors="replace"))
        return call.take_message()

    def next_message(self, stream):
        """The next message of a stream, or None when it has ended."""
        call = self.calls[stream]
        while True:
            message = call.take_message()
            if message is not None or call.ended:
                return message
            self.read()

    def call(self, path, message, metadata=()):
        return self.finish(self.begin(path, message, metadata))

    def read(self):
        """Takes in at least one frame."""
        while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed the connection")
            self.received += data
        size = int.from_bytes(self.received[:3], "big")
        kind, flags = self.received[3], self.received[4]
        stream = int.from_bytes(self.received[5:9], "big") & 0x7FFFFFFF
        payload = bytes(self.received[9 : 9 + size])
        del self.received[: 9 + size]
        self._on_frame(kind, flags, stream, payload)

    def _on_frame(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACKNOWLEDGED:
            self.socket.sendall(frame(SETTINGS, ACKNOWLEDGED, 0))
        elif kind == PING and not flags & ACKNOWLEDGED:
            self.socket.sendall(frame(PING, ACKNOWLEDGED, 0, payload))
        elif kind == GOAWAY:
            self.is_leaving = True
            last = int.from_bytes(payload[:4], "big")
            if any(number > last for number in self.calls):
                raise NotServed(payload[8:].decode(errors="replace"))
        call = self.calls.get(stream)
        if call is None:
            return
        if kind == DATA:
            call.data += payload
        elif kind in (HEADERS, CONTINUATION):
            call.block += payload
            if flags & END_HEADERS:
                fields = fields_of(call.block)
                call.block.clear()
                if b"grpc-status" in fields:
                    call.status, call.message = int(fields[b"grpc-status"]), fields.get(b"grpc-message", b"")
        elif kind == RESET:
            code = int.from_bytes(payload, "big")
            if code == 7:
                raise NotServed("REFUSED_STREAM")
            call.ended = True
            if call.status is None:
                call.status, call.message = 13, b"reset with code %d" % code
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            call.ended = True


def field(number, value):
    """A field of a protobuf message: bytes, or a number."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(value):
    coded = bytearray()
    while value >= 128:
        coded.append(value % 128 | 128)
        value //= 128
    return bytes(coded) + bytes([value])
