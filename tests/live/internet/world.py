# SPDX-License-Identifier: BSD-2-Clause
"""world.py -- what the little Internet holds: names, servers, addresses; the same for the same input

The root is the one given, the zones of its top-level domains and 10,000 domains below are made up
from the lists in ../shared/data. Each zone is served by one of five NSDs: root, top, odd (oddities.net
alone), leaf and lame (which has no zone); so nobody answers out of what another should know.
"""
import collections
import hashlib
import ipaddress
import os
import random

import oddities

# The root's servers have moved since the root zone given was made: resolvers know these.
NEWER_ROOTS = {'b.root-servers.net': ['170.247.170.2', '2801:1b8:10::b']}
ROLES = ('root', 'top', 'odd', 'leaf', 'lame')
HOSTERS = 40
HOSTER_TOPS = ['com', 'net', 'org', 'de', 'co.uk', 'jp', 'fr', 'com.br', 'ru', 'info']
SHARES = {'dead': 0.03, 'closed': 0.01, 'lame': 0.01, 'root': 0.005, 'v6': 0.005}


def draw(*words):
    """Random numbers that depend on the words alone."""
    return random.Random(hashlib.sha256(' '.join(map(str, words)).encode()).digest())


class Pool:
    """Addresses of one use: n of IPv4, n of IPv6, handed out in turn."""

    def __init__(self, net, n):
        v4, v6 = ipaddress.ip_address('5.53.%d.0' % net), ipaddress.ip_address('2a05:53:%x::' % net)
        self.by_family = {4: [str(v4 + i) for i in range(1, n + 1)],
                          6: [str(v6 + i) for i in range(1, n + 1)]}
        self.turn = {4: 0, 6: 0}

    def all(self):
        return self.by_family[4] + self.by_family[6]

    def next(self, family):
        ring = self.by_family[family]
        self.turn[family] += 1
        return ring[(self.turn[family] - 1) % len(ring)]


