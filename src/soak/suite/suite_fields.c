/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_fields.h"

#define FIELD(key, type, of)                                                                       \
    {                                                                                              \
#key, SUITE_FIELD_##type, offsetof(struct suite_##of, key)                                 \
    }
static const struct suite_field metric_field[] = {
    FIELD(subject, NAME, metric),    FIELD(id, NAME, metric),      FIELD(unit, TEXT, metric),
    FIELD(per_conn, NUMBER, metric), FIELD(limit, NUMBER, metric), FIELD(verdict, NAME, metric),
};
static const struct suite_field subject_field[] = {
    FIELD(name, NAME, subject),
    FIELD(verdict, NAME, subject),
    FIELD(kind, TEXT, subject),
};
static const struct suite_field finding_field[] = {
    FIELD(subject, NAME, finding), FIELD(verdict, NAME, finding), FIELD(kind, NAME, finding),
    FIELD(file, TEXT, finding),    FIELD(line, COUNT, finding),
};
static const struct suite_field entry_field[] = {
    FIELD(name, NAME, entry),       FIELD(file, NAME, entry),      FIELD(expect, NAME, entry),
    FIELD(outcome, OUTCOME, entry), FIELD(verdict, TEXT, entry),   FIELD(kind, TEXT, entry),
    FIELD(site, TEXT, entry),       FIELD(said, TEXT, entry),      FIELD(seed, TEXT, entry),
    FIELD(run_dir, TEXT, entry),    FIELD(shard, COUNT, entry),    FIELD(closed, COUNT, entry),
    FIELD(measured, COUNT, entry),  FIELD(seconds, NUMBER, entry), FIELD(exit, EXIT, entry),
    FIELD(started, TEXT, entry),    FIELD(libs, TEXT, entry),
};
static const struct suite_field shard_field[] = {
    FIELD(index, COUNT, shard),  FIELD(of, COUNT, shard),     FIELD(end, END, shard),
    FIELD(version, NAME, shard), FIELD(libs, TEXT, shard),    FIELD(machine, TEXT, shard),
    FIELD(host, TEXT, shard),    FIELD(started, TEXT, shard), FIELD(options, TEXT, shard),
    FIELD(folder, TEXT, shard),
};
const struct suite_fields suite_metric_fields = {metric_field,
                                                 sizeof metric_field / sizeof *metric_field};
const struct suite_fields suite_subject_fields = {subject_field,
                                                  sizeof subject_field / sizeof *subject_field};
const struct suite_fields suite_finding_fields = {finding_field,
                                                  sizeof finding_field / sizeof *finding_field};
const struct suite_fields suite_entry_fields = {entry_field,
                                                sizeof entry_field / sizeof *entry_field};
const struct suite_fields suite_shard_fields = {shard_field,
                                                sizeof shard_field / sizeof *shard_field};
