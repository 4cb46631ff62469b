# SPDX-License-Identifier: BSD-2-Clause
"""oddities.py -- zones below oddities.net whose servers, or whose contents, are out of the common

Each has a name for what is odd about it and says which answers a resolver owes. What NSD can
serve it serves; the rest is served, broken as described, by responder.py.
"""
ORIGIN = 'oddities.net'
OK, NX, FAIL = 'NOERROR', 'NXDOMAIN', 'SERVFAIL'
LONG = 'x' * 60
# One record of more than 1232 bytes, and one that fits with EDNS only.
BIG = ' '.join('"%s"' % ('%03d' % i + 'b' * 197) for i in range(10))
MIDDLE = ' '.join('"%s"' % ('%03d' % i + 'm' * 197) for i in range(4))
COMMON = ['www 300 A {www}', 'www 300 AAAA {www6}', 'alias 300 CNAME www', 'big 300 TXT ' + BIG,
          'middle 300 TXT ' + MIDDLE, '@ 300 MX 10 www', 'a.b.c 300 A {www}']


class Oddity:
    """servers: where its zone is served, two letters of an address each (see place() below).

    nsd: as it should be; dead: no such host; closed: a host that runs no server; lame: REFUSED;
    root: a server of the root, which refers upward; anything else is a way of the responder's.
    wants: (name, type, rcodes, answers): the codes of which one is right, and how many records or
    which ones ('www': the address of www); None: not looked at.
    """

    def __init__(self, label, servers, about, wants=None, zone=None, v6=False, child=None):
        self.label, self.servers, self.about, self.v6 = label, servers.split(), about, v6
        self.name = '%s.%s' % (label, ORIGIN)
        self.wants = [('www', 'A', OK, 'www')] if wants is None else wants
        self.zone = COMMON if zone is None else zone
        self.child = child              # NS records that the zone itself claims to have
        self.ns, self.addresses, self.www, self.www6 = [], [], '', ''

    def questions(self):
        """(name, type, rcodes, number of answers or None, records that must be there)."""
        for owner, kind, codes, answers in self.wants:
            name = self.name if owner == '@' else '%s.%s' % (owner, self.name)
            codes = (codes,) if isinstance(codes, str) else codes
            if answers == 'www':
                yield name, kind, codes, None, self.www if kind == 'A' else self.www6
            else:
                yield name, kind, codes, answers, None


SOUND = [('www', 'A', OK, 'www'), ('www', 'AAAA', OK, 'www'), ('alias', 'A', OK, 2),
         ('middle', 'TXT', OK, 1), ('big', 'TXT', OK, 1), ('@', 'MX', OK, 1),
         ('www', 'MX', OK, 0), ('none', 'A', NX, 0), ('b.c', 'A', OK, 0), ('a.b.c', 'A', OK, 'www')]
PLAIN = [w for w in SOUND if w[0] not in ('big', 'middle')]
LOST = [('www', 'A', FAIL, 0)]

