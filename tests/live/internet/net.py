# SPDX-License-Identifier: BSD-2-Clause
"""net.py -- the little Internet as a thing to switch on: two networks, a cable, servers, faults

The world's network has all addresses on its loopback; home is joined to it by a pair of veth,
as 192.0.2.2 and 2001:db8:53::2. What runs at home reaches everything through that one cable.
"""
import collections
import contextlib
import json
import os
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import namespaces
import oddities
import rig
import servers
import wire
from namespaces import Forbidden
from servers import Failed, Process
from world import ROLES, World

HERE = os.path.dirname(os.path.abspath(__file__))
HOME4, HOME6, GATE4, GATE6 = '192.0.2.2', '2001:db8:53::2', '192.0.2.1', '2001:db8:53::1'
OUTSIDER = '203.0.113.66'           # a client that nobody allowed anything
NOWHERE = '02:00:00:00:00:99'       # frames to this address are nobody's
PORTS = {'rootward': 53, 'unbound': 5301, 'bind': 5302}


def peer(program):
    path = os.path.join(rig.PEERS, program)
    return path if os.access(path, os.X_OK) else None


def have(resolver):
    return bool(peer({'bind': 'named'}.get(resolver, resolver)))


def answers(host, port=53, name='.', kind='NS', make=socket.socket):
    """Whether somebody there replies to a question."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with make(family, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        with contextlib.suppress(OSError):
            s.connect((host, port))
            s.send(wire.query(name, kind, flags=wire.RD))
            return bool(s.recv(65535))
    return False


class Counted:
    """Queries that passed the cable towards the world while this was in use."""

    def __init__(self):
        self.by_address, self.names = collections.Counter(), collections.Counter()
        self.frames = 0

    def see(self, packet):
        version = packet[0] >> 4 if packet else 0
        if version == 4:
            head, protocol, to = (packet[0] & 15) * 4, packet[9], socket.inet_ntoa(packet[16:20])
        elif version == 6:
            head, protocol = 40, packet[6]
            to = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        else:
            return
        self.frames += 1
        if protocol == socket.IPPROTO_UDP:
            port, = struct.unpack('!H', packet[head + 2:head + 4])
            with contextlib.suppress(wire.Bad, struct.error, IndexError):
                if port == 53:
                    question = wire.Message(packet[head + 8:]).question[0]
                    self.by_address[to] += 1
                    self.names[wire.text(question[0]).lower()] += 1
        elif protocol == socket.IPPROTO_TCP and packet[head + 13:head + 14] == b'\x02':
            self.by_address[to] += 1        # a connection that is opened

    def queries(self):
        return sum(self.by_address.values())


class Internet:
    """with Internet(folder) as net: ... after namespaces.enter(), in one thread.

    net.behaviours: label -> oddities.Oddity (name, about, questions()); net.domains: the domains;
    net.roots: addresses of the root's servers; net.hints: the path of a hints file.
    """

    def __init__(self, folder, shared=rig.SHARED, limit=None):
        self.folder = folder
        self.world = World(shared, limit)
        self.behaviours = oddities.BY_LABEL
        self.domains, self.roots = self.world.domains, self.world.roots
        self.running, self.residents, self.downs = [], {}, set()
        self.here = self.there = None
        self.hints = os.path.join(folder, 'root.hints')

    # -- on and off --

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        if not peer('nsd'):
            raise Forbidden('no NSD here: tests/bench/peers unpacks it')
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.here, self.there = namespaces.new_network()
        try:
            self.lay_cable()
        except RuntimeError as e:
            raise Forbidden('networks joined by veth: %s' % e) from e
        resolv = servers.put(os.path.join(self.folder, 'resolv.conf'),
                             'nameserver 127.0.0.1\noptions attempts:2 timeout:3\n')
        self.has_resolv = namespaces.over(resolv, '/etc/resolv.conf')
        with open(self.hints, 'w') as f:
            for n in self.world.root_names:
                f.write('. 3600000 NS %s.\n' % n)
                f.writelines('%s. 3600000 %s %s\n' % (n, oddities.kind_of(a), a)
                             for a in self.world.glue[n])
        for role in ROLES:
            folder = self.make_folder('nsd-' + role)
            listen = self.world.addresses[role]
            conf = servers.nsd_conf(folder, self.world.zones[role], listen)
            self.running.append(Process('NSD ' + role, [peer('nsd'), '-d', '-c', conf],
                                        folder + '/log', lambda a=listen[-1]: answers(a)).start())
        self.start_responder()
        for process in self.running:
            process.wait()
        return self

    def start_responder(self):
        folder = self.make_folder('responder')
        rows = os.path.join(folder, 'rows.json')
        servers.put(rows, json.dumps(self.world.responder_rows()))
        log = folder + '/log'
        process = Process('responder', [sys.executable, os.path.join(HERE, 'responder.py'), rows],
                          log, lambda: process.log().startswith('ready'))
        self.running.append(process.start())

    def stop(self):
        for name in list(self.residents):
            self.evict(name)
        for process in self.running:
            process.stop()
        self.running = []
        for descriptor in (self.here, self.there):
            if descriptor is not None:
                os.close(descriptor)
        self.here = self.there = None

    def make_folder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    # -- networks --

    @contextlib.contextmanager
    def at_home(self):
        """Sockets made within are home's, for good."""
        namespaces.setns(self.there)
        try:
            yield
        finally:
            namespaces.setns(self.here)

    def home(self, command, before=None, **popen):
        """A command at home, as subprocess.run() does it. before: called just before it begins."""
        def arrive():
            namespaces.setns(self.there)
            if before:
                before()

        return subprocess.run(command, preexec_fn=arrive, **popen)

    def ip(self, lines, home=False):
        """Commands of ip, a line each."""
        run = self.home if home else subprocess.run
        done = run(['ip', '-batch', '-'], input='\n'.join(lines) + '\n', text=True,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(done.stdout.strip().splitlines()[0] if done.stdout else 'ip failed')

    def lay_cable(self):
        made = subprocess.run(['ip', 'link', 'add', 'name', 'cable', 'type', 'veth', 'peer', 'name',
                               'uplink', 'netns', '/proc/self/fd/%d' % self.there],
                              pass_fds=[self.there], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            raise RuntimeError(made.stdout.strip())
        self.ip(['link set lo up'] + [self.add(a) for a in self.world.local() + [OUTSIDER]])
        self.plug()
        with contextlib.suppress(RuntimeError):     # what nobody has is lost, not reported
            self.ip(['route add blackhole ::/0 metric 9999'])
        self.ip(['link set lo up', 'link set uplink up', 'addr add %s/24 dev uplink' % HOME4,
                 'addr add %s/64 dev uplink nodad' % HOME6], home=True)
        self.ip(['route add default via ' + GATE4, 'route add default via ' + GATE6], home=True)

    def plug(self):
        self.ip(['link set cable up', 'addr replace %s/24 dev cable' % GATE4,
                 'addr replace %s/64 dev cable nodad' % GATE6])

    @staticmethod
    def add(address):
        if ':' in address:
            return 'addr add %s/128 dev lo nodad' % address
        return 'addr add %s/32 dev lo' % address

    # -- faults --

    def down(self, *addresses):
        """Those servers are gone: what is sent to them is lost."""
        gone = [a for a in addresses if a not in self.downs]
        self.ip(['addr del %s/%d dev lo' % (a, 128 if ':' in a else 32) for a in gone])
        self.downs.update(gone)

    def up(self, *addresses):
        back = [a for a in addresses or list(self.downs) if a in self.downs]
        self.ip([self.add(a) for a in back])
        self.downs.difference_update(back)

    def uplink(self, is_up):
        """Pulls the cable, or plugs it in again."""
        if is_up:
            self.plug()
        else:
            self.ip(['link set cable down'])

    def family(self, number, is_up):
        """Whether packets of IPv4 or IPv6 reach anything; home's own network looks well."""
        gate = GATE4 if number == 4 else GATE6
        if is_up:
            self.ip(['neigh del %s dev uplink' % gate], home=True)
        else:
            self.ip(['neigh replace %s lladdr %s nud permanent dev uplink' % (gate, NOWHERE)],
                    home=True)

    def latency(self, milliseconds):
        """Delays everything on the cable; raises Forbidden where the kernel has no netem."""
        done = subprocess.run(['tc', 'qdisc', 'replace', 'dev', 'cable', 'root', 'netem', 'delay',
                               '%dms' % milliseconds], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Forbidden('latency: tc: %s' % done.stdout.strip())

    @contextlib.contextmanager
    def counting(self):
        """Yields a Counted that a thread fills from what passes the cable."""
        counted, end = Counted(), threading.Event()
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            s.bind(('cable', 3))
            s.setblocking(False)

            def watch():
                while not end.is_set() or select.select([s], [], [], 0)[0]:
                    if not select.select([s], [], [], 0.05)[0]:
                        continue
                    with contextlib.suppress(OSError):      # the cable was pulled
                        packet, source = s.recvfrom(2048)
                        if source[2] != socket.PACKET_OUTGOING:
                            counted.see(packet)

            thread = threading.Thread(target=watch)
            thread.start()
            try:
                yield counted
            finally:
                end.set()
                thread.join()

    def packets(self):
        """How many came over the cable into the world so far."""
        with open('/proc/thread-self/net/dev') as f:
            return next(int(line.split()[2]) for line in f if line.strip().startswith('cable:'))

    # -- resolvers at home --

    def settle(self, name, program=None, listen=None, conf=None, **more):
        """Starts a resolver at home: rootward (program: its path; conf: a file, or more: what is to
        differ in its configuration), unbound or bind. Its Process; None without such a program."""
        folder = self.make_folder(name)
        kind = name.split('-')[0]
        port = PORTS[kind]
        if kind == 'rootward':
            listen = listen or ['127.0.0.1@53', '::1@53', '%s@53' % HOME4, '%s@53' % HOME6]
            command = [program, '-c', conf or servers.rootward_conf(folder, listen, more)]
        elif kind == 'unbound':
            command = [peer('unbound'), '-d', '-c', servers.unbound_conf(folder, self.hints, port)]
        else:
            command = [peer('named'), '-f', '-c', servers.bind_conf(folder, self.hints, port)]
        if not command[0]:
            return None

        def ready():
            if kind == 'rootward':
                return 'ready' in process.log()
            return answers('127.0.0.1', port, 'localhost', 'A', self.socket)

        process = Process(name, command, folder + '/log', ready,
                          preexec_fn=lambda: namespaces.setns(self.there))
        self.residents[name] = process
        return process.start().wait()

    def evict(self, name):
        """Ends a resolver at home; its exit code."""
        return self.residents.pop(name).stop()

    def socket(self, *args):
        with self.at_home():
            return socket.socket(*args)

    def ask(self, port, name, kind='A', timeout=12.0, host='127.0.0.1', abroad=None, **more):
        """A reply as wire.Message with .ms, None when none came. abroad: asked from the world, from
        that address."""
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        make = socket.socket if abroad else self.socket
        more.setdefault('flags', wire.RD)
        with make(family, socket.SOCK_DGRAM) as s:
            if abroad:
                s.bind((abroad, 0))
            s.settimeout(timeout)
            began = time.monotonic()
            try:
                s.connect((host, port))
                s.send(wire.query(name, kind, **more))
                reply = wire.Message(s.recv(65535))
            except OSError:
                return None
            reply.ms = (time.monotonic() - began) * 1000
            return reply

    def ask_tcp(self, port, name, kind='A', host='127.0.0.1', **more):
        more.setdefault('flags', wire.RD)
        with self.at_home():
            reply = rig.tcp(host, port, wire.query(name, kind, **more), 12)
        return wire.Message(reply) if isinstance(reply, bytes) else None
