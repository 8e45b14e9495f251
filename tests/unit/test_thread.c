#include "imapd/thread.h"

#include <stdio.h>

#include "tests/unit/unit.h"

/* A message: header, base subject, whether it is a reply; dated by number. */
struct msg {
	const char *headers, *subject;
	bool is_reply;
	int64_t date; /* 0: its number */
};

#define ID(x) "Message-ID: <" x "@h>\r\n"
#define REFS(x) "References: " x "\r\n"
#define REPLY(x) "In-Reply-To: " x "\r\n"

static const struct {
	const char *what;
	struct msg v[8];
	const char *references, *subjects;
} cases[] = {
	{ "nothing", { { 0 } }, "", "" },
	{ "one", { { ID("a"), "A", false, 0 } }, "(1)", "(1)" },
	{ "a chain",
	    { { ID("a"), "A", false, 0 },
		{ ID("b") REFS("<a@h>"), "A", true, 0 },
		{ ID("c") REFS("<a@h> <b@h>"), "A", true, 0 } },
	    "(1 2 3)", "(1 (2)(3))" },
	{ "a fork",
	    { { ID("a"), "A", false, 0 },
		{ ID("b") REPLY("<a@h>"), "A", true, 0 },
		{ ID("c") REPLY("<a@h>"), "A", true, 0 },
		{ ID("d") REFS("<a@h> <b@h>"), "A", true, 0 } },
	    "(1 (2 4)(3))", "(1 (2)(3)(4))" },
	{ "children come first",
	    { { ID("c") REFS("<a@h> <b@h>"), "A", true, 3 },
		{ ID("b") REFS("<a@h>"), "A", true, 2 },
		{ ID("a"), "A", false, 1 } },
	    "(3 2 1)", "(3 (2)(1))" },
	{ "the parent is not there: siblings of a dummy",
	    { { ID("b") REFS("<a@h>"), "A", true, 0 },
		{ ID("c") REFS("<a@h>"), "A", true, 0 } },
	    "((1)(2))", "(1 2)" },
	{ "a dummy with one child goes",
	    { { ID("c") REFS("<a@h> <b@h>"), "A", false, 0 } }, "(1)", "(1)" },
	{ "a dummy in the middle is passed over",
	    { { ID("a"), "A", false, 0 },
		{ ID("c") REFS("<a@h> <b@h>"), "A", true, 0 },
		{ ID("d") REFS("<a@h> <b@h>"), "A", true, 0 } },
	    "(1 (2)(3))", "(1 (2)(3))" },
	{ "the same subject, one a reply",
	    { { ID("a"), "A", false, 0 }, { ID("b"), "A", true, 0 } }, "(1 2)",
	    "(1 2)" },
	{ "the same subject, the reply first",
	    { { ID("b"), "A", true, 0 }, { ID("a"), "A", false, 0 } }, "(2 1)",
	    "(1 2)" },
	{ "the same subject, no reply: siblings",
	    { { ID("a"), "A", false, 0 }, { ID("b"), "A", false, 0 },
		{ ID("c"), "A", false, 0 } },
	    "((1)(2)(3))", "(1 (2)(3))" },
	{ "no subject joins nobody",
	    { { ID("a"), "", false, 0 }, { ID("b"), "", false, 0 } }, "(1)(2)",
	    "(1 2)" },
	{ "two dummies of one subject become one",
	    { { ID("b") REFS("<a@h>"), "A", true, 0 },
		{ ID("c") REFS("<a@h>"), "A", true, 0 },
		{ ID("e") REFS("<d@h>"), "A", true, 0 },
		{ ID("f") REFS("<d@h>"), "A", true, 0 } },
	    "((1)(2)(3)(4))", "(1 (2)(3)(4))" },
	{ "by date, not by number",
	    { { ID("a"), "A", false, 9 }, { ID("b"), "B", false, 5 },
		{ ID("c"), "C", false, 7 } },
	    "(2)(3)(1)", "(2)(3)(1)" },
	{ "an id given twice is the first one's",
	    { { ID("a"), "A", false, 0 }, { ID("a"), "B", false, 0 },
		{ ID("c") REFS("<a@h>"), "C", true, 0 } },
	    "(1 3)(2)", "(1)(2)(3)" },
	{ "a loop is not made",
	    { { ID("a") REFS("<b@h>"), "A", true, 0 },
		{ ID("b") REFS("<a@h>"), "A", true, 0 } },
	    "(2 1)", "(1 2)" },
	{ "its own parent", { { ID("a") REFS("<a@h>"), "A", true, 0 } }, "(1)",
	    "(1)" },
	{ "quoting does not matter",
	    { { ID("a"), "A", false, 0 },
		{ ID("b") REFS("<\"a\"@h>"), "B", true, 0 } },
	    "(1 2)", "(1)(2)" },
	{ "References without an id: In-Reply-To",
	    { { ID("a"), "A", false, 0 },
		{ ID("b") REFS("x y") REPLY("your mail <a@h> <z@h>"), "B", true,
		    0 } },
	    "(1 2)", "(1)(2)" },
	{ "no ids at all",
	    { { "X: y\r\n", "A", false, 0 }, { "\r\n", "B", false, 0 } },
	    "(1)(2)", "(1)(2)" },
};

static uint32_t
same(uint32_t seq, void *arg)
{
	(void)arg;
	return seq;
}

static size_t
count(const struct msg *v)
{
	size_t n = 0;

	while (n < 8 && v[n].headers != NULL)
		n++;
	return n;
}