ODDITIES = [
    Oddity('sound', 'nsd nsd', 'nothing odd: what the others are compared with', SOUND),
    # -- servers that do not know EDNS, or half of it --
    Oddity('edns-formerr', 'formerr formerr', 'FORMERR for queries with EDNS', SOUND),
    Oddity('edns-notimp', 'notimp', 'NOTIMP for queries with EDNS', PLAIN),
    Oddity('edns-ignored', 'noopt', 'answers as if there were no EDNS', SOUND),
    Oddity('edns-badvers', 'badvers', 'BADVERS for every version', [('www', 'A', (OK, FAIL), None)]),
    Oddity('edns-dropped', 'silent-edns', 'queries with EDNS are lost (no fallback is owed: 2019)',
           [('www', 'A', (OK, FAIL), None)]),
    Oddity('cookie-wanted', 'cookie', 'BADCOOKIE until the cookie that it gave is shown', PLAIN),
    # -- spelling --
    Oddity('lower-case', 'lower', 'the question comes back in lower case', SOUND),
    Oddity('lower-case-udp', 'lower,notcp', 'the same, and no TCP', PLAIN),
    # -- size and transport --
    Oddity('truncates', 'tc', 'every reply over UDP is TC and empty', SOUND),
    Oddity('no-tcp', 'notcp', 'large answers are TC, TCP is refused',
           PLAIN + [('big', 'TXT', FAIL, 0)]),
    Oddity('mute-tcp', 'tc,mutetcp', 'all is TC, and TCP says nothing', LOST),
    Oddity('oversize', 'fat', 'ignores the size that is offered', SOUND),
    # -- time --
    Oddity('slow', 'slow400', 'answers after 400 ms'),
    Oddity('slower', 'slow1500', 'answers after 1500 ms'),
    Oddity('flaky', 'flaky flaky', 'the first query for each name and type is lost', PLAIN),
    Oddity('dead', 'dead dead', 'no server is there', LOST),
    Oddity('closed', 'closed closed', 'the hosts run no server', LOST),
    Oddity('one-dead', 'dead nsd', 'one of two servers is not there', SOUND),
    Oddity('one-closed', 'closed nsd', 'one of two hosts runs no server', SOUND),
    # -- servers that are not the zone's --
    Oddity('one-lame', 'lame nsd', 'one of two servers says REFUSED', SOUND),
    Oddity('all-lame', 'lame lame', 'both servers say REFUSED', LOST),
    Oddity('upward', 'root nsd', 'one of two servers refers to the root', SOUND),
    Oddity('servfail', 'servfail servfail', 'both servers say SERVFAIL', LOST),
    Oddity('one-servfail', 'servfail nsd', 'one of two says SERVFAIL', SOUND),
    Oddity('one-stale', 'stale nsd', 'one of two answers without AA, and something else'),
    Oddity('garbage', 'garbage garbage', 'replies are noise', LOST),
    Oddity('cut-short', 'cutshort cutshort', 'replies end within a record', LOST),
    Oddity('one-garbage', 'garbage nsd', 'noise from one of two', SOUND),
    Oddity('mirror', 'mirror', 'the reply is the query itself', LOST),
    # -- delegations --
    Oddity('v6-only', 'nsd nsd', 'the servers have IPv6 only', SOUND, v6=True),
    Oddity('glueless', 'glueless', 'the servers are named in another zone', SOUND),
    Oddity('circle', 'circle', 'the servers are named in a zone that is served by servers named here',
           LOST),
    Oddity('no-address', 'nameless', 'the names of the servers do not exist', LOST),
    Oddity('private', 'literal:10.53.0.1 literal:127.0.0.1 literal:::1',
           'the servers are said to be on private and loopback addresses', LOST),
    Oddity('self', 'refer-self', 'refers to itself for its own zone, for ever', LOST),
    Oddity('flood', 'refer-many', 'refers to 60 servers without addresses',
           [('www.deep', 'A', FAIL, 0)]),
    Oddity('child-differs', 'nsd', 'the zone itself claims other servers, which are dead',
           [('www', 'A', OK, 'www'), ('@', 'NS', OK, 1), ('alias', 'A', OK, 2), ('@', 'MX', OK, 1)],
           child=['ns.dead.' + ORIGIN + '.']),
    # -- forgers --
    Oddity('forged', 'forge', '40 replies with wrong ids come before the right one'),
    Oddity('forged-question', 'forge-question', 'a reply to another question comes first'),
    Oddity('forged-port', 'forge-port', 'a reply from another port comes first'),
    Oddity('forged-host', 'forge-host', 'a reply from another host comes first'),
    Oddity('poison', 'poison', 'sends addresses of victim.oddities.net along, in all sections'),
    Oddity('victim', 'nsd', 'what is forged by others', PLAIN),
    # -- names --
    Oddity('no-minimising', 'deny-inner', 'NXDOMAIN for names that only have others below',
           [('a.b.c', 'A', OK, 'www'), ('www', 'A', OK, 'www')]),
    Oddity('refuse-inner', 'refuse-inner', 'REFUSED for names that only have others below',
           [('a.b.c', 'A', OK, 'www')]),
    Oddity('aaaa-fails', 'aaaa-servfail', 'SERVFAIL for AAAA',
           [('www', 'AAAA', FAIL, 0), ('www', 'A', OK, 'www')]),
    Oddity('no-soa', 'nosoa', 'denials without SOA', [('www', 'MX', OK, 0), ('none', 'A', NX, 0),
                                                    ('www', 'A', OK, 'www')]),
    Oddity('aliases', 'nsd nsd', 'aliases within and out, to nothing, in circles',
           [('hop8', 'A', OK, 9), ('hop2', 'AAAA', OK, 3), ('away', 'A', OK, 2),
            ('gone', 'A', NX, 1), ('empty', 'A', OK, 1), ('loop1', 'A', (FAIL, OK), None),
            ('self', 'A', (FAIL, OK), None), ('hop40', 'A', (FAIL, OK), None)],
           ['hop%d 300 CNAME hop%d' % (i, i - 1) for i in range(1, 41)] +
           ['hop0 300 A {www}', 'hop0 300 AAAA {www6}', 'away 300 CNAME www.sound.oddities.net.',
            'gone 300 CNAME none.sound.oddities.net.', 'empty 300 CNAME c.sound.oddities.net.',
            'loop1 300 CNAME loop2', 'loop2 300 CNAME loop1', 'self 300 CNAME self']),
    Oddity('dname', 'nsd', 'a whole subtree is elsewhere',
           [('www.tree', 'A', OK, 3), ('none.tree', 'A', NX, 2), ('tree', 'DNAME', OK, 1),
            ('.'.join([LONG] * 3) + '.long', 'A', 'YXDOMAIN', 1),
            ('www.knot', 'A', (OK, FAIL, 'YXDOMAIN'), None)],
           ['tree 300 DNAME sound.oddities.net.', 'knot 300 DNAME a.knot',
            'long 300 DNAME %s.%s.sound.oddities.net.' % (LONG, LONG)]),
    Oddity('wildcard', 'nsd', 'names that a wildcard stands for',
           [('a', 'A', OK, 'www'), ('b.c', 'A', OK, 'www'), ('a', 'MX', OK, 0), ('x.away', 'A', OK, 2),
            ('below.here', 'A', NX, 0)],
           ['* 300 A {www}', '*.away 300 CNAME www.sound.oddities.net.', 'here 300 TXT "here"']),
    Oddity('big', 'nsd', 'answers larger than a datagram',
           [('@', 'TXT', OK, 1), ('many', 'A', OK, 120)],
           ['@ 300 TXT ' + BIG] + ['many 300 A 23.53.200.%d' % i for i in range(1, 121)]),
    Oddity('unknown-type', 'nsd', 'a type that nobody knows', [('@', 'TYPE65280', OK, 1)],
           ['@ 300 TYPE65280 \\# 4 c0000201']),
    Oddity('short-lived', 'nsd', 'TTLs of 1 and 0', [('one', 'A', OK, 1), ('zero', 'A', OK, 1)],
           ['one 1 A {www}', 'zero 0 A {www}']),
]
BY_LABEL = {o.label: o for o in ODDITIES}
POISONED = BY_LABEL['victim']


