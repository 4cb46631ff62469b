# SPDX-License-Identifier: BSD-2-Clause
"""rig.py -- starts a server on loopback, asks it, ends it by its pid, and counts what held.

rootward is the subject; NSD and Knot (tests/bench/peers unpacks them) serve the same zones as
referees, or stand in for the subject with --server, which is how the tests themselves are tried.
"""
import argparse
import errno
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.path.join(os.path.dirname(ROOT), 'shared')
PEERS = os.environ.get('LIVE_PEERS', os.path.join(ROOT, 'build', 'peers', 'bin'))


def arguments(about):
    p = argparse.ArgumentParser(description=about)
    p.add_argument('rootward', nargs='?', default=os.environ.get('ROOTWARD'),
                   help='the daemon (default: build/plain/rootward)')
    p.add_argument('--server', default=os.environ.get('LIVE_SERVER', 'rootward'),
                   choices=('rootward', 'nsd', 'knot', 'unbound', 'bind'))
    p.add_argument('--long', action='store_true', help='durations and numbers as the rows say')
    p.add_argument('-v', '--verbose', action='store_true')
    a = p.parse_args()
    a.rootward = os.path.abspath(a.rootward or os.path.join(ROOT, 'build', 'plain', 'rootward'))
    a.rootctl = os.environ.get('ROOTCTL') or os.path.join(os.path.dirname(a.rootward), 'rootctl')
    a.sanitized = False
    if a.server == 'rootward' and os.access(a.rootward, os.R_OK):
        with open(a.rootward, 'rb') as f:
            binary = f.read()
        a.sanitized = b'__asan_init' in binary or b'__tsan_init' in binary
    Tally.judges_figures = not a.sanitized
    if a.server == 'rootward' and not os.access(a.rootward, os.X_OK):
        print('skipped: %s not there' % a.rootward)
        print('tests/live/%s: 0 passed, 0 failed, 1 skipped' % os.path.basename(sys.argv[0]))
        sys.exit(0)
    return a


class Tally:
    """Counts and prints. One line per check; passing ones of a class may be kept quiet."""
    judges_figures = True

    def __init__(self):
        self.name = os.path.basename(sys.argv[0])
        self.passed = self.failed = self.skipped = 0

    def check(self, ident, good, figure='', quiet=False):
        if good:
            self.passed += 1
            if not quiet:
                print('PASS %s %s' % (ident, figure))
        else:
            self.failed += 1
            print('FAIL %s %s' % (ident, figure))
        sys.stdout.flush()
        return bool(good)

    def figure(self, ident, good, figure=''):
        """A check of milliseconds or bytes: sanitizers make both worse, so there it is only told."""
        if self.judges_figures:
            return self.check(ident, good, figure)
        print('told %s %s' % (ident, figure))
        return True

    def skip(self, ident, why):
        self.skipped += 1
        print('skipped: %s: %s' % (ident, why))

    def end(self, *servers):
        for s in servers:
            if s is not None:
                s.stop(self)
        print('tests/live/%s: %d passed, %d failed, %d skipped' %
              (self.name, self.passed, self.failed, self.skipped))
        sys.exit(1 if self.failed else 0)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(('::1', 0))
        return True
    except OSError:
        return False


def outer_address():
    """An IPv4 address of this host that is not loopback's, or None."""
    out = subprocess.run(['ip', '-4', '-o', 'addr', 'show', 'scope', 'global'], stdout=subprocess.PIPE).stdout
    found = re.search(rb'inet (\S+?)/', out)
    return found.group(1).decode() if found else None


def free_port():
    """A port free for UDP and TCP on 127.0.0.1 and ::1."""
    while True:
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        held = []
        try:
            for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    s = socket.socket(family, kind)
                    held.append(s)
                    try:
                        s.bind((host, port))
                    except OSError as e:
                        if e.errno != errno.EADDRNOTAVAIL:      # a host without IPv6
                            raise
            return port
        except OSError:
            continue
        finally:
            for s in held:
                s.close()


def udp(host, port, data, timeout=2.0, source=None):
    """The reply's bytes; None when none came."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        if source:
            s.bind((source, 0))
        s.connect((host, port))
        try:
            s.send(data)
            return s.recv(65535)
        except (socket.timeout, ConnectionError):
            return None


def connect(host, port, timeout=5.0, source=None):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(timeout)
    if source:
        s.bind((source, 0))
    s.connect((host, port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_exact(s, n):
    out = b''
    while len(out) < n:
        try:
            more = s.recv(n - len(out))
        except ConnectionError:
            return None
        if not more:
            return None
        out += more
    return out


def read_frame(s):
    """One message from a stream; None at its end."""
    head = read_exact(s, 2)
    return head and read_exact(s, struct.unpack('!H', head)[0])


def frame(data):
    return struct.pack('!H', len(data)) + data


def tcp(host, port, data, timeout=5.0):
    """The reply's bytes; None when the stream was closed without one; 'late' when it stays open."""
    with connect(host, port, timeout) as s:
        try:
            s.sendall(frame(data))
            return read_frame(s)
        except socket.timeout:
            return 'late'
        except ConnectionError:
            return None


