# SPDX-License-Identifier: BSD-2-Clause
"""wire.py -- DNS messages for the live tests: made by hand, read by a parser of its own.

The parser shares nothing with the daemon's. A record is the tuple (owner, type, class, ttl,
rdata) with names uncompressed and in lower case, so that sections compare as sets.
"""
import os
import struct

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'RP': 17,
         'AFSDB': 18, 'AAAA': 28, 'LOC': 29, 'SRV': 33, 'NAPTR': 35, 'KX': 36, 'DNAME': 39,
         'OPT': 41, 'DS': 43, 'SSHFP': 44, 'RRSIG': 46, 'NSEC': 47, 'DNSKEY': 48, 'NSEC3': 50,
         'NSEC3PARAM': 51, 'TLSA': 52, 'SVCB': 64, 'HTTPS': 65, 'ZONEMD': 63, 'CAA': 257,
         'TSIG': 250, 'IXFR': 251, 'AXFR': 252, 'ANY': 255}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 4: 'NOTIMP', 5: 'REFUSED',
          6: 'YXDOMAIN', 9: 'NOTAUTH', 10: 'NOTZONE', 16: 'BADVERS', 23: 'BADCOOKIE'}
# What of the RDATA is a name: bytes before it, how many names; the rest follows as it is.
EMBEDDED = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1), 17: (0, 2), 18: (2, 1),
            33: (6, 1), 36: (2, 1), 39: (0, 1), 46: (18, 1), 47: (0, 1)}
# Types whose names may be compressed: those of RFC 1035 only (RFC 3597, section 4).
COMPRESSIBLE = {2, 5, 6, 12, 15}
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10


class Bad(Exception):
    """The message breaks the format."""


def labels(text):
    """The labels of a name in presentation form, escapes undone."""
    if isinstance(text, bytes):
        text = text.decode('latin-1')
    if text in ('.', ''):
        return []
    out, label, i = [], bytearray(), 0
    while i < len(text):
        c = text[i]
        if c == '\\' and text[i + 1:i + 4].isdigit():
            label.append(int(text[i + 1:i + 4]))
            i += 4
        elif c == '\\':
            label.append(ord(text[i + 1]))
            i += 2
        elif c == '.':
            out.append(bytes(label))
            label = bytearray()
            i += 1
        else:
            label.append(ord(c))
            i += 1
    if label:
        out.append(bytes(label))
    return out


def name(text):
    """A name's uncompressed wire form."""
    return b''.join(bytes([len(x)]) + x for x in labels(text)) + b'\0'


def split(wire):
    """The labels of an uncompressed wire name."""
    out, i = [], 0
    while wire[i]:
        out.append(wire[i + 1:i + 1 + wire[i]])
        i += 1 + wire[i]
    return out


def join(parts):
    return b''.join(bytes([len(x)]) + x for x in parts) + b'\0'


def text(wire):
    """An uncompressed wire name as text."""
    out = ''
    for label in split(wire):
        for c in label:
            if c in b'.\\":;()@$ ':
                out += '\\' + chr(c) if c != 32 else '\\032'
            elif 33 <= c <= 126:
                out += chr(c)
            else:
                out += '\\%03d' % c
        out += '.'
    return out or '.'


def number(qtype):
    if isinstance(qtype, int):
        return qtype
    return TYPES[qtype] if qtype in TYPES else int(qtype.replace('TYPE', ''))


def opt(payload=1232, do=False, version=0, options=(), extended=0, z=0, owner=b'\0'):
    body = b''.join(struct.pack('!HH', c, len(v)) + v for c, v in options)
    return owner + struct.pack('!HHBBHH', 41, payload, extended, version,
                               (0x8000 if do else 0) | z, len(body)) + body


def query(qname, qtype='A', qclass=1, edns=False, do=False, payload=1232, options=(),
          flags=0, ident=None, version=0):
    """A query; edns is implied by do and options."""
    if ident is None:
        ident = struct.unpack('!H', os.urandom(2))[0]
    with_opt = edns or do or bool(options)
    wire = qname if isinstance(qname, bytes) else name(qname)
    out = struct.pack('!HHHHHH', ident, flags, 1, 0, 0, 1 if with_opt else 0)
    out += wire + struct.pack('!HH', number(qtype), qclass)
    if with_opt:
        out += opt(payload, do, version, options)
    return out


