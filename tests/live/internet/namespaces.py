# SPDX-License-Identifier: BSD-2-Clause
"""namespaces.py -- a place of one's own: networks, mounts and processes apart from the machine's

enter() makes the calling program the first process of a new process namespace; when it ends,
however it ends, the kernel ends all below it. The process that called stays outside, passes
signals on and removes the folder that was given. No right of root is needed where the kernel
lets users have namespaces of their own.
"""
import contextlib
import ctypes
import errno
import os
import shutil
import signal
import sys
import tempfile

NEWNS, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):
    """What this machine does not let us have, and why."""


def call(function, *args):
    if function(*args) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(flags):
    call(libc.unshare, flags)


def setns(descriptor):
    """This thread is in that network from now on; its sockets stay where they were made."""
    call(libc.setns, descriptor, NEWNET)


def mount(source, target, kind=None, flags=0):
    call(libc.mount, source.encode(), target.encode(), kind.encode() if kind else None,
         ctypes.c_ulong(flags), None)


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)


def apart():
    """New namespaces; as an ordinary user with a user namespace of its own around them."""
    uid, gid, rest = os.geteuid(), os.getegid(), NEWNET | NEWPID | NEWNS
    if uid == 0:
        with contextlib.suppress(OSError):
            unshare(rest)
            return
    try:
        unshare(rest | NEWUSER)
        with contextlib.suppress(FileNotFoundError):
            write('/proc/self/setgroups', 'deny')
        write('/proc/self/uid_map', '0 %d 1' % uid)
        write('/proc/self/gid_map', '0 %d 1' % gid)
    except OSError as e:
        raise Forbidden('namespaces of our own: %s' % e.strerror) from e


def enter(prefix='rootward-internet-'):
    """Goes on in namespaces of its own; returns a folder that is removed at the end.

    To be called first, while there is one thread. Forbidden is raised in the caller's process.
    """
    folder = tempfile.mkdtemp(prefix=prefix)
    sys.stdout.flush()
    try:
        apart()
        child = os.fork()
    except (Forbidden, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if child:
        outside(child, folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_once)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    mount('none', '/', None, MS_REC | MS_PRIVATE)
    with contextlib.suppress(OSError):
        mount('proc', '/proc', 'proc')
    with contextlib.suppress(OSError):      # in memory, and gone with us
        mount('tmpfs', folder, 'tmpfs')
    return folder


def outside(child, folder):
    """Waits for the program inside, passes signals on, leaves nothing behind and ends like it."""
    def send(number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    def pass_on(_number, _frame):
        send(signal.SIGTERM)
        signal.alarm(10)

    was_in_front = False
    with contextlib.suppress(OSError):
        was_in_front = os.tcgetpgrp(0) == os.getpgrp()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    signal.signal(signal.SIGALRM, lambda *_: send(signal.SIGKILL))
    status = os.waitpid(child, 0)[1]
    if was_in_front:
        take_terminal()
    libc.umount2(folder.encode(), MNT_DETACH)
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def take_terminal():
    """This process group is in the foreground of its terminal, if it has one."""
    old = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, old)


def end_once(number, _frame):
    """The first signal ends the program; those that follow do not disturb its tidying up."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


def new_network():
    """A descriptor of a new, empty network; the caller stays in its own."""
    here = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
    unshare(NEWNET)
    there = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
    setns(here)
    return here, there


def over(source, target):
    """Lays a file over another; false when that is not to be had."""
    try:
        mount(source, os.path.realpath(target), None, MS_BIND)
        return True
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.ENOENT, errno.EACCES):
            raise
        return False