def served_by_nsd(oddity):
    return any(s in ('nsd', 'glueless', 'circle') for s in oddity.servers)


def place(pools):
    """Gives each oddity its addresses. pools: how -> function that returns one more address."""
    for number, o in enumerate(ODDITIES, 1):
        o.www, o.www6 = '23.53.%d.80' % number, '2a00:53:%x::80' % number
        for i, how in enumerate(o.servers, 1):
            if how.startswith('literal:'):
                address = how.partition(':')[2]
            elif how in ('nsd', 'dead', 'closed', 'lame', 'root'):
                address = pools[how](6 if o.v6 else 4)
            elif how in ('glueless', 'circle', 'nameless'):
                continue
            else:
                address = pools['responder'](4)
            o.addresses.append(address)
            o.ns.append('ns%d.%s' % (i, o.name))


def kind_of(address):
    return 'AAAA' if ':' in address else 'A'


def delegation(o):
    """What oddities.net says of it."""
    special = {'glueless': ['ns1.far-oddities.org', 'ns2.far-oddities.org'],
               'circle': ['ns1.circle-oddities.org'], 'nameless': ['ns1.none.sound.' + ORIGIN]}
    if o.servers[0] in special:
        return ['%s. 300 NS %s.' % (o.name, n) for n in special[o.servers[0]]]
    out = ['%s. 300 NS %s.' % (o.name, n) for n in o.ns]
    return out + ['%s. 300 %s %s' % (n, kind_of(a), a) for n, a in zip(o.ns, o.addresses)]


def contents(o):
    """The lines of its zone, SOA and NS too."""
    soa = '@ 300 SOA ns1.%s. host.%s. 1 3600 600 86400 60' % (o.name, o.name)
    ns = ['@ 300 NS ' + n for n in o.child] if o.child else delegation(o)
    return [soa] + ns + [line.format(www=o.www, www6=o.www6) for line in o.zone]


def parent():
    """The zone oddities.net itself."""
    out = ['@ 300 SOA ns1 host 1 3600 600 86400 60', '@ 300 NS ns1', '@ 300 NS ns2']
    for o in ODDITIES:
        out += delegation(o)
    return out
