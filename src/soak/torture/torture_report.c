/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_report.h"

#include "base/version.h"
#include "options/grammar.h"
#include "report/json_util.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static const char *const sides[PAIR_SIDES] = {"server", "client"};

static ENUM_NAMES(step_outcome, STEP_OUTCOME_LIST)

    /* Whatever could be written of it. */
    static enum exit_code came_to(const struct torture *t)
{
    if (t->broken[0])
        return EXIT_BROKEN;
    if (!t->complete)
        return EXIT_INTERRUPTED;
    return torture_found(t) ? EXIT_FOUND : EXIT_PASS;
}

enum exit_code torture_exit(const struct torture *t)
{
    enum exit_code code = came_to(t);
    return code == EXIT_PASS && t->unwritten ? EXIT_BROKEN : code;
}

static const char *verdict(const struct torture *t)
{
    switch (came_to(t)) {
    case EXIT_PASS:
        return "PASS";
    case EXIT_FOUND:
        return "FOUND";
    case EXIT_INTERRUPTED:
        return "INTERRUPTED";
    default:
        return "BROKEN";
    }
}

static uint64_t not_reached(const struct torture *t)
{
    uint64_t all = 0;
    for (size_t i = 0; i < t->sweeps; i++)
        all += t->sweep[i].not_reached;
    return all;
}

static uint64_t found_of(const struct torture *t, enum torture_kind kind)
{
    uint64_t all = 0;
    for (size_t i = 0; i < t->sweeps; i++)
        all += t->sweep[i].count[kind];
    return all;
}

/* ---- text ---- */

static void print_headline(const struct torture *t, FILE *out)
{
    char all[32], took[32];
    human_count(all, sizeof all, (int64_t)torture_failed(t));
    human_duration(took, sizeof took, t->elapsed_ns);
    switch (came_to(t)) {
    case EXIT_PASS:
        fprintf(out,
                "PASS  %s%seach of %s allocations has failed: nothing stays, no crash, no hang, "
                "%s\n",
                t->unwritten ? t->unwritten : "", t->unwritten ? " not written; " : "", all, took);
        break;
    case EXIT_FOUND:
        fprintf(out,
                "FOUND  of %s allocations that failed %" PRIu64 " leave memory behind, %" PRIu64
                " crash, %" PRIu64 " hang, %" PRIu64 " damage, %s\n",
                all, found_of(t, TORTURE_LOST), found_of(t, TORTURE_CRASH),
                found_of(t, TORTURE_HANG), found_of(t, TORTURE_DAMAGED), took);
        break;
    case EXIT_INTERRUPTED:
        fprintf(out, "INTERRUPTED  after %s allocations\n", all);
        break;
    default:
        fprintf(out, "BROKEN  %s\n", t->broken);
        break;
    }
}

static void print_sweep(const struct torture *t, const struct torture_sweep *w, FILE *out)
{
    char range[48];
    if (w->most == 0)
        return;
    snprintf(range, sizeof range, "%" PRIu64 "", w->most);
    if (w->least != w->most)
        snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, w->least, w->most);
    fprintf(out,
            "  %-8s %-18s %11s %7" PRIu64 " %8" PRIu64 " %8" PRIu64 " %6" PRIu64 " %6" PRIu64
            " %6" PRIu64 " %5" PRIu64 "\n",
            sides[w->side], t->behaviour[w->behaviour], range, w->tried - w->not_reached, w->failed,
            w->went_on, w->count[TORTURE_LOST], w->count[TORTURE_ONCE], w->count[TORTURE_CRASH],
            w->count[TORTURE_HANG]);
}

static void print_table(const struct torture *t, FILE *out)
{
    fprintf(out, "\n  %-8s %-18s %11s %7s %8s %8s %6s %6s %6s %5s\n", "side", "behaviour",
            "allocations", "failed", "gave up", "went on", "stays", "once", "crash", "hang");
    for (size_t i = 0; i < t->sweeps; i++)
        print_sweep(t, &t->sweep[i], out);
}

/* `SSL_do_handshake #14 fails`. */
static void print_call(const struct torture_finding *f, FILE *out)
{
    fprintf(out, "%s #%" PRIu64 " fails", f->failed.call[0] ? f->failed.call : "allocation",
            f->number[0]);
}

static void print_kept(const struct torture_finding *f, FILE *out)
{
    char bytes[32];
    const struct kept *k = &f->step.kept[f->kept_side];
    human_count(bytes, sizeof bytes, k->bytes);
    fprintf(out, ": %" PRId64 " block%s, %s B stay", k->blocks, k->blocks == 1 ? "" : "s", bytes);
    if (k->sites)
        fprintf(out, ", at %s:%u", k->site[0].file, k->site[0].line);
    fprintf(out, " (%s, %" PRIu64 " of %" PRIu64 " repeats)\n", sides[f->kept_side], f->stayed,
            f->repeats);
    for (size_t i = 1; i < k->sites; i++)
        fprintf(out, "       stays     %" PRId64 " block%s, %" PRId64 " B at %s:%u\n",
                k->site[i].blocks, k->site[i].blocks == 1 ? "" : "s", k->site[i].bytes,
                k->site[i].file, k->site[i].line);
}

