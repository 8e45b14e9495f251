#include "tests/unit/unit.h"

#include "admin/out.h"

static const struct out_col cols[] = {
	{ "name", "NAME", OUT_TEXT },
	{ "used", "USED", OUT_BYTES },
	{ "max", "MAX", OUT_LIMIT },
	{ "at", "AT", OUT_TIME },
	{ "on", "ON", OUT_BOOL },
	{ "to", "TO", OUT_LIST },
	{ "id", NULL, OUT_NUM },
};

/* What came out, by stream. */
struct caught {
	struct buf out, err;
};

static void
caught_bytes(void *arg, enum out_stream stream, struct slice bytes)
{
	struct caught *c = arg;

	buf_add_slice(stream == OUT_STDERR ? &c->err : &c->out, bytes);
}

static void
begin(struct caught *c, struct out *o)
{
	buf_init(&c->out, 1 << 20);
	buf_init(&c->err, 1 << 20);
	out_init(o, caught_bytes, c);
}

static void
end(struct caught *c, struct out *o)
{
	out_fini(o);
	buf_fini(&c->out);
	buf_fini(&c->err);
}

static json_t *
row(const char *name, json_int_t used, json_int_t max, int64_t at)
{
	return json_pack("{s:o,s:I,s:I,s:o,s:b,s:[s,s],s:I}", "name",
	    out_str(slice_str(name)), "used", used, "max", max, "at",
	    out_time(at), "on", 1, "to", "a", "b", "id", (json_int_t)7);
}

static void
a_table(void **state)
{
	struct caught c;
	struct out o;

	(void)state;
	begin(&c, &o);
	out_begin(&o, cols, PH_LEN(cols));
	out_row(&o, row("M\xc3\xbcller", 1536, 0, 0));
	out_row(&o, row("b", 0, 10485760, 1714564800));
	out_end(&o);
	out_flush(&o);
	assert_slice(buf_slice(&c.out),
	    "NAME    USED   MAX  AT                    ON   TO\n"
	    "M\xc3\xbcller  1.5K  none  -                     yes  a b\n"
	    "b          0   10M  2024-05-01T12:00:00Z  yes  a b\n");
	end(&c, &o);
}

static void
a_listing_in_json(void **state)
{
	struct caught c;
	struct out o;
	json_t *j;

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		begin(&c, &o);
		o.json = true;
		out_begin(&o, cols, PH_LEN(cols));
		for (size_t i = 0; i < n; i++)
			out_row(&o, row("x", 1, 2, 0));
		out_end(&o);
		out_flush(&o);
		j = json_loadb(c.out.p, buf_len(&c.out), 0, NULL);
		assert_int_equal(json_array_size(j), n);
		if (n != 0)
			assert_true(json_is_null(
			    json_object_get(json_array_get(j, 0), "at")));
		json_decref(j);
		end(&c, &o);
	}
}

static void
a_record(void **state)
{
	struct caught c;
	struct out o;

	(void)state;
	begin(&c, &o);
	out_record(&o, cols, 3, row("x", 1, 0, 0));
	out_flush(&o);
	assert_slice(buf_slice(&c.out), "NAME  x\nUSED  1\nMAX   none\n");
	end(&c, &o);
}

static void
errors_come_after_what_was_said(void **state)
{
	struct caught c;
	struct out o;

	(void)state;
	begin(&c, &o);
	out_printf(&o, "one %d\n", 1);
	assert_int_equal(buf_len(&c.out), 0);
	out_error(&o, "bad %s\n", "thing");
	assert_slice(buf_slice(&c.out), "one 1\n");
	assert_slice(buf_slice(&c.err), "bad thing\n");
	end(&c, &o);
}

static void
bytes_that_are_no_text(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "plain", "plain" }, { "M\xc3\xbcller", "M\xc3\xbcller" },
		{ "a\xff"
		  "b\xc3",
		    "a?b?" },
		{ "\xed\xa0\x80", "???" }, /* a surrogate */
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		json_t *j = out_str(slice_str(cases[i].in));

		assert_string_equal(json_string_value(j), cases[i].want);
		json_decref(j);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table),
		cmocka_unit_test(a_listing_in_json),
		cmocka_unit_test(a_record),
		cmocka_unit_test(errors_come_after_what_was_said),
		cmocka_unit_test(bytes_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
