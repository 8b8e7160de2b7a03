/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the judge share: the evidence with its epochs sorted out (struct
 * judge_context), the survivors of one site summed up (struct survivors), the small tests both
 * use, and the rules by name. Private to the judge and its tests.
 */
#ifndef SOAK_STATS_JUDGE_INTERNAL_H
#define SOAK_STATS_JUDGE_INTERNAL_H

#include "base/names.h"
#include "judge.h"
#include "stats/sensitivity.h"

/* The deciding rules by name: a test switches one off and sees that a control then fails, so that
 * no rule stands without one. docs/decision.md states each. */

/* Rules about one site, in the order in which they are asked. X(IDENTIFIER, function) */
#define SITE_RULE_LIST(X)                                                                          \
    X(RULE_TABLE, table_judge)                                                                     \
    X(RULE_CACHE, site_cache)                                                                      \
    X(RULE_SCATTER, site_scatter)                                                                  \
    X(RULE_QUIET, site_quiet)                                                                      \
    X(RULE_REPLACED, site_replaced)                                                                \
    X(RULE_REPLACED_WITH, site_replaced_with)                                                      \
    X(RULE_SWAPPED, site_swapped)                                                                  \
    X(RULE_ERROR_QUEUE, site_error_queue)                                                          \
    X(RULE_ONE_TIME, site_one_time)                                                                \
    X(RULE_LINE, site_line)                                                                        \
    X(RULE_BOUNDED, site_bounded)                                                                  \
    X(RULE_FEW, site_few)                                                                          \
    X(RULE_HALVES, site_halves)                                                                    \
    X(RULE_UNCONFIRMED, site_unconfirmed)                                                          \
    X(RULE_DECELERATING, site_decelerating)                                                        \
    X(RULE_MARKS, site_marks)                                                                      \
    X(RULE_EACH_ONCE, site_each_once)                                                              \
    X(RULE_RUNS, site_runs)                                                                        \
    X(RULE_EXPECTED, site_expected)                                                                \
    X(RULE_LEAK, site_leak)

/* Rules that name the kind of a leak, refine a doubt, judge the gauges, or the run as a whole. */
#define OTHER_RULE_LIST(X)                                                                         \
    X(RULE_TABLE_WANDERS)                                                                          \
    X(RULE_TABLE_SHRANK)                                                                           \
    X(RULE_TABLE_MARKS)                                                                            \
    X(RULE_TABLE_ANEW)                                                                             \
    X(RULE_TABLE_OF_CACHE)                                                                         \
    X(RULE_TABLE_OF_DESCRIPTORS)                                                                   \
    X(RULE_TABLE_OF_SHARES)                                                                        \
    X(RULE_SHARED)                                                                                 \
    X(RULE_EMPTIED_OVER)                                                                           \
    X(RULE_HIDDEN)                                                                                 \
    X(RULE_CLUMPS)                                                                                 \
    X(RULE_RARE)                                                                                   \
    X(RULE_TIME)                                                                                   \
    X(RULE_HOLD_LONG)                                                                              \
    X(RULE_UNTESTED)                                                                               \
    X(RULE_HELD)                                                                                   \
    X(RULE_DEFERRED)                                                                               \
    X(RULE_OBJECT)                                                                                 \
    X(RULE_OBJECT_GONE)                                                                            \
    X(RULE_HOLD_FIRST)                                                                             \
    X(RULE_PENDING)                                                                                \
    X(RULE_GAUGES)                                                                                 \
    X(RULE_FILES_OF_THREADS)                                                                       \
    X(RULE_THREADS_OF_POOL)                                                                        \
    X(RULE_OUTSIDE)                                                                                \
    X(RULE_SIZE_CLASS)                                                                             \
    X(RULE_LEDGER_FIRST)                                                                           \
    X(RULE_IN_USE_FIRST)                                                                           \
    X(RULE_FRAGMENTATION)                                                                          \
    X(RULE_UNPURGED)                                                                               \
    X(RULE_HEAP_FIRST)                                                                             \
    X(RULE_MAPPING)                                                                                \
    X(RULE_FEW_POINTS)                                                                             \
    X(RULE_UNHOOKED)                                                                               \
    X(RULE_NO_HANDSHAKE)                                                                           \
    X(RULE_FAILED_MANY)                                                                            \
    X(RULE_FOREIGN_MANY)                                                                           \
    X(RULE_FAILED_SOME)                                                                            \
    X(RULE_OVERFLOWED)                                                                             \
    X(RULE_FROM_OUTSIDE)                                                                           \
    X(RULE_UNSTEADY)                                                                               \
    X(RULE_NO_FIGURE)                                                                              \
    X(RULE_INSENSITIVE)