def pipeline(host, port, queries, window=60, timeout=10.0):
    """Replies to all queries over TCP, in the order of the queries (matched by id: made unique)."""
    out = [None] * len(queries)
    with connect(host, port, timeout) as s:
        sent = got = 0
        while got < len(queries):
            batch = b''
            while sent < len(queries) and sent - got < window:
                batch += frame(struct.pack('!H', sent & 0xffff) + queries[sent][2:])
                sent += 1
            if batch:
                s.sendall(batch)
            reply = read_frame(s)
            if reply is None:
                raise ConnectionError('closed after %d of %d replies' % (got, len(queries)))
            index = struct.unpack('!H', reply[:2])[0]
            while index < len(queries) and out[index] is not None:
                index += 0x10000
            out[index] = reply
            got += 1
    return out


def disagreements(m, status='NOERROR', aa=True, answer=None, authority=None, additional=None,
                  tc=False):
    """What of a reply is not as wanted. Sections are lines for wire.record(); None: not looked at."""
    if m is None:
        return ['no reply']
    out = list(m.foul)
    if m.status != status:
        out.append('%s, not %s' % (m.status, status))
    if bool(m.flags & wire.AA) != aa:
        out.append('AA' if m.flags & wire.AA else 'no AA')
    if bool(m.flags & wire.TC) != tc:
        out.append('TC' if m.flags & wire.TC else 'no TC')
    if m.flags & (wire.RA | wire.AD | 0x40):
        out.append('flags %04x' % m.flags)
    for title, want in (('answer', answer), ('authority', authority), ('additional', additional)):
        if want is None:
            continue
        have, want = getattr(m, title), {wire.record(line) for line in want}
        if len(have) != len(set(have)):
            out.append('%s: a record twice' % title)
        out += ['%s lacks %s' % (title, wire.show(r)) for r in want - set(have)]
        out += ['%s adds %s' % (title, wire.show(r)) for r in set(have) - want]
    return out


def generated(match):
    """The lines that a $GENERATE stands for, with $ and ${offset}."""
    _, span, owner, rest = match.group(0).split(None, 3)
    first, last = map(int, span.split('-'))
    return '\n'.join(re.sub(r'\$(?:\{(\d+)\})?', lambda m: str(i + int(m.group(1) or 0)),
                            owner + ' ' + rest) for i in range(first, last + 1))


