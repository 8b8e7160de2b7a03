/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_internal.h"

#include "base/markup.h"
#include "options/grammar.h"

#include <inttypes.h>
#include <string.h>

/* In pixels. The letters are those of a monospaced font of 12 px, 0.6 em wide, rounded up. */
enum { WIDTH = 1200, MARGIN = 14, HEAD = 86, ROW = 19, FOOT = 34, PADDING = 5 };
static const double LETTER = 7.3;
static const double NARROWEST = 0.5;
static const double GAP = 0.8; /* between neighbours that are wide enough to lose it */

struct picture {
    FILE *out;
    struct profile_node *tree; /* owned; NULL: nothing is to be shown */
    size_t rows;
    double per_byte; /* pixels */
    int64_t total;   /* bytes */
    /* Frames too narrow to be drawn, and their bytes. */
    int64_t omitted, omitted_bytes;
};

static size_t depth_of(const struct profile_node *node, double per_byte)
{
    size_t deepest = 0;
    for (; node; node = node->next) {
        bool drawn = (double)node->bytes * per_byte >= NARROWEST;
        size_t depth = drawn ? 1 + depth_of(node->child, per_byte) : 0;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static int64_t nodes_in(const struct profile_node *node)
{
    int64_t count = 0;
    for (; node; node = node->next)
        count += 1 + nodes_in(node->child);
    return count;
}

/* Warm tones by the hash of the name, so that a function has its colour in every picture; grey
 * where there is no name, blue for the processes. */
static uint32_t colour_of(const struct profile_node *node)
{
    if (!node->frame)
        return 0xa9c4dc;
    if (!node->frame->named)
        return 0xd3d1cd;
    uint64_t hash = intern_hash(node->name, strlen(node->name));
    uint32_t yellow = (uint32_t)(hash >> 8 & 0xff);
    uint32_t light = (uint32_t)(hash >> 24 & 0xff);
    uint32_t red = 236 + light * 16 / 255;
    uint32_t green = 142 + yellow * 66 / 255 + light * 14 / 255;
    uint32_t blue = 92 + light * 40 / 255;
    return red << 16 | green << 8 | blue;
}

/* Where the function is, as far as all calls that were added up agree. */
static void print_place(const struct profile_node *node, char *buf, size_t size)
{
    const struct profile_frame *frame = node->frame;
    if (!frame)
        snprintf(buf, size, "process");
    else if (*frame->file && node->lines)
        snprintf(buf, size, "%s", frame->file);
    else if (*frame->file)
        snprintf(buf, size, "%s:%" PRIu64, frame->file, frame->line);
    else
        snprintf(buf, size, "%s", frame->module);
}

static void write_tooltip(const struct picture *picture, const struct profile_node *node)
{
    char place[600];
    char bytes[32];
    char blocks[32];
    print_place(node, place, sizeof place);
    fputs("<title>", picture->out);
    markup_put(node->name, SIZE_MAX, picture->out);
    putc('\n', picture->out);
    markup_put(place, SIZE_MAX, picture->out);
    fprintf(picture->out, "\n%s in %s %s, %.2f %%</title>",
            human_bytes(bytes, sizeof bytes, (double)node->bytes),
            human_count(blocks, sizeof blocks, node->blocks),
            node->blocks == 1 ? "block" : "blocks",
            100.0 * (double)node->bytes / (double)picture->total);
}

/* The name, cut where the frame ends; and where there is room, what lies behind it. */
static void write_label(const struct picture *picture, const struct profile_node *node, double x,
                        double y, double width)
{
    char place[600];
    double room = (width - 2 * PADDING) / LETTER;
    size_t letters = room > 0 ? (size_t)room : 0;
    size_t length = strlen(node->name);
    if (letters < 4)
        return;
    fprintf(picture->out, "<text x=\"%.1f\" y=\"%.1f\">", x + PADDING, y + ROW - 6);
    markup_put(node->name, length <= letters ? length : letters - 1, picture->out);
    if (length > letters)
        fputs("\xe2\x80\xa6", picture->out);
    print_place(node, place, sizeof place);
    if (node->frame && length + 2 + strlen(place) <= letters) {
        fputs("<tspan class=\"p\" dx=\"12\">", picture->out);
        markup_put(place, SIZE_MAX, picture->out);
        fputs("</tspan>", picture->out);
    }
    fputs("</text>", picture->out);
}

/* `y`: the upper edge. */
static void write_nodes(struct picture *picture, const struct profile_node *node, double x,
                        double y)
{
    for (; node; node = node->next) {
        double width = (double)node->bytes * picture->per_byte;
        if (width < NARROWEST) {
            picture->omitted += 1 + nodes_in(node->child);
            picture->omitted_bytes += node->bytes;
            continue;
        }
        fputs("<g>", picture->out);
        write_tooltip(picture, node);
        fprintf(picture->out,
                "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" fill=\"#%06" PRIx32
                "\"/>",
                x, y, width > 3 ? width - GAP : width, ROW - 1, colour_of(node));
        write_label(picture, node, x, y, width);
        fputs("</g>\n", picture->out);
        write_nodes(picture, node->child, x, y + ROW);
        x += width;
    }
}

static void write_text(FILE *out, const char *class_, double y, const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%.1f\">", class_, MARGIN, y);
    markup_put(text, SIZE_MAX, out);
    fputs("</text>\n", out);
}

static void write_head(FILE *out, const char *title, size_t rows)
{
    size_t height = HEAD + rows * ROW + FOOT;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
            "viewBox=\"0 0 %d %zu\">\n<title>",
            WIDTH, height, WIDTH, height);
    markup_put(title, SIZE_MAX, out);
    fputs("</title>\n<style>\n"
          "text { font: 12px monospace; fill: #1c1a17; }\n"
          ".t { font: bold 17px sans-serif; }\n"
          ".l { font: 13px sans-serif; fill: #57534c; }\n"
          ".p { fill: #6b5b45; }\n"
          "g rect { stroke: none; }\n"
          "g:hover > rect { stroke: #1c1a17; stroke-width: 1; }\n"
          "g text { pointer-events: none; }\n"
          "</style>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
          out);
    write_text(out, "t", 28, title);
}

