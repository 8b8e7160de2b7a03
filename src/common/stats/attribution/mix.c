/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The prior of the information matrix: so little that an epoch which tells one more behaviour apart
 * beats every other one. */
static const double PRIOR = 1e-6;

/* A favoured behaviour has half as much again of its weight. Doubling tells more by one epoch, but
 * a run of ten then has behaviours with 1.7 times the share in one half that they have in the
 * other, and from 2 on a leak would look as if it slowed down. */
enum { PLAIN = 2, FAVOURED = 3 };

/* What an uneven run may cost in information. Of 8, 20, 50 and 150, tried over 2 to 16 behaviours
 * of random weights: from 50 on the system is worse conditioned, and at 8 the halves differ more.
 */
static const double SURPLUS_WEIGHT = 20;

static bool favoured(const struct mix *m, size_t pattern, size_t b)
{
    /* Walsh's functions: any two of them agree in half of the epochs (Sylvester's matrix). */
    bool odd = (unsigned)__builtin_popcountll(pattern & b) & 1u;
    return (pattern & 2 * MIX_MAX ? !odd : odd) && m->base[b] > 0;
}

void mix_init(struct mix *m, const uint64_t *weight, size_t count)
{
    uint64_t largest = 0;
    CHECK(count <= MIX_MAX);
    memset(m, 0, sizeof *m);
    m->count = count;
    for (size_t b = 0; b < count; b++)
        largest = weight[b] > largest ? weight[b] : largest;
    for (size_t b = 0; b < count; b++) {
        m->base[b] = weight[b];
        if (largest > MIX_WEIGHT_MAX && weight[b] > 0) {
            double scaled = (double)weight[b] * MIX_WEIGHT_MAX / (double)largest;
            m->base[b] = scaled < 1 ? 1 : (uint64_t)(scaled + 0.5);
        }
        m->inverse[b][b] = 1 / PRIOR;
    }
}

size_t mix_drawn(const struct mix *m)
{
    size_t drawn = 0;
    for (size_t b = 0; b < m->count; b++)
        drawn += m->base[b] > 0;
    return drawn;
}

/* The share of each behaviour in an epoch of this pattern, as a multiple of the user's share. */
static void tilt_of(const struct mix *m, size_t pattern, double *ret)
{
    double before = 0, after = 0;
    for (size_t b = 0; b < m->count; b++) {
        before += (double)m->base[b];
        after += (double)m->base[b] * (favoured(m, pattern, b) ? FAVOURED : PLAIN);
    }
    for (size_t b = 0; b < m->count; b++)
        ret[b] = m->base[b] ? (favoured(m, pattern, b) ? FAVOURED : PLAIN) * before / after : 0;
}

/* What an epoch adds to the determinant of the information matrix, as a logarithm: det(A + x x') =
 * det(A) (1 + x' A^-1 x). Choosing epochs by it is the sequential D-optimal design (Fedorov,
 * Theory of Optimal Experiments, 1972). `ret_step` is A^-1 x. */
static double gain(const struct mix *m, const double *x, double *ret_step)
{
    double sum = 0;
    for (size_t b = 0; b < m->count; b++) {
        ret_step[b] = 0;
        for (size_t k = 0; k < m->count; k++)
            ret_step[b] += m->inverse[b][k] * x[k];
        sum += x[b] * ret_step[b];
    }
    return log1p(sum);
}

/* How far any behaviour is from the user's share after the epoch: the largest counts, as a leak may
 * sit on it alone. */
static double imbalance(const struct mix *m, const double *tilt, double opens)
{
    double worst = 0;
    for (size_t b = 0; b < m->count; b++) {
        double surplus = m->surplus[b] + (m->base[b] ? opens * (tilt[b] - 1) : 0);
        worst = fmax(worst, fabs(surplus));
    }
    return worst / (m->opened + opens);
}

static size_t patterns(const struct mix *m)
{
    size_t n = 1;
    while (n < m->count)
        n *= 2;
    return n;
}

static size_t choose(const struct mix *m, double opens)
{
    double best = -INFINITY, tilt[MIX_MAX], step[MIX_MAX];
    size_t chosen = 0;
    for (size_t i = 0; i < 2 * patterns(m); i++) {
        size_t pattern = i / 2 + (i % 2 ? 2 * MIX_MAX : 0);
        tilt_of(m, pattern, tilt);
        double score = gain(m, tilt, step) - SURPLUS_WEIGHT * imbalance(m, tilt, opens);
        if (score <= best + 1e-9)
            continue;
        best = score;
        chosen = pattern;
    }
    return chosen;
}

/* Sherman and Morrison's formula: (A + x x')^-1 = A^-1 - A^-1 x x' A^-1 / (1 + x' A^-1 x). */
static void remember(struct mix *m, const double *tilt, double opens)
{
    double step[MIX_MAX], scale = exp(gain(m, tilt, step));
    for (size_t b = 0; b < m->count; b++) {
        for (size_t k = 0; k < m->count; k++)
            m->inverse[b][k] -= step[b] * step[k] / scale;
        m->surplus[b] += m->base[b] ? opens * (tilt[b] - 1) : 0;
    }
    m->opened += opens;
}

void mix_next(struct mix *m, uint64_t opens, uint64_t *ret_weight)
{
    double tilt[MIX_MAX];
    memcpy(ret_weight, m->base, m->count * sizeof *ret_weight);
    if (mix_drawn(m) < 2 || opens == 0)
        return;
    size_t pattern = choose(m, (double)opens);
    tilt_of(m, pattern, tilt);
    remember(m, tilt, (double)opens);
    for (size_t b = 0; b < m->count; b++)
        ret_weight[b] *= favoured(m, pattern, b) ? FAVOURED : PLAIN;
}
