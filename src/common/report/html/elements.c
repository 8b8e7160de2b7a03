/* SPDX-License-Identifier: Apache-2.0 */
#include "elements.h"

#include "base/markup.h"
#include "html_internal.h"

#include <stdbool.h>
#include <stdint.h>

/* `live`: it may fetch itself too, and does without the script. */
static void put_head(const char *title, bool live, FILE *out)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'sha256-%s'; script-src 'sha256-%s'%s%s%s; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n%s<title>",
            html_style_hash, html_script_hash, live ? " 'sha256-" : "",
            live ? html_live_script_hash : "", live ? "'; connect-src 'self'" : "",
            live ? "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n" : "");
    html_text(title, out);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", html_style);
}

void html_head(const char *title, FILE *out)
{
    put_head(title, false, out);
}

void html_foot(FILE *out)
{
    fprintf(out, "<script>%s</script>\n</body>\n</html>\n", html_script);
}

void html_live_head(const char *title, FILE *out)
{
    put_head(title, true, out);
}

void html_live_foot(FILE *out)
{
    fprintf(out, "<script>%s</script>\n<script>%s</script>\n</body>\n</html>\n", html_script,
            html_live_script);
}

void html_origin(const char *version, const char *const *word, size_t words, FILE *out)
{
    fputs("<p class=\"origin\">soak ", out);
    html_text(version, out);
    for (size_t i = 0; i < words; i++) {
        if (!word[i])
            continue;
        fputs(" · ", out);
        html_text(word[i], out);
    }
    fputs("</p>\n", out);
}

void html_text(const char *text, FILE *out)
{
    markup_put(text, SIZE_MAX, out);
}

void html_section(const char *id, const char *title, FILE *out)
{
    fprintf(out, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">", id, id, id);
    html_text(title, out);
    fputs("</h2>\n", out);
}

void html_section_end(FILE *out)
{
    fputs("</section>\n", out);
}

void html_note(const char *text, FILE *out)
{
    fputs("<p class=\"note\">", out);
    html_text(text, out);
    fputs("</p>\n", out);
}

/* Wide tables are scrolled in a box of their own, by the keyboard too. */
void html_table(const char *caption, const char *const *column, size_t columns, FILE *out)
{
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\"", out);
    markup_attribute("aria-label", caption, out);
    fputs("><table><caption>", out);
    html_text(caption, out);
    fputs("</caption>\n<thead><tr>", out);
    for (size_t i = 0; i < columns; i++) {
        bool named = column[i][1] != '\0';
        fprintf(out, named ? "<th scope=\"col\"%s>" : "<td%s>",
                column[i][0] == '>' ? " class=\"n\"" : "");
        html_text(column[i] + 1, out);
        fputs(named ? "</th>" : "</td>", out);
    }
    fputs("</tr></thead>\n<tbody>", out);
}

/* A row's end may be left out: the next, or the end of the body, ends it. */
void html_row(FILE *out)
{
    fputs("\n<tr>", out);
}

void html_head_cell(const char *text, FILE *out)
{
    fputs("<th scope=\"row\">", out);
    html_text(text, out);
    fputs("</th>", out);
}

void html_cell(const char *text, FILE *out)
{
    fputs("<td>", out);
    html_text(text, out);
    fputs("</td>", out);
}

void html_number(const char *text, FILE *out)
{
    fputs("<td class=\"n\">", out);
    html_text(text, out);
    fputs("</td>", out);
}

void html_table_end(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}
