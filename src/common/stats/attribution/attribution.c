/* SPDX-License-Identifier: Apache-2.0 */
#include "attribution.h"

#include "base/check.h"
#include "least_squares.h"
#include "stats/sensitivity.h"

#include <math.h>
#include <string.h>

/* Residuals that chance makes so rarely refute a sum over the behaviours; and those how far losses
 * are taken to scatter. */
static const double ALPHA = 0.001, DOUBTFUL = 0.05;

enum { ROUNDS = 4, SPARSE_EPOCHS = 3 };

/* One of the two systems, and what came of it. */
struct fit {
    const struct behaviours_question *q;
    bool by_end;
    size_t columns, behaviour[BEHAVIOURS_MAX]; /* the behaviour of each column */
    bool solved, exact;
    int freedom;
    double blocks[BEHAVIOURS_MAX], bytes[BEHAVIOURS_MAX]; /* by column */
    double blocks_error[BEHAVIOURS_MAX], bytes_error[BEHAVIOURS_MAX];
    double residual_blocks, residual_bytes, chi, scatter, chance;
};

static uint64_t count_of(const struct fit *f, size_t epoch, size_t column)
{
    const struct behaviours_epoch *e = &f->q->epoch[epoch];
    return (f->by_end ? e->ended : e->begun)[f->behaviour[column]];
}

static void choose_columns(struct fit *f)
{
    for (size_t b = 0; b < f->q->count; b++) {
        uint64_t sum = 0;
        f->behaviour[f->columns] = b;
        for (size_t e = 0; e < f->q->epochs; e++)
            sum += count_of(f, e, f->columns);
        f->columns += sum > 0;
    }
}

/* ---- whole numbers ---- */

/* Rounded, they give the growth of every epoch to the block and to the byte: as the system has one
 * solution, they were whole. */
static bool is_exact(const struct fit *f)
{
    for (size_t c = 0; c < f->columns; c++) {
        if (round(f->blocks[c]) < 0)
            return false;
    }
    for (size_t e = 0; e < f->q->epochs; e++) {
        int64_t blocks = f->q->epoch[e].blocks, bytes = f->q->epoch[e].bytes;
        for (size_t c = 0; c < f->columns; c++) {
            blocks -= (int64_t)count_of(f, e, c) * llround(f->blocks[c]);
            bytes -= (int64_t)count_of(f, e, c) * llround(f->bytes[c]);
        }
        if (blocks || bytes)
            return false;
    }
    return true;
}

static void make_whole(struct fit *f)
{
    f->exact = true;
    for (size_t c = 0; c < f->columns; c++) {
        f->blocks[c] = round(f->blocks[c]) + 0.0;
        f->bytes[c] = round(f->bytes[c]) + 0.0;
        f->blocks_error[c] = f->bytes_error[c] = 0;
    }
}

/* ---- least squares ---- */

static double fitted(const struct fit *f, size_t epoch, const double *coefficient)
{
    double sum = 0;
    for (size_t c = 0; c < f->columns; c++)
        sum += (double)count_of(f, epoch, c) * coefficient[c];
    return sum;
}

/* One loss may take several blocks: then the growth of every epoch is a multiple of them, and the
 * variance that many times the mean. At several sites it takes them together: the deviation of the
 * sum is at most the sum of theirs, also where no two losses have as many blocks. Some epoch grew:
 * see anything_to_solve(). */
static double clump(const struct behaviours_question *q)
{
    int64_t common = 0, total = 0;
    for (size_t e = 0; e < q->epochs; e++) {
        int64_t blocks = q->epoch[e].blocks;
        common = common_divisor(blocks > 0 ? blocks : 0, common);
        total += blocks;
    }
    return fmax((double)common, q->deviation * q->deviation / (double)total);
}

double behaviours_deviation(const int64_t *blocks, size_t epochs)
{
    int64_t common = 0, total = 0;
    for (size_t e = 0; e < epochs; e++) {
        int64_t grown = blocks[e] > 0 ? blocks[e] : 0;
        common = common_divisor(grown, common);
        total += grown;
    }
    return sqrt((double)common * (double)total);
}

static void load(const struct fit *f, struct least_squares *s)
{
    *s = (struct least_squares){.rows = f->q->epochs, .columns = f->columns};
    for (size_t e = 0; e < f->q->epochs; e++) {
        for (size_t c = 0; c < f->columns; c++)
            s->x[e][c] = (double)count_of(f, e, c);
    }
}

