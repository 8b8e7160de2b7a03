/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run has of each of its subjects.
 */
#ifndef SOAK_WATCHED_H
#define SOAK_WATCHED_H

#include "evidence/capture.h"
#include "evidence/history.h"
#include "profiler.h"
#include "report/result.h"
#include "subject/subject.h"

/* A subject, what was seen of it, and what is made of that. */
struct watched {
    struct subject *subject; /* of the run's subjects */
    struct history *history; /* owned */
    struct judgement judgement;
    struct capture capture;
    struct profiler profiler;
    struct result_rest rest;
};

#endif