class World:
    """zones: role -> {origin: lines}; addresses: role -> those it listens on; domains; roots."""

    def __init__(self, shared, limit=None):
        data = os.path.join(shared, 'data')
        with open(os.path.join(data, 'top-domains.txt')) as f:
            self.domains = f.read().split()[:limit]
        self.zones = {role: {} for role in ROLES}
        self.pools = {'leaf': Pool(1, 48), 'lame': Pool(2, 8), 'dead': Pool(3, 6),
                      'closed': Pool(4, 2), 'registry': Pool(5, 12), 'odd': Pool(6, 2),
                      'responder': Pool(10, 80)}
        self.origins = set()
        self.read_root(os.path.join(data, 'root.zone'))
        self.make_tops()
        self.make_hosters()
        self.make_oddities()
        for domain in self.domains:
            if domain not in self.zones['root']:        # root-servers.net is popular, too
                self.make_domain(domain)
        self.place_hosts()
        self.addresses = {'root': self.roots, 'leaf': self.pools['leaf'].all(),
                          'lame': self.pools['lame'].all(), 'odd': self.pools['odd'].all(),
                          'top': sorted(self.top_addresses) + self.pools['registry'].all()}
        # NSD counts its own: an address may stand for two servers' names.
        self.addresses['top'] = [a for a in self.addresses['top'] if a not in set(self.roots)]
        self.closed = self.pools['closed'].all()

    # -- the root --

    def read_root(self, path):
        self.ns, self.glue, lines = collections.defaultdict(list), {}, []
        with open(path) as f:
            for line in f:
                owner, _, _, kind, value = line.split(None, 4)
                lines.append(line.rstrip('\n'))
                if kind == 'NS':
                    self.ns[owner.lower().rstrip('.')].append(value.strip().lower().rstrip('.'))
                elif kind in ('A', 'AAAA'):
                    self.glue.setdefault(owner.lower().rstrip('.'), []).append(value.strip())
        self.root_names = self.ns['']
        self.roots = sorted({a for n in self.root_names for a in self.glue[n]} |
                            {a for more in NEWER_ROOTS.values() for a in more})
        soa = '@ 172800 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400'
        ns = ['@ 172800 NS %s.' % n for n in self.root_names]
        self.zones['root'] = {'': lines, 'arpa': [soa] + ns, 'root-servers.net': [soa] + ns + [
            '%s. 518400 %s %s' % (n, oddities.kind_of(a), a)
            for n in self.root_names for a in self.glue[n]]}

    # -- top-level domains, and what lies between them and the domains: co.uk and the like --

    def make_tops(self):
        needed = {d.rsplit('.', 1)[1] for d in self.domains + HOSTER_ZONES}
        while True:
            more = needed | {n.rsplit('.', 1)[1] for t in needed for n in self.ns[t]}
            if more == needed:
                break
            needed = more
        self.tops = sorted(needed)
        self.top_addresses, self.hosts = set(), {}
        for top in self.tops:
            self.open_zone('top', top, self.ns[top], 172800)
            for n in self.ns[top]:
                self.hosts[n] = self.glue.get(n, [])
                self.top_addresses.update(self.hosts[n])
        self.zones['top']['net'] += ['root-servers.net. 172800 NS %s.' % n for n in self.root_names]
        for n in self.root_names:
            self.zones['top']['net'] += ['%s. 172800 %s %s' % (n, oddities.kind_of(a), a)
                                         for a in self.glue[n]]
        between = {d.split('.', 1)[1] for d in self.domains + HOSTER_ZONES if d.count('.') == 2}
        for suffix in sorted(between):
            self.make_suffix(suffix)

    def make_suffix(self, suffix):
        top = suffix.rsplit('.', 1)[1]
        r = draw('suffix', suffix)
        if r.random() < 0.5:
            servers = self.ns[top]
            self.zones['top'][top] += ['%s. 172800 NS %s.' % (suffix, n) for n in servers]
        else:
            servers = ['%s.registry.%s' % (x, suffix) for x in 'abc']
            pool = self.pools['registry']
            given = {n: [pool.next(4), pool.next(6)] for n in servers}
            self.hosts.update(given)
            self.delegate(self.zones['top'][top], suffix, given, 172800)
        self.open_zone('top', suffix, servers, 172800)

    def open_zone(self, role, origin, servers, ttl):
        """A new zone with SOA and NS; its lines, to be added to."""
        lines = ['@ %d SOA %s. host.%s. 2026010100 7200 900 1209600 300' % (ttl, servers[0], origin)]
        lines += ['@ %d NS %s.' % (ttl, n) for n in servers]
        self.zones[role][origin] = lines
        self.origins.add(origin)
        return lines

    @staticmethod
    def delegate(lines, origin, servers, ttl=86400):
        """servers: name -> addresses; those within the zone get glue."""
        lines += ['%s. %d NS %s.' % (origin, ttl, n) for n in servers]
        for n, addresses in servers.items():
            if n.endswith('.' + origin):
                lines += ['%s. %d %s %s' % (n, ttl, oddities.kind_of(a), a) for a in addresses]

    def parent(self, domain):
        return self.zones['top'][domain.split('.', 1)[1]]

    # -- those who serve others' zones --

    def make_hosters(self):
        """Each has its own zone with two or three servers; every eighth lives in another's zone."""
        leaf, self.hosters = self.pools['leaf'], []
        for i in range(HOSTERS):
            r = draw('hoster', i)
            origin = HOSTER_ZONES[i]
            base = 'dns.' + HOSTER_ZONES[i - 1] if i % 8 == 7 else origin
            given = {}
            for k in range(1, 3 + (i % 3 == 0)):
                v4 = [leaf.next(4)] if i % 13 != 12 else []
                v6 = [leaf.next(6)] if not v4 or r.random() < 0.5 else []
                given['ns%d.%s' % (k, base)] = v4 + v6
            self.hosts.update(given)
            self.hosters.append(list(given))
            self.delegate(self.parent(origin), origin, given)
            lines = self.open_zone('leaf', origin, list(given), 86400)
            lines += ['@ 3600 A ' + self.v4(r), 'mx1 3600 A ' + self.v4(r), 'mx2 3600 A ' + self.v4(r),
                      'mx1 3600 AAAA ' + self.v6(r), '*.edge 300 A ' + self.v4(r)]

    @staticmethod
    def v4(r):
        return '23.%d.%d.%d' % (r.randrange(64, 224), r.randrange(256), r.randrange(1, 255))

    @staticmethod
    def v6(r):
        return '2a00:%x:%x::%x' % (r.randrange(0x1000, 0x9000), r.randrange(65536),
                                   r.randrange(1, 65536))

    # -- the domains --

    def servers_of(self, r, domain):
        """name -> addresses; hosters' names have their addresses elsewhere: None."""
        if r.random() < 0.5:
            names = r.choice(self.hosters)
            return {n: None for n in names}
        leaf, chance = self.pools['leaf'], r.random()
        second = 'leaf'
        for way, share in SHARES.items():
            if chance < share:
                second = way
                break
            chance -= share
        if second == 'v6':
            return {'ns%d.%s' % (i, domain): [leaf.next(6)] for i in (1, 2)}
        first = [leaf.next(4)] + [leaf.next(6)] * (r.random() < 0.4)
        if second == 'root':
            other = [r.choice([a for a in self.roots if ':' not in a])]
        else:
            other = [self.pools[second].next(4)] + [self.pools[second].next(6)] * (r.random() < 0.2)
        given = {'ns1.' + domain: first, 'ns2.' + domain: other}
        if r.random() < 0.1:
            given[r.choice(r.choice(self.hosters))] = None
        return given

    def make_domain(self, domain):
        r = draw('domain', domain)
        given = self.servers_of(r, domain)
        own = {n: a or [] for n, a in given.items()}
        self.delegate(self.parent(domain), domain, own)
        self.hosts.update({n: a for n, a in own.items() if a})
        ttl = r.choice((300, 900, 3600, 14400))
        lines = self.open_zone('leaf', domain, list(given), 86400)
        lines += ['@ %d A %s' % (ttl, self.v4(r)) for _ in range(r.choice((1, 1, 2, 4)))]
        if r.random() < 0.6:
            lines += ['@ %d AAAA %s' % (ttl, self.v6(r)) for _ in range(r.choice((1, 1, 2, 4)))]
        self.add_mail(r, lines, ttl)
        self.add_www(r, lines, ttl)
        if r.random() < 0.1:
            lines += ['* %d TXT "anything in %s"' % (ttl, domain), '* %d A %s' % (ttl, self.v4(r))]
        if r.random() < 0.03:
            lines.append('big %d TXT %s' % (ttl, oddities.BIG))
        if r.random() < 0.03:
            lines.append('old %d DNAME %s.' % (ttl, r.choice(self.domains)))

    def add_mail(self, r, lines, ttl):
        chance = r.random()
        if chance < 0.4:
            lines += ['@ %d MX 10 mail' % ttl, 'mail %d A %s' % (ttl, self.v4(r)),
                      'mail %d AAAA %s' % (ttl, self.v6(r))]
        elif chance < 0.65:
            origin = r.choice(HOSTER_ZONES)
            lines += ['@ %d MX %d mx%d.%s.' % (ttl, i * 10, i, origin) for i in (1, 2)]
        elif chance < 0.75:
            lines += ['@ %d MX 0 .' % ttl]
        elif chance < 0.8:
            lines += ['@ %d MX 20 mail.%s.' % (ttl, r.choice(self.domains))]

    def add_www(self, r, lines, ttl):
        chance = r.random()
        if chance < 0.4:
            lines.append('www %d CNAME @' % ttl)
        elif chance < 0.55:
            edge = '%x.edge.%s.' % (r.randrange(1 << 32), r.choice(HOSTER_ZONES))
            lines.append('www %d CNAME %s' % (ttl, edge))
        elif chance < 0.65:
            lines.append('www %d CNAME %s.' % (ttl, r.choice(self.domains)))
        else:
            lines.append('www %d A %s' % (ttl, self.v4(r)))

    # -- the oddities --

    def make_oddities(self):
        leaf, odd = self.pools['leaf'], self.pools['odd']
        ways = {name: self.pools[name].next for name in ('dead', 'closed', 'lame', 'responder')}
        v4_roots = iter([a for a in self.roots if ':' not in a])
        oddities.place(dict(ways, nsd=leaf.next, root=lambda family: next(v4_roots)))
        servers = {'ns%d.%s' % (i, oddities.ORIGIN): [odd.next(4), odd.next(6)] for i in (1, 2)}
        self.delegate(self.zones['top']['net'], oddities.ORIGIN, servers)
        self.zones['odd'][oddities.ORIGIN] = oddities.parent() + [
            '%s. 300 %s %s' % (n, oddities.kind_of(a), a) for n, many in servers.items() for a in many]
        for o in oddities.ODDITIES:
            if oddities.served_by_nsd(o):
                self.zones['leaf'][o.name] = oddities.contents(o)
        far = {'ns%d.far-oddities.org' % i: [leaf.next(4)] for i in (1, 2)}
        self.delegate(self.zones['top']['org'], 'far-oddities.org', far)
        self.open_zone('leaf', 'far-oddities.org', list(far), 300)
        circle = 'ns.circle.' + oddities.ORIGIN
        self.delegate(self.zones['top']['org'], 'circle-oddities.org', {circle: []})
        self.open_zone('leaf', 'circle-oddities.org', [circle], 300)
        self.hosts.update(far)

    def responder_rows(self):
        """What responder.py serves."""
        forger = self.pools['responder'].by_family[4][-1]
        rows = []
        for o in oddities.ODDITIES:
            lines = oddities.contents(o)
            for how, address in zip(o.servers, o.addresses):
                if address in self.pools['responder'].by_family[4]:
                    rows.append({'address': address, 'zone': o.name, 'ways': how, 'lines': lines,
                                 'forger': forger, 'victim': oddities.POISONED.name})
        return rows

    # -- the servers' own names --

    def place_hosts(self):
        """The address of each server's name, in the zone that it lies in."""
        roles = [(role, self.zones[role]) for role in ('leaf', 'top')]
        for host, addresses in sorted(self.hosts.items()):
            labels = host.split('.')
            for i in range(1, len(labels)):
                origin = '.'.join(labels[i:])
                found = [zones[origin] for _, zones in roles if origin in zones]
                if found:
                    found[0] += ['%s. 86400 %s %s' % (host, oddities.kind_of(a), a) for a in addresses]
                    break

    def local(self):
        """All addresses that the machine of this world has."""
        every = [a for many in self.addresses.values() for a in many] + self.closed
        every += self.pools['responder'].all()
        return list(dict.fromkeys(every))


HOSTER_ZONES = ['dns-harbour-%02d.%s' % (i, HOSTER_TOPS[i % len(HOSTER_TOPS)])
                    for i in range(HOSTERS)]