#define RULE_LIST(X) SITE_RULE_LIST(X) OTHER_RULE_LIST(X)

enum judge_rule { RULE_LIST(ENUM_ID) RULE_COUNT };

#define RULES_ALL ((UINT64_C(1) << RULE_COUNT) - 1)

/* judge() with only the rules in `rules` (bits by enum judge_rule). */
void judge_with_rules(const struct evidence *evidence, uint64_t rules, struct judgement *ret);
const char *judge_rule_name(enum judge_rule rule);

/* The evidence, and which of its epochs count. A judged epoch is measured, no hold, and all its
 * connections have closed. */
/* The trend of what an allocator's figure is judged by in its place, as what else moves it is taken
 * off at each checkpoint. */
struct judge_net {
    bool known;
    double per_conn, half_width;
};

struct judge_context {
    const struct evidence *e; /* borrowed */
    uint64_t rules;
    size_t base;   /* the checkpoint before the first measured epoch; SIZE_MAX: nothing before */
    size_t last;   /* the newest checkpoint; meaningless when `epochs` is 0 */
    size_t newest; /* the newest judged epoch */
    size_t middle; /* the last judged epoch of the first half */
    int epochs;    /* judged */
    uint64_t half[2], opened; /* connections begun in the halves, and in both */
    double seconds;           /* of the judged epochs */
    bool hold;                /* there is a hold epoch */
    double hold_seconds;
    double one_in;   /* one lost block per so many connections would have shown; 0: none */
    double shows;    /* written: at a site that passes though blocks came in; INFINITY: no such */
    bool pending;    /* written by the site rules: a cache explains growth until the drain */
    bool wants_hold; /* written: growth that no hold epoch has told from time yet */
    bool wants_more; /* written: undecided */
    int64_t begun;   /* written by EACH_ONCE: threads that may have begun while it was measured */
    struct judge_net allocated, active; /* written by heap_judge */
};

struct survivors {
    size_t site;
    const struct judge_site *s;
    int64_t blocks, bytes; /* of all judged epochs */
    int64_t half[2];       /* blocks */
    int64_t events;        /* losses: blocks, or clumps of equally many blocks */
    int64_t growth;        /* of the site's live blocks since the base */
    int64_t held;          /* blocks born in hold epochs */
    int epochs;            /* judged epochs that kept any */
    size_t oldest, newest; /* of them */
    double without;        /* share of the connections of those that kept none, from the first
                            * that kept some on */
    const char *made_with; /* written by survivors_judge: replaced_class, or NULL */
};

static inline bool rule_on(const struct judge_context *h, enum judge_rule rule)
{
    return h->rules >> rule & 1;
}

/* What is counted: "connection" and its like, for sentences. */
static inline const char *unit_of(const struct judge_context *h)
{
    return unit_name(h->e->unit);
}

/* What is said of threads, not where reloads are the unit: these are few, and processes come and go
 * with them. */
static inline bool threads_are_asked(const struct judge_context *h)
{
    return h->e->unit != UNIT_RELOAD;
}

/* What chance alone explains with a probability of at most this is refuted. */
#define JUDGE_ALPHA (1 - JUDGE_CONFIDENCE_PERMILLE / 1000.0)

/* A leak of many losses slows down now and then, and a run asks hundreds of sites. */
#define JUDGE_SLOWER 1e-4

/* Epochs that keep none refute losses of single blocks: so seldom that no sensitivity (reach.c) has
 * to count with it. */
#define JUDGE_CLUMPS 1e-6

/* Where so many connections, or fewer, lose a block, and each epoch its share, whether losses come
 * in clumps can't be told. */
enum { JUDGE_DENSE = 8 };

/* What threads make once each, one in so many of them may have made twice, if that are fewer than
 * are a matter. */
enum { JUDGE_EACH_TWICE = 4 };

static inline int64_t born(const struct judge_site *s, size_t epoch)
{
    return s->born_blocks[epoch] > 0 ? s->born_blocks[epoch] : 0;
}

/* The checkpoint that a series is followed from: the first where nothing was before the measuring.
 */
static inline size_t followed_from(const struct judge_context *h)
{
    return h->base == SIZE_MAX ? 0 : h->base;
}

void judge_context_open(struct judge_context *h, const struct evidence *e, uint64_t rules);
bool judge_context_judges(const struct judge_context *h, size_t epoch);
/* Figures of a series at the base checkpoint; 0 when there is none before the measuring. */
int64_t at_base(const struct judge_context *h, const int64_t *series);
int64_t growth_of(const struct judge_context *h, const int64_t *series);

