/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.h -- what the service manager is told: lines to the socket $NOTIFY_SOCKET names */
#pragma once

/* "READY=1" and the like; nothing happens when nobody wants to know. */
void notify_send(const char *text);
