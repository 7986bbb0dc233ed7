"""Starts the servers of the measurement on free ports of 127.0.0.1, asks them, and ends them again."""

import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../speed"))

from servers import ORIGIN, Bench, find, free_port, question  # noqa: E402

TTL = 86_400


def name(number, label="host"):
    """A name of 30 bytes."""
    return f"{label}{number:012}.{ORIGIN}"


class CacheBench(Bench):
    """Real servers with caches of a given size, and an upstream that knows every name."""

    def nsd(self, address="127.0.0.1"):
        """An upstream with one wildcard record; returns its port."""
        port = free_port()
        folder = self.path(f"nsd-{port}")
        self.write(f"nsd-{port}/zone", f"$ORIGIN {ORIGIN}.\n$TTL {TTL}\n@ IN SOA ns h 1 3600 600 86400 60\n@ IN NS ns\n"
                   "ns IN A 198.19.255.1\n* IN A 198.18.0.1\n")
        config = self.write(f"nsd-{port}/nsd.conf", f"""
server:
  ip-address: {address}@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {ORIGIN}
  zonefile: zone
""")
        self.start(f"nsd-{port}", [find("nsd"), "-d", "-c", config], port, self.client_core)
        return port

    def dnsproxyd(self, program, upstreams, size, workers=1):
        """dnsproxyd as a forwarder with `size` of cache, without policies; returns its port and process."""
        port = free_port()
        servers = ", ".join(f'"127.0.0.1:{upstream}"' for upstream in upstreams)
        config = self.write(f"dnsproxyd-{port}/dnsproxyd.yaml", f"""
listen: ["127.0.0.1:{port}"]
workers: {workers}
upstreams: [{{servers: [{servers}]}}]
cache: {{size: {size}, maxTTL: 7d}}
feed: none
admin: none
""")
        command = [os.path.abspath(program), "serve", "-c", config]
        return port, self.start(f"dnsproxyd-{port}", command, port, self.server_core)

    def fill(self, port, first, count):
        """Asks for `count` names from number `first` on, each until it is answered."""
        self.queries = self.write("queries", "".join(f"{name(n)} A\n" for n in range(first, first + count)))
        figures = self.dnsperf(port, "-n", "1", "-c", "1", "-q", "50", "-t", "10")
        if not figures["Response codes"].startswith(f"NOERROR {count} "):
            sys.exit(f"not every name is answered: {figures['Response codes']}")


class Client:
    """One UDP client that asks one question after the other."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(10)

    def ask(self, text):
        """The seconds that the answer took, its code, and the TTL of its last record, None without one."""
        query = os.urandom(2) + b"\x01\0\0\1\0\0\0\0\0\0" + question(text)
        start = time.perf_counter()
        self.socket.send(query)
        while (answer := self.socket.recv(4096))[:2] != query[:2]:
            pass
        took = time.perf_counter() - start
        ttl = struct.unpack("!I", answer[-10:-6])[0] if answer[7] else None
        return took, answer[3] & 0xF, ttl


class SlowUpstream(threading.Thread):
    """An upstream that takes a while, and counts what it is asked."""

    def __init__(self, delay):
        super().__init__(daemon=True)
        self.delay = delay
        self.counts = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            end = query.index(b"\0", 12) + 5
            asked = query[12:end].lower()
            self.counts[asked] = self.counts.get(asked, 0) + 1
            record = b"\xC0\x0C\0\1\0\1\0\0\1\x2C\0\4\xC6\x12\0\1"
            reply = query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:end] + record
            threading.Timer(self.delay, self.socket.sendto, (reply, client)).start()
