/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a program that isn't soak's, each with what was seen of it and what is made of
 * that: which of them leaks, when not all do. Those that live longest are kept, as many as there is
 * room for; the verdict of the run is that of all together.
 */
#ifndef SOAK_PROCESSES_H
#define SOAK_PROCESSES_H

#include "evidence/history.h"
#include "page/process.h"

#include <stddef.h>

enum { PROCESSES_KEPT = 8 };

struct run;

/* Of a run whose LEAK is in doubt, as nothing made the collector of a JVM run. */
struct uncollected {
    pid_t pid;    /* the JVM's; 0: there is none, or the LEAK stands */
    bool is_main; /* it is {pid} */
};

struct processes {
    size_t count, total, judged; /* kept; counted at the last checkpoint: in all, and of these those
                                    that --processes has judged */
    struct snapshot_process jvm; /* one that is judged, while it lived; pid 0: none was seen */
    struct uncollected uncollected;
    struct {
        struct snapshot_process row; /* as it was at the last checkpoint */
        bool heap;                   /* it tells the figures of its heap */
        int64_t ssl_objects;
        struct history *history; /* owned */
    } kept[PROCESSES_KEPT];
};

/* At a checkpoint of the subject, before that is kept: `like` is the subject's own sample. A
 * process that has gone is forgotten, and makes room. */
void processes_checkpoint(struct run *r, const struct history_sample *like,
                          enum history_phase phase, double seconds);
struct subject;
/* How many of a subject are judged: of a program that isn't soak's, as were there at the last
 * checkpoint. */
uint64_t processes_of(const struct run *r, const struct subject *s);
/* Notes whether a JVM is among those that are judged, while they live. */
void processes_look(struct run *r);
/* Nothing is shown by processes that don't hold the connections: no PASS then, and a LEAK stands.
 * What grows in a JVM that nobody makes collect may only wait for it: no LEAK then. */
void processes_doubt(struct run *r, const struct history_question *question, struct judgement *j);
void processes_fini(struct processes *p);

#endif