static void print_what(const struct torture_finding *f, FILE *out)
{
    switch (f->kind) {
    case TORTURE_LOST:
    case TORTURE_ONCE:
        print_kept(f, out);
        break;
    case TORTURE_CRASH:
        fprintf(out, ": the %s dies, by signal %d\n", sides[f->kept_side], f->step.signal);
        break;
    case TORTURE_HANG:
        fprintf(out,
                f->step.outcome == STEP_STUCK ? ": the %s answers no more\n"
                                              : ": a side waits in vain\n",
                sides[f->kept_side]);
        break;
    case TORTURE_DAMAGED:
        fprintf(out, ": connections fail although nothing fails in them\n");
        break;
    }
}

static void print_trace(const char *word, const struct trace *trace, size_t most, FILE *out)
{
    for (size_t i = 0; i < trace->lines && i < most; i++)
        fprintf(out, "       %-9s %s%s\n", i ? "" : word, i ? "← " : "", trace->line[i]);
}

static void print_also(const struct torture *t, const struct torture_finding *f, FILE *out)
{
    fprintf(out, "       in       ");
    for (size_t i = 0; i < TORTURE_BEHAVIOURS; i++) {
        if (f->behaviours >> i & 1)
            fprintf(out, " %s", t->behaviour[i]);
    }
    if (f->times > 1)
        fprintf(out, ", %" PRIu64 " times", f->times);
    fputc('\n', out);
}

static void print_finding(const struct torture *t, const struct torture_finding *f, FILE *out)
{
    enum { SHOWN = 6 };
    fprintf(out, "\n  %-6s ", sides[f->side]);
    print_call(f, out);
    print_what(f, out);
    if (f->step.hit)
        fprintf(out, "       failed    %" PRIu64 " B at %s:%u\n", f->step.size, f->step.file,
                f->step.line);
    print_trace("by", &f->failed, SHOWN, out);
    print_trace("stays by", &f->stays, SHOWN, out);
    print_trace("ended in", &f->end, TRACE_LINES, out);
    print_also(t, f, out);
}

static void print_findings(const struct torture *t, FILE *out)
{
    enum { FINDINGS_SHOWN = 20 };
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < t->findings; i++) {
        if (t->finding[i]->kind == TORTURE_ONCE)
            continue;
        if (shown == FINDINGS_SHOWN) {
            more++;
            continue;
        }
        print_finding(t, t->finding[i], out);
        shown++;
    }
    if (more)
        fprintf(out, "\n  ... and %zu more in result.json\n", more);
}

static void print_once(const struct torture *t, FILE *out)
{
    uint64_t times = found_of(t, TORTURE_ONCE);
    if (times)
        fprintf(out,
                "\n  Kept once: after %" PRIu64 " of them a block stayed that no longer stayed "
                "when the same failed again\n",
                times);
}

static void print_not_reached(const struct torture *t, FILE *out)
{
    uint64_t times = not_reached(t);
    if (times)
        fprintf(out,
                "\n  Not failed: %" PRIu64 " of the allocations weren't asked for when their turn "
                "came\n",
                times);
}

void torture_text(const struct torture *t, bool quiet, FILE *out)
{
    print_headline(t, out);
    if (quiet)
        return;
    print_table(t, out);
    print_findings(t, out);
    print_once(t, out);
    print_not_reached(t, out);
    fprintf(out, "\n  Report     %s/result.json\n", t->dir->path);
}

/* ---- JSON ---- */

static json_t *place_json(const char *file, uint32_t line)
{
    return json_pack("{s:s, s:I}", "file", file, "line", (json_int_t)line);
}

static json_t *trace_json(const struct trace *trace)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < trace->lines; i++)
        json_array_append_new(lines, json_string(trace->line[i]));
    return lines;
}

static json_t *kept_json(const struct kept *k)
{
    json_t *sites = json_array();
    for (size_t i = 0; i < k->sites; i++) {
        json_t *site = place_json(k->site[i].file, k->site[i].line);
        json_object_set_new(site, "blocks", json_integer(k->site[i].blocks));
        json_object_set_new(site, "bytes", json_integer(k->site[i].bytes));
        json_array_append_new(sites, site);
    }
    return json_pack("{s:I, s:I, s:o, s:I}", "blocks", (json_int_t)k->blocks, "bytes",
                     (json_int_t)k->bytes, "sites", sites, "more_sites", (json_int_t)k->more_sites);
}

