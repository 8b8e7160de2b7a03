/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoch of a run that counts reloads (--reload): the command, a quiet page, a server that can be
 * connected to again, then every connection that is held replaced by one to the new configuration;
 * so many times. Connections are held while the command runs, as they are in real life.
 */
#ifndef SOAK_RELOAD_H
#define SOAK_RELOAD_H

#include "run.h"

/* Begins the epoch; settle_begin for its checkpoint is its end. */
void reload_epoch(struct run *r, uint64_t reloads);
/* The page is quiet; the server can be connected to; the load is done. */
void reload_quiet(struct run *r);
void reload_ready(struct run *r);
void reload_loaded(struct run *r);
/* The user has interrupted the run: doesn't wait for a command that is under way, nor for a server
 * that isn't back. */
void reload_interrupted(struct run *r);

#endif
