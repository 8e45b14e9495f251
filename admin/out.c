#include "admin/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

enum { TEXT_MAX = 256 << 20, FLUSH_AT = 64 << 10, LINE_BYTES = 4096 };

void
out_init(struct out *o,
    void (*sink)(void *arg, enum out_stream stream, struct slice bytes),
    void *arg)
{
	*o = (struct out){ .sink = sink, .arg = arg };
	buf_init(&o->text, TEXT_MAX);
}

void
out_flush(struct out *o)
{
	if (buf_len(&o->text) != 0)
		o->sink(o->arg, OUT_STDOUT, buf_slice(&o->text));
	buf_clear(&o->text);
}

void
out_fini(struct out *o)
{
	out_flush(o);
	buf_fini(&o->text);
}

void
out_bytes(struct out *o, struct slice s)
{
	o->said = true;
	buf_add_slice(&o->text, s);
	if (buf_len(&o->text) >= FLUSH_AT)
		out_flush(o);
}

static void
vprint(struct buf *to, const char *fmt, va_list ap)
{
	char line[LINE_BYTES], *big;
	int n;
	va_list again;

	va_copy(again, ap);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= (int)sizeof(line) && vasprintf(&big, fmt, again) >= 0) {
		buf_add_str(to, big);
		free(big);
	} else if (n > 0) {
		buf_add_str(to, line);
	}
	va_end(again);
}

void
out_printf(struct out *o, const char *fmt, ...)
{
	va_list ap;

	o->said = true;
	va_start(ap, fmt);
	vprint(&o->text, fmt, ap);
	va_end(ap);
	if (buf_len(&o->text) >= FLUSH_AT)
		out_flush(o);
}

static void
keep_why(struct out *o, struct slice line)
{
	static const struct slice us = SLICE("posthof: ");

	if (o->why[0] != '\0')
		return;
	if (slice_starts(line, us))
		line = slice_from(line, us.n);
	line = slice_sub(line, 0, slice_chr(line, '\n'));
	(void)slice_copy(
	    slice_sub(line, 0, sizeof(o->why) - 1), o->why, sizeof(o->why));
}

void
out_error(struct out *o, const char *fmt, ...)
{
	struct buf line;
	va_list ap;

	buf_init(&line, TEXT_MAX);
	va_start(ap, fmt);
	vprint(&line, fmt, ap);
	va_end(ap);
	out_flush(o);
	keep_why(o, buf_slice(&line));
	o->sink(o->arg, OUT_STDERR, buf_slice(&line));
	buf_fini(&line);
}

json_t *
out_str(struct slice s)
{
	struct buf clean;
	json_t *j = json_stringn(s.p != NULL ? s.p : "", s.n);
	uint32_t cp;

	if (j != NULL)
		return j;
	buf_init(&clean, s.n + 1);
	while (s.n != 0) {
		struct slice was = s;

		if (utf8_next(&s, &cp)) {
			buf_add_slice(&clean, slice_sub(was, 0, was.n - s.n));
		} else {
			buf_add_char(&clean, '?');
			s = slice_from(s, 1);
		}
	}
	j = json_stringn(clean.p != NULL ? clean.p : "", buf_len(&clean));
	buf_fini(&clean);
	return j != NULL ? j : json_null();
}

void
out_time_text(int64_t sec, char to[32])
{
	time_t t = sec;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		to[0] = '\0';
}

json_t *
out_time(int64_t sec)
{
	char text[32];

	if (sec == 0)
		return json_null();
	out_time_text(sec, text);
	return json_string(text);
}

static char *
bytes_text(json_int_t n)
{
	static const char units[] = "BKMGTPE";
	double v = (double)n;
	size_t i = 0;

	for (; v >= 1024 && units[i + 1] != '\0'; i++)
		v /= 1024;
	if (i == 0)
		return xasprintf("%lld", (long long)n);
	return xasprintf(v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[i]);
}

static char *
span_text(json_int_t sec)
{
	static const struct {
		json_int_t up_to, unit;
		char letter;
	} units[] = { { 120, 1, 's' }, { 7200, 60, 'm' }, { 172800, 3600, 'h' },
		{ INT64_MAX, 86400, 'd' } };
	size_t i = 0;

	while (sec >= units[i].up_to)
		i++;
	return xasprintf(
	    "%lld%c", (long long)(sec / units[i].unit), units[i].letter);
}

static char *
list_text(const json_t *v)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);

		buf_printf(&out, "%s%s", i != 0 ? " " : "",
		    json_is_string(item) ? json_string_value(item) : "?");
	}
	return buf_take_str(&out);
}

