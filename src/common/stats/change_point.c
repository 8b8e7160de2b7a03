/* SPDX-License-Identifier: Apache-2.0 */
#include "change_point.h"

#include "base/check.h"
#include "base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Sums in another order differ in their last digits: a permutation that does as well counts. */
static const double slack = 1e-9;

struct split {
    size_t at;   /* the first value of the right side; 0: there is none */
    double gain; /* the energy distance of both sides, weighted by their sizes */
};

/* Sums of distances: within each side, and between both. */
struct sums {
    double left, right, between;
};

static double pairs(size_t n)
{
    return (double)n * (double)(n - 1) / 2;
}

/* The statistic Q of the paper. */
static double gain_of(const struct sums *s, size_t left, size_t right)
{
    double m = (double)left, n = (double)right;
    double energy = 2 * s->between / (m * n) - s->left / pairs(left) - s->right / pairs(right);
    return m * n / (m + n) * energy;
}

/* Takes value `at` from the right side to the left one. */
static void move(struct sums *s, const double *value, size_t count, size_t at)
{
    double to_left = 0, to_right = 0;
    for (size_t i = 0; i < at; i++)
        to_left += fabs(value[at] - value[i]);
    for (size_t i = at + 1; i < count; i++)
        to_right += fabs(value[at] - value[i]);
    s->left += to_left;
    s->right -= to_right;
    s->between += to_right - to_left;
}

static struct split best_split(const double *value, size_t count, size_t side)
{
    struct split best = {0, 0};
    struct sums s = {0, 0, 0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            s.right += fabs(value[i] - value[j]);
    for (size_t at = 1; at + side <= count; at++) {
        move(&s, value, count, at - 1);
        double gain = at < side ? 0 : gain_of(&s, at, count - at);
        if (gain > best.gain * (1 + slack))
            best = (struct split){at, gain};
    }
    return best;
}

/* The segments that were found: their first indices, and the end of the series. */
struct segments {
    const struct change_question *q;
    size_t *begin; /* owned; [count + 1] */
    size_t count;
};

/* The best split of all segments of `value`, which is the question's or a permutation of it. */
static struct split best_of_all(const struct segments *s, const double *value)
{
    struct split best = {0, 0};
    for (size_t i = 0; i < s->count; i++) {
        size_t begin = s->begin[i], count = s->begin[i + 1] - begin;
        struct split split = best_split(value + begin, count, s->q->side);
        if (split.gain > best.gain * (1 + slack))
            best = (struct split){begin + split.at, split.gain};
    }
    return best;
}

static void shuffle(struct rng *r, double *value, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)rng_below(r, i);
        double kept = value[i - 1];
        value[i - 1] = value[other];
        value[other] = kept;
    }
}

/* Whether permutations within the segments seldom do as well. */
static bool is_significant(const struct segments *s, double gain, double *room)
{
    const struct change_question *q = s->q;
    struct rng r = {q->seed};
    double allowed = q->chance * (q->permutations + 1);
    unsigned as_good = 1;
    memcpy(room, q->value, q->count * sizeof *room);
    for (unsigned p = 0; p < q->permutations && as_good <= allowed; p++) {
        for (size_t i = 0; i < s->count; i++)
            shuffle(&r, room + s->begin[i], s->begin[i + 1] - s->begin[i]);
        as_good += best_of_all(s, room).gain >= gain * (1 - slack);
    }
    return as_good <= allowed;
}

static void insert(struct segments *s, size_t at)
{
    size_t i = s->count + 1;
    for (; s->begin[i - 1] > at; i--)
        s->begin[i] = s->begin[i - 1];
    s->begin[i] = at;
    s->count++;
}

size_t change_points(const struct change_question *q, size_t *ret_at, size_t size)
{
    CHECK(q->side >= 2);
    struct segments s = {.q = q, .begin = calloc(q->count + 2, sizeof *s.begin), .count = 1};
    double *room = calloc(q->count + 1, sizeof *room);
    CHECK(s.begin && room);
    s.begin[1] = q->count;
    while (s.count <= size) {
        struct split split = best_of_all(&s, q->value);
        if (split.at == 0 || !is_significant(&s, split.gain, room))
            break;
        insert(&s, split.at);
    }
    for (size_t i = 1; i < s.count; i++)
        ret_at[i - 1] = s.begin[i];
    size_t found = s.count - 1;
    free(s.begin);
    free(room);
    return found;
}