void survivors_count(const struct judge_context *h, size_t site, struct survivors *ret);
/* The same of a site that isn't in the evidence: a sum of sites, of which `site` is one. */
void survivors_of(const struct judge_context *h, const struct judge_site *s, size_t site,
                  struct survivors *ret);
/* What an epoch kept is its connections' share, by chance, for losses of `clump` blocks, or to a
 * quarter. */
bool share_kept(double kept, double expected, double clump);
/* So many losses; or, where chance leaves so large a share of the connections without any of them
 * with a probability of at most `chance`, one in each epoch that kept some. */
int64_t losses_of_epochs(const struct judge_context *h, int64_t losses, int epochs, double without,
                         double chance);
/* Sites of a type: in the same file, of the same block size. */
bool same_type(const struct judge_context *h, const struct judge_site *a,
               const struct judge_site *b);
/* Not at rest. */
bool site_moved(const struct judge_context *h, const struct judge_site *s);
/* Survivors born in judged epochs after `epoch` (SIZE_MAX: in all of them), and their connections;
 * and all connections begun after it. */
int64_t survivors_after(const struct judge_context *h, const struct judge_site *s, size_t epoch);
uint64_t opened_after(const struct judge_context *h, size_t epoch);
uint64_t begun_after(const struct judge_context *h, size_t epoch);

/* P(X <= k) for X ~ Poisson(mean), and for X ~ Binomial(n, p); n up to a million and beyond. */
double poisson_at_most(int64_t k, double mean);
/* The least mean of which there are k or fewer with a probability of at most `chance`. */
double poisson_mean_above(int64_t k, double chance);
/* So probably a deviate of the normal distribution is at least `z`; and one that is as improbable
 * as Student's t of n degrees: D. L. Wallace, Annals of Mathematical Statistics 30 (1959)
 * 1124-1130. */
double normal_at_least(double z);
double normal_of_student(double t, double n);
double binomial_at_most(int64_t k, int64_t n, double p);
/* The gauge of a metric that has two points or more, borrowed; NULL: there is none. */
const struct judge_gauge *gauge_find(const struct evidence *e, enum metric metric);
/* Where the points begin that a witness is judged on: at half of its connections, or so much before
 * that a trend has an interval. */
size_t gauge_late(const struct judge_gauge *g);

/* Fills the figures of a finding about a site. `per connection` is over the judged epochs. */
struct judge_finding finding_of(const struct judge_context *h, const struct survivors *v,
                                enum verdict verdict, enum kind kind);
__attribute__((format(printf, 2, 3))) void finding_why(struct judge_finding *f, const char *format,
                                                       ...);
/* "epochs of 250, 500, 1000 connections kept 250, 500, 1000 blocks" */
void finding_why_ratio(const struct judge_context *h, const struct judge_site *s,
                       struct judge_finding *f);

/* One rule's answer about a site: no opinion (the next is asked), nothing worth a finding, or the
 * finding. */
enum answer { NO_OPINION, QUIET, DECIDED };
enum answer answer_pass(const struct judge_context *h, const struct survivors *v, enum kind kind,
                        struct judge_finding *f);
enum answer answer_doubt(struct judge_context *h, const struct survivors *v, enum kind kind,
                         struct judge_finding *f);
/* judge_tables.c */
enum answer table_judge(struct judge_context *h, const struct survivors *v,
                        struct judge_finding *f);
/* judge_site_groups.c */
int64_t most_threads(const struct judge_context *h); /* that were seen; 1 where it isn't known */
enum answer site_error_queue(struct judge_context *h, const struct survivors *v,
                             struct judge_finding *f);
enum answer site_expected(struct judge_context *h, const struct survivors *v,
                          struct judge_finding *f);

/* judge_sites.c: a doubt, but where a leak of the sensitivity that was asked for would have left
 * more. */
enum answer doubt_unless_rare(struct judge_context *h, const struct survivors *v,
                              struct judge_finding *f);

/* judge_replaced.c: blocks that take the place of others. */
enum kind bounded_kind(const struct survivors *v);
int64_t range_since(const struct judge_context *h, const int64_t *series, size_t from);
bool total_rises(const struct judge_context *h, const int64_t *series);
bool total_stayed(const struct judge_context *h, const struct survivors *v);
const char *replaced_class(const struct judge_context *h, const struct survivors *v);
/* Passes survivors that others gave way to, or that stopped coming; or doubts them where a loss
 * that has to be seen may hide among them. `total`: what moved by no less than such losses. */
void pass_replaced(struct judge_context *h, const struct survivors *v, const int64_t *total,
                   const char *why, struct judge_finding *f);
enum answer site_replaced(struct judge_context *h, const struct survivors *v,
                          struct judge_finding *f);
