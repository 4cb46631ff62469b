/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/world.h"

#include "base/mem.h"
#include "serve/inside.h"

struct serve_way *serve_way_hold(struct serve_way *way)
{
	if (way)
		way->holders++;
	return way;
}

void serve_way_drop(struct serve_way **held)
{
	struct serve_way *way = *held;
	*held = NULL;
	if (way && --way->holders == 0)
		way->release(way);
}

struct world *world_new(const struct serve_opts *opts, struct zone *const *zones, size_t n,
	struct serve_way *way, struct tls_side *side)
{
	struct world *world = mem_new(sizeof *world);
	world->texts = *opts;
	world->answer = (struct answer_opts){
		.edns_size = opts->edns_size,
		.keepalive = opts->keepalive,
		.cookies = opts->cookies,
		.version = world->texts.version,
		.identity = world->texts.identity,
		.nsid = world->texts.nsid,
	};
	world->zones = mem_array(n ? n : 1, sizeof *world->zones);
	world->n = n;
	for (size_t i = 0; i < n; i++)
		world->zones[i] = zone_hold(zones[i]);
	world->table = zone_table_new(world->zones, n);
	world->way = serve_way_hold(way);
	world->side = tls_side_hold(side);
	return world;
}

void world_free(struct world **held)
{
	struct world *world = *held;
	*held = NULL;
	if (!world)
		return;
	zone_table_free(&world->table);
	for (size_t i = 0; i < world->n; i++)
		zone_drop(&world->zones[i]);
	serve_way_drop(&world->way);
	tls_side_drop(&world->side);
	mem_free(world->zones);
	mem_free(world);
}
