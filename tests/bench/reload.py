# SPDX-License-Identifier: BSD-2-Clause
"""reload -- SIGHUPs at half of peak load lose no question

Each signal follows a change of a zone file, so that there is something to do.
"""
import json
import os
import shutil
import subprocess
import time

from servers import BENCH, TITLES, TOOLS, Server, ask, have, load, zones_of


def bump(path, serial):
    with open(path, encoding="ascii") as file:
        text = file.read()
    at = text.index(" hostmaster ") + len(" hostmaster ")
    end = text.index(" ", at)
    with open(path + ".new", "w", encoding="ascii") as out:
        out.write(text[:at] + str(serial) + text[end:])
    os.rename(path + ".new", path)


def one_server(name, times):
    folder = os.path.join(BENCH, "run", "reload")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "small.test.zone")
    shutil.copyfile(zones_of("small")[0][1], path)
    server = Server(name, [("small.test", path)], core=0)
    try:
        server.start(["small.test"])
        peak = load(server, "small.hit", "--seconds", 1, core=1)["qps"]
        running = subprocess.Popen(
            ["taskset", "-c", "1", os.path.join(TOOLS, "load"), "--json", "--rate",
             str(int(peak / 2)), "--window", "4096", "--seconds", str(times), "--timeout", "3000",
             "--rcode", "0", "--answers", "1", "127.0.0.1", str(server.port),
             os.path.join(BENCH, "small.hit")], stdout=subprocess.PIPE, text=True)
        began = time.monotonic()
        for i in range(times):
            time.sleep(max(0.0, began + i + 0.5 - time.monotonic()))
            bump(path, 2026010200 + i)
            server.reload()
        report = json.loads(running.communicate(timeout=times + 30)[0])
        alive = ask(server.port, "small.test", wait=2) is not None
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    lost = report["lost"] - report["own-drops"]
    wrong = report["mismatched"] + report["unexpected"]
    print(f"  {TITLES[name]:9} {report['sent']:.0f} questions at {peak / 2:.0f} per second: "
          f"lost {lost:.0f}, wrong {wrong:.0f}, own receive errors {report['own-drops']:.0f}, "
          f"longest wait {report['longest-us'] / 1e3:.1f} ms")
    return max(lost, 0) + wrong + (not alive)


def run(args):
    times = 5 if args.quick else 60
    print(f"\n{times} reloads in {times} s at half of peak load")
    names = [name for name in ("rootward", "nsd", "knot") if name in args.peer and have(name)]
    bad = {name: one_server(name, times) for name in names}
    return [f"reload: {bad['rootward']:.0f} lost or wrong"] if bad.get("rootward") else []