static void
add(struct thread *t, const struct order_msg *m, struct slice headers)
{
	uint64_t refs[THREAD_REFS_MAX];
	struct thread_ids ids = thread_ids(headers, refs);

	thread_add(t, m, &ids);
}

static struct order_msg
order_of(const struct msg *m, uint32_t seq)
{
	return (struct order_msg){ .seq = seq,
		.date = m->date != 0 ? m->date : (int64_t)seq,
		.subject = slice_str(m->subject),
		.subject_id = order_id(slice_str(m->subject)),
		.is_reply = m->is_reply };
}

static void
write_all(const struct thread *t, struct buf *out)
{
	buf_clear(out);
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		thread_write(t, i, out, same, NULL);
}

static void
all_cases(void **state)
{
	struct order_msg v[8];
	struct thread t;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		size_t n = count(cases[i].v);

		thread_init(&t);
		for (size_t k = 0; k < n; k++) {
			v[k] = order_of(&cases[i].v[k], (uint32_t)k + 1);
			add(&t, &v[k], slice_str(cases[i].v[k].headers));
		}
		thread_by_references(&t);
		write_all(&t, &out);
		if (!slice_eq(buf_slice(&out), slice_str(cases[i].references)))
			fail_msg("%s: %.*s", cases[i].what, (int)buf_len(&out),
			    buf_slice(&out).p);
		thread_fini(&t);
		thread_init(&t);
		thread_by_subject(&t, v, n);
		write_all(&t, &out);
		if (!slice_eq(buf_slice(&out), slice_str(cases[i].subjects)))
			fail_msg("%s, by subject: %.*s", cases[i].what,
			    (int)buf_len(&out), buf_slice(&out).p);
		thread_fini(&t);
	}
	buf_fini(&out);
}

/* Conversations by their latest arrival; subjects join nobody. */
static void
refs_by_arrival(void **state)
{
	static const struct msg v[] = {
		{ ID("a"), "A", false, 9 },
		{ ID("b") REFS("<a@h>"), "A", true, 3 },
		{ ID("c"), "A", false, 1 },
		{ ID("d") REFS("<x@h>"), "B", true, 5 },
		{ ID("e") REFS("<x@h>"), "B", true, 4 },
		{ ID("f") REFS("<b@h>"), "A", true, 2 },
	};
	static const int64_t arrival[] = { 1, 2, 8, 3, 7, 6 };
	struct thread t;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	thread_init(&t);
	thread_by_refs(&t); /* nothing at all */
	assert_int_equal(t.v[0].child, 0);
	for (size_t k = 0; k < PH_LEN(v); k++) {
		struct order_msg m = order_of(&v[k], (uint32_t)k + 1);

		m.arrival = arrival[k];
		add(&t, &m, slice_str(v[k].headers));
	}
	thread_by_refs(&t);
	write_all(&t, &out);
	assert_slice(buf_slice(&out), "(1 2 6)((5)(4))(3)");
	thread_fini(&t);
	buf_fini(&out);
}

/* As deep, and as wide, as it gets. */
static void
bombs(void **state)
{
	enum { N = 50000 };
	struct buf h, out;
	struct thread t;
	char text[100];

	(void)state;
	buf_init(&out, 8 << 20);
	buf_init(&h, 1 << 20);
	for (int kind = 0; kind < 3; kind++) {
		thread_init(&t);
		for (uint32_t i = 1; i <= N; i++) {
			struct order_msg m = { .seq = i, .date = i };
			uint32_t up = kind == 0 ? i - 1 : kind == 1 ? i + 1 : 7;

			(void)snprintf(text, sizeof(text),
			    "Message-ID: <%u@h>\r\nReferences: <%u@h>\r\n", i,
			    up);
			add(&t, &m, slice_str(text));
		}
		thread_by_references(&t);
		write_all(&t, &out);
		assert_false(buf_failed(&out));
		thread_fini(&t);
	}
	/* References without end. */
	thread_init(&t);
	for (uint32_t i = 1; i <= 2000; i++) {
		struct order_msg m = { .seq = i, .date = i };

		buf_clear(&h);
		buf_add_str(&h, "References:");
		for (uint32_t k = 0; k < 300; k++)
			buf_printf(&h, " <%u@x>", i * 1000 + k);
		buf_add_str(&h, "\r\n");
		add(&t, &m, buf_slice(&h));
	}
	assert_true(t.n < 60000);
	thread_by_references(&t);
	write_all(&t, &out);
	thread_fini(&t);
	buf_fini(&out);
	buf_fini(&h);
}

/* RFC 5256 4: the response's own example. */
static void
writing(void **state)
{
	static const struct {
		const char *headers;
		uint32_t seq;
	} v[] = {
		{ ID("2"), 2 },
		{ ID("3"), 3 },
		{ ID("4") REFS("<3@h> <6@h>"), 4 },
		{ ID("6") REFS("<3@h>"), 6 },
		{ ID("7") REFS("<3@h> <6@h> <44@h>"), 7 },
		{ ID("23") REFS("<4@h>"), 23 },
		{ ID("44") REFS("<6@h>"), 44 },
		{ ID("96") REFS("<7@h>"), 96 },
	};
	struct thread t;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	thread_init(&t);
	for (size_t i = 0; i < PH_LEN(v); i++) {
		struct order_msg m = { .seq = v[i].seq, .date = v[i].seq };

		add(&t, &m, slice_str(v[i].headers));
	}
	thread_by_references(&t);
	write_all(&t, &out);
	assert_slice(buf_slice(&out), "(2)(3 6 (4 23)(44 7 96))");
	thread_fini(&t);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(refs_by_arrival),
		cmocka_unit_test(bombs),
		cmocka_unit_test(writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
