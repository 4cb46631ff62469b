# SPDX-License-Identifier: BSD-2-Clause
"""servers -- starts rootward, its peers and the echo alike, each with one worker

Every server gets a folder of its own, a port on 127.0.0.1 and one core; what
could favour one is off in all: rate limits, query logs, statistics, control
channels that are not needed. Ends only what it started.
"""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BENCH = os.path.join(TOP, "build/bench")
PEERS = os.path.join(TOP, "build/peers/bin")
TOOLS = os.path.join(TOP, "build/plain/tests/bench")
MODULES = os.path.join(TOP, "build/peers/modules")
NAMES = ("echo", "rootward", "nsd", "knot", "powerdns", "bind")
TITLES = {"echo": "echo", "rootward": "rootward", "nsd": "NSD", "knot": "Knot",
          "powerdns": "PowerDNS", "bind": "BIND"}
PROGRAMS = {"echo": os.path.join(TOOLS, "echo"),
            "rootward": os.path.join(TOP, "build/plain/rootward"),
            "nsd": os.path.join(PEERS, "nsd"), "knot": os.path.join(PEERS, "knotd"),
            "powerdns": os.path.join(PEERS, "pdns_server"), "bind": os.path.join(PEERS, "named")}


def have(name):
    return os.access(PROGRAMS[name], os.X_OK)


def free_port():
    """A port that neither UDP nor TCP uses now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


def query(name, rrtype, ident=1, flags=0):
    labels = name.rstrip(".").split(".") if name != "." else []
    wire = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    return struct.pack(">HHHHHH", ident, flags, 1, 0, 0, 0) + wire + struct.pack(">HH", rrtype, 1)


def ask(port, name, rrtype=6, wait=0.5, flags=0):
    """(rcode, number of answers) over UDP, None without a reply. flags: 0x100 is RD."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(wait)
        try:
            udp.connect(("127.0.0.1", port))
            udp.send(query(name, rrtype, flags=flags))
            reply = udp.recv(65535)
        except OSError:
            return None
        return reply[3] & 15, struct.unpack(">H", reply[6:8])[0]


def children(pid):
    """The process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        parents.setdefault(parent, []).append(int(entry))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def kilobytes(pid, table, keys):
    """The sum of some lines of /proc/PID/smaps_rollup or status, in bytes."""
    total = 0
    try:
        with open(f"/proc/{pid}/{table}", encoding="ascii", errors="replace") as lines:
            for line in lines:
                key, _, rest = line.partition(":")
                if key in keys:
                    total += int(rest.split()[0]) * 1024
    except OSError:
        pass
    return total


class Server:
    """One server: zones are pairs of an origin and the path of its file."""

    probe = (6, 0.2)            # type, patience, flags of the question that tells whether it is ready

    def __init__(self, name, zones, core=None, tcp=False, signed=False, options=None):
        self.name, self.zones, self.core, self.tcp = name, zones, core, tcp
        self.signed, self.options = signed, options or {}
        self.port = free_port()
        self.process = None
        runs = os.path.join(BENCH, "run")
        os.makedirs(runs, exist_ok=True)
        self.home = tempfile.mkdtemp(prefix=f"{name}-", dir=runs)
        self.words = getattr(self, "set_" + name)()
        self.started = 0.0

    # -- a configuration each --

    def put(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def set_echo(self):
        return [PROGRAMS["echo"], "tcp" if self.tcp else "udp", "127.0.0.1", str(self.port)]

    def set_rootward(self):
        server = {"listen": [f"127.0.0.1@{self.port}"], "workers": 1,
                  "control": os.path.join(self.home, "control.sock")}
        server.update(self.options)
        zones = [{"name": origin, "file": path} for origin, path in self.zones]
        path = self.put("rootward.yaml",
                        json.dumps({"server": server, "zones": zones, "chain": []}, indent=1))
        return [PROGRAMS["rootward"], "-c", path]

    def set_nsd(self):
        zones = "".join(f'zone:\n  name: "{origin}"\n  zonefile: "{path}"\n'
                        for origin, path in self.zones)
        path = self.put("nsd.conf", f"""server:
  server-count: 1
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.home}"
  database: ""
  pidfile: "{self.home}/nsd.pid"
  zonelistfile: "{self.home}/zone.list"
  xfrdfile: "{self.home}/xfrd.state"
  xfrdir: "{self.home}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  tcp-count: 8000
  tcp-timeout: 60
  verbosity: 0
remote-control:
  control-enable: no
{zones}""")
        return [PROGRAMS["nsd"], "-d", "-c", path]

    def set_knot(self):
        zones = "".join(f"  - domain: {origin}\n    file: {path}\n" for origin, path in self.zones)
        path = self.put("knot.conf", f"""server:
  rundir: {self.home}
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  tcp-max-clients: 8000
  tcp-idle-timeout: 60
database:
  storage: {self.home}
log:
  - target: stderr
    any: error
template:
  - id: default
    zonefile-sync: -1
    journal-content: none