/* Losses at random are Poisson: the variance of an epoch is its mean, which the fit itself tells.
 * Repeated, this is the quasi-likelihood of McCullagh and Nelder, Generalized Linear Models (2nd
 * ed. 1989), section 9.2. */
static bool solve_blocks(struct fit *f, struct least_squares *s)
{
    double y[LEAST_SQUARES_MAX], total = 0;
    for (size_t e = 0; e < f->q->epochs; e++) {
        y[e] = (double)f->q->epoch[e].blocks;
        total += y[e];
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t e = 0; e < f->q->epochs; e++) {
            double mean = round ? fitted(f, e, f->blocks) : y[e];
            s->weight[e] = 1 / (fmax(mean, total / 1000 + 1) * f->scatter);
        }
        if (least_squares_solve(s, y, f->blocks, f->blocks_error) < f->columns)
            return false;
    }
    return true;
}

static void solve_bytes(struct fit *f, const struct least_squares *s)
{
    double y[LEAST_SQUARES_MAX], unit[BEHAVIOURS_MAX];
    for (size_t e = 0; e < f->q->epochs; e++)
        y[e] = (double)f->q->epoch[e].bytes;
    least_squares_solve(s, y, f->bytes, unit);
}

static void judge_residuals(struct fit *f, const struct least_squares *s)
{
    for (size_t e = 0; e < f->q->epochs; e++) {
        double blocks = (double)f->q->epoch[e].blocks - fitted(f, e, f->blocks);
        double bytes = (double)f->q->epoch[e].bytes - fitted(f, e, f->bytes);
        f->residual_blocks = fmax(f->residual_blocks, fabs(blocks));
        f->residual_bytes = fmax(f->residual_bytes, fabs(bytes));
        f->chi += blocks * blocks * s->weight[e];
    }
    f->chance = chi_square_beyond(f->chi, f->freedom);
}

/* Of Student's t of n degrees, 99.9 % lie between this and its negative. A table, then Abramowitz
 * and Stegun, Handbook of Mathematical Functions, 26.7.5. */
static double student_limit(int n)
{
    static const double table[] = {INFINITY, 636.62, 31.60, 12.92, 8.61, 6.87,
                                   5.96,     5.41,   5.04,  4.78,  4.59};
    const double z = BEHAVIOURS_LIMITS, z2 = z * z;
    if (n < (int)(sizeof table / sizeof *table))
        return table[n];
    double first = (z2 + 1) / 4, second = ((5 * z2 + 16) * z2 + 3) / 96;
    double third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    return z * (1 + (first + (second + third / n) / n) / n);
}

/* How far the losses scatter is known where they take as many blocks each time. Where that may not
 * be, the residuals alone tell it, and few epochs may agree by accident: BEHAVIOURS_LIMITS of such
 * errors hold 99.9 % all the same. */
static void widen_errors(struct fit *f, double bytes_per_block)
{
    double wider = f->freedom > 0 ? fmax(1, f->chi / f->freedom) : 1;
    bool estimated = f->freedom > 0 && (f->q->unlike || f->chance < DOUBTFUL);
    double few = estimated ? student_limit(f->freedom) / BEHAVIOURS_LIMITS : 1;
    for (size_t c = 0; c < f->columns; c++) {
        f->blocks_error[c] *= sqrt(wider) * few;
        f->bytes_error[c] = f->blocks_error[c] * bytes_per_block;
    }
    f->scatter *= wider;
}

static void solve(struct fit *f, const struct behaviours_question *q, bool by_end)
{
    struct least_squares s;
    int64_t blocks = 0, bytes = 0;
    *f = (struct fit){.q = q, .by_end = by_end, .scatter = clump(q), .chance = 1};
    for (size_t e = 0; e < q->epochs; e++) {
        blocks += q->epoch[e].blocks;
        bytes += q->epoch[e].bytes;
    }
    choose_columns(f);
    f->freedom = (int)q->epochs - (int)f->columns;
    load(f, &s);
    f->solved = f->freedom >= 0 && solve_blocks(f, &s);
    if (!f->solved)
        return;
    solve_bytes(f, &s);
    if (is_exact(f)) {
        make_whole(f);
        return;
    }
    judge_residuals(f, &s);
    widen_errors(f, (double)bytes / (double)blocks);
}

