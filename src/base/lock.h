/* SPDX-License-Identifier: BSD-2-Clause */
/* lock.h -- a mutex, for what threads share off the data plane */
#pragma once

#include "base/def.h"

#include <pthread.h>

struct lock {
	pthread_mutex_t mutex;
};

static inline void lock_init(struct lock *lock)
{
	must(pthread_mutex_init(&lock->mutex, NULL) == 0);
}

static inline void lock_fini(struct lock *lock)
{
	must(pthread_mutex_destroy(&lock->mutex) == 0);
}

static inline void lock_take(struct lock *lock)
{
	must(pthread_mutex_lock(&lock->mutex) == 0);
}

static inline void lock_release(struct lock *lock)
{
	must(pthread_mutex_unlock(&lock->mutex) == 0);
}
