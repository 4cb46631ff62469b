# SPDX-License-Identifier: BSD-2-Clause
"""resolver -- what a name costs that is kept, that was never asked for, and what is kept of many

All in a network namespace of its own, where the root, a top-level domain and 1,000 zones below it
are one program (world.c) at addresses of 127/8, port 53. Names are n<i>.z<j>.test: a resolver that
knows the zones asks once for each. The forwarder's upstream is the same program at a leaf.
"""
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time

from servers import BENCH, PEERS, PROGRAMS, TITLES, TOOLS, Server, ask, dnsperf, have, load

ROOT, TOP, LEAF, LEAVES, ZONES = "127.10.0.1", "127.10.0.2", "127.10.1.1", 64, 1000
UPSTREAM = "127.10.1.9"
HINTS = f". 3600000 NS a.root.\na.root. 3600000 A {ROOT}\n"
RESOLVERS = ("rootward", "unbound", "kresd", "recursor", "bind", "dnsmasq")
TITLES.update(unbound="Unbound", kresd="Knot R.", recursor="PowerDNS", dnsmasq="dnsmasq")
PROGRAMS.update(unbound=os.path.join(PEERS, "unbound"), kresd=os.path.join(PEERS, "kresd"),
                recursor=os.path.join(PEERS, "pdns_recursor"), dnsmasq=os.path.join(PEERS, "dnsmasq"))
HOT = 5000
# title, questions, peer to beat, to reach, goal over echo; cold ones need fresh names each time
MIXES = {
    "hit": ("cache hit, UDP", "hot", "unbound", 0.8, 1.1),
    "hit-tcp": ("cache hit, TCP", "hot", "bind", 0.5, 1.2),
    "cold": ("never seen, recursion", "cold", "kresd", 0.85, None),
    "forward": ("never seen, forwarded", "cold", "kresd", 0.85, None),
}


