# SPDX-License-Identifier: BSD-2-Clause
"""client.py -- asks much of a resolver at once, and compares what two of them said

One socket and one loop; at most `window` questions are out at a time, each is asked again twice
when no reply came. What is kept of a reply is its code and its answers without TTLs.
"""
import collections
import select
import struct
import time

import wire


class Flood:
    """Replies to questions, in their order: what keep() makes of their bytes, None where none came.

    Afterwards: seconds in all; took: of each question; again, lost: how many were.
    """

    def __init__(self, make, host='127.0.0.1', port=53, window=100, patience=4.0, keep=None):
        self.make, self.to = make, (host, port)
        self.window, self.patience, self.keep = window, patience, keep or gist
        self.lost = self.again = 0
        self.seconds = 0.0

    def ask(self, questions):
        """questions: (name, type) each."""
        self.out, self.took = [None] * len(questions), [0.0] * len(questions)
        self.questions, self.waiting = questions, collections.OrderedDict()
        self.free = collections.deque(range(65536))
        began, sent, self.done = time.monotonic(), 0, 0
        with self.make() as s:
            s.setblocking(False)
            s.connect(self.to)
            while self.done < len(questions):
                while sent < len(questions) and len(self.waiting) < self.window:
                    self.send(s, sent, 1)
                    sent += 1
                if select.select([s], [], [], 0.05)[0]:
                    self.receive(s)
                self.repeat(s)
        self.seconds = time.monotonic() - began
        return self.out

    def send(self, s, index, tries):
        ident = self.free.popleft()
        self.waiting[ident] = (index, tries, time.monotonic())
        try:
            s.send(wire.query(*self.questions[index], flags=wire.RD, edns=True, ident=ident))
        except OSError:
            pass                # asked again, as if it had been lost

    def receive(self, s):
        for _ in range(64):
            try:
                data = s.recv(65535)
            except (BlockingIOError, ConnectionError):
                return
            ident, = struct.unpack('!H', data[:2])
            if ident not in self.waiting:
                continue
            index, _, at = self.waiting.pop(ident)
            self.free.append(ident)
            self.out[index] = self.keep(data)
            self.took[index] += time.monotonic() - at
            self.done += 1

    def repeat(self, s):
        """The oldest come first: questions are waited for in the order they were sent."""
        now = time.monotonic()
        while self.waiting:
            ident, (index, tries, at) = next(iter(self.waiting.items()))
            if now - at < self.patience:
                return
            del self.waiting[ident]
            self.free.append(ident)
            self.took[index] += now - at
            if tries < 3:
                self.again += 1
                self.send(s, index, tries + 1)
            else:
                self.lost += 1
                self.done += 1

    def slowest(self, n=5):
        """(seconds, question) of those that took longest."""
        return sorted(zip(self.took, self.questions), reverse=True)[:n]


def gist(data):
    """What two correct resolvers agree on."""
    try:
        m = wire.Message(data)
    except wire.Bad as e:
        return 'malformed: %s' % e, frozenset()
    code = m.status + (' TC' if m.flags & wire.TC else '')
    return code, frozenset(r[:2] + r[4:] for r in m.answer)


def tell(value):
    """A gist in words."""
    if value is None:
        return 'no reply'
    code, records = value
    return ' '.join([code] + sorted(
        '%s/%s' % (wire.NAMES.get(r[1], r[1]), wire.show((r[0], r[1], 1, 0, r[2])).split()[-1])
        for r in records))


def differences(questions, ours, theirs):
    """(question, ours, theirs) of each that is not the same, in words."""
    return [('%s %s' % q, tell(a), tell(b)) for q, a, b in zip(questions, ours, theirs) if a != b]
