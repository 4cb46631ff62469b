# SPDX-License-Identifier: BSD-2-Clause
"""servers.py -- what runs in the little Internet: authorities, and the resolvers at home

Each has a folder of its own and runs in the foreground as our child; it is ended by its id.
"""
import json
import os
import subprocess
import time

LIMIT = 20.0


class Failed(Exception):
    """A server that did not come up, and the end of what it said."""


class Process:
    """A child with a log. asked() is tried until it is true: then it is ready."""

    def __init__(self, name, command, log, asked, **popen):
        self.name, self.command, self.log_path, self.asked = name, command, log, asked
        self.popen, self.process = popen, None

    def start(self):
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, **self.popen)
        return self

    def wait(self):
        end = time.monotonic() + LIMIT
        while not self.asked():
            if self.process.poll() is not None:
                raise Failed('%s ended with %d: %s' % (self.name, self.process.returncode, self.tail()))
            if time.monotonic() > end:
                raise Failed('%s is not ready: %s' % (self.name, self.tail()))
            time.sleep(0.02)
        return self

    def log(self):
        with open(self.log_path, 'rb') as f:
            return f.read().decode('utf-8', 'replace')

    def tail(self):
        return self.log()[-1500:]

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Its exit code; it is killed when SIGTERM was not enough."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def put(path, text):
    with open(path, 'w') as f:
        f.write(text)
    return path


def nsd_conf(folder, zones, addresses):
    """Writes the zones' files and the configuration that serves them; its path."""
    for i, (origin, lines) in enumerate(zones.items()):
        put('%s/%d' % (folder, i), '$ORIGIN %s.\n%s\n' % (origin, '\n'.join(lines)))
    listed = ''.join('zone:\n name: "%s."\n zonefile: "%d"\n' % (origin, i)
                     for i, origin in enumerate(zones))
    return put(folder + '/nsd.conf', '''server:
 server-count: 1
 username: ""
 zonesdir: "%s"
 pidfile: ""
 xfrdfile: ""
 xfrdir: "%s"
 zonelistfile: "%s/zone.list"
 database: ""
 rrl-ratelimit: 0
 rrl-whitelist-ratelimit: 0
 tcp-count: 1000
 verbosity: 0
 ipv4-edns-size: 1232
 ipv6-edns-size: 1232
%sremote-control:
 control-enable: no
%s''' % (folder, folder, folder, ''.join(' ip-address: %s\n' % a for a in addresses), listed))


def unbound_conf(folder, hints, port):
    return put(folder + '/unbound.conf', '''server:
 interface: 127.0.0.1@%d
 interface: ::1@%d
 access-control: 127.0.0.0/8 allow
 access-control: ::1/128 allow
 num-threads: 1
 username: ""
 chroot: ""
 directory: "%s"
 pidfile: ""
 use-syslog: no
 verbosity: 1
 module-config: "iterator"
 root-hints: "%s"
 outgoing-range: 4096
 num-queries-per-thread: 2048
 edns-buffer-size: 1232
 qname-minimisation: yes
 use-caps-for-id: no
 unblock-lan-zones: yes
 trust-anchor-signaling: no
remote-control:
 control-enable: no
''' % (port, port, folder, hints))


def bind_conf(folder, hints, port):
    return put(folder + '/named.conf', '''options {
 directory "%s";
 listen-on port %d { 127.0.0.1; };
 listen-on-v6 port %d { ::1; };
 pid-file none;
 session-keyfile none;
 recursion yes;
 allow-recursion { any; };
 dnssec-validation no;
 empty-zones-enable no;
 managed-keys-directory "%s";
 notify no;
};
controls { };
zone "." { type hint; file "%s"; };
''' % (folder, port, port, folder, hints))


def rootward_conf(folder, listen, more):
    document = {'server': {'listen': listen, 'workers': 2,
                           'control': os.path.join(folder, 'control.sock')},
                'access': {'recursion': ['loopback', 'connected', '192.0.2.0/24']},
                'chain': [{'root': {'kind': 'recurse'}}]}
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            document[key].update(value)
        else:
            document[key] = value
    return put(folder + '/rootward.yaml', json.dumps(document, indent=1))