class Resolver(Server):
    """A server that resolves; is_forwarder: by asking one other."""

    probe = (1, 1.0, 0x100)

    def __init__(self, name, is_forwarder=False, size="64MB", chain=None, **more):
        self.is_forwarder, self.size, self.chain = is_forwarder, size, chain
        super().__init__(name, [], **more)

    def set_rootward(self):
        hints = self.put("hints", HINTS)
        chain = self.chain or [{"isp": {"kind": "forward", "to": [UPSTREAM]}} if self.is_forwarder else
                               {"root": {"kind": "recurse"}}]
        path = self.put("rootward.yaml", json.dumps({
            "server": {"listen": [f"127.0.0.1@{self.port}"], "workers": 1,
                       "control": os.path.join(self.home, "control.sock")},
            "root": {"hints": hints, "query-loopback": True}, "cache": {"size": self.size},
            "special-use": {"all": "off"}, "chain": chain}, indent=1))
        return [PROGRAMS["rootward"], "-c", path]

    def set_unbound(self):
        hints = self.put("hints", HINTS)
        forward = f'forward-zone:\n name: "."\n forward-addr: {UPSTREAM}\n' if self.is_forwarder else ""
        path = self.put("unbound.conf", f"""server:
 interface: 127.0.0.1@{self.port}
 access-control: 127.0.0.0/8 allow_snoop
 do-not-query-localhost: no
 num-threads: 1
 username: ""
 chroot: ""
 directory: "{self.home}"
 pidfile: ""
 use-syslog: no
 verbosity: 0
 module-config: "iterator"
 root-hints: "{hints}"
 local-zone: "test." nodefault
 outgoing-range: 8192
 num-queries-per-thread: 4096
 incoming-num-tcp: 200
 edns-buffer-size: 1232
 qname-minimisation: yes
 msg-cache-size: {int(self.size[:-2]) // 3}m
 rrset-cache-size: {int(self.size[:-2]) * 2 // 3}m
 trust-anchor-signaling: no
remote-control:
 control-enable: no
{forward}""")
        return [PROGRAMS["unbound"], "-d", "-c", path]

    def set_bind(self):
        hints = self.put("hints", HINTS)
        forward = f"forward only; forwarders {{ {UPSTREAM}; }};" if self.is_forwarder else ""
        root = "" if self.is_forwarder else f'zone "." {{ type hint; file "{hints}"; }};'
        path = self.put("named.conf", f"""options {{
  directory "{self.home}";
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile "{self.home}/session.key";
  recursion yes;
  allow-recursion {{ any; }};
  dnssec-validation no;
  empty-zones-enable no;
  recursive-clients 20000;
  tcp-clients 200;
  max-cache-size {self.size[:-2]}m;
  managed-keys-directory "{self.home}";
  {forward}
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
{root}
""")
        return [PROGRAMS["bind"], "-4", "-f", "-n", "1", "-c", path]

    def set_recursor(self):
        hints = self.put("hints", HINTS)
        forward = f"forward-zones-recurse=.={UPSTREAM}\n" if self.is_forwarder else ""
        self.put("recursor.conf", f"""local-address=127.0.0.1
local-port={self.port}
allow-from=127.0.0.0/8
dont-query=
hint-file={hints}
threads=1
pdns-distributes-queries=no
daemon=no
disable-syslog=yes
loglevel=2
quiet=yes
socket-dir={self.home}
write-pid=no
dnssec=off
security-poll-suffix=
max-tcp-clients=200
tcp-fast-open=0
max-cache-entries=300000
max-packetcache-entries=200000
max-mthreads=8192
serve-rfc1918=no
{forward}""")
        return [PROGRAMS["recursor"], "--config-dir=" + self.home]

    def set_kresd(self):
        hints = self.put("hints", HINTS)
        forward = f"policy.add(policy.all(policy.FORWARD('{UPSTREAM}')))" if self.is_forwarder else \
            "policy.add(policy.all(policy.PASS))"  # .test is a special-use name otherwise
        path = self.put("kresd.conf", f"""net.listen('127.0.0.1', {self.port})
cache.open({self.size[:-2]} * MB, 'lmdb://{self.home}')
modules.unload('ta_update') modules.unload('ta_signal_query') modules.unload('priming')
modules.unload('ta_sentinel') modules.unload('detect_time_skew') modules.unload('detect_time_jump')
trust_anchors.remove('.')
modules = {{ 'hints' }}
hints.root({{ ['a.root.'] = '{ROOT}' }})
option('ALLOW_LOCAL', true)
net.ipv6 = false
{forward}
""")
        return [PROGRAMS["kresd"], "-n", "-c", path, self.home]

    def set_dnsmasq(self):
        # -d: it stays who it is, for in a namespace it may not change its groups
        return [PROGRAMS["dnsmasq"], "-d", "-C", "/dev/null", "-p", str(self.port), "-a", "127.0.0.1", "-z",
                "-R", "-S", UPSTREAM, "-c", "10000", "--dns-forward-max=10000", "--pid-file=", "--log-facility=-"]


