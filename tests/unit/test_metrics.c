#include "tests/unit/unit.h"

#include "webd/metrics.h"

/* Two programs, scales, labels; HELP and TYPE once a name. */
static void
text(void **state)
{
	static const char *const has[] = {
		"# HELP posthof_logins_total logins by their result\n"
		"# TYPE posthof_logins_total counter\n"
		"posthof_logins_total{program=\"imapd\",result=\"good\"} 3\n"
		"posthof_logins_total{program=\"imapd\",result=\"bad\"} 0\n"
		"# HELP",
		"posthof_process_cpu_seconds_total{program=\"imapd\"} "
		"1.500000\n",
		"posthof_oldest_job_seconds{program=\"imapd\"} 0.007\n",
		"posthof_queue_messages{program=\"keeper\",state=\"held\"} 2\n",
	};
	struct figures *i = figures_map(-1), *k = figures_map(-1);
	const struct metrics_page pages[] = { { "keeper", 'k', k },
		{ "imapd", 'i', i } };
	struct buf out;

	(void)state;
	figures_add(i, FIG_LOGINS_GOOD, 3);
	figures_add(i, FIG_CPU, 1500000);
	figures_set(i, FIG_OLDEST, 7);
	figures_set(i, FIG_QUEUE_HELD, 9); /* not imapd's */
	figures_set(k, FIG_QUEUE_HELD, 2);
	buf_init(&out, 1 << 20);
	metrics_write(pages, PH_LEN(pages), &out);
	for (size_t n = 0; n < PH_LEN(has); n++)
		assert_true(slice_find(buf_slice(&out), slice_str(has[n])) !=
			    buf_len(&out));
	assert_true(
	    slice_find(buf_slice(&out), SLICE("} 9\n")) == buf_len(&out));
	buf_fini(&out);
	figures_unmap(i);
	figures_unmap(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
