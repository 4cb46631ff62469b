#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""responder.py -- serves the oddities that no sound server can serve

usage: responder.py FILE; FILE (JSON) has a row per server: its address, its zone, that zone's
lines, and its ways ("tc", "lower,notcp", ...), plus an address to forge replies from. "ready" is
printed when all sockets are open. One loop, no memory beyond the questions once lost.
"""
import asyncio
import ipaddress
import json
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import wire  # noqa: E402

QR, AA, TC, RA = wire.QR, wire.AA, wire.TC, wire.RA
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 1, 2, 3, 4, 5
FORGED = '203.0.113.6'


def rdata(kind, text, absolute):
    if kind == 'A':
        return ipaddress.IPv4Address(text).packed
    if kind == 'AAAA':
        return ipaddress.IPv6Address(text).packed
    if kind in ('NS', 'CNAME', 'DNAME'):
        return wire.name(absolute(text))
    if kind == 'MX':
        number, host = text.split()
        return struct.pack('!H', int(number)) + wire.name(absolute(host))
    if kind == 'SOA':
        words = text.split()
        return b''.join(wire.name(absolute(w)) for w in words[:2]) + \
            struct.pack('!5I', *map(int, words[2:]))
    strings = [s.strip('"').encode() for s in text.split()]      # TXT
    return b''.join(bytes([len(s)]) + s for s in strings)


class Zone:
    """Names in lower case; what is at each: type -> list of (ttl, rdata)."""

    def __init__(self, origin, lines):
        self.origin = origin
        self.names = {}
        for line in lines:
            owner, ttl, kind, text = line.split(None, 3)
            data = rdata(kind, text, self.absolute)
            at = self.names.setdefault(self.absolute(owner), {})
            at.setdefault(wire.number(kind), []).append((int(ttl), data))

    def absolute(self, name):
        if name == '@':
            return self.origin
        return name.rstrip('.').lower() if name.endswith('.') else '%s.%s' % (name, self.origin)

    def is_inner(self, name):
        """Has names below and nothing itself."""
        return name not in self.names and any(n.endswith('.' + name) for n in self.names)

    def records(self, name, kind):
        return [(name, kind, ttl, data) for ttl, data in self.names.get(name, {}).get(kind, [])]

    def answer(self, name, kind):
        """(rcode, answer, authority)."""
        out, seen = [], set()
        while name not in seen:
            seen.add(name)
            found = self.records(name, kind)
            if found:
                return 0, out + found, []
            alias = self.records(name, 5)
            if not alias:
                break
            out += alias
            name = wire.text(alias[0][3]).rstrip('.')
            if name != self.origin and not name.endswith('.' + self.origin):
                return 0, out, []
        denied = name not in self.names and not self.is_inner(name)
        return NXDOMAIN if denied else 0, out, self.records(self.origin, 6)


class Query:
    """What is needed of a query; raises wire.Bad."""

    def __init__(self, data):
        self.data, self.message = data, wire.Message(data)
        if len(self.message.question) != 1 or self.message.flags & QR:
            raise wire.Bad('not a query')
        self.spelled, self.kind, self.qclass = self.message.question[0]
        self.name = wire.text(self.spelled).rstrip('.').lower()
        self.edns = self.message.edns
        self.id, self.flags = self.message.id, self.message.flags


def record(name, kind, ttl, data):
    return wire.name(name) + struct.pack('!HHIH', kind, 1, ttl, len(data)) + data


class Reply:
    """A reply that can still be spoiled; bytes() makes it."""

    def __init__(self, query):
        self.query, self.id, self.spelled = query, query.id, query.spelled
        self.flags, self.rcode = QR | AA | (query.flags & 0x7900), 0
        self.answer, self.authority, self.additional, self.options = [], [], [], []
        self.opt, self.question = query.edns is not None, True

    def bytes(self):
        sections = [self.answer, self.authority, self.additional]
        body = b''.join(record(*r) for s in sections for r in s)
        if self.opt:
            body += wire.opt(1232, options=self.options, extended=self.rcode >> 4)
        counts = [len(self.answer), len(self.authority), len(self.additional) + self.opt]
        out = struct.pack('!HHHHHH', self.id, self.flags | (self.rcode & 15), int(self.question),
                          *counts)
        if self.question:
            out += self.spelled + struct.pack('!HH', self.query.kind, self.query.qclass)
        return out + body

    def bare(self, rcode=0, flags=0):
        self.answer, self.authority, self.additional = [], [], []
        self.rcode = rcode
        self.flags |= flags
        return self


class Server:
    """One address with its ways. react() says what is sent, and when."""

    def __init__(self, row):
        self.address, self.forger = row['address'], row['forger']
        self.zone = Zone(row['zone'], row['lines'])
        self.ways = row['ways'].split(',')
        self.victim = row['victim']
        self.lost = set()

    def has(self, way):
        return way in self.ways

    def refer(self, reply, servers, glue):
        reply.bare()
        reply.flags &= ~AA
        reply.authority = [(self.zone.origin, 2, 300, wire.name(n)) for n in servers]
        reply.additional = [(n, 1, 300, ipaddress.IPv4Address(a).packed) for n, a in glue]

    def compose(self, query):
        """The reply as the zone has it, then as this server's ways spoil it."""
        reply = Reply(query)
        reply.rcode, reply.answer, reply.authority = self.zone.answer(query.name, query.kind)
        inner = self.zone.is_inner(query.name)
        if self.has('deny-inner') and inner:
            reply.bare(NXDOMAIN).authority = self.zone.records(self.zone.origin, 6)
        if self.has('refuse-inner') and inner:
            reply.bare(REFUSED)
        if self.has('servfail') or self.has('aaaa-servfail') and query.kind == 28:
            reply.bare(SERVFAIL)
        if self.has('nosoa'):
            reply.authority = []
        if self.has('lower'):
            reply.spelled = query.spelled.lower()
        if self.has('stale'):
            reply.flags = reply.flags & ~AA | RA
            reply.answer = [(n, k, t, ipaddress.IPv4Address(FORGED).packed if k == 1 else d)
                            for n, k, t, d in reply.answer]
        if self.has('refer-self'):
            self.refer(reply, ['ns1.' + self.zone.origin], [('ns1.' + self.zone.origin, self.address)])
        if self.has('refer-many') and 'deep' in query.name:
            self.refer(reply, ['ns%d.%s' % (i, self.victim) for i in range(60)], [])
            reply.authority = [('deep.' + self.zone.origin,) + r[1:] for r in reply.authority]
        if self.has('poison'):
            self.poison(reply)
        self.edns(query, reply)
        return reply

    def poison(self, reply):
        name, address = 'www.' + self.victim, ipaddress.IPv4Address(FORGED).packed
        ns = ('ns1.' + self.zone.origin, 1, 300, address)
        reply.answer = reply.answer + [(name, 1, 300, address)]
        reply.authority = reply.authority + [(self.victim, 2, 300, wire.name(ns[0])),
                                             ('net', 2, 300, wire.name(ns[0]))]
        reply.additional = reply.additional + [(name, 1, 300, address), ns]

    def edns(self, query, reply):
        if not query.edns:
            return
        if self.has('formerr'):
            reply.bare(FORMERR).opt = False
        if self.has('notimp'):
            reply.bare(NOTIMP).opt = False
        if self.has('noopt'):
            reply.opt = False
        if self.has('badvers'):
            reply.bare(16)
        if self.has('cookie'):
            shown = query.message.option(10) or b''
            ours = shown[:8] + b'oddities'
            reply.options = [(10, ours)] if shown else []
            if shown != ours:
                reply.bare(23 if shown else REFUSED)

    def forged(self, query):
        """Replies that are not ours: (bytes, from another port, from another host)."""
        for way, number in (('forge', 40), ('forge-question', 1), ('forge-port', 1),
                            ('forge-host', 1)):
            for _ in range(number if self.has(way) else 0):
                fake = Reply(query)
                fake.answer = [(query.name, 1, 300, ipaddress.IPv4Address(FORGED).packed)]
                if way == 'forge':
                    fake.id = (query.id + random.randint(1, 65535)) & 0xffff
                if way == 'forge-question':
                    fake.spelled = wire.name('other.' + query.name)
                yield fake.bytes(), way == 'forge-port', way == 'forge-host'

    def is_lost(self, query):
        if self.has('silent-edns') and query.edns:
            return True
        if self.has('flaky') and (query.name, query.kind) not in self.lost:
            self.lost.add((query.name, query.kind))
            return True
        return False

    def delay(self):
        for way in self.ways:
            if way.startswith('slow'):
                return int(way[4:]) / 1000
        return 0.02 if any(w.startswith('forge') for w in self.ways) else 0

    def raw(self, query, over):
        """The bytes of the right reply, as far as it is right."""
        if self.has('garbage'):
            return struct.pack('!H', query.id) + os.urandom(60)
        if self.has('mirror'):
            return query.data
        reply = self.compose(query)
        out = reply.bytes()
        if over == 'udp':
            room = max(512, query.edns['payload']) if query.edns else 512
            if self.has('tc') or len(out) > room and not self.has('fat'):
                out = reply.bare(reply.rcode, TC).bytes()
        return out[:-5 - 11 * reply.opt] if self.has('cutshort') else out


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server = server

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        try:
            query = Query(data)
        except (wire.Bad, struct.error, IndexError):
            return
        server, loop = self.server, asyncio.get_running_loop()
        if server.is_lost(query):
            return
        for fake, other_port, other_host in server.forged(query):
            way = server.other_port if other_port else \
                server.other_host if other_host else self.transport
            way.sendto(fake, peer)
        loop.call_later(server.delay(), self.transport.sendto, server.raw(query, 'udp'), peer)


async def stream(server, reader, writer):
    try:
        while True:
            size, = struct.unpack('!H', await reader.readexactly(2))
            query = Query(await reader.readexactly(size))
            if server.has('mutetcp'):
                continue
            await asyncio.sleep(server.delay())
            out = server.raw(query, 'tcp')
            writer.write(struct.pack('!H', len(out)) + out)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, wire.Bad):
        pass
    finally:
        writer.close()


async def main(path):
    with open(path) as f:
        rows = json.load(f)
    loop, kept = asyncio.get_running_loop(), []
    for row in rows:
        server = Server(row)
        await loop.create_datagram_endpoint(lambda s=server: Datagrams(s),
                                            local_addr=(server.address, 53))
        if server.has('forge-port'):
            server.other_port, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(server.address, 5353))
        if server.has('forge-host'):
            server.other_host, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(server.forger, 53))
        if not server.has('notcp'):
            kept.append(await asyncio.start_server(
                lambda r, w, s=server: stream(s, r, w), server.address, 53))
    print('ready', flush=True)
    await asyncio.Event().wait()


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1]))