class Message:
    """A parsed message. pointers: every compression target; foul: rules of format it breaks."""

    def __init__(self, data):
        self.data, self.pointers, self.foul = data, [], []
        if len(data) < 12:
            raise Bad('shorter than a header')
        (self.id, self.flags, *counts) = struct.unpack('!HHHHHH', data[:12])
        self.counts = counts
        self.at, self.question, self.edns, self.options = 12, [], None, []
        for _ in range(counts[0]):
            qname = self._name()
            self.question.append((qname,) + struct.unpack('!HH', self._take(4)))
        self.answer, self.authority, self.additional = ([self._record() for _ in range(n)]
                                                        for n in counts[1:])
        if self.at != len(data):
            self.foul.append('%d bytes after the message' % (len(data) - self.at))
        self.additional = [r for r in self.additional if not self._is_opt(r)]
        self.rcode = self.flags & 15
        if self.edns:
            self.rcode |= self.edns['extended'] << 4

    def _take(self, n):
        if self.at + n > len(self.data):
            raise Bad('ends within a field')
        self.at += n
        return self.data[self.at - n:self.at]

    def _name(self, lower=False):
        out, at, back, total = [], self.at, None, 0
        while True:
            if at >= len(self.data):
                raise Bad('ends within a name')
            n = self.data[at]
            if n >= 0xc0:
                target = struct.unpack('!H', self.data[at:at + 2])[0] & 0x3fff
                if back is None:
                    back = at + 2
                if target >= at:
                    raise Bad('a pointer that does not go back')
                self.pointers.append((at, target))
                at = target
            elif n > 63:
                raise Bad('label type')
            else:
                out.append(self.data[at + 1:at + 1 + n])
                at += 1 + n
                total += 1 + n
                if total > 255:
                    raise Bad('name too long')
                if n == 0:
                    break
        self.at = at if back is None else back
        wire = join(out[:-1])
        return wire.lower() if lower else wire

    def _record(self):
        owner = self._name(lower=True)
        rtype, rclass, ttl, n = struct.unpack('!HHIH', self._take(10))
        end = self.at + n
        if end > len(self.data):
            raise Bad('RDATA ends outside the message')
        if rtype == 41:
            return self._opt(owner, rclass, ttl, end)
        if rtype in EMBEDDED and n:
            before, names = EMBEDDED[rtype]
            seen = len(self.pointers)
            rdata = self._take(before) + b''.join(self._name(lower=True) for _ in range(names))
            if len(self.pointers) > seen and rtype not in COMPRESSIBLE:
                self.foul.append('a compressed name in type %d' % rtype)
            if self.at > end:
                raise Bad('names longer than their RDATA')
            rdata += self.data[self.at:end]
        else:
            rdata = self.data[self.at:end]
        self.at = end
        return (owner, rtype, rclass, ttl, rdata)

    def _opt(self, owner, payload, ttl, end):
        if self.edns:
            self.foul.append('two OPT')
        self.edns = {'payload': payload, 'extended': ttl >> 24, 'version': ttl >> 16 & 255,
                     'do': bool(ttl & 0x8000), 'z': ttl & 0x7fff, 'owner': owner}
        while self.at < end:
            code, n = struct.unpack('!HH', self._take(4))
            self.options.append((code, self._take(n)))
        return (owner, 41, payload, ttl, b'')

    @staticmethod
    def _is_opt(record):
        return record[1] == 41

    def option(self, code):
        for c, value in self.options:
            if c == code:
                return value
        return None

    @property
    def ede(self):
        """The info code of the first extended error (RFC 8914), or None."""
        value = self.option(15)
        return struct.unpack('!H', value[:2])[0] if value else None

    def sets(self, ttl=True):
        """answer, authority, additional as sets."""
        if ttl:
            return tuple(frozenset(s) for s in (self.answer, self.authority, self.additional))
        return tuple(frozenset(r[:3] + r[4:] for r in s)
                     for s in (self.answer, self.authority, self.additional))

    @property
    def status(self):
        return RCODES.get(self.rcode, str(self.rcode))

    def types(self, section):
        return sorted({r[1] for r in getattr(self, section)})

    def brief(self):
        flags = ' '.join(n for n, b in (('QR', QR), ('AA', AA), ('TC', TC), ('RD', RD),
                                        ('RA', RA), ('AD', AD), ('CD', CD)) if self.flags & b)
        return '%s %s an%d au%d ar%d %d' % (self.status, flags, len(self.answer),
                                            len(self.authority), len(self.additional),
                                            len(self.data))


def record(line):
    """The record that a line 'OWNER TTL TYPE DATA' stands for; its RDATA made by dnspython."""
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    owner, ttl, kind, data = line.split(None, 3)
    rtype = dns.rdatatype.from_text(kind)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, rtype, data).to_wire()
    return (name(owner).lower(), int(rtype), 1, int(ttl), rdata)


def show(record):
    """One record for a report."""
    owner, rtype, rclass, ttl, rdata = record
    kind = NAMES.get(rtype, 'TYPE%d' % rtype)
    if rtype in (2, 5, 12, 39):
        body = text(rdata)
    elif rtype == 1 and len(rdata) == 4:
        body = '.'.join(map(str, rdata))
    elif rtype == 46:
        body = '%s ...' % NAMES.get(struct.unpack('!H', rdata[:2])[0], '?')
    elif rtype == 47:
        end = rdata.index(b'\0') if 0 in rdata else 0
        body = text(join(name_prefix(rdata))) + ' ...' if end else rdata.hex()
    else:
        body = rdata.hex()[:60]
    return '%s %d %s %s' % (text(owner), ttl, kind, body)


def name_prefix(wire):
    """The labels of the name that RDATA begins with."""
    out, i = [], 0
    while wire[i]:
        out.append(wire[i + 1:i + 1 + wire[i]])
        i += 1 + wire[i]
    return out


def name_length(wire, at=0):
    i = at
    while wire[i]:
        i += 1 + wire[i]
    return i + 1 - at


def order(wire):
    """Sort key of RFC 4034, section 6.1."""
    return [label.lower() for label in reversed(split(wire))]