static int64_t sum_roots(const struct profile_node *root)
{
    int64_t bytes = 0;
    for (; root; root = root->next)
        bytes += root->bytes;
    return bytes;
}

static void write_legend(const struct profile *p, FILE *out)
{
    char text[160];
    write_text(out, "l", 50, profile_legend(p, text, sizeof text));
    write_text(out, "l", 70,
               "Width: bytes. From the process on top each function stands below its caller; the "
               "lowest asked for the memory. Grey: no certain name. Point at a frame for its "
               "figures.");
}

static void write_foot(const struct picture *picture)
{
    char text[160];
    char count[32];
    char bytes[32];
    if (picture->omitted == 0)
        return;
    bool one = picture->omitted == 1;
    snprintf(text, sizeof text, "%s %s narrower than half a pixel, %s in all, %s not drawn.",
             human_count(count, sizeof count, picture->omitted), one ? "frame" : "frames",
             human_bytes(bytes, sizeof bytes, (double)picture->omitted_bytes), one ? "is" : "are");
    write_text(picture->out, "l", (double)(HEAD + picture->rows * ROW + FOOT - 12), text);
}

/* The tree and how it becomes a picture, and the stream's begin: closed by picture_finish. */
static int picture_start(struct picture *picture, const struct profile *p, FILE *out, struct err *e)
{
    bool failed;
    *picture = (struct picture){.out = out, .tree = profile_tree_new(p, &failed)};
    if (failed)
        return err_set(e, "out of memory for the flame graph");
    picture->total = sum_roots(picture->tree);
    if (picture->tree)
        picture->per_byte = (WIDTH - 2.0 * MARGIN) / (double)picture->total;
    picture->rows = depth_of(picture->tree, picture->per_byte);
    profile_begin();
    return 0;
}

static int picture_finish(struct picture *picture, struct err *e)
{
    fputs("</svg>\n", picture->out);
    profile_tree_free(picture->tree);
    return profile_finish(picture->out, e);
}

int profile_write_svg(const struct profile *p, const char *title, FILE *out, struct err *e)
{
    struct picture picture;
    if (picture_start(&picture, p, out, e) < 0)
        return -1;
    write_head(out, title, picture.rows);
    if (picture.tree)
        write_legend(p, out);
    else
        write_text(out, "l", 50, "No stack of a block that outlived its connection.");
    write_nodes(&picture, picture.tree, MARGIN, HEAD);
    write_foot(&picture);
    return picture_finish(&picture, e);
}

int profile_write_frames(const struct profile *p, FILE *out, struct err *e)
{
    struct picture picture;
    if (picture_start(&picture, p, out, e) < 0)
        return -1;
    fprintf(
        out,
        "<svg class=\"flame\" viewBox=\"%d 0 %d %zu\" role=\"group\" aria-label=\"Flame graph\">\n",
        MARGIN, WIDTH - 2 * MARGIN, picture.rows * ROW);
    write_nodes(&picture, picture.tree, MARGIN, 0);
    return picture_finish(&picture, e);
}
