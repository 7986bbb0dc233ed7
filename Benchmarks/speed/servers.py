"""Starts the servers of the measurements on free ports of 127.0.0.1 and ends them again."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from documents import NAMES, ORIGIN, Documents

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")


def find(program):
    """The path of a program; those of the system are often not in a user's PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        sys.exit(f"{program} is not installed; make bench installs it")
    return path


def free_port():
    """A port that nobody listens on, below those that the kernel hands out by itself."""
    for port in range(21_000 + os.getpid() % 5_000, 32_000):
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        if port not in free_port.given:
            free_port.given.add(port)
            return port
    sys.exit("no free port")


free_port.given = set()


class Bench:
    """A temporary folder, the processes in it, and the file of questions; ends everything when it is left."""

    def __init__(self, server_core=0, client_core=1):
        self.folder = tempfile.mkdtemp(prefix="dnsproxyd-bench-")
        self.server_core = server_core
        self.client_core = client_core
        self.processes = []
        self.nsd_config = None
        # Seconds from the start of a process to its first answer.
        self.first_answers = {}
        self.queries = self.write("queries", "".join(f"host{n:05}.{ORIGIN} A\n" for n in range(NAMES)))

    def __enter__(self):
        # Who is told to end ends the servers too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, name, command, port, core, asked=f"host00000.{ORIGIN}"):
        """Starts a server on a core, or several, and waits until it answers a question."""
        cores = [int(number) for number in str(core).split(",")]
        began = time.monotonic()
        with open(self.path(f"{name}.log"), "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.processes.append(process)
        query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + question(asked)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            while (now := time.monotonic() - began) < 60 and process.poll() is None:
                client.settimeout(0.005 if now < 0.5 else 0.2)
                try:
                    client.send(query)
                    if client.recv(512)[3] & 0xF == 0:
                        self.first_answers[process.pid] = time.monotonic() - began
                        return process
                except ConnectionRefusedError:
                    time.sleep(0.001)
                except OSError:
                    pass
        with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as log:
            sys.exit(f"{name} does not answer:\n{log.read()}")

    def start_nsd(self):
        """The upstream of all, whose records nobody has to ask for twice. Returns port and process.

        10,000 names, everything below `any`, and NXDOMAIN for the rest."""
        port = free_port()
        records = "".join(f"host{n:05} IN A 198.18.{n // 250}.{n % 250 + 1}\n" for n in range(NAMES))
        self.write("zone", f"$ORIGIN {ORIGIN}.\n$TTL 86400\n@ IN SOA ns h 1 3600 600 86400 3600\n@ IN NS ns\n"
                   f"ns IN A 198.19.255.1\n*.any IN A 198.19.0.1\n{records}")
        self.nsd_config = self.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  database: ""
  pidfile: "{self.path('nsd.pid')}"
  zonelistfile: "{self.path('zone.list')}"
  xfrdfile: "{self.path('xfrd.state')}"
  xfrdir: "{self.folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: yes
  control-interface: "{self.path('nsd.sock')}"
zone:
  name: {ORIGIN}
  zonefile: zone
""")
        return port, self.start("nsd", [find("nsd"), "-d", "-c", self.nsd_config], port, self.client_core)

    def asked_upstream(self):
        """How many queries the upstream has had."""
        output = subprocess.run([find("nsd-control"), "-c", self.nsd_config, "stats_noreset"], capture_output=True,
                                text=True, check=True).stdout
        return int(re.search(r"^num\.queries=(\d+)", output, re.MULTILINE).group(1))

    def dnsproxyd(self, program, upstream, prefix=(), workers=1, cache="64MiB", documents=None, extra=""):
        """dnsproxyd with policy for the clients' identities, learning, feed socket and journal; `extra` is further lines
        of its configuration."""
        port = free_port()
        folder = f"dnsproxyd-{port}"
        os.makedirs(self.path(folder))
        (documents or Documents()).write(self.path(folder))
        config = self.write(f"{folder}/dnsproxyd.yaml", f"""
listen: ["127.0.0.1:{port}"]
workers: {workers}
policies: [policies/]
identities: [identities.yaml]
upstreams: [{{servers: ["127.0.0.1:{upstream}"]}}]
cache: {{size: {cache}}}
feed: {{socket: feed.sock, journal: journal}}
admin: {{socket: admin.sock, http: null, health: null}}
log: {{level: warning}}
{extra}
""")
        command = [*prefix, os.path.abspath(program), "serve", "-c", config]
        return port, self.start(folder, command, port, self.cores(workers))

    def quickstart(self, program):
        """dnsproxyd with Examples/quickstart."""
        port = free_port()
        folder = self.path(f"quickstart-{port}")
        shutil.copytree(os.path.join(HERE, "../../Examples/quickstart"), folder)
        path = os.path.join(folder, "dnsproxyd.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(":5355", f":{port}").replace("/tmp/dnsproxyd-quickstart/", ""))
        return port, self.start(f"quickstart-{port}", [os.path.abspath(program), "serve", "-c", path], port,
                                self.server_core, asked="api.shop.example")

    def status(self, port):
        """What the dnsproxyd at a port says of itself."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.path(f"dnsproxyd-{port}/admin.sock"))
            connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            data = b""
            while part := connection.recv(65536):
                data += part
        return json.loads(data.split(b"\r\n\r\n", 1)[1])

    def unbound(self, upstream, messages="64m", records="128m", threads=1):
        """unbound with room for so much, as a forwarder that validates nothing."""
        port = free_port()
        config = self.write(f"unbound-{port}.conf", f"""
server:
  interface: 127.0.0.1@{port}
  port: {port}
  num-threads: {threads}
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.path('unbound.pid')}"
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: {messages}
  rrset-cache-size: {records}
  incoming-num-tcp: 100
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
""")
        return port, self.start("unbound", [find("unbound"), "-d", "-p", "-c", config], port, self.cores(threads))

    def dnsmasq(self, upstream, room=2 * NAMES):
        """dnsmasq with room for `room` answers."""
        port = free_port()
        command = [find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-resolv",
                   "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}",
                   f"--server=127.0.0.1#{upstream}", f"--cache-size={room}", "--dns-forward-max=2000",
                   f"--user={os.environ.get('USER') or 'root'}"]
        return port, self.start(f"dnsmasq-{port}", command, port, self.server_core)

    def dnsdist(self, upstream, room=2 * NAMES, threads=1):
        """dnsdist with a packet cache for `room` answers, or without one; a listener for each thread."""
        port = free_port()
        lines = [f'{"addLocal" if n else "setLocal"}("127.0.0.1:{port}", {{reusePort=true}})' for n in range(threads)]
        lines += ['setACL({"127.0.0.0/8"})', f'newServer({{address="127.0.0.1:{upstream}", name="nsd"}})',
                  # Always, without asking for it once a second.
                  "getServer(0):setUp()"]
        if room:
            lines += [f"cache = newPacketCache({room}, {{maxTTL=86400}})", 'getPool(""):setCache(cache)']
        config = self.write(f"dnsdist-{port}.conf", "\n".join(lines) + "\n")
        command = [find("dnsdist"), "-C", config, "--supervised", "--disable-syslog"]
        return port, self.start(f"dnsdist-{port}", command, port, self.cores(threads))

    def echo(self, threads=1):
        """The floor that the kernel sets."""
        port = free_port()
        return port, self.start(f"echo-{port}", [self.compile("echo", "-lpthread"), str(port), str(threads)], port,
                                self.cores(threads))

    def forward(self, upstream, sockets):
        """The floor of forwarding from so many sockets at a time."""
        port = free_port()
        return port, self.start(f"forward-{port}", [self.compile("forward"), str(port), str(upstream), str(sockets)], port,
                                self.server_core)

    def compile(self, name, *libraries):
        """The path of a program in C that is beside this file."""
        program = self.path(f"{name}-program")
        if not os.path.exists(program):
            source = os.path.join(HERE, f"{name}.c")
            subprocess.run([find("cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, *libraries],
                           check=True)
        return program

    def cores(self, threads):
        """The cores of a server with so many threads; the second one shares that of the clients."""
        return self.server_core if threads == 1 else f"{self.server_core},{self.client_core}"

    def stop(self, process):
        """Ends one process."""
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def dnsperf(self, port, *arguments, queries=None, core=None):
        """Runs dnsperf on the client's core and returns its figures by their names."""
        result = subprocess.run(
            ["taskset", "-c", str(core or self.client_core), find("dnsperf"), "-s", "127.0.0.1", "-p", str(port),
             "-d", queries or self.queries, *arguments], capture_output=True, text=True, check=True)
        figures = {}
        for line in result.stdout.splitlines():
            name, colon, value = line.strip().partition(":")
            if colon and value.strip():
                figures[name.strip()] = value.strip()
        return figures

    def load(self, port, name, count, core=None, **options):
        """Runs the load generator beside this file, which says what the options are, and returns its figures."""
        command = ["taskset", "-c", str(core or self.client_core), self.compile("load", "-lm"), str(port), name,
                   str(count), *(f"{key}={value}" for key, value in options.items())]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def warm(self, port, code="NOERROR", queries=None, count=NAMES, transport="udp"):
        """Asks for every name until all are answered from the cache."""
        for _ in range(3):
            figures = self.dnsperf(port, "-n", "1", "-c", "1", "-q", "20", "-t", "10", "-m", transport,
                                   queries=queries)
        if not figures["Response codes"].startswith(f"{code} {count} "):
            sys.exit(f"not every name is answered: {figures['Response codes']}")


def question(name):
    """A question of type A in wire format."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0\0\1\0\1"


def cpu_seconds(process):
    """CPU time of a process and its children, all threads, user and system, as the scheduler has counted it."""
    total = 0
    for pid in [process.pid, *children(process.pid)]:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as file:
                total += int(file.read().split()[0])
    # Children that have ended meanwhile.
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return total / 1e9 + (int(fields[13]) + int(fields[14])) / TICKS


def resident(process):
    """Bytes of memory that a process occupies."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    sys.exit(f"process {process.pid} has no memory")


def children(pid):
    """The processes that `pid` has started."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]
