/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_refuse(const struct addr *addr, int error, struct err *err)
{
	char text[ADDR_TEXT_MAX];
	const char *why = strerror(error);
	if (error == EADDRINUSE)
		why = "address already in use: another server holds it";
	else if (error == EADDRNOTAVAIL)
		why = "this host does not have that address";
	else if (error == EAFNOSUPPORT)
		why = "this host has no IPv6";
	else if (error == EACCES && addr_port(addr) < 1024)
		why = "permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE";
	return err_set(err, -error, "cannot listen on %s: %s", addr_print(text, addr), why);
}

static bool switch_on(int fd, int level, int name)
{
	int one = 1;
	return setsockopt(fd, level, name, &one, sizeof one) == 0;
}

/* A bound socket, shared or not; fd or -errno. */
static int bind_one(const struct addr *addr, int type, bool is_shared)
{
	int fd = socket(addr->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* SO_REUSEADDR on TCP only passes over connections that are ending; on UDP it would
	 * share. */
	if ((addr->any.sa_family == AF_INET6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
		(type == SOCK_STREAM && !switch_on(fd, SOL_SOCKET, SO_REUSEADDR)) ||
		(is_shared && !switch_on(fd, SOL_SOCKET, SO_REUSEPORT)) ||
		bind(fd, &addr->any, addr_len(addr))) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	return fd;
}

bool socket_has_ipv6(void)
{
	const struct addr self = { .v6 = { .sin6_family = AF_INET6,
					   .sin6_addr = IN6ADDR_LOOPBACK_INIT } };
	int fd = bind_one(&self, SOCK_DGRAM, false);
	if (fd < 0)
		return fd != -EADDRNOTAVAIL && fd != -EAFNOSUPPORT;
	(void)close(fd);
	return true;
}

int socket_bind(const struct addr *addr, int type, bool is_first, struct err *err)
{
	struct addr at = *addr;
	if (is_first) {
		/* A socket that shares nothing finds out whether the address is free, and
		 * which port 0 stands for: SO_REUSEPORT would join a stranger's. */
		int probe = bind_one(addr, type, false);
		if (probe < 0)
			return socket_refuse(addr, -probe, err);
		int e = addr_local(&at, probe);
		(void)close(probe);
		if (e)
			return socket_refuse(addr, -e, err);
	} else if (addr_port(addr) == 0) {
		return socket_refuse(addr, EINVAL, err);
	}
	int fd = bind_one(&at, type, true);
	if (fd < 0)
		return socket_refuse(&at, -fd, err);
	return fd;
}

void socket_refuse_fragments(int fd, int family)
{
	int omit4 = IP_PMTUDISC_OMIT, dont4 = IP_PMTUDISC_DONT;
	int omit6 = IPV6_PMTUDISC_OMIT, dont6 = IPV6_PMTUDISC_DONT;
	if (family == AF_INET &&
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit4, sizeof omit4))
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont4, sizeof dont4);
	if (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit6, sizeof omit6))
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &dont6, sizeof dont6);
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof on;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

int socket_adopt(int fd, int *type, struct addr *addr, struct err *err)
{
	socklen_t n = sizeof *type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, type, &n) || addr_local(addr, fd) ||
		(addr->any.sa_family != AF_INET && addr->any.sa_family != AF_INET6))
		return err_set(err, -EINVAL, "inherited descriptor %d is no IP socket", fd);
	if (*type != SOCK_DGRAM && !(*type == SOCK_STREAM && is_listening(fd)))
		return err_set(err, -EINVAL,
			"inherited descriptor %d neither takes datagrams nor listens", fd);
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, -errno, "inherited descriptor %d: %s", fd, strerror(errno));
	return 0;
}