zone:
{zones}""")
        return [PROGRAMS["knot"], "-c", path]

    def set_powerdns(self):
        zones = "".join(f'zone "{origin}" {{ type master; file "{path}"; }};\n'
                        for origin, path in self.zones)
        named = self.put("named.conf", zones)
        database = ""
        if self.signed:
            database = f"bind-dnssec-db={self.home}/dnssec.db\n"
        self.put("pdns.conf", f"""launch=bind
module-dir={MODULES}
bind-config={named}
{database}local-address=127.0.0.1
local-port={self.port}
receiver-threads=1
distributor-threads=1
max-tcp-connections=8000
max-tcp-connections-per-client=0
tcp-idle-timeout=60
socket-dir={self.home}
daemon=no
guardian=no
disable-syslog=yes
loglevel=2
write-pid=no
""")
        if self.signed:
            tool = [os.path.join(PEERS, "pdnsutil"), "--config-dir=" + self.home]
            steps = [["create-bind-db", f"{self.home}/dnssec.db"]]
            steps += [["set-presigned", origin] for origin, _ in self.zones]
            for step in steps:
                subprocess.run(tool + step, check=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=60)
        return [PROGRAMS["powerdns"], "--config-dir=" + self.home]

    def set_bind(self):
        zones = "".join(f'zone "{origin}" {{ type primary; file "{path}"; }};\n'
                        for origin, path in self.zones)
        path = self.put("named.conf", f"""options {{
  directory "{self.home}";
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file "{self.home}/named.pid";
  session-keyfile "{self.home}/session.key";
  recursion no;
  notify no;
  dnssec-validation no;
  empty-zones-enable no;
  querylog no;
  zone-statistics none;
  tcp-clients 8000;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
{zones}""")
        return [PROGRAMS["bind"], "-f", "-n", "1", "-c", path]

    # -- its life --

    def start(self, names, limit=60.0):
        """Seconds from the start until every one of names has been answered."""
        words = self.words
        if self.core is not None:
            words = ["taskset", "-c", str(self.core)] + words
        with open(os.path.join(self.home, "log"), "wb") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.home)
        for name in names:
            while True:
                reply = ask(self.port, name, *self.probe)
                if reply and (reply[0] == 0 and reply[1] or self.name == "echo"):
                    break
                if self.process.poll() is not None or time.monotonic() - began > limit:
                    said = self.log()
                    self.stop()
                    raise RuntimeError(f"{self.name} does not answer for {name}: {said}")
                time.sleep(0.001)
            if self.name == "echo":
                break
        self.started = time.monotonic() - began
        return self.started

    def log(self):
        with open(os.path.join(self.home, "log"), encoding="utf-8", errors="replace") as log:
            return " / ".join(log.read().splitlines()[-3:])[-400:]

    def pids(self):
        return children(self.process.pid)

    def anonymous(self):
        """Bytes of memory that no file backs, shared pages counted once."""
        return sum(kilobytes(pid, "smaps_rollup", ("Pss_Anon", "Pss_Shmem"))
                   for pid in self.pids())

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """Ends it and what it started; returns its exit code."""
        if not self.process:
            return None
        family = self.pids()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(15)
        except subprocess.TimeoutExpired:
            code = None
        for pid in family if code is None else family[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None
        shutil.rmtree(self.home, ignore_errors=True)
        return code


def load(server, questions, *options, core=None, wait=150):
    """One run of the load generator, its report as a dictionary."""
    words = [] if core is None else ["taskset", "-c", str(core)]
    words += [os.path.join(TOOLS, "load"), "--json",
              "--cpu-of", ",".join(str(pid) for pid in server.pids()[:64])]
    words += [str(option) for option in options]
    words += ["127.0.0.1", str(server.port), os.path.join(BENCH, questions)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=wait, check=False)
    if done.returncode:
        raise RuntimeError(f"load against {server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def cpu_ns(pids):
    """Of whole processes, with threads that have ended: Linux' clock of another process."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def dnsperf(server, questions, seconds):
    """TCP as dnsperf asks: 10 connections, 100 questions outstanding over all."""
    pids = server.pids()
    before = cpu_ns(pids)
    done = subprocess.run(
        ["taskset", "-c", "1", "dnsperf", "-m", "tcp", "-s", "127.0.0.1", "-p", str(server.port),
         "-d", os.path.join(BENCH, questions), "-c", "10", "-q", "100", "-l",
         str(max(1, round(seconds)))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=True).stdout
    spent = cpu_ns(pids) - before

    def figure(pattern):
        found = re.search(pattern, done)
        return float(found.group(1)) if found else 0.0
    answered = figure(r"Queries completed:\s+(\d+)")
    return {"cpu-us": spent / 1e3 / max(answered, 1), "answered": answered,
            "qps": figure(r"Queries per second:\s+([\d.]+)"),
            "lost": figure(r"Queries lost:\s+(\d+)"), "mismatched": 0.0,
            "unexpected": answered - figure(r"NOERROR (\d+)"),
            "bytes": figure(r"response (\d+)"), "authorities": 0.0, "longest-us": 0.0}


def zones_of(name):
    """The zones of a set that zonegen made."""
    folder = os.path.join(BENCH, name)
    return [(file[:-4], os.path.join(folder, file))
            for file in sorted(os.listdir(folder)) if file.endswith(".zone")]
