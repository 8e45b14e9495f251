#include "webd/metrics.h"

#include <inttypes.h>
#include <string.h>

static void
put_value(struct buf *out, uint64_t v, uint64_t scale)
{
	uint64_t rest = v % scale;

	buf_printf(out, " %" PRIu64, v / scale);
	if (rest != 0) {
		int digits = scale == 1000 ? 3 : 6;

		buf_printf(out, ".%0*" PRIu64, digits, rest);
	}
	buf_add_char(out, '\n');
}

static void
put_sample(const struct metrics_page *page, enum figure i, struct buf *out)
{
	const struct figure_row *row = &figure_rows[i];

	buf_printf(out, "posthof_%s{program=\"%s\"%s%s}", row->name,
	    page->program, row->labels[0] != '\0' ? "," : "", row->labels);
	put_value(out, figures_get(page->figures, i), row->scale);
}

void
metrics_write(const struct metrics_page *pages, size_t n, struct buf *out)
{
	for (size_t i = 0; i < FIG_COUNT; i++) {
		const struct figure_row *row = &figure_rows[i];

		if (i == 0 || strcmp(row->name, figure_rows[i - 1].name) != 0)
			buf_printf(out,
			    "# HELP posthof_%s %s\n# TYPE posthof_%s %s\n",
			    row->name, row->help, row->name,
			    row->is_counter ? "counter" : "gauge");
		for (size_t k = 0; k < n; k++)
			if (strchr(row->who, pages[k].letter) != NULL)
				put_sample(&pages[k], (enum figure)i, out);
	}
}
