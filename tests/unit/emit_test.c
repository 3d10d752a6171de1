/* SPDX-License-Identifier: Apache-2.0 */
/* base/emit.c: JSON as it is told. */
#include <math.h>
#include <stdlib.h>

#include "base/emit.h"
#include "tests/unit/t.h"

static void is(struct emit *e, const char *wanted)
{
	char *text = emit_take(e);

	if (wanted)
		eq_str(text, wanted);
	else
		ok(!text);
	free(text);
}

TEST(what_stands_beside_and_within_each_other)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_array(&e, "none");
	emit_array_end(&e);
	emit_array(&e, "rows");
	for (unsigned i = 0; i < 2; i++) {
		emit_object(&e, NULL);
		emit_u64(&e, "n", i);
		emit_object_end(&e);
	}
	emit_u64(&e, NULL, UINT64_MAX);
	emit_array_end(&e);
	emit_bool(&e, "yes", true);
	emit_object_end(&e);
	is(&e, "{\"none\":[],\"rows\":[{\"n\":0},{\"n\":1},18446744073709551615],\"yes\":true}");
}

TEST(any_text_is_a_string_of_json)
{
	struct emit e = { 0 };

	emit_array(&e, NULL);
	emit_string(&e, NULL, "");
	emit_string(&e, NULL, NULL);
	emit_string(&e, NULL, "a\"\\b\n\x01\x1f/\xc3\xa9");
	is(&e, "[\"\",null,\"a\\\"\\\\b\\n\\u0001\\u001f/\xc3\xa9\"]");
}

TEST(numbers_that_are_none_are_null)
{
	struct emit e = { 0 };

	emit_array(&e, NULL);
	emit_fixed(&e, NULL, 1.0005, 3);
	emit_fixed(&e, NULL, -1, 0);
	emit_fixed(&e, NULL, NAN, 3);
	emit_number(&e, NULL, 0.25);
	emit_number(&e, NULL, INFINITY);
	is(&e, "[1.000,-1,null,0.25,null]");
}

TEST(a_document_is_whole_or_there_is_none)
{
	struct emit e = { 0 };

	emit_u64(&e, NULL, 1); /* in nothing */
	is(&e, NULL);
	is(&e, NULL);
	for (unsigned i = 0; i <= EMIT_DEPTH_MAX; i++)
		emit_array(&e, NULL);
	is(&e, NULL);
	emit_object(&e, NULL);
	emit_array(&e, "open");
	is(&e, "{\"open\":[]}");
	emit_object(&e, NULL);
	emit_drop(&e);
	is(&e, NULL);
}

TEST(strings_are_escaped)
{
	struct emit e = { 0 };
	char *out;

	emit_array(&e, NULL);
	emit_string(&e, NULL, "a\"b\\c\n\x01");
	emit_string(&e, NULL, "gr\xc3\xbc\xc3\x9f");
	emit_string(&e, NULL, NULL);
	emit_array_end(&e);
	out = emit_take(&e);
	eq_str(out, "[\"a\\\"b\\\\c\\n\\u0001\",\"gr\xc3\xbc\xc3\x9f\",null]");
	free(out);
}

TEST(too_deep_is_no_document)
{
	struct emit e = { 0 };

	for (int i = 0; i <= EMIT_DEPTH_MAX; i++)
		emit_array(&e, NULL);
	ok(!emit_take(&e));
	emit_array(&e, NULL);
	free(emit_take(&e)); /* usable again */
}

TEST(numbers_are_plain)
{
	struct emit e = { 0 };
	char *out;

	emit_array(&e, NULL);
	emit_u64(&e, NULL, 0);
	emit_u64(&e, NULL, (uint64_t)1 << 53);
	emit_u64(&e, NULL, UINT64_MAX);
	emit_fixed(&e, NULL, 12.0104, 3);
	emit_fixed(&e, NULL, 1e15, 0);
	emit_fixed(&e, NULL, 0.0 / 0.0, 3);
	emit_fixed(&e, NULL, 1.0 / 0.0, 3);
	emit_bool(&e, NULL, true);
	emit_array_end(&e);
	out = emit_take(&e);
	eq_str(out, "[0,9007199254740992,18446744073709551615,12.010,1000000000000000,null,null,true]");
	free(out);
}