static json_t *step_failed_json(const struct step *s)
{
    if (!s->hit)
        return json_null();
    json_t *failed = place_json(s->file, s->line);
    json_object_set_new(failed, "size", json_integer((json_int_t)s->size));
    return failed;
}

char *torture_step_json(const struct torture *t, const struct attempt *a)
{
    const struct torture_sweep *w = a->sweep;
    const struct step *s = &a->step;
    json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:o}", "kind", "fail-alloc", "side",
                          sides[w->side], "behaviour", t->behaviour[w->behaviour], "number",
                          (json_int_t)a->number, "asked", (json_int_t)s->asked, "outcome",
                          step_outcome_name(s->outcome), "failed", step_failed_json(s));
    for (int side = 0; o && side < PAIR_SIDES; side++) {
        if (s->kept[side].blocks || s->kept[side].bytes)
            json_object_set_new(o, sides[side], kept_json(&s->kept[side]));
    }
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}

static json_t *sweep_json(const struct torture *t, const struct torture_sweep *w)
{
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "side", sides[w->side],
                          "behaviour", t->behaviour[w->behaviour], "allocations_least",
                          (json_int_t)w->least, "allocations_most", (json_int_t)w->most, "tried",
                          (json_int_t)w->tried, "not_reached", (json_int_t)w->not_reached,
                          "gave_up", (json_int_t)w->failed, "went_on", (json_int_t)w->went_on);
    json_t *count = json_object();
    for (int kind = 0; kind <= TORTURE_ONCE; kind++)
        json_object_set_new(count, torture_kind_name((enum torture_kind)kind),
                            json_integer((json_int_t)w->count[kind]));
    json_object_set_new(o, "led_to", count);
    return o;
}

static json_t *numbers_json(const struct torture_finding *f)
{
    json_t *numbers = json_array();
    for (uint64_t i = 0; i < f->times && i < TORTURE_NUMBERS; i++)
        json_array_append_new(numbers, json_integer((json_int_t)f->number[i]));
    return numbers;
}

static json_t *behaviours_json(const struct torture *t, const struct torture_finding *f)
{
    json_t *names = json_array();
    for (size_t i = 0; i < TORTURE_BEHAVIOURS; i++) {
        if (f->behaviours >> i & 1)
            json_array_append_new(names, json_string(t->behaviour[i]));
    }
    return names;
}

static json_t *finding_json(const struct torture *t, const struct torture_finding *f)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "kind", torture_kind_name(f->kind), "side",
                  sides[f->side], "in", sides[f->kept_side], "times", (json_int_t)f->times,
                  "numbers", numbers_json(f), "behaviours", behaviours_json(t, f));
    json_object_set_new(o, "call", f->failed.call[0] ? json_string(f->failed.call) : json_null());
    json_object_set_new(o, "failed", step_failed_json(&f->step));
    json_object_set_new(o, "outcome", json_string(step_outcome_name(f->step.outcome)));
    json_object_set_new(o, "signal", json_integer(f->step.signal));
    json_object_set_new(o, "stays", kept_json(&f->step.kept[f->kept_side]));
    json_object_set_new(o, "repeats", json_integer((json_int_t)f->repeats));
    json_object_set_new(o, "stayed", json_integer((json_int_t)f->stayed));
    json_object_set_new(o, "failed_by", trace_json(&f->failed));
    json_object_set_new(o, "stays_by", trace_json(&f->stays));
    json_object_set_new(o, "ended_in", trace_json(&f->end));
    return o;
}

char *torture_json(const struct torture *t)
{
    json_t *sweeps = json_array(), *findings = json_array();
    for (size_t i = 0; i < t->sweeps; i++)
        json_array_append_new(sweeps, sweep_json(t, &t->sweep[i]));
    for (size_t i = 0; i < t->findings; i++)
        json_array_append_new(findings, finding_json(t, t->finding[i]));
    const struct pair *p = &t->bench.pair;
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:{s:s, s:s}, s:I, s:I, s:o, s:o}", "schema",
        "soak-torture/1", "version", soak_version, "verdict", verdict(t), "exit",
        (int)torture_exit(t), "scenario", t->name, "run_dir", t->dir->path, "slice",
        (json_int_t)t->part, "slices", (json_int_t)t->parts, "libs", "server",
        p->subjects.subject[PAIR_SERVER].libs, "client", p->subjects.subject[PAIR_CLIENT].libs,
        "elapsed_ms", (json_int_t)(t->elapsed_ns / 1000000), "starts", (json_int_t)t->starts,
        "sweeps", sweeps, "findings", findings);
    if (o && t->broken[0])
        json_object_set_new(o, "broken", json_string(t->broken));
    return json_document(o);
}