class World:
    """root, top and leaves."""

    def __enter__(self):
        self.process = subprocess.Popen(
            ["taskset", "-c", "1", os.path.join(TOOLS, "world"), ROOT, TOP, LEAF, str(LEAVES)],
            stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("world did not start")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def count(self):
        """Questions since the last time."""
        self.process.send_signal(signal.SIGUSR1)
        return sum(json.loads(self.process.stdout.readline()).values())


def enter():
    """Runs this program again in a namespace; returns when it is in one."""
    if os.environ.get("BENCH_NAMESPACE") == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    test = subprocess.run(["unshare", "-rn", "true"], stderr=subprocess.DEVNULL, check=False)
    if test.returncode:
        print("skipped: resolvers: this kernel gives no network namespace")
        return False
    done = subprocess.run(["unshare", "-rn", sys.executable, *sys.argv],
                          env=dict(os.environ, BENCH_NAMESPACE="1"), check=False)
    sys.exit(done.returncode)


class Names:
    """Names that nobody has asked for yet."""

    def __init__(self):
        self.next, self.chance = 0, random.Random(1)

    def fresh(self, n, path):
        with open(os.path.join(BENCH, path), "w", encoding="ascii") as out:
            for i in range(self.next, self.next + n):
                out.write(f"n{i}.z{self.chance.randrange(ZONES)}.test A\n")
        self.next += n
        return path


def zones_of_all(path="warm.questions"):
    with open(os.path.join(BENCH, path), "w", encoding="ascii") as out:
        for i in range(ZONES):
            out.write(f"w.z{i}.test A\n")
    return path


def hot(path="hot.questions"):
    with open(os.path.join(BENCH, path), "w", encoding="ascii") as out:
        for i in range(HOT):
            out.write(f"h{i}.z{i % ZONES}.test A\n")
    return path


def start(name, mix, **more):
    server = Resolver(name, is_forwarder=mix == "forward", core=0, tcp=mix == "hit-tcp", **more)
    if name == "echo":
        hot()
        server.start([])
        return server
    server.start(["w.z0.test"])
    load(server, zones_of_all(), "--recursion", "--count", ZONES, "--window", 8, core=1)
    if mix.startswith("hit"):
        load(server, hot(), "--recursion", "--count", HOT, "--window", 8, core=1)
    return server


def one(server, mix, names, args, world):
    n = 4000 if args.quick else 20000
    if mix == "hit":
        report = load(server, "hot.questions", "--recursion", "--warm", args.seconds / 5, "--seconds", args.seconds,
                      "--rcode", 0, "--answers", 0 if server.name == "echo" else 1, core=1)
    elif mix == "hit-tcp":
        report = dnsperf(server, "hot.questions", args.seconds)
    else:
        world.count()
        report = load(server, names.fresh(n, "cold.questions"), "--recursion", "--count", n, "--sockets", 8, "--window", 16,
                      "--rcode", 0, "--answers", 1, "--timeout", 3000, core=1)
        report["upstream"] = world.count() / n
    report["wrong"] = report["lost"] + report["mismatched"]
    if server.name != "echo":
        report["wrong"] += report["unexpected"]
    return report


def measure(mix, who, args, world, names):
    reports = {name: [] for name in who}
    rounds = 0
    while rounds < args.pairs:
        running = []
        for name in who:
            try:
                running.append(start(name, mix))
            except (RuntimeError, subprocess.SubprocessError) as why:
                print(f"run: {MIXES[mix][0]}: {why}", file=sys.stderr)
        try:
            for _ in range(-(-args.pairs // args.instances)):
                if rounds == args.pairs:
                    break
                turn = running[rounds % len(running):] + running[:rounds % len(running)]
                for server in turn:
                    reports[server.name].append(one(server, mix, names, args, world))
                rounds += 1
        finally:
            for server in running:
                server.stop()
        who = [server.name for server in running]
    return reports


def ratio(reports, above, below):
    pairs = list(zip(reports.get(above, ()), reports.get(below, ())))
    return statistics.median(a["cpu-us"] / b["cpu-us"] for a, b in pairs) if pairs else None


def middle(reports, name, key):
    return statistics.median(r[key] for r in reports[name]) if reports.get(name) else None


def shown(value, form="{:.2f}"):
    return "-" if value is None else form.format(value)


def table(args, world, names, short):
    who = [name for name in ("echo",) + RESOLVERS if have(name)]
    for name in RESOLVERS:
        if not have(name):
            print(f"skipped: {TITLES[name]}: not there (see ./dev peers)")
    print(f"CPU microseconds of the resolver per answered query, medians of {args.pairs} interleaved runs")
    print(f"{'mix':24}" + "".join(f"{TITLES[name]:>9}" for name in who) + "   ratio to     to reach   to echo  goal")
    for mix, (title, kind, peer, factor, goal) in MIXES.items():
        mine = [name for name in who if not (name == "echo" and kind == "cold") and
                not (name == "dnsmasq" and mix in ("cold", "hit-tcp"))]
        reports = measure(mix, mine, args, world, names)
        beat, over = ratio(reports, "rootward", peer), ratio(reports, "rootward", "echo")
        print(f"{title:24}" + "".join(f"{shown(middle(reports, name, 'cpu-us')):>9}" for name in who) +
              f"   {TITLES[peer]:8} {shown(beat)} {factor:.2f} "
              f"{'' if beat is None else 'yes' if beat <= factor else 'NO':4}{shown(over):>9} {shown(goal):>6}")
        if kind == "cold":
            print(f"{'  questions upstream':24}" +
                  "".join(f"{shown(middle(reports, name, 'upstream')):>9}" for name in who))
        for name, all_of in reports.items():
            wrong = sum(r["wrong"] for r in all_of)
            if wrong:
                print(f"  wrong: {TITLES[name]}: {wrong:.0f} lost or wrong")
                if name == "rootward":
                    short.append(f"{title}: {wrong:.0f} lost or wrong")
        if beat is not None and beat > factor:
            short.append(f"{title}: {beat:.2f} of {TITLES[peer]}, to reach {factor}")


def five_links(args, world, short):
    """A hit behind five links against one behind one."""
    hosts = os.path.join(BENCH, "hosts")
    with open(hosts, "w", encoding="ascii") as out:
        out.write("127.0.0.1 localhost\n192.0.2.1 box.lan\n")
    five = [{"browser": {"kind": "cache", "ttl-max": "60s"}}, {"os": {"kind": "hosts", "files": [hosts]}},
            {"router": {"kind": "forward", "to": [UPSTREAM], "zones": ["lan."]}},
            {"isp": {"kind": "forward", "to": []}}, {"root": {"kind": "recurse"}}]
    ratios = []
    for _ in range(args.instances):
        both = [start("rootward", "hit"), start("rootward", "hit", chain=five)]
        try:
            for i in range(-(-args.pairs // args.instances)):
                turn = {s: one(s, "hit", None, args, world)["cpu-us"] for s in (both if i % 2 else both[::-1])}
                ratios.append(turn[both[1]] / turn[both[0]])
        finally:
            for server in both:
                server.stop()
    value = statistics.median(ratios)
    print(f"a hit in a chain of five links costs {value:.3f} times one in a chain of one (to reach 1.05)")
    if value > 1.05:
        short.append(f"five links: {value:.3f}, to reach 1.05")


def memory(args, world, names, short):
    """64 MB of cache and many names: what is taken, and what of them is still told without RD."""
    n = 300_000 if args.quick else 10_000_000 if args.long else 2_000_000
    for part in range(n // 100_000):
        names.fresh(100_000, f"many{part}.questions")
    rows = {}
    for name in ("rootward", "unbound"):
        if not have(name):
            continue
        server = start(name, "cold")
        empty = server.anonymous()
        lost = 0
        for part in range(n // 100_000):
            report = load(server, f"many{part}.questions", "--recursion", "--count", 100_000, "--sockets", 8, "--window", 16,
                          "--timeout", 3000, core=1, wait=600)
            lost += report["lost"]
        full = server.anonymous()
        probe = random.Random(2)
        told = 0
        for part in range(n // 100_000):
            with open(os.path.join(BENCH, f"many{part}.questions"), encoding="ascii") as lines:
                sample = probe.sample(lines.read().splitlines(), 200)
            told += sum(bool((r := ask(server.port, line.split()[0], 1)) and r[1]) for line in sample)
        rows[name] = told / (n // 100_000 * 200) * n
        print(f"{TITLES[name]:9} {n:,} names asked, 64 MB: {empty / 1e6:.1f} MB empty, {full / 1e6:.1f} MB full, "
              f"{rows[name]:,.0f} names still told, {lost:.0f} lost")
        if name == "rootward" and full > 64e6 * 1.048576 * 1.15 + 32e6:
            short.append(f"memory: {full / 1e6:.0f} MB with a cache of 64 MB")
        server.stop()
    for part in range(n // 100_000):
        os.unlink(os.path.join(BENCH, f"many{part}.questions"))
    if len(rows) == 2 and rows["rootward"] < rows["unbound"]:
        short.append(f"memory: {rows['rootward']:,.0f} names kept, Unbound {rows['unbound']:,.0f}")


def run(args):
    short = []
    if not enter():
        return short
    names = Names()
    with World() as world:
        table(args, world, names, short)
        five_links(args, world, short)
        memory(args, world, names, short)
    return short
