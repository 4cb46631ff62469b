/* SPDX-License-Identifier: BSD-2-Clause */
/* socket.h -- sockets to listen on, bound; what is set on every socket for datagrams
 *
 * What     Common to udp_bind() and stream_bind(): non-blocking, closed on exec,
 *          SO_REUSEPORT, IPv6 alone on an IPv6 socket.
 */
#pragma once

#include "base/err.h"
#include "net/addr.h"

/* type: SOCK_DGRAM or SOCK_STREAM. is_first: refuses an address that another server holds;
 * port 0 gets a free port (addr_local() tells which). fd or -errno. */
int socket_bind(const struct addr *addr, int type, bool is_first, struct err *err) CHECKED;
/* Takes over a socket that somebody else bound: it must be one of IPv4 or IPv6, for datagrams
 * or listening. *type and *addr get what it is. 0, or -errno with the reason; fd stays the
 * caller's. */
int socket_adopt(int fd, int *type, struct addr *addr, struct err *err) CHECKED;
/* Whether this host speaks IPv6 at all, be it to itself alone. */
bool socket_has_ipv6(void);
/* Never let a forged "too big" make the kernel cut our datagrams up (hazard A7). */
void socket_refuse_fragments(int fd, int family);
/* Says why the address cannot be listened on; returns -error. */
int socket_refuse(const struct addr *addr, int error, struct err *err);
