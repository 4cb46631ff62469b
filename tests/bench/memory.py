# SPDX-License-Identifier: BSD-2-Clause
"""memory -- time to the first answer, bytes per record, one changed record, at rest

Memory is what no file backs, summed over a server's processes with shared
pages counted once (Pss_Anon and Pss_Shmem). Nothing is pinned here: who can
use a second core may.
"""
import json
import os
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import threading
import time

from servers import BENCH, TITLES, TOOLS, TOP, Server, ask, have, kilobytes, query, zones_of

PEERS = ("rootward", "nsd", "knot")
IDLE = 4000
REPEATS = 3


def bound(rows, text, value, limit, form="{:.2f}"):
    """A line with a figure of ours and its bound; remembers what falls short."""
    good = value <= limit
    print(f"  rootward: {text} {form.format(value)}, to reach {form.format(limit)}: "
          f"{'yes' if good else 'NO'}")
    if not good:
        rows.append(f"{text}: {form.format(value)}, to reach {form.format(limit)}")


def started(name, zones, probes, repeats=REPEATS):
    """(median seconds to the first answers, bytes) of some starts."""
    seconds, sizes = [], []
    for _ in range(repeats):
        server = Server(name, zones)
        try:
            seconds.append(server.start(probes))
            time.sleep(0.3)
            sizes.append(server.anonymous())
        finally:
            server.stop()
    return statistics.median(seconds), statistics.median(sizes)


