#include "admin/tally.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/control.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/account.h"
#include "storage/queue.h"

enum {
	COUNT_MS = 5000,
	MEASURE_MS = 30000,
	DOMAINS_MAX = 64 << 20,
	PAGE = 256,
	BLOCK = 512
};

void
tally_init(
    struct tally *t, struct store *store, struct figures *figures, int control)
{
	*t = (struct tally){
		.store = store, .figures = figures, .control = control
	};
	buf_init(&t->domains, DOMAINS_MAX);
}

void
tally_fini(struct tally *t)
{
	buf_fini(&t->domains);
}

/* The library counts from when its environment was made; what is told only
 * rises. */
static void
rise(struct figures *f, enum figure i, uint64_t now, uint64_t *told_io)
{
	figures_add(f, i, now >= *told_io ? now - *told_io : now);
	*told_io = now;
}

static void
look_at_store(struct tally *t)
{
	struct figures *f = t->figures;
	struct store_stats st;

	if (store_stats_get(t->store, &st) != 0)
		return;
	figures_set(f, FIG_FREE_BYTES, st.free_bytes);
	figures_set(f, FIG_HAS_SPACE, store_has_space(t->store));
	figures_set(f, FIG_CHECKPOINT, (uint64_t)st.last_checkpoint_sec);
	figures_set(f, FIG_LOCKS_PEAK, st.locks_peak);
	figures_set(f, FIG_LOCKS_MAX, st.locks_max);
	rise(f, FIG_CACHE_HIT, st.cache_hit, &t->cache_hit);
	rise(f, FIG_CACHE_MISS, st.cache_miss, &t->cache_miss);
	rise(f, FIG_DEADLOCKS, st.deadlocks, &t->deadlocks);
}

static void
count_queue(struct tally *t)
{
	struct figures *f = t->figures;
	struct queue_counts q;

	if (queue_count(t->store, &q) != 0)
		return;
	figures_set(f, FIG_QUEUE_NEW, q.queued);
	figures_set(f, FIG_QUEUE_DEFERRED, q.deferred);
	figures_set(f, FIG_QUEUE_HELD, q.held);
	figures_set(f, FIG_QUEUE_SCHEDULED, q.scheduled);
}

/* Disk space of the files right in a directory. */
static uint64_t
space_of(const char *state_dir, const char *name)
{
	char *path = xasprintf("%s/%s", state_dir, name);
	DIR *d = opendir(path);
	uint64_t sum = 0;
	struct dirent *de;
	struct stat st;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * BLOCK;
	if (d != NULL)
		closedir(d);
	free(path);
	return sum;
}

uint64_t
tally_mail_bytes(const char *state_dir)
{
	return space_of(state_dir, "mail");
}

uint64_t
tally_index_bytes(const char *state_dir)
{
	return space_of(state_dir, "index") + space_of(state_dir, "index/log");
}

int64_t
tally_last_backup(const char *state_dir)
{
	char *stamp = xasprintf("%s/last-backup", state_dir);
	struct stat st;
	bool is_there = stat(stamp, &st) == 0;

	free(stamp);
	return is_there ? st.st_mtim.tv_sec : 0;
}

static void
measure_disk(struct tally *t, const char *state_dir)
{
	struct figures *f = t->figures;

	figures_set(f, FIG_MAIL_BYTES, tally_mail_bytes(state_dir));
	figures_set(f, FIG_INDEX_BYTES, tally_index_bytes(state_dir));
	figures_set(f, FIG_BACKUP, (uint64_t)tally_last_backup(state_dir));
}

/* All names, a line each, in the table's order. */
static int
list_domains(struct tally *t, struct buf *out, uint64_t *count_out)
{
	struct domain page[PAGE];
	char last[256] = "";
	struct arena a;
	size_t n = PAGE;
	int rc = 0;

	*count_out = 0;
	arena_init(&a);
	while (n == PAGE && (rc = domain_list(t->store, slice_str(last), &a,
				 page, PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++) {
			buf_add_slice(out, page[i].name);
			buf_add_char(out, '\n');
		}
		*count_out += n;
		if (n != 0 && !slice_copy(page[n - 1].name, last, sizeof(last)))
			rc = ERR_CORRUPT;
		arena_clear(&a);
	}
	return rc != 0 ? rc : buf_failed(out) ? ERR_TOOBIG : 0;
}

static bool
send_domains(struct tally *t, struct slice text)
{
	const char kind = CONTROL_DOMAINS;
	int fd = file_sealed("posthof-domains", text);
	bool ok = fd >= 0 && control_say(t->control, &kind, 1, &fd, 1);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
tell_domains(struct tally *t)
{
	struct buf now;
	uint64_t count;
	int rc;

	buf_init(&now, DOMAINS_MAX);
	if ((rc = list_domains(t, &now, &count)) != 0) {
		log_error(NULL, "domains", "failed=%s", err_name(rc));
	} else if (!t->told ||
		   !slice_eq(buf_slice(&now), buf_slice(&t->domains))) {
		figures_set(t->figures, FIG_DOMAINS, count);
		t->told = send_domains(t, buf_slice(&now));
		buf_clear(&t->domains);
		buf_move(&t->domains, &now);
	}
	buf_fini(&now);
}

void
tally_round(struct tally *t, const char *state_dir, bool changed)
{
	uint64_t now = clock_steady_ms();

	look_at_store(t);
	if (t->counted_ms == 0 || now - t->counted_ms >= COUNT_MS) {
		t->counted_ms = now;
		count_queue(t);
	}
	if (t->measured_ms == 0 || now - t->measured_ms >= MEASURE_MS) {
		t->measured_ms = now;
		measure_disk(t, state_dir);
	}
	if (changed || !t->told)
		tell_domains(t);
}
