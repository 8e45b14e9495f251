#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/figures.h"

/* What one process counts another sees; the looker cannot write. */
static void
shared(void **state)
{
	const struct figures *look;
	struct figures *f, *again;
	int fd, reader;

	(void)state;
	f = figures_new(&fd);
	assert_non_null(f);
	reader = figures_reader(fd);
	assert_true(reader >= 0);
	look = figures_look(reader);
	figures_add(f, FIG_CONNECTIONS, 2);
	figures_add(f, FIG_CONNECTIONS, 3);
	figures_set(f, FIG_CLIENTS, 7);
	assert_int_equal(figures_get(look, FIG_CONNECTIONS), 5);
	assert_int_equal(figures_get(look, FIG_CLIENTS), 7);
	assert_true(mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED,
			reader, 0) == MAP_FAILED);
	assert_true(ftruncate(fd, 1) != 0);
	/* The process ends; the next goes on. */
	figures_gone(f);
	again = figures_map(fd);
	assert_int_equal(figures_get(again, FIG_CONNECTIONS), 5);
	assert_int_equal(figures_get(again, FIG_CLIENTS), 0);
	figures_unmap(again);
	figures_unmap(look);
	figures_unmap(f);
	close(reader);
	close(fd);
}

/* Without a page, counting goes nowhere and does no harm. */
static void
alone(void **state)
{
	struct figures *f = figures_map(-1);
	uint64_t cpu = 0;

	(void)state;
	figures_add(f, FIG_CONNECTIONS, 1);
	assert_int_equal(figures_get(f, FIG_CONNECTIONS), 1);
	figures_self(f, &cpu);
	assert_true(figures_get(f, FIG_MEMORY) > 100000);
	assert_int_equal(figures_get(f, FIG_CPU), cpu);
	figures_unmap(f);
}

/* Prometheus' rules for names; rows of a name stand together and agree. */
static void
rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIG_COUNT; i++) {
		const struct figure_row *r = &figure_rows[i];
		size_t n = strlen(r->name);
		bool total = n > 6 && strcmp(r->name + n - 6, "_total") == 0;

		assert_int_equal(
		    strspn(r->name, "abcdefghijklmnopqrstuvwxyz_"), n);
		assert_int_equal(total, r->is_counter);
		assert_int_equal(strspn(r->who, "kipswh"), strlen(r->who));
		assert_true(
		    r->scale == 1 || r->scale == 1000 || r->scale == 1000000);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(figure_rows[k].name, r->name) != 0)
				continue;
			assert_string_equal(figure_rows[i - 1].name, r->name);
			assert_string_equal(figure_rows[k].help, r->help);
			assert_string_not_equal(
			    figure_rows[k].labels, r->labels);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared),
		cmocka_unit_test(alone),
		cmocka_unit_test(rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