class Server:
    """A running server. kind: rootward, nsd or knot."""

    def __init__(self, args, zones=None, folder=None, server=None, kind=None, listen=None,
                 extra=None, files_limit=None, wait=20.0, nsd_extra='', files=None):
        self.args, self.kind = args, kind or args.server
        self.tmp = tempfile.mkdtemp(prefix='rootward-live-')
        self.port = free_port()
        self.listen = listen or ['127.0.0.1'] + ['::1'] * has_ipv6()
        self.host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(self.listen[0], self.listen[0])
        self.control = os.path.join(self.tmp, 'control.sock')
        self.config = os.path.join(self.tmp, 'rootward.yaml')
        self.zones, self.folder = {}, folder
        self.server, self.extra, self.nsd_extra = dict(server or {}), dict(extra or {}), nsd_extra
        self.log_path = os.path.join(self.tmp, 'log')
        self.stopped = False
        os.mkdir(os.path.join(self.tmp, 'zones'))
        for name, content in (files or {}).items():      # beside the zones' files
            with open(os.path.join(self.tmp, 'zones', name), 'w') as f:
                f.write(content)
        for origin, content in (zones or {}).items():
            self.write_zone(origin, content)
        self.write_config()
        self.start(files_limit, wait)

    def zone_path(self, origin):
        stem = origin.rstrip('.').replace('/', '_') or 'root'
        return os.path.join(self.tmp, 'zones', stem + '.zone')

    def write_zone(self, origin, content):
        """content: the zone's text, or the path of a file that exists (when it begins with '/')."""
        if isinstance(content, str) and content.startswith('/'):
            self.zones[origin] = content
            return
        path = self.zone_path(origin)
        fresh = path + '.new'
        with open(fresh, 'wb') as f:
            f.write(content if isinstance(content, bytes) else content.encode('latin-1'))
        os.rename(fresh, path)
        self.zones[origin] = path

    def document(self):
        """What the configuration says, as a value."""
        base = {'listen': ['%s@%d' % (a, self.port) for a in self.listen], 'workers': 2,
                'control': self.control}
        base.update(self.server)
        zones = [{'name': o, 'file': p} for o, p in sorted(self.zones.items())]
        if self.folder:
            zones.append({'folder': self.folder})
        document = {'server': base, 'zones': zones, 'chain': []}
        document.update(self.extra)
        return document

    def write_config(self, raw=None):
        if self.kind == 'rootward':
            with open(self.config, 'w') as f:
                f.write(raw if raw is not None else json.dumps(self.document(), indent=1))
        elif self.kind == 'nsd':
            self.write_nsd()
        else:
            self.write_knot()

    def all_zones(self):
        """For the peers; they know no $GENERATE, so files of a folder are served expanded."""
        zones = dict(self.zones)
        if self.folder:
            for f in os.listdir(self.folder):
                if f.endswith('.zone'):
                    path = os.path.join(self.tmp, 'zones', f)
                    with open(os.path.join(self.folder, f)) as old, open(path, 'w') as new:
                        new.write(re.sub(r'^\$GENERATE .*', generated, old.read(), flags=re.M))
                    zones[f[:-5] + '.'] = path
        return sorted(zones.items())

    def write_nsd(self):
        with open(self.config, 'w') as f:
            f.write('server:\n server-count: 1\n username: ""\n zonesdir: "%s"\n pidfile: ""\n'
                    ' xfrdfile: ""\n zonelistfile: "%s/zl"\n database: ""\n port: %d\n'
                    ' minimal-responses: yes\n rrl-ratelimit: 0\n hide-version: yes\n'
                    ' tcp-count: 200\n round-robin: no\n'
                    % (self.tmp, self.tmp, self.port))
            for a in self.listen:
                f.write(' ip-address: %s\n' % a)
            f.write(self.nsd_extra + 'remote-control:\n control-enable: no\n')
            for origin, path in self.all_zones():
                f.write('zone:\n name: "%s"\n zonefile: "%s"\n' % (origin, path))

    def write_knot(self):
        with open(self.config, 'w') as f:
            f.write('server:\n rundir: "%s"\n udp-workers: 1\n tcp-workers: 1\n'
                    ' listen: [%s]\nlog:\n - target: stderr\n   any: warning\n'
                    'database:\n storage: "%s"\ntemplate:\n - id: default\n   storage: "%s"\n'
                    '   zonefile-sync: -1\n   zonefile-load: whole\n   journal-content: none\n'
                    % (self.tmp, ', '.join('"%s@%d"' % (a, self.port) for a in self.listen),
                       self.tmp, self.tmp))
            f.write('zone:\n' if self.all_zones() else '')
            for origin, path in self.all_zones():
                f.write(' - domain: "%s"\n   file: "%s"\n' % (origin, path))

    def start(self, files_limit, wait):
        if self.kind == 'rootward':
            command = [self.args.rootward, '-c', self.config]
        elif self.kind == 'nsd':
            command = [os.path.join(PEERS, 'nsd'), '-d', '-c', self.config]
        else:
            command = [os.path.join(PEERS, 'knotd'), '-c', self.config]
        if files_limit:
            command = ['prlimit', '--nofile=%d' % files_limit] + command
        began = time.monotonic()
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        while True:
            if self.process.poll() is not None:
                raise RuntimeError('%s ended with %d:\n%s' %
                                   (self.kind, self.process.returncode, self.log()[-3000:]))
            if self.kind == 'rootward' and 'ready' in self.log():
                break
            if self.kind != 'rootward' and udp(self.host, self.port, wire.query('.', 'NS'), 0.2):
                break
            if time.monotonic() - began > wait:
                self.process.kill()
                raise RuntimeError('%s was not ready:\n%s' % (self.kind, self.log()[-3000:]))
            time.sleep(0.01)
        self.ready_ms = (time.monotonic() - began) * 1000

    def log(self):
        with open(self.log_path, 'rb') as f:
            return f.read().decode('utf-8', 'replace')

    def udp(self, data, host=None, timeout=2.0):
        return udp(host or self.host, self.port, data, timeout)

    def tcp(self, data, host=None, timeout=5.0):
        return tcp(host or self.host, self.port, data, timeout)

    def ask(self, qname, qtype='A', over='udp', host=None, **more):
        """A parsed reply; None when there was none."""
        data = wire.query(qname, qtype, **more)
        reply = self.udp(data, host) if over == 'udp' else self.tcp(data, host)
        return wire.Message(reply) if isinstance(reply, bytes) else None

    def ctl(self, *words, timeout=20):
        return subprocess.run([self.args.rootctl, '-s', self.control] + list(words),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def alive(self):
        return self.process.poll() is None

    def rss_kib(self):
        with open('/proc/%d/status' % self.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))

    def cpu_seconds(self):
        with open('/proc/%d/stat' % self.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self, tally=None):
        """SIGTERM by pid; rootward must end with 0 and leave no sanitizer report."""
        if self.stopped:
            return
        self.stopped = True
        began, code = time.monotonic(), None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                code = 'killed after 8 s'
        else:
            code = 'ended before with %s' % self.process.returncode
        if tally and self.kind == 'rootward':
            took = time.monotonic() - began
            report = [x for x in self.log().splitlines()
                      if 'Sanitizer' in x or 'runtime error' in x]
            tally.check('stop', code == 0 and not report,
                        'exit %s after %.2f s%s' % (code, took, ' ' + report[0] if report else ''))
            if code != 0 or report:
                print(self.log()[-2000:])
        shutil.rmtree(self.tmp, ignore_errors=True)


def peer(kind):
    return os.access(os.path.join(PEERS, {'nsd': 'nsd', 'knot': 'knotd'}[kind]), os.X_OK)
