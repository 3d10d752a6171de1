/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as one HTML file that needs nothing else: a template made by the build (ui/web/report.html with its style and script),
 * whose marks are replaced here. Verdict, checks and tables are HTML; the picture and the timeline are drawn by the page's own
 * modules from what the page would have been told: the lab's document, the feed's base and its frames. */
#include "lab/verdict/report_html.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/feed.h"
#include "monitor/snapshot.h"
#include "monitor/view.h"
#include "ui/assets.h"

enum {
	FLOWS_KNOWN = 1000, /* that the picture can name; the others are summed */
	ROWS_MAX = 40000,   /* of all frames together: some 1.5 MB */
	ROWS_LEAST = 20,    /* of one */
};

/* JSON within a script element: only a < could end that, and < stands in strings alone. */
static void put_json(struct text *t, const char *json)
{
	size_t len;

	if (!json) {
		t->failed = true;
		return;
	}
	for (; *json; json += len) {
		len = strcspn(json, "<");
		text_add(t, json, len);
		if (json[len])
			text_puts(t, "\\u003c");
		len += json[len] != '\0';
	}
}

static void put_json_owned(struct text *t, char *json)
{
	put_json(t, json);
	free(json);
}

/* Adds what a row [id, COUNT...] says to the rest, [flows, COUNT...]. */
static void add_to_rest(cJSON *rest, const cJSON *row)
{
	cJSON *sum = rest->child;
	const cJSON *figure = row->child ? row->child->next : NULL;

	cJSON_SetNumberHelper(sum, sum->valuedouble + 1);
	for (sum = sum->next; sum && figure; sum = sum->next, figure = figure->next)
		cJSON_SetNumberHelper(sum, sum->valuedouble + figure->valuedouble);
}

/* A frame without what the report does not draw: definitions (the base has them), health, rows beyond so many. */
static char *shorten(const char *frame, size_t rows)
{
	cJSON *doc = cJSON_Parse(frame);
	cJSON *grown = cJSON_GetObjectItem(doc, "grown"), *rest = cJSON_GetObjectItem(doc, "rest"), *row, *next;
	char *text = NULL;
	size_t n = 0;

	for (row = grown ? grown->child : NULL; row && rest && rest->child; row = next) {
		next = row->next;
		if (n++ < rows)
			continue;
		add_to_rest(rest, row);
		cJSON_Delete(cJSON_DetachItemViaPointer(grown, row));
	}
	cJSON_DeleteItemFromObject(doc, "monitor");
	cJSON_DeleteItemFromObject(doc, "events");
	(void)cJSON_ReplaceItemInObject(doc, "define", cJSON_CreateArray());
	if (doc)
		text = cJSON_PrintUnformatted(doc);
	cJSON_Delete(doc);
	return text;
}

static size_t count_frames(struct snapshot *feed)
{
	struct snapshot_frame *f;
	bool ended;
	size_t n = 0;

	for (uint64_t seq = 0; (f = snapshot_next(feed, seq, 0, &ended)); n++) {
		seq = f->seq;
		snapshot_frame_unref(f);
	}
	return n;
}

static void put_frames(struct text *t, struct snapshot *feed)
{
	size_t n = count_frames(feed), rows = n ? ROWS_MAX / n : 0;
	struct snapshot_frame *f;
	bool ended;

	for (uint64_t seq = 0, i = 0; (f = snapshot_next(feed, seq, 0, &ended)); i++) {
		seq = f->seq;
		if (i)
			text_puts(t, ",\n");
		put_json_owned(t, shorten(f->text, rows > ROWS_LEAST ? rows : ROWS_LEAST));
		snapshot_frame_unref(f);
	}
}

/* Of all flows, also those that were silent since the first sample, which are in no frame. */
static void put_base(struct text *t, const struct report *r)
{
	struct feed_picks known;

	if (feed_pick_largest(r->sample, FLOWS_KNOWN, &known)) {
		t->failed = true;
		return;
	}
	put_json_owned(t, view_feed_base(r->run->info, r->sample, &known, snapshot_oldest(r->run->feed)));
	feed_picks_free(&known);
}

/* null: there is nothing to draw. */
static void put_data(struct text *t, const struct report *r)
{
	if (!r->run || !r->run->feed || !r->run->info) {
		text_puts(t, "null");
		return;
	}
	text_printf(t, "{\"flows\":%zu,\n\"lab\":", r->sample->n_flows);
	put_json_owned(t, view_lab(r->run->info, r->plan, r->sample));
	text_puts(t, ",\n\"base\":");
	put_base(t, r);
	text_puts(t, ",\n\"frames\":[\n");
	put_frames(t, r->run->feed);
	text_puts(t, "\n]}");
}

static const struct {
	const char *mark;
	report_html_part *put;
} parts[] = {
	{ "title", report_html_title }, { "verdict", report_html_word }, { "lead", report_html_lead }, { "summary", report_html_summary },
	{ "head", report_html_head }, { "checks", report_html_checks }, { "truth", report_html_truth }, { "flows", report_html_flows },
	{ "events", report_html_events }, { "monitor", report_html_monitor }, { "facts", report_html_facts },
	{ "scenario", report_html_scenario }, { "data", put_data },
};

/* What stands for {{MARK}}; text that looks like one and is none stays. Returns what follows the mark, or NULL. */
static const char *put_part(struct text *t, const struct report *r, const char *mark)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		size_t len = strlen(parts[i].mark);

		if (strncmp(mark, parts[i].mark, len) == 0 && strncmp(mark + len, "}}", 2) == 0) {
			parts[i].put(t, r);
			return mark + len + 2;
		}
	}
	return NULL;
}

int report_html(const struct report *r, FILE *f)
{
	const struct asset *page = asset_find("report", "report.html");
	const char *at, *mark, *after;
	struct text t = { 0 };

	for (at = page ? page->data : ""; (mark = strstr(at, "{{")); at = after ? after : mark + 2) {
		text_add(&t, at, (size_t)(mark - at));
		after = put_part(&t, r, mark + 2);
		if (!after)
			text_puts(&t, "{{");
	}
	text_puts(&t, at);
	return report_write(&t, f);
}
