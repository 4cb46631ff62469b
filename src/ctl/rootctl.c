/* SPDX-License-Identifier: BSD-2-Clause */
/* rootctl.c -- control and checking from the command line */
#include "base/near.h"
#include "ctl/check.h"
#include "ctl/client.h"
#include "ctl/config.h"
#include "ctl/daemon.h"
#include "ctl/local.h"
#include "ctl/report.h"
#include "ctl/show.h"
#include "ctl/words.h"

#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_FILE,
	OPT_SOCKET,
	OPT_JSON,
	OPT_PRINT,
	OPT_STRICT,
	OPT_CLIENT,
	OPT_LIVE,
	OPT_VERSION,
	OPT_HELP
};

static const struct word_option options[] = {
	[OPT_FILE] = { "-c", "FILE",
		"the daemon's configuration; without it /etc/rootward/rootward.yaml" },
	[OPT_SOCKET] = { "-s", "SOCKET", "the daemon's control socket" },
	[OPT_JSON] = { "--json", NULL, "one JSON document to standard output" },
	[OPT_PRINT] = { "--print", NULL, "checkzone: the records, absolute, one a line" },
	[OPT_STRICT] = { "--strict", NULL, "checks: warnings alone end with 3" },
	[OPT_CLIENT] = { "--client", "ADDRESS", "explain: as this client would be answered" },
	[OPT_LIVE] = { "--live", NULL, "explain: pass the caches by and ask the whole way" },
	[OPT_VERSION] = { "--version", NULL, "which version this is" },
	[OPT_HELP] = { "--help", NULL, "this text" },
};

enum {
	ARGUMENTS_MAX = 3
};

struct call { /* what the command line asks for */
	const char *config, *socket, *verb, *client;
	bool is_live;
	const char *argument[ARGUMENTS_MAX];
	size_t n;
	struct check_opts check;
};

struct verb_line { /* one row per verb */
	const char *name, *arguments, *help;
	size_t min, max;
	int (*run)(const struct call *call);
};

static const char default_config[] = "/etc/rootward/rootward.yaml";

/* ---- verbs that speak with the daemon -------------------------------------------------- */

/* The socket that the configuration names; NULL: the default places. False: it is refused. */
static bool find_socket(const struct call *call, struct config **config, const char **path)
{
	*path = call->socket;
	if (call->socket || (!call->config && access(default_config, F_OK) < 0))
		return true;
	const char *file = call->config ? call->config : default_config;
	struct complaints complaints = { 0 };
	*config = config_read(file, &complaints);
	if (!*config) {
		for (size_t i = 0; i < complaints.n; i++)
			report_text(stderr, complaints.list[i].text);
		(void)fprintf(stderr,
			"rootctl: %s is refused, the daemon was not asked; -s names its "
			"socket\n",
			file);
	} else if (*(*config)->control) {
		*path = (*config)->control;
	}
	complaints_fini(&complaints);
	return *config;
}

static int open_socket(const char *path, struct err *err)
{
	char place[LOCAL_PATH_MAX];
	int fd = -ENOENT;
	if (path)
		return local_connect(path, err);
	for (unsigned i = 0; fd < 0 && local_default(place, i); i++) {
		struct err other;
		fd = local_connect(place, i ? &other : err);
	}
	return fd;
}

/* A connection to the daemon; EXIT_GOOD with fd >= 0, or with -1 and the reason in err. */
static int reach(const struct call *call, int *fd, struct err *err)
{
	struct config *config = NULL;
	const char *path;
	*fd = -1;
	if (!find_socket(call, &config, &path))
		return EXIT_CONFIG;
	*fd = open_socket(path, err);
	config_free(&config);
	return EXIT_GOOD;
}

static void set_text(json_t *request, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(request, key, json_string(text));
}