enum answer site_replaced_with(struct judge_context *h, const struct survivors *v,
                               struct judge_finding *f);
enum answer site_swapped(struct judge_context *h, const struct survivors *v,
                         struct judge_finding *f);

/* judge_marks.c: sites without a line, which are all that calls malloc. */
enum answer site_marks(struct judge_context *h, const struct survivors *v, struct judge_finding *f);
/* One lost block per so many connections would surely have been a leak at such a site; less than 1:
 * no loss would. 0: there is no such site, or nothing was judged. */
double marks_one_in(const struct judge_context *h);

/* judge_threads.c: what each thread makes once. So many threads kept blocks, and so often one of
 * them some of a further epoch. */
bool threads_once(int64_t threads, int64_t again);
enum answer site_each_once(struct judge_context *h, const struct survivors *v,
                           struct judge_finding *f);

/* judge_runs.c: checkpoints that are the ends of processes of their own. */
enum answer site_scatter(struct judge_context *h, const struct survivors *v,
                         struct judge_finding *f);
enum answer site_line(struct judge_context *h, const struct survivors *v, struct judge_finding *f);
enum answer site_runs(struct judge_context *h, const struct survivors *v, struct judge_finding *f);
/* Whether many processes were run, and hardly any two made another number of connections. */
bool runs_alike(const struct judge_context *h);

/* judge_sites.c: false when the site is quiet: there is nothing to say. */
bool site_judge(struct judge_context *h, size_t site, struct judge_finding *ret);
/* The same of any survivors. */
bool survivors_judge(struct judge_context *h, const struct survivors *v, struct judge_finding *ret);

/* judge_site_groups.c: judges the sites that together make the objects of one population by their
 * sum. Sets `taken` for these, appends a finding for each that isn't quiet and returns how many. */
size_t shared_judge(struct judge_context *h, bool *taken, struct judge_finding *ret);

/* judge_count.c: how a site stands to the caches the subject declared. */
enum cache_fit { CACHE_NONE, CACHE_FITS, CACHE_FITS_OVER, CACHE_FITS_UNBOUNDED };
enum cache_fit cache_fits(const struct judge_context *h, const struct judge_site *s,
                          size_t *ret_cache);
/* What keeps step may be a fiftieth off at a checkpoint, and two where that is more. */
int64_t step_slack(int64_t growth);
/* The growth of a table in bytes is what the index of a declared cache needs for the entries that
 * came in, and the cache is within its capacity. */
bool cache_indexed_by(const struct judge_context *h, int64_t growth_bytes, size_t *ret_cache);
/* A declared cache holds more than it may, and went on to grow in both halves of the run. */
bool cache_beyond_capacity(const struct judge_context *h, size_t *ret_cache);
/* Some declared cache of limited capacity holds entries. */
bool cache_bounded_present(const struct judge_context *h);
/* Connections until a growing cache of limited capacity is full, at the pace of the measuring; 0
 * when it is full, or doesn't grow, or has no bound. */
uint64_t cache_full_in(const struct judge_context *h, size_t cache);

/* judge_kind.c: nothing connects while the subject is held, so what is added then is added by time.
 * If the pace by the second is the same with and without connections, they have no part in it. */
bool is_by_time(const struct judge_context *h, double held, double churned);
/* judge_kind.c: how many seconds more without churn would have made one of so many losses, or
 * whatever was made while held; 0: the hold tells time from connections. */
double hold_missing(const struct judge_context *h, double held, int64_t losses);
/* judge_kind.c: the same of a finding; 0 where it is none about lost blocks, files or threads. */
double hold_missing_of(const struct judge_context *h, const struct judge_finding *f);
/* judge_kind.c: refines the kinds of the LEAK findings; returns the class to blame or SIZE_MAX. */
size_t kinds_name(const struct judge_context *h, struct judge_finding *finding, size_t count);

/* judge_kind.c: each judged epoch kept as many blocks of the finding's site as its connections'
 * share of all comes to, by chance or to a quarter: a mix of behaviours differs from epoch to
 * epoch. */
bool kind_proportional(const struct judge_context *h, const struct judge_finding *f);

/* judge_count.c, judge_heap.c: append findings (at most 4 and 2) and say what became of gauges. */
size_t counts_judge(struct judge_context *h, struct judge_finding *ret);
size_t heap_judge(struct judge_context *h, bool exact_leak, struct judge_finding *ret,
                  struct judge_sensitivity *ret_seen);

/* judge_metrics.c */
void metrics_fill(const struct judge_context *h, struct judgement *j);

/* judge_verdict.c: the verdict as a whole from findings and the state of the run. */
void verdict_decide(const struct judge_context *h, struct judgement *j);

#endif