def starts(names, short):
    for title, folder, records in (("1,000,000 records in one file", "big", 1000000),
                                   ("10,000 zones of 10 records", "many", 100000)):
        zones = zones_of(folder)
        probes = [zones[i][0] for i in (0, len(zones) // 2, -1)]
        print(f"\n{title}: start to first answer, memory")
        for name in names:
            seconds, size = started(name, zones, probes)
            print(f"  {TITLES[name]:9} {seconds:6.2f} s {size / 1e6:8.1f} MB "
                  f"{size / records:6.0f} bytes per record")
            if name != "rootward":
                continue
            if folder == "big":
                bound(short, "1 M records, seconds to first answer", seconds, 1.0)
                bound(short, "bytes per record", size / records, 120, "{:.0f}")
            else:
                bound(short, "10,000 zones, seconds to first answer", seconds, 0.4)
                bound(short, "10,000 zones, MB", size / 1e6, 65, "{:.1f}")


class Peak(threading.Thread):
    """Samples a server's memory until it is told to end."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.is_over = server, 0, False

    def run(self):
        while not self.is_over:
            pids = self.server.pids()
            if len(pids) == 1: # the cheap way, which does not hold up the server
                now = kilobytes(pids[0], "status", ("RssAnon", "RssShmem"))
                time.sleep(0.01)
            else:
                now = self.server.anonymous()
                time.sleep(0.1)
            self.most = max(self.most, now)


def changed_zone(path, new):
    """The zone file with the next serial and one more record."""
    with open(path, encoding="ascii") as file:
        text = file.read()
    text = text.replace(" 2026010101 ", " 2026010102 ", 1)
    with open(new, "w", encoding="ascii") as out:
        out.write(text + "brand-new IN A 192.0.2.99\n")


def one_change(name):
    """(seconds to the new answer, longest wait in ms, questions lost, memory peak over rest)"""
    folder = os.path.join(BENCH, "run", "change")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "big.test.zone")
    source = os.path.join(BENCH, "big/big.test.zone")
    shutil.copyfile(source, path)
    changed_zone(source, path + ".new")
    past = time.time() - 100
    os.utime(path, (past, past))
    server = Server(name, [("big.test", path)])
    try:
        server.start(["big.test"])
        time.sleep(1)
        rest = server.anonymous()
        load = subprocess.Popen(
            [os.path.join(TOOLS, "load"), "--json", "--rate", "2000", "--seconds", "8",
             "--timeout", "5000", "--rcode", "0", "127.0.0.1", str(server.port),
             os.path.join(BENCH, "big.hit")], stdout=subprocess.PIPE, text=True)
        peak = Peak(server)
        peak.start()
        time.sleep(1.5)
        os.rename(path + ".new", path)
        began = time.monotonic()
        server.reload()
        seconds = None
        while time.monotonic() - began < 6:
            if ask(server.port, "brand-new.big.test", 1, 5.0) == (0, 1):
                seconds = time.monotonic() - began
                break
            time.sleep(0.002)
        report = json.loads(load.communicate(timeout=60)[0])
        peak.is_over = True
        peak.join()
        wrong = report["lost"] + report["mismatched"] + report["unexpected"]
        return seconds, report["longest-us"] / 1e3, wrong, peak.most / max(rest, 1)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def changes(names, short):
    print("\none record of 1,000,000 changed, SIGHUP, under 2,000 questions per second")
    for name in names:
        seconds, wait, lost, times = one_change(name)
        print(f"  {TITLES[name]:9} new answer after {'-' if seconds is None else f'{seconds:.2f}'}"
              f" s, longest wait {wait:.1f} ms, lost or wrong {lost:.0f}, peak memory {times:.2f}"
              " times that at rest")
        if name == "rootward":
            bound(short, "changed record, seconds", 99 if seconds is None else seconds, 1.1)
            bound(short, "longest wait meanwhile, ms", wait, 10, "{:.1f}")
            bound(short, "peak memory, times", times, 2.1)
            bound(short, "lost or wrong while a zone changed", lost, 0, "{:.0f}")


def open_idle(port, count):
    """Connections that have asked once and been answered."""
    idle = []
    asked = query("small.test", 6)
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), 5)
        one.sendall(struct.pack(">H", len(asked)) + asked)
        idle.append(one)
        if len(one.recv(4096)) < 14:
            raise OSError("no answer over TCP")
    return idle


def connections(names, short):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f"skipped: idle connections: {hard} descriptors are allowed")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    print(f"\nbytes per idle TCP connection, of {IDLE}")
    ours = {"tcp-connections": 20000, "tcp-per-client": 20000, "tcp-idle": "60s"}
    for name in names:
        server = Server(name, zones_of("small"), options=ours)
        idle = []
        try:
            server.start(["small.test"])
            time.sleep(0.3)
            first = open_idle(server.port, 16) # what is allocated once
            idle += first
            before = server.anonymous()
            idle += open_idle(server.port, IDLE)
            time.sleep(0.5)
            each = (server.anonymous() - before) / IDLE
            print(f"  {TITLES[name]:9} {each:8.0f}")
            if name == "rootward":
                bound(short, "bytes per idle connection", each, 320, "{:.0f}")
        except OSError as why:
            print(f"  {TITLES[name]:9} after {len(idle)} connections: {why}")
            if name == "rootward":
                short.append(f"idle connections: {why}")
        finally:
            for one in idle:
                one.close()
            server.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def at_rest(short):
    """The zones that come with the tree, as conf/quickstart.yaml serves them."""
    folder = os.path.join(TOP, "zones")
    if not os.path.isdir(folder):
        print("skipped: quickstart: no zones/ here")
        return
    zones = [(file[:-5], os.path.join(folder, file))
             for file in sorted(os.listdir(folder)) if file.endswith(".zone")]
    seconds, size = started("rootward", zones, [origin for origin, _ in zones], 9)
    print(f"\nquickstart zones ({len(zones)}): answers after {seconds * 1e3:.1f} ms, "
          f"{size / 1e6:.2f} MB at rest")
    bound(short, "quickstart, ms to first answer", seconds * 1e3, 20, "{:.1f}")
    bound(short, "quickstart, MB at rest", size / 1e6, 3)


def run(args):
    names = [name for name in PEERS if name in args.peer and have(name)]
    short = []
    starts(names, short)
    changes(names, short)
    connections(names, short)
    if "rootward" in names:
        at_rest(short)
    return short
