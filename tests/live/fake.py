# SPDX-License-Identifier: BSD-2-Clause
"""fake.py -- a world of played servers in a network of the test's own, each at port 53 of an address of
loopback, and a resolver in it. What a server says is a function; what it was asked is counted.
"""
import collections
import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, 'internet')]
import namespaces
import responder
import rig
import wire

ROOT, TEST = '127.1.0.1', '127.1.0.2'


def apart(tally):
    """Goes on in a network of its own with nothing but loopback; ends the test where that is forbidden."""
    try:
        folder = namespaces.enter('rootward-fake-')
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        return folder
    except (namespaces.Forbidden, OSError, subprocess.CalledProcessError) as e:
        tally.skip('a network of its own', e)
        return tally.end()


def rr(owner, kind, text, ttl=60):
    """A record for the sections of a Reply. Names are absolute."""
    return (owner.rstrip('.'), wire.number(kind), ttl, responder.rdata(kind, text, lambda n: n.rstrip('.')))


def soa(zone, ttl=60):
    return rr(zone, 'SOA', 'ns.%s. h.%s. 1 3600 600 86400 %d' % (zone, zone, ttl), ttl)


def answer(query, *records):
    reply = responder.Reply(query)
    reply.answer = list(records)
    return reply


def referral(query, zone, servers, ttl=300):
    """servers: names, or (name, address)."""
    reply = responder.Reply(query)
    reply.flags &= ~wire.AA
    for server in servers:
        name, *addresses = (server,) if isinstance(server, str) else server
        reply.authority.append(rr(zone, 'NS', name, ttl))
        reply.additional += [rr(name, 'AAAA' if ':' in a else 'A', a, ttl) for a in addresses]
    return reply


def denial(query, zone, rcode=0):
    reply = responder.Reply(query)
    reply.rcode, reply.authority = rcode, [soa(zone)]
    return reply


def above(cuts):
    """What a server says that has nothing but delegations: zone -> servers. Longest zone first."""
    def react(query):
        for zone, servers in sorted(cuts.items(), key=lambda c: -len(c[0])):
            if query.name == zone or query.name.endswith('.' + zone):
                return referral(query, zone, servers)
        return denial(query, '', responder.NXDOMAIN if query.name else 0)
    return react


class World:
    """servers: address -> function(Query) -> Reply, bytes, (seconds, Reply), or None for silence.

    loss: of so many datagrams one is lost, each way; limit: longer datagrams are lost.
    """

    def __init__(self, servers):
        self.counts, self.names = collections.Counter(), collections.Counter()
        self.tcp = collections.Counter()
        self.seen = []              # (address, name, port of the asker, query), while is_recording
        self.is_recording = False
        self.drops = lambda size: False
        self.later, self.lock = [], threading.Lock()
        self.servers, self.by_fd = {}, {}
        self.poll = select.epoll()
        self.is_over = False
        for address, react in servers.items():
            self.add(address, react)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def add(self, address, react):
        self.servers[address] = react
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        one.bind((address, 53))
        one.setblocking(False)
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 53))
        listener.listen(256)
        self.by_fd[one.fileno()] = (address, one)
        self.poll.register(one, select.EPOLLIN)
        threading.Thread(target=self.streams, args=(address, listener), daemon=True).start()

    def made(self, address, data, is_tcp):
        """(seconds, bytes or None)"""
        with contextlib.suppress(wire.Bad, struct.error, IndexError):
            query = responder.Query(data)
            query.is_tcp, query.address = is_tcp, address
            self.counts[address] += 1
            self.names[query.name] += 1
            out, after = self.servers[address](query), 0
            if isinstance(out, tuple):
                after, out = out
            return after, out.bytes() if isinstance(out, responder.Reply) else out
        return 0, None

    def run(self):
        while not self.is_over:
            wait = 0.05
            if self.later:
                wait = max(0, min(wait, self.later[0][0] - time.monotonic()))
            for fd, _ in self.poll.poll(wait):
                address, one = self.by_fd[fd]
                with contextlib.suppress(BlockingIOError):
                    for _ in range(64):
                        self.take(address, one, *one.recvfrom(4096))
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                _, one, data, peer = self.later.pop(0)
                with contextlib.suppress(OSError):
                    one.sendto(data, peer)

    def take(self, address, one, data, peer):
        if self.drops(len(data)):
            return
        after, out = self.made(address, data, False)
        if self.is_recording:
            self.seen.append((address, wire.text(wire.Message(data).question[0][0]).lower(), peer[1], data))
        if out is None or self.drops(len(out)):
            return
        if after:
            self.later.append((time.monotonic() + after, one, out, peer))
            self.later.sort(key=lambda x: x[0])
        else:
            with contextlib.suppress(OSError):
                one.sendto(out, peer)

    def streams(self, address, listener):
        while True:
            peer, _ = listener.accept()
            self.tcp[address] += 1
            threading.Thread(target=self.stream, args=(address, peer), daemon=True).start()

    def stream(self, address, peer):
        with peer, contextlib.suppress(OSError, struct.error):
            peer.settimeout(5)
            while (data := rig.read_frame(peer)):
                after, out = self.made(address, data, True)
                time.sleep(after)
                if out is not None:
                    peer.sendall(rig.frame(out))

    def forget(self):
        self.counts.clear(), self.names.clear(), self.tcp.clear(), self.seen.clear()