/* ---- fewer epochs than behaviours ---- */

/* The growth of every epoch is the same whole multiple of `part`, the connections of a behaviour or
 * (SIZE_MAX) of all. */
static bool follows(struct fit *f, size_t part, double *ret_blocks, double *ret_bytes)
{
    int64_t n[BEHAVIOURS_EPOCHS] = {0}, connections = 0, blocks = 0, bytes = 0;
    for (size_t e = 0; e < f->q->epochs; e++) {
        for (size_t c = 0; c < f->columns; c++)
            n[e] += part == SIZE_MAX || part == c ? (int64_t)count_of(f, e, c) : 0;
        connections += n[e];
        blocks += f->q->epoch[e].blocks;
        bytes += f->q->epoch[e].bytes;
    }
    if (connections == 0)
        return false;
    for (size_t e = 0; e < f->q->epochs; e++) {
        if (f->q->epoch[e].blocks != n[e] * (blocks / connections) ||
            f->q->epoch[e].bytes != n[e] * (bytes / connections))
            return false;
    }
    *ret_blocks = (double)(blocks / connections);
    *ret_bytes = (double)(bytes / connections);
    return true;
}

/* The one behaviour, or all alike, that alone gives the growth of every epoch exactly, when there
 * is only one such: growth that doesn't follow it would have to do so by accident every time. */
static bool solve_sparse(struct fit *f)
{
    size_t found = 0, at = SIZE_MAX;
    double blocks = 0, bytes = 0;
    if (f->q->epochs < SPARSE_EPOCHS)
        return false;
    for (size_t c = 0; c <= f->columns; c++) {
        size_t part = c == f->columns ? SIZE_MAX : c;
        if (!follows(f, part, &blocks, &bytes))
            continue;
        found++;
        at = part;
    }
    if (found != 1)
        return false;
    for (size_t c = 0; c < f->columns; c++) {
        f->blocks[c] = at == SIZE_MAX || at == c ? blocks : 0;
        f->bytes[c] = at == SIZE_MAX || at == c ? bytes : 0;
    }
    make_whole(f);
    return true;
}

/* ---- the answer ---- */

static bool negative(const struct fit *f)
{
    for (size_t c = 0; c < f->columns; c++) {
        if (f->blocks[c] + BEHAVIOURS_LIMITS * f->blocks_error[c] < 0)
            return true;
    }
    return false;
}

/* One rate for all: how likely losses at random are to scatter so around it. */
static double chance_alike(const struct fit *f)
{
    double blocks = 0, connections = 0, chi = 0;
    for (size_t e = 0; e < f->q->epochs; e++) {
        blocks += (double)f->q->epoch[e].blocks;
        for (size_t c = 0; c < f->columns; c++)
            connections += (double)count_of(f, e, c);
    }
    for (size_t e = 0; e < f->q->epochs; e++) {
        double mean = 0;
        for (size_t c = 0; c < f->columns; c++)
            mean += (double)count_of(f, e, c) * blocks / connections;
        double apart = (double)f->q->epoch[e].blocks - mean;
        chi += mean > 0 ? apart * apart / (mean * f->scatter) : 0;
    }
    return chi_square_beyond(chi, (int)f->q->epochs - 1);
}

static bool all_equal(const struct fit *f)
{
    for (size_t c = 1; c < f->columns; c++) {
        if (f->blocks[c] != f->blocks[0] || f->bytes[c] != f->bytes[0])
            return false;
    }
    return true;
}

/* The smallest loss that is certain: what an innocent one must be far below. */
static double least_guilt(const struct fit *f)
{
    double least = INFINITY;
    for (size_t c = 0; c < f->columns; c++) {
        if (f->blocks[c] > BEHAVIOURS_LIMITS * f->blocks_error[c])
            least = fmin(least, f->blocks[c]);
    }
    return least;
}

static enum behaviour_verdict verdict_of(const struct fit *f, size_t column, double least)
{
    const struct behaviours_share s = {.blocks = f->blocks[column],
                                       .blocks_error = f->blocks_error[column]};
    if (s.blocks > BEHAVIOURS_LIMITS * s.blocks_error)
        return BEHAVIOUR_GUILTY;
    return behaviours_at_most(&s) < least * BEHAVIOURS_NO_LOSS ? BEHAVIOUR_INNOCENT
                                                               : BEHAVIOUR_UNSURE;
}

