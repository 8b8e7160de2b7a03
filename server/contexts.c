/* SPDX-License-Identifier: Apache-2.0 */
#include "contexts.h"

#include <pthread.h>
#include <stdlib.h>

struct contexts {
    struct contexts_options options;
    pthread_mutex_t lock; /* for all below */
    SSL_CTX *shared;      /* owned */
    uint64_t served;      /* connections for which no reload was due yet */
    uint64_t due;         /* reloads */
    bool checkpoints;     /* reloads become due at checkpoints only */
};

int contexts_new(const struct contexts_options *o, struct contexts **ret, struct err *e)
{
    struct contexts *x = calloc(1, sizeof *x);
    if (!x)
        return err_set(e, "out of memory");
    x->options = *o;
    if (o->make(o->arg, &x->shared, e) < 0) {
        free(x);
        return -1;
    }
    pthread_mutex_init(&x->lock, NULL);
    *ret = x;
    return 0;
}

void contexts_free(struct contexts *x)
{
    SSL_CTX_free(x->shared);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* Called with the lock. */
static void count_due(struct contexts *x)
{
    if (x->options.reload == 0)
        return;
    x->due += x->served / x->options.reload;
    x->served %= x->options.reload;
}

/* Called with the lock. Returns the old one, to be freed without it. */
static SSL_CTX *replace(struct contexts *x, SSL_CTX *fresh)
{
    SSL_CTX *old = x->shared;
    x->shared = fresh;
    x->due--;
    return old;
}

SSL_CTX *contexts_take(struct contexts *x, struct err *e)
{
    const struct contexts_options *o = &x->options;
    SSL_CTX *ret = NULL, *old = NULL, *fresh = NULL;
    if (o->per_connection)
        return o->make(o->arg, &ret, e) < 0 ? NULL : ret;
    pthread_mutex_lock(&x->lock);
    if (!x->checkpoints)
        count_due(x);
    bool due = x->due > 0;
    if (!due || o->make(o->arg, &fresh, e) == 0) {
        old = due ? replace(x, fresh) : NULL;
        x->served++;
        ret = x->shared;
        SSL_CTX_up_ref(ret);
    }
    pthread_mutex_unlock(&x->lock);
    SSL_CTX_free(old);
    return ret;
}

void contexts_checkpoint(struct contexts *x)
{
    pthread_mutex_lock(&x->lock);
    x->checkpoints = true;
    count_due(x);
    pthread_mutex_unlock(&x->lock);
}

int contexts_reload(struct contexts *x, struct err *e)
{
    SSL_CTX *fresh;
    if (x->options.reload == 0)
        return 0;
    if (x->options.make(x->options.arg, &fresh, e) < 0)
        return -1;
    pthread_mutex_lock(&x->lock);
    SSL_CTX *old = x->shared;
    x->shared = fresh;
    x->served = x->due = 0;
    pthread_mutex_unlock(&x->lock);
    SSL_CTX_free(old);
    return 0;
}

SSL_CTX *contexts_shared(struct contexts *x)
{
    pthread_mutex_lock(&x->lock);
    SSL_CTX *ret = x->shared;
    SSL_CTX_up_ref(ret);
    pthread_mutex_unlock(&x->lock);
    return ret;
}