def resolver(args, folder, extra=None, root=(ROOT,), **more):
    """The daemon, with these addresses as its only root servers. test. is a name like others."""
    hints = os.path.join(folder, 'hints')
    with open(hints, 'w') as f:
        f.write('. 3600 NS a.root.\n' + ''.join(
            'a.root. 3600 %s %s\n' % ('AAAA' if ':' in a else 'A', a) for a in root))
    base = {'chain': [{'root': {'kind': 'recurse'}}], 'special-use': {'all': 'off'},
            'root': {'hints': hints, 'query-loopback': True}, 'access': {'recursion': ['loopback']}}
    for key, value in (extra or {}).items():
        base[key] = dict(base[key], **value) if isinstance(base.get(key), dict) else value
    return rig.Server(args, kind='rootward', extra=base, **more)


class Load:
    """Questions at a rate, from a few sockets; how each was answered, and when."""

    def __init__(self, server, questions, rate, sockets=8, patience=6.0):
        self.took, self.status, self.sent, self.host = {}, {}, {}, server
        self.questions, self.rate, self.patience = questions, rate, patience
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(sockets)]
        for one in self.sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            one.connect((server.host, server.port))
            one.setblocking(False)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        began, n, total = time.monotonic(), 0, len(self.questions)
        while True:
            now = time.monotonic()
            due = min(total, int((now - began) * self.rate) + 1) if self.rate else total
            while n < due:
                name, kind = self.questions[n]
                self.sent[n] = time.monotonic()
                with contextlib.suppress(OSError):
                    self.sockets[n % len(self.sockets)].send(
                        wire.query(name, kind, flags=wire.RD, edns=True, ident=n & 0xffff))
                n += 1
            next_due = began + n / self.rate if self.rate and n < total else now + 0.05
            readable, _, _ = select.select(self.sockets, [], [], max(0, min(0.05, next_due - time.monotonic())))
            for one in readable:
                with contextlib.suppress(OSError):
                    while True:
                        data = one.recv(4096)
                        self.heard(data)
            if n == total and (len(self.took) == total or
                               time.monotonic() - self.sent[total - 1] > self.patience):
                break
        for one in self.sockets:
            one.close()

    def heard(self, data):
        at = struct.unpack('!H', data[:2])[0]       # at most 65,536 questions a Load
        if at in self.sent and at not in self.took:
            self.took[at] = time.monotonic() - self.sent[at]
            self.status[at] = data[3] & 15

    def end(self):
        self.thread.join()
        return self

    def good(self):
        return sum(s in (0, 3) for s in self.status.values())

    def percentile(self, share):
        """Of all that were asked; what was not answered took as long as was waited."""
        took = sorted(list(self.took.values()) + [self.patience] * (len(self.questions) - len(self.took)))
        return took[min(len(took) - 1, int(share * len(took)))]


def sockets_to(pid, address):
    """UDP sockets that wait for a reply from that address, as the kernel lists them."""
    wanted = '%08X:0035' % struct.unpack('=I', socket.inet_aton(address))[0]
    with open('/proc/%d/net/udp' % pid) as f:
        return sum(line.split()[2] == wanted for line in f)
