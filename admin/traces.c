#include "admin/traces.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/mem.h"

enum { DAY_SEC = 86400 };

/* "submitd-2026-11-28"; false: some other file. */
static bool
day_of(const char *name, int64_t *day_out)
{
	const char *dash = strchr(name, '-');
	struct tm tm = { 0 };
	const char *end =
	    dash != NULL ? strptime(dash + 1, "%Y-%m-%d", &tm) : NULL;

	if (end == NULL || *end != '\0')
		return false;
	*day_out = timegm(&tm) / DAY_SEC;
	return true;
}

static int
cmp_file(const void *a, const void *b)
{
	const struct traces_file *x = a, *y = b;

	return (x->day > y->day) - (x->day < y->day);
}

static void
list(struct traces *t, const char *state_dir)
{
	char *dir = xasprintf("%s/trace", state_dir);
	DIR *d = opendir(dir);
	const struct dirent *e;
	int64_t day;

	*t = (struct traces){ 0 };
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!day_of(e->d_name, &day))
			continue;
		t->v = mem_grow(t->v, &t->cap, t->n, sizeof(*t->v));
		t->v[t->n++] = (struct traces_file){
			.path = xasprintf("%s/%s", dir, e->d_name), .day = day
		};
	}
	if (d != NULL)
		closedir(d);
	free(dir);
	if (t->n != 0)
		qsort(t->v, t->n, sizeof(*t->v), cmp_file);
}

static void
map_file(struct traces_file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *p;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			f->text = slice_of(p, (size_t)st.st_size);
	}
	close(fd);
}

void
traces_open(struct traces *t, const char *state_dir)
{
	list(t, state_dir);
	for (size_t i = 0; i < t->n; i++)
		map_file(&t->v[i]);
}

void
traces_close(struct traces *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].text.n != 0)
			munmap(
			    (void *)(uintptr_t)t->v[i].text.p, t->v[i].text.n);
		free(t->v[i].path);
	}
	free(t->v);
	*t = (struct traces){ 0 };
}

size_t
traces_expire(const char *state_dir, uint64_t days, int64_t now_sec)
{
	struct traces t;
	size_t gone = 0;

	list(&t, state_dir);
	for (size_t i = 0; i < t.n; i++)
		if (t.v[i].day + (int64_t)days <= now_sec / DAY_SEC)
			gone += unlink(t.v[i].path) == 0;
	traces_close(&t);
	return gone;
}

static struct slice
take_word(struct slice *rest)
{
	size_t end = slice_chr(*rest, ' ');
	struct slice word = slice_sub(*rest, 0, end);

	*rest = slice_from(*rest, end + 1);
	return word;
}

bool
traces_next(struct slice *rest, struct traces_line *out)
{
	static const struct slice level = SLICE("info");

	while (rest->n != 0) {
		size_t end = slice_chr(*rest, '\n');
		struct slice line = slice_sub(*rest, 0, end);
		bool whole = end != rest->n;

		*rest = slice_from(*rest, end + 1);
		*out = (struct traces_line){ .text = line };
		out->at = take_word(&line);
		if (!whole || !slice_eq(take_word(&line), level))
			continue;
		(void)take_word(&line);
		out->id = take_word(&line);
		out->event = take_word(&line);
		out->pairs = line;
		if (out->event.n != 0)
			return true;
	}
	return false;
}

bool
traces_pair(struct slice *pairs, struct slice *key_out, struct slice *value_out)
{
	while (pairs->n != 0) {
		size_t eq = slice_chr(*pairs, '='), end;
		struct slice key = slice_sub(*pairs, 0, eq);
		bool quoted;

		*pairs = slice_from(*pairs, eq + 1);
		quoted = pairs->n != 0 && pairs->p[0] == '"';
		*pairs = slice_from(*pairs, quoted);
		end = slice_chr(*pairs, quoted ? '"' : ' ');
		*value_out = slice_sub(*pairs, 0, end);
		*pairs = slice_from(*pairs, end + 1);
		key = slice_trim(key);
		*key_out = slice_from(key, slice_rchr(key, ' ') == key.n
					       ? 0
					       : slice_rchr(key, ' ') + 1);
		if (key_out->n != 0)
			return true;
	}
	return false;
}