static int run_request(const struct call *call, json_t *request)
{
	struct err err;
	int fd, refused = reach(call, &fd, &err);
	json_t *reply = NULL;
	if (fd >= 0)
		reply = client_ask(fd, request, &err);
	else
		json_decref(request);
	if (refused)
		return refused;
	if (!reply && call->check.as_json)
		reply = json_pack("{s:b,s:s}", "ok", 0, "error", err.text);
	if (!reply) {
		(void)fprintf(stderr, "rootctl: %s\n", err.text);
		return EXIT_FAILED;
	}
	if (call->check.as_json) {
		(void)json_dumpf(reply, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
		(void)putchar('\n');
	} else {
		show_reply(call->verb, reply);
	}
	int rc = client_code(reply);
	json_decref(reply);
	return rc;
}

static int run_remote(const struct call *call)
{
	json_t *request = json_pack("{s:s}", "verb", call->verb);
	set_text(request, "zone", call->n ? call->argument[0] : NULL);
	return run_request(call, request);
}

static int run_explain(const struct call *call)
{
	json_t *request =
		json_pack("{s:s,s:b}", "verb", call->verb, "live", (int)call->is_live);
	set_text(request, "name", call->argument[0]);
	set_text(request, "type", call->n > 1 ? call->argument[1] : NULL);
	set_text(request, "client", call->client);
	return run_request(call, request);
}

static int run_why(const struct call *call)
{
	json_t *request = json_pack("{s:s}", "verb", call->verb);
	set_text(request, "name", call->n ? call->argument[0] : NULL);
	return run_request(call, request);
}

static int run_dump(const struct call *call)
{
	struct err err;
	int fd, refused = reach(call, &fd, &err);
	if (refused)
		return refused;
	if (fd >= 0 &&
		client_copy(fd, json_pack("{s:s}", "verb", "cache-dump"), stdout, &err) == 0)
		return EXIT_GOOD;
	(void)fprintf(stderr, "rootctl: %s\n", err.text);
	return EXIT_FAILED;
}

static int run_flush(const struct call *call)
{
	const char *what = call->n > 1 ? call->argument[1] : NULL;
	bool is_tree = what && strcmp(what, "tree") == 0 && call->n == 3;
	if (!what || (call->n == 3 && !is_tree)) {
		(void)fputs("usage: rootctl cache flush NAME | tree NAME | all\n", stderr);
		return EXIT_FAILED;
	}
	json_t *request = json_pack("{s:s,s:b}", "verb", "cache-flush", "tree", (int)is_tree);
	if (is_tree || strcmp(what, "all") != 0)
		set_text(request, "name", is_tree ? call->argument[2] : what);
	return run_request(call, request);
}

static int run_cache(const struct call *call)
{
	const char *what = call->n ? call->argument[0] : "";
	if (strcmp(what, "dump") == 0 && call->n == 1)
		return run_dump(call);
	if (strcmp(what, "flush") == 0)
		return run_flush(call);
	if (strcmp(what, "show") == 0 && call->n == 2) {
		json_t *request = json_pack("{s:s}", "verb", "cache-show");
		set_text(request, "name", call->argument[1]);
		return run_request(call, request);
	}
	(void)fputs("usage: rootctl cache show NAME | flush NAME | flush tree NAME | flush all "
		    "| dump\n",
		stderr);
	return EXIT_FAILED;
}

/* ---- verbs that need none ------------------------------------------------------------- */

static int run_checkconf(const struct call *call)
{
	const char *path = call->n ? call->argument[0] : call->config;
	return check_config(path ? path : default_config, &call->check);
}

static int run_checkzone(const struct call *call)
{
	return check_zone(call->argument[0], call->argument[1], &call->check);
}

static const struct verb_line verbs[] = {
	{ "status", "", "what the daemon serves and has counted", 0, 0, run_remote },
	{ "reload", "[ZONE]", "read what changed; the old stays where the new is wrong", 0, 1,
		run_remote },
	{ "explain", "NAME [TYPE]", "which link answers, how old it is, from whom", 1, 2,
		run_explain },
	{ "why", "[NAME]", "the last questions at or below NAME that came to nothing", 0, 1,
		run_why },
	{ "cache", "show NAME", "what is kept of a name", 0, 3, run_cache },
	{ "cache", "flush NAME",
		"forget a name; 'tree NAME' all below it too, 'all' everything", 0, 3,
		run_cache },
	{ "cache", "dump", "all that is kept, one JSON object a line", 0, 3, run_cache },
	{ "stop", "", "finish what is being answered and end", 0, 0, run_remote },
	{ "checkconf", "[FILE]", "check the configuration and its zones", 0, 1, run_checkconf },
	{ "checkzone", "ORIGIN FILE", "check a zone file", 2, 2, run_checkzone },
};

static void print_help(void)
{
	(void)puts("usage: rootctl [-c FILE | -s SOCKET] [--json] VERB\n");
	for (size_t i = 0; i < array_len(verbs); i++)
		(void)printf(
			"  %-9s %-12s  %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
	(void)putchar('\n');
	words_help(options, array_len(options));
	(void)puts("\nExit codes: 0 good, 1 failed or refused, 3 warnings with --strict,\n"
		   "78 the configuration is refused.");
}

static int run(const struct call *call)
{
	const char *names[array_len(verbs)];
	if (!call->verb) {
		(void)fputs("rootctl: a verb is missing; --help lists them\n", stderr);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < array_len(verbs); i++) {
		const struct verb_line *verb = &verbs[i];
		names[i] = verb->name;
		if (strcmp(verb->name, call->verb) != 0)
			continue;
		if (call->n >= verb->min && call->n <= verb->max)
			return verb->run(call);
		(void)fprintf(stderr, "usage: rootctl %s %s\n", verb->name, verb->arguments);
		return EXIT_FAILED;
	}
	const char *near = near_find(call->verb, names, array_len(verbs));
	(void)fprintf(stderr, "rootctl: unknown verb %s%s%s%s; --help lists them\n", call->verb,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return EXIT_FAILED;
}

static bool take_other(struct call *call, const char *word)
{
	if (!call->verb) {
		call->verb = word;
		return true;
	}
	if (call->n < ARGUMENTS_MAX) {
		call->argument[call->n++] = word;
		return true;
	}
	(void)fprintf(
		stderr, "rootctl: %s is one word too many; --help tells what is taken\n", word);
	return false;
}

int main(int argc, char **argv)
{
	struct words words = { .n = argc, .list = argv, .at = 1, .program = "rootctl" };
	struct call call = { 0 };
	const char *value;
	for (int word; (word = words_next(&words, options, array_len(options), &value)) !=
		       WORDS_END;) {
		switch (word) {
		case OPT_FILE:
			call.config = value;
			break;
		case OPT_SOCKET:
			call.socket = value;
			break;
		case OPT_JSON:
			call.check.as_json = true;
			break;
		case OPT_PRINT:
			call.check.prints = true;
			break;
		case OPT_STRICT:
			call.check.is_strict = true;
			break;
		case OPT_CLIENT:
			call.client = value;
			break;
		case OPT_LIVE:
			call.is_live = true;
			break;
		case OPT_VERSION:
			(void)puts("rootctl " PACKAGE_VERSION);
			return EXIT_GOOD;
		case OPT_HELP:
			print_help();
			return EXIT_GOOD;
		case WORDS_OTHER:
			if (!take_other(&call, value))
				return EXIT_FAILED;
			break;
		default:
			return EXIT_FAILED;
		}
	}
	return run(&call);
}
