/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of agents: a client process on each of several other machines, each with its share. What
 * is told to the load is told to each of them, and a word is the load's once all have said it, as
 * for processes of this machine. When an agent is lost, each of its shares begins anew at the agent
 * that has the fewest, under the order that is out; the run is told that the present epoch was
 * disturbed. When none is left the load is broken.
 */
#ifndef SOAK_AGENT_LOAD_H
#define SOAK_AGENT_LOAD_H

#include "agents.h"
#include "subject.h"

/* Whether an agent was lost since the last call. */
bool agent_load_disturbed(struct subject *s);
/* Whether it waits for agents to join. */
bool agent_load_waits(const struct subject *s);
/* How many were lost so far. */
size_t agent_load_losses(const struct subject *s);
/* NULL where the load isn't made by agents, or nothing was started. Borrowed. */
const struct agents *agent_load_agents(const struct subject *s);
/* After the loop has run once more. NULL is harmless. */
void agent_load_free(struct agent_load *l);

/* Pure: the place of the least of `count` numbers that isn't left out; SIZE_MAX: none is left. */
size_t agent_load_fewest(const size_t *shares, const bool *gone, size_t count);

#endif
