# SPDX-License-Identifier: BSD-2-Clause
"""proof.py -- is a signed answer proven? A validator's view of one reply (RFC 4035 5, RFC 5155 8).

Signatures are checked by dnspython, the proofs of denial by the rules here, which share
nothing with the daemon's: every name is taken apart and put in order anew.
"""
import base64
import hashlib
import struct

import dns.dnssec
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

import wire

NS, CNAME, SOA, DNAME, DS, RRSIG, NSEC, NSEC3 = 2, 5, 6, 39, 43, 46, 47, 50


def keys_of(origin, text):
    """The DNSKEY set in a signed zone's text, for dnspython."""
    rows = [line.split() for line in text.splitlines() if not line.startswith(';')]
    rows = [r for r in rows if 'DNSKEY' in r[:5] and 'RRSIG' not in r[:5]]
    keys = ['%s' % ' '.join(r[r.index('DNSKEY') + 1:]).split(';')[0] for r in rows]
    name = dns.name.from_text(origin)
    return {name: dns.rrset.from_text_list(name, 3600, 'IN', 'DNSKEY', keys)}


def bitmap(data):
    out, at = set(), 0
    while at < len(data):
        window, n = data[at], data[at + 1]
        for i in range(n * 8):
            if data[at + 2 + i // 8] & (0x80 >> i % 8):
                out.add(window * 256 + i)
        at += 2 + n
    return out


def parents(name):
    """The name and all above it, nearest first."""
    parts = wire.split(name)
    return [wire.join(parts[i:]) for i in range(len(parts) + 1)]


def below(name, top):
    return name != top and top in parents(name)


def star(name):
    return b'\1*' + name


class Denial:
    """The NSEC or NSEC3 records of an authority section, those of one zone of many."""

    def __init__(self, records, zone, zones):
        records = [r for r in records if max((z for z in zones if z in parents(r[0])), key=len,
                                             default=None) == zone]
        self.zone, self.nsec, self.nsec3, self.params = zone, [], [], set()
        for owner, rtype, _, _, rdata in records:
            if rtype == NSEC:
                n = wire.name_length(rdata)
                self.nsec.append((owner, rdata[:n].lower(), bitmap(rdata[n:])))
            elif rtype == NSEC3:
                algorithm, flags, rounds, n = struct.unpack('!BBHB', rdata[:5])
                salt, rest = rdata[5:5 + n], rdata[5 + n:]
                self.params.add((algorithm, rounds, salt))
                label = wire.split(owner)[0].decode().upper()
                own = base64.b32decode(label.translate(str.maketrans(
                    '0123456789ABCDEFGHIJKLMNOPQRSTUV', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')))
                self.nsec3.append((own, rest[1:1 + rest[0]], bitmap(rest[1 + rest[0]:]), flags & 1))

    def hash(self, name):
        _, rounds, salt = next(iter(self.params))
        out = hashlib.sha1(name.lower() + salt).digest()
        for _ in range(rounds):
            out = hashlib.sha1(out + salt).digest()
        return out

    def match(self, name):
        """The types at the name, when a record matches it."""
        name = name.lower()
        if self.nsec:
            return next((types for owner, _, types in self.nsec if owner == name), None)
        if not self.nsec3:
            return None
        h = self.hash(name)
        return next((types for own, _, types, _ in self.nsec3 if own == h), None)

    def cover(self, name):
        """(next name or None, opt-out) of the record that covers the name; None without one."""
        name = name.lower()
        if self.nsec:
            key = wire.order(name)
            for owner, after, _ in self.nsec:
                a, b = wire.order(owner), wire.order(after)
                if a < key and (key < b or after == self.zone):
                    return after, False
            return None
        if not self.nsec3:
            return None
        h = self.hash(name)
        for own, after, _, optout in self.nsec3:
            if own < h < after or (after <= own and (h > own or h < after)):
                return None, bool(optout)
        return None

    def encloser(self, name):
        """(closest encloser, next closer name), proven or implied; None without proof."""
        chain = [p for p in parents(name.lower()) if p == self.zone or below(p, self.zone)]
        if self.nsec:
            got = self.cover(name)
            if not got:
                return None
            owner = next(o for o, after, _ in self.nsec if self.cover(name) == (after, False)
                         and wire.order(o) < wire.order(name.lower()))
            shared = [p for p in chain[1:] if p in parents(owner) or p in parents(got[0])]
            return shared[0], chain[chain.index(shared[0]) - 1]
        for i, p in enumerate(chain):
            if i and self.match(p) is not None:
                return p, chain[i - 1]
        return None

    def no_name(self, name):
        found = self.encloser(name)
        if not found:
            return 'no closest encloser for %s' % wire.text(name)
        if not self.cover(found[1]):
            return 'next closer %s not covered' % wire.text(found[1])
        if not self.cover(star(found[0])):
            return 'wildcard at %s not covered' % wire.text(found[0])
        return None

    def no_type(self, name, qtype):
        types = self.match(name)
        if types is not None:
            if qtype in types or CNAME in types:
                return 'the type is there'
            if NS in types and SOA not in types and qtype != DS:
                return 'a proof from the parent\'s side of a cut'
            return None
        got = self.cover(name)
        if got and got[0] is not None and below(got[0], name.lower()):
            return None     # an empty non-terminal
        found = self.encloser(name)
        if not found:
            return 'neither match nor closest encloser for %s' % wire.text(name)
        closer = self.cover(found[1])
        if not closer:
            return 'next closer %s not covered' % wire.text(found[1])
        types = self.match(star(found[0]))
        if types is not None:
            return 'the wildcard has the type' if qtype in types or CNAME in types else None
        got = self.cover(star(found[0]))
        if got and got[0] is not None and below(got[0], star(found[0])):
            return None     # the wildcard is an empty non-terminal
        if closer[1]:
            return None     # opt-out: nothing is said about it
        return 'no proof about the wildcard at %s' % wire.text(found[0])

    def no_ds(self, cut):
        types = self.match(cut)
        if types is not None:
            return None if NS in types and DS not in types and SOA not in types else 'types at the cut'
        found = self.encloser(cut)
        if self.nsec or not found:
            return 'no match for the cut'
        closer = self.cover(found[1])
        return None if closer and closer[1] else 'no opt-out span over the cut'


VALID = {}      # what was validated once


def signatures(m, keys):
    """Faults of the signatures in answer and authority."""
    out, parsed = [], dns.message.from_wire(m.data)
    dnames = [r.name for r in parsed.answer if r.rdtype == DNAME]
    for title, section in (('answer', parsed.answer), ('authority', parsed.authority)):
        for rrset in section:
            if rrset.rdtype == RRSIG:
                continue
            zone = max((z for z in keys if rrset.name.is_subdomain(z)), default=None,
                       key=lambda z: len(z.labels))
            if zone is None:
                continue
            if rrset.rdtype == NS and (title == 'authority' or rrset.name != zone):
                if rrset.name != zone:
                    continue
            if rrset.rdtype == CNAME and any(rrset.name.is_subdomain(d) and rrset.name != d
                                             for d in dnames):
                continue
            sigs = [r for r in section if r.rdtype == RRSIG and r.name == rrset.name
                    and r.covers == rrset.rdtype]
            if not sigs:
                out.append('no RRSIG for %s %s' % (rrset.name, dns.rdatatype.to_text(rrset.rdtype)))
                continue
            if sigs[0].ttl != rrset.ttl:
                out.append('RRSIG of %s: another TTL' % rrset.name)
            parent = {z: k for z, k in keys.items() if rrset.rdtype != DS or z != rrset.name}
            seen = (rrset.name, frozenset(rrset), frozenset(sigs[0]), frozenset(parent))
            if seen not in VALID:
                try:
                    dns.dnssec.validate(rrset, sigs[0], parent)
                    VALID[seen] = None
                except dns.dnssec.ValidationFailure as e:
                    VALID[seen] = '%s %s: %s' % (rrset.name, dns.rdatatype.to_text(rrset.rdtype), e)
            if VALID[seen]:
                out.append(VALID[seen])
    return out


def last_name(m):
    """Where the chain of aliases ends."""
    at = m.question[0][0].lower()
    targets = {r[0]: r[4] for r in m.answer if r[1] == CNAME}
    seen = set()
    while at in targets and m.question[0][1] != CNAME and at not in seen:
        seen.add(at)
        at = targets[at].lower()
    return at


def faults(m, keys, zones):
    """What a validator would object to. zones: the origins of all signed zones, wire form."""
    out = signatures(m, keys)
    qtype, name = m.question[0][1], last_name(m)
    inside = [z for z in zones if z in parents(name)]
    if not inside:
        return out
    zone = max(inside, key=len)
    soa = [r[0] for r in m.authority if r[1] == SOA]
    if soa:
        zone = soa[0]
    elif qtype == DS and zone == name:
        zone = max((z for z in inside if z != name), key=len, default=zone)
    denial = Denial(m.authority, zone, zones)
    if len(denial.params) > 1:
        out.append('two NSEC3 chains')
    final = [r for r in m.answer if r[0] == name and (r[1] == qtype or qtype == 255)]
    cuts = [r[0] for r in m.authority if r[1] == NS and r[0] not in zones or
            r[1] == NS and not m.flags & wire.AA]
    if m.rcode == 3:
        out.append(denial.no_name(name))
    elif m.rcode == 0 and cuts and not soa:
        if not [r for r in m.authority if r[1] == DS]:
            out.append(denial.no_ds(cuts[0]))
    elif m.rcode == 0 and not final and soa:
        out.append(denial.no_type(name, qtype))
    elif m.rcode == 0 and not final:
        out.append('neither data nor SOA nor referral')
    # Answers made from wildcards: that no nearer name exists.
    for owner, rtype, _, _, rdata in m.answer:
        parts = wire.split(owner)
        if rtype == RRSIG and rdata[3] < len(parts) - (parts[:1] == [b'*']) and owner != b'\0':
            closer = wire.join(parts[len(parts) - rdata[3] - 1:])
            signer = rdata[18:18 + wire.name_length(rdata, 18)].lower()
            here = Denial(m.authority, signer, zones)
            if not (here.cover(closer) or here.nsec and here.cover(owner)):
                out.append('wildcard answer for %s: nothing says that no nearer name exists' %
                           wire.text(owner))
    return [x for x in out if x]
