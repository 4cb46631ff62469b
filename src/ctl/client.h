/* SPDX-License-Identifier: BSD-2-Clause */
/* client.h -- rootctl's side of the control socket */
#pragma once

#include "base/def.h"
#include "base/err.h"

#include <jansson.h>
#include <stdio.h>

/* Sends request (which it takes) over fd, waits until the daemon closes the connection, closes
 * fd, returns the reply; NULL with the reason. */
json_t *client_ask(int fd, json_t *request, struct err *err) CHECKED;
/* The same for a reply of lines, which are copied to out as they come. */
int client_copy(int fd, json_t *request, FILE *out, struct err *err) CHECKED;
/* The exit code a reply means. */
int client_code(const json_t *reply);