/* A cell as people read it; the caller frees it. */
static char *
cell_text(const struct out_col *col, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	if (v == NULL || json_is_null(v))
		return xstrdup("-");
	switch (col->kind) {
	case OUT_BOOL: return xstrdup(json_is_true(v) ? "yes" : "no");
	case OUT_BYTES: return bytes_text(n);
	case OUT_LIMIT: return n == 0 ? xstrdup("none") : bytes_text(n);
	case OUT_COUNT_LIMIT:
		return n == 0 ? xstrdup("none")
			      : xasprintf("%lld", (long long)n);
	case OUT_NUM: return xasprintf("%lld", (long long)n);
	case OUT_SPAN: return span_text(n);
	case OUT_LIST: return list_text(v);
	case OUT_TEXT:
	case OUT_TIME: break;
	}
	v = json_string_value(v) != NULL ? v : NULL;
	return xstrdup(v != NULL && json_string_length(v) != 0
			   ? json_string_value(v)
			   : "-");
}

static void
dump(struct out *o, const json_t *row, size_t flags)
{
	char *text = json_dumps(row, flags);

	if (text != NULL)
		out_bytes(o, slice_str(text));
	free(text);
}

void
out_begin(struct out *o, const struct out_col *cols, size_t n)
{
	o->cols = cols;
	o->ncols = n;
	o->nrows = o->rows_cap = 0;
	o->rows = NULL;
	if (o->json)
		out_printf(o, "[");
}

void
out_row(struct out *o, json_t *row)
{
	char **cells;

	if (o->json) {
		out_printf(o, o->nrows++ == 0 ? "\n" : ",\n");
		dump(o, row, JSON_COMPACT);
		json_decref(row);
		return;
	}
	cells = xcalloc(o->ncols, sizeof(*cells));
	for (size_t i = 0; i < o->ncols; i++)
		if (o->cols[i].title != NULL)
			cells[i] = cell_text(
			    &o->cols[i], json_object_get(row, o->cols[i].key));
	o->rows = mem_grow(o->rows, &o->rows_cap, o->nrows, sizeof(*o->rows));
	o->rows[o->nrows++] = cells;
	json_decref(row);
}

/* Columns on the screen: characters, not bytes. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool
is_right(enum out_kind kind)
{
	return kind == OUT_NUM || kind == OUT_BYTES || kind == OUT_LIMIT ||
	       kind == OUT_COUNT_LIMIT || kind == OUT_SPAN;
}

static void
print_line(struct out *o, char *const *cells, const size_t *widths)
{
	static const char blanks[] = "                                       "
				     "                                        ";
	size_t last = 0, gap = 0;

	for (size_t i = 0; i < o->ncols; i++)
		if (o->cols[i].title != NULL)
			last = i;
	for (size_t i = 0; i <= last; i++) {
		size_t pad;

		if (o->cols[i].title == NULL)
			continue;
		pad = widths[i] - width(cells[i]);
		pad = pad < sizeof(blanks) - 3 ? pad : sizeof(blanks) - 3;
		if (is_right(o->cols[i].kind)) {
			out_bytes(o, slice_of(blanks, gap + pad));
			out_bytes(o, slice_str(cells[i]));
			gap = 2;
		} else {
			out_bytes(o, slice_of(blanks, gap));
			out_bytes(o, slice_str(cells[i]));
			gap = 0;
			if (i != last)
				out_bytes(o, slice_of(blanks, pad + 2));
		}
	}
	out_printf(o, "\n");
}

static void
print_table(struct out *o)
{
	size_t *widths = xcalloc(o->ncols + 1, sizeof(*widths));
	char **titles = xcalloc(o->ncols + 1, sizeof(*titles));

	for (size_t i = 0; i < o->ncols; i++) {
		titles[i] = (char *)o->cols[i].title;
		if (titles[i] == NULL)
			continue;
		widths[i] = width(titles[i]);
		for (size_t k = 0; k < o->nrows; k++)
			if (width(o->rows[k][i]) > widths[i])
				widths[i] = width(o->rows[k][i]);
	}
	print_line(o, titles, widths);
	for (size_t k = 0; k < o->nrows; k++)
		print_line(o, o->rows[k], widths);
	free(titles);
	free(widths);
}

void
out_end(struct out *o)
{
	if (o->json) {
		out_printf(o, o->nrows == 0 ? "]\n" : "\n]\n");
		return;
	}
	print_table(o);
	for (size_t k = 0; k < o->nrows; k++) {
		for (size_t i = 0; i < o->ncols; i++)
			free(o->rows[k][i]);
		free(o->rows[k]);
	}
	free(o->rows);
	o->rows = NULL;
}

void
out_record(struct out *o, const struct out_col *cols, size_t n, json_t *row)
{
	size_t wide = 0;

	if (o->json) {
		dump(o, row, JSON_INDENT(2));
		out_printf(o, "\n");
		json_decref(row);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (cols[i].title != NULL && width(cols[i].title) > wide)
			wide = width(cols[i].title);
	for (size_t i = 0; i < n; i++) {
		char *text;

		if (cols[i].title == NULL)
			continue;
		text = cell_text(&cols[i], json_object_get(row, cols[i].key));
		out_printf(o, "%-*s  %s\n", (int)wide, cols[i].title, text);
		free(text);
	}
	json_decref(row);
}