static void fill(const struct fit *f, struct behaviours_answer *a)
{
    a->exact = f->exact;
    a->by_end = f->by_end;
    a->freedom = f->freedom;
    a->scatter = f->scatter;
    a->residual_blocks = f->residual_blocks;
    a->residual_bytes = f->residual_bytes;
    a->chance = f->chance;
    double least = least_guilt(f);
    for (size_t c = 0; c < f->columns; c++) {
        struct behaviours_share *s = &a->share[f->behaviour[c]];
        s->connections = 0;
        for (size_t e = 0; e < f->q->epochs; e++)
            s->connections += count_of(f, e, c);
        s->blocks = f->blocks[c];
        s->bytes = f->bytes[c];
        s->blocks_error = f->blocks_error[c];
        s->bytes_error = f->bytes_error[c];
        s->verdict = verdict_of(f, c, least);
    }
}

static void forget_verdicts(struct behaviours_answer *a)
{
    for (size_t b = 0; b < a->count; b++)
        a->share[b].verdict = BEHAVIOUR_UNSURE;
}

static size_t with_verdict(const struct behaviours_answer *a, enum behaviour_verdict v)
{
    size_t count = 0;
    for (size_t b = 0; b < a->count; b++)
        count += a->share[b].connections > 0 && a->share[b].verdict == v;
    return count;
}

static enum behaviours_outcome outcome_of(const struct fit *f, const struct behaviours_answer *a)
{
    if (f->exact)
        return all_equal(f) ? BEHAVIOURS_ALIKE : BEHAVIOURS_APART;
    if (!f->solved || f->freedom == 0)
        return BEHAVIOURS_UNTOLD;
    if (f->chance < ALPHA || negative(f))
        return BEHAVIOURS_TOGETHER;
    size_t guilty = with_verdict(a, BEHAVIOUR_GUILTY);
    if (guilty == f->columns && chance_alike(f) >= ALPHA)
        return BEHAVIOURS_ALIKE;
    return guilty ? BEHAVIOURS_APART : BEHAVIOURS_UNTOLD;
}

/* The better of two: whole numbers before fractions, then what leaves less. */
static bool better(const struct fit *a, const struct fit *b)
{
    if (a->exact != b->exact)
        return a->exact;
    if (a->solved != b->solved)
        return a->solved;
    if (negative(a) != negative(b))
        return !negative(a);
    return a->chi < b->chi;
}

static bool anything_to_solve(const struct behaviours_question *q, struct behaviours_answer *a)
{
    int64_t blocks = 0;
    for (size_t e = 0; e < q->epochs; e++) {
        blocks += q->epoch[e].blocks;
        for (size_t b = 0; b < q->count; b++)
            a->share[b].connections += q->epoch[e].begun[b];
    }
    return blocks > 0;
}

void behaviours_solve(const struct behaviours_question *q, struct behaviours_answer *ret)
{
    struct fit begun, ended;
    CHECK(q->count <= BEHAVIOURS_MAX && q->epochs <= BEHAVIOURS_EPOCHS);
    memset(ret, 0, sizeof *ret);
    ret->count = q->count;
    ret->chance = 1;
    ret->scatter = 1;
    if (!anything_to_solve(q, ret))
        return;
    solve(&begun, q, false);
    solve(&ended, q, true);
    if (!begun.solved && solve_sparse(&begun))
        ret->sparse = true;
    else if (!ended.solved && !q->begun_only && !begun.solved && solve_sparse(&ended))
        ret->sparse = true;
    const struct fit *f = !q->begun_only && better(&ended, &begun) ? &ended : &begun;
    if (f->solved || f->exact)
        fill(f, ret);
    ret->outcome = outcome_of(f, ret);
    if (f->columns == 1)
        ret->outcome = BEHAVIOURS_SINGLE;
    if (ret->outcome == BEHAVIOURS_UNTOLD || ret->outcome == BEHAVIOURS_TOGETHER)
        forget_verdicts(ret);
}

/* ---- what follows from it ---- */

bool behaviours_tell(const struct behaviours_answer *a)
{
    return a->outcome == BEHAVIOURS_APART && with_verdict(a, BEHAVIOUR_GUILTY) > 0 &&
           with_verdict(a, BEHAVIOUR_INNOCENT) + with_verdict(a, BEHAVIOUR_UNSURE) > 0;
}
