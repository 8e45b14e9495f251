#include "imapd/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/fold.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/mail/date.h"
#include "lib/mail/decode.h"
#include "lib/mail/header.h"
#include "storage/shelf.h"

enum {
	BLOCK = 64,
	BYTES_MAX = 8 << 10, /* of a digest's texts */
	NOWHERE = UINT32_MAX
};

enum order_nr { BY_DATE, BY_SUBJECT, ORDERS };

/* Behind the fields: ids, then the values of each field, each with a NUL
 * before it, then the base subject. */
struct digest {
	uint32_t uid;
	uint32_t pos[ORDERS]; /* under digests.lock */
	bool is_reply, has_date;
	int64_t date; /* as SORT has it */
	int64_t sent; /* what the Date field reads */
	uint64_t size, subject_id;
	int64_t arrival;
	struct thread_ids ids;
	uint32_t end[DF_FIELDS + 1]; /* of the texts, in bytes */
	const char *bytes;
	uint64_t space[];
};

/* All digests there are, by a key. */
struct sorted {
	struct digest **v;
	bool *same; /* as the one before */
	size_t n;
};

struct digests {
	struct book book;
	pthread_mutex_t lock;
	struct map blocks; /* UID / BLOCK -> BLOCK digests */
	size_t n, bytes;
	struct sorted by[ORDERS];
};

static const struct slice fields[DF_FIELDS] = {
	[DF_FROM] = SLICE("From"),
	[DF_TO] = SLICE("To"),
	[DF_CC] = SLICE("Cc"),
	[DF_SUBJECT] = SLICE("Subject"),
};

enum digest_field
digest_field(struct slice name)
{
	unsigned f = 0;

	while (f < DF_FIELDS && !slice_ieq(fields[f], name))
		f++;
	return (enum digest_field)f;
}

/* ---- the folder's ---- */

static struct digests *
of(struct book *b)
{
	return PH_CONTAINER(b, struct digests, book);
}

static void
free_block(void *value)
{
	struct digest **block = value;

	for (size_t i = 0; i < BLOCK; i++)
		free(block[i]);
	free(block);
}

static void
digests_free(struct book *b)
{
	struct digests *ds = of(b);

	map_fini(&ds->blocks, free_block);
	for (size_t i = 0; i < ORDERS; i++) {
		free(ds->by[i].v);
		free(ds->by[i].same);
	}
	pthread_mutex_destroy(&ds->lock);
	free(ds);
}

static struct book *
digests_make(void)
{
	struct digests *ds = xcalloc(1, sizeof(*ds));

	ds->book.free = digests_free;
	pthread_mutex_init(&ds->lock, NULL);
	map_init(&ds->blocks);
	return &ds->book;
}

struct digests *
digests_take(struct store *s, uint64_t folder)
{
	return of(shelf_take(s, folder, SHELF_ORDER, digests_make));
}

void
digests_give(struct store *s, struct digests **dsp)
{
	struct digests *ds = *dsp;
	struct book *b = ds != NULL ? &ds->book : NULL;
	size_t bytes = 0;

	*dsp = NULL;
	if (ds != NULL) {
		pthread_mutex_lock(&ds->lock);
		bytes = sizeof(*ds) + ds->bytes;
		pthread_mutex_unlock(&ds->lock);
	}
	shelf_give(s, &b, bytes);
}

void
digests_get(struct digests *ds, const uint32_t *uids, size_t n,
    const struct digest **out)
{
	struct digest **block = NULL;
	uint32_t nr = 0;

	pthread_mutex_lock(&ds->lock);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || uids[i] / BLOCK != nr) {
			nr = uids[i] / BLOCK;
			block = map_get_u64(&ds->blocks, nr);
		}
		out[i] = block != NULL ? block[uids[i] % BLOCK] : NULL;
	}
	pthread_mutex_unlock(&ds->lock);
}

/* Somebody else may have been faster: then that one counts. */
static struct digest *
insert(struct digests *ds, struct digest *d, size_t bytes)
{
	struct digest **block, **at;

	pthread_mutex_lock(&ds->lock);
	block = map_get_u64(&ds->blocks, d->uid / BLOCK);
	if (block == NULL) {
		block = xcalloc(BLOCK, sizeof(struct digest *));
		map_put_u64(&ds->blocks, d->uid / BLOCK, block);
		ds->bytes += BLOCK * sizeof(struct digest *);
	}
	at = &block[d->uid % BLOCK];
	if (*at == NULL) {
		*at = d;
		ds->n++;
		/* With the places in two orders, and malloc's own. */
		ds->bytes += bytes + 2 * (sizeof(d) + 1) + 16;
	} else {
		free(d);
		d = *at;
	}
	pthread_mutex_unlock(&ds->lock);
	return d;
}

/* ---- making one ---- */

/* What is needed on the way from a field to its text. */
struct scratch {
	struct buf plain, utf8, out;
};

static void
add_value(struct scratch *s, struct slice value)
{
	buf_clear(&s->plain);
	buf_clear(&s->utf8);
	header_unfold(&s->plain, value);
	decode_words(&s->utf8, buf_slice(&s->plain));
	buf_add_char(&s->out, '\0');
	fold_add(&s->out, buf_slice(&s->utf8));
}

/* All values of each field; false: too much. */
static bool
add_fields(struct scratch *s, struct slice headers, uint32_t *end)
{
	struct slice rest;
	struct header h;

	for (unsigned f = 0; f < DF_FIELDS; f++) {
		rest = headers;
		while (header_next(&rest, &h))
			if (slice_ieq(h.name, fields[f]))
				add_value(s, h.value);
		end[f] = (uint32_t)buf_len(&s->out);
	}
	return !buf_failed(&s->plain) && !buf_failed(&s->utf8) &&
	       !buf_failed(&s->out);
}

static struct digest *
build(const struct digest *d, const uint64_t *ids, struct slice text,
    size_t *bytes_out)
{
	size_t ids_n = d->ids.n * sizeof(*ids);
	struct digest *out = xmalloc(sizeof(*out) + ids_n + text.n);

	*bytes_out = sizeof(*out) + ids_n + text.n;
	*out = *d;
	if (ids_n != 0)
		memcpy(out->space, ids, ids_n);
	out->ids.refs = out->space;
	out->bytes = (const char *)out->space + ids_n;
	if (text.n != 0)
		memcpy((char *)out->space + ids_n, text.p, text.n);
	return out;
}

static const struct digest *
make(struct digests *ds, const struct msg_meta *m, struct slice headers)
{
	struct digest d = { .uid = m->uid,
		.size = m->size,
		.arrival = m->internal_date,
		.pos = { NOWHERE, NOWHERE } };
	struct order_msg x = { 0 };
	uint64_t refs[THREAD_REFS_MAX];
	struct arena a;
	struct scratch s;
	struct digest *out = NULL;
	size_t bytes;
	int zone;

	arena_init(&a);
	buf_init(&s.plain, BYTES_MAX);
	buf_init(&s.utf8, 2 * BYTES_MAX);
	buf_init(&s.out, BYTES_MAX);
	order_fill(&a, ORDER_WANT_DATE | ORDER_WANT_SUBJECT, m, headers, &x);
	d.date = x.date;
	d.is_reply = x.is_reply;
	d.subject_id = x.subject_id;
	d.has_date =
	    date_parse(header_find(headers, SLICE("Date")), &d.sent, &zone);
	d.sent += d.has_date ? (int64_t)zone * 60 : 0;
	d.ids = thread_ids(headers, refs);
	if (add_fields(&s, headers, d.end)) {
		buf_add_slice(&s.out, x.subject);
		d.end[DF_FIELDS] = (uint32_t)buf_len(&s.out);
		if (!buf_failed(&s.out))
			out = build(&d, refs, buf_slice(&s.out), &bytes);
	}
	arena_clear(&a);
	buf_fini(&s.plain);
	buf_fini(&s.utf8);
	buf_fini(&s.out);
	return out != NULL ? insert(ds, out, bytes) : NULL;
}

const struct digest *
digests_add(struct digests *ds, const struct msg_meta *m, struct slice headers)
{
	const struct digest *known;

	digests_get(ds, &m->uid, 1, &known);
	return known != NULL ? known : make(ds, m, headers);
}

/* ---- asking one ---- */

static struct slice
text_of(const struct digest *d, unsigned i)
{
	uint32_t from = i != 0 ? d->end[i - 1] : 0;

	return slice_of(d->bytes + from, d->end[i] - from);
}

bool
digest_has(const struct digest *d, enum digest_field f, struct slice text)
{
	struct slice all = text_of(d, f);

	if (text.n == 0)
		return all.n != 0;
	return all.n > text.n && memmem(all.p, all.n, text.p, text.n) != NULL;
}

bool
digest_sent(const struct digest *d, int64_t *sent_out)
{
	*sent_out = d->sent;
	return d->has_date;
}

void
digest_order(const struct digest *d, struct order_msg *out)
{
	out->arrival = d->arrival;
	out->date = d->date;
	out->size = d->size;
	out->subject = text_of(d, DF_FIELDS);
	out->subject_id = d->subject_id;
	out->is_reply = d->is_reply;
}

struct thread_ids
digest_ids(const struct digest *d)
{
	return d->ids;
}

/* ---- in order ---- */

static int
compare(const struct digest *x, const struct digest *y, enum order_nr nr)
{
	if (nr == BY_SUBJECT)
		return slice_cmp(text_of(x, DF_FIELDS), text_of(y, DF_FIELDS));
	return x->date < y->date ? -1 : x->date > y->date;
}

static int
by_date(const void *a, const void *b)
{
	const struct digest *x = *(struct digest *const *)a;
	const struct digest *y = *(struct digest *const *)b;
	int r = compare(x, y, BY_DATE);

	return r != 0 ? r : x->uid < y->uid ? -1 : 1;
}

static int
by_subject(const void *a, const void *b)
{
	const struct digest *x = *(struct digest *const *)a;
	const struct digest *y = *(struct digest *const *)b;
	int r = compare(x, y, BY_SUBJECT);

	return r != 0 ? r : x->uid < y->uid ? -1 : 1;
}

/* Those that have no place yet. */
struct newcomers {
	struct digest **v;
	size_t n;
	enum order_nr nr;
};

static bool
collect(struct slice key, void *value, void *arg)
{
	struct newcomers *new = arg;
	struct digest **block = value;

	(void)key;
	for (size_t i = 0; i < BLOCK; i++)
		if (block[i] != NULL && block[i]->pos[new->nr] == NOWHERE)
			new->v[new->n++] = block[i];
	return true;
}

/* Old and new, both in order, into one. */
static void
merge(struct sorted *s, const struct newcomers *new, size_t total,
    int (*cmp)(const void *, const void *))
{
	struct digest **v = xcalloc(total + 1, sizeof(struct digest *));
	size_t i = 0, j = 0, n = 0;

	while (i < s->n || j < new->n) {
		if (j == new->n || (i < s->n && cmp(&s->v[i], &new->v[j]) < 0))
			v[n++] = s->v[i++];
		else
			v[n++] = new->v[j++];
	}
	free(s->v);
	s->v = v;
	s->n = n;
}

/* Under the lock. */
static struct sorted *
bring_in_order(struct digests *ds, enum order_nr nr)
{
	int (*cmp)(const void *, const void *) =
	    nr == BY_DATE ? by_date : by_subject;
	struct sorted *s = &ds->by[nr];
	struct newcomers new = { .nr = nr };

	if (s->n == ds->n)
		return s;
	new.v = xcalloc(ds->n - s->n, sizeof(struct digest *));
	map_each(&ds->blocks, collect, &new);
	qsort(new.v, new.n, sizeof(struct digest *), cmp);
	merge(s, &new, ds->n, cmp);
	free(new.v);
	free(s->same);
	s->same = xcalloc(s->n, sizeof(*s->same));
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->pos[nr] = (uint32_t)i;
		s->same[i] = i != 0 && compare(s->v[i - 1], s->v[i], nr) == 0;
	}
	return s;
}

/* RFC 5256 3: what is equal keeps the folder's order, in reverse, too. */
static size_t
write_reverse(const struct sorted *s, const uint32_t *at, uint32_t *out)
{
	size_t n = 0;

	for (size_t end = s->n; end != 0;) {
		size_t begin = end - 1;

		while (s->same[begin])
			begin--;
		for (size_t i = begin; i < end; i++)
			if (at[i] != 0)
				out[n++] = at[i];
		end = begin;
	}
	return n;
}

void
digests_sort(struct digests *ds, struct order_by by, const struct digest **v,
    const uint32_t *number, size_t n, uint32_t *out)
{
	enum order_nr nr = by.key == OK_DATE ? BY_DATE : BY_SUBJECT;
	const struct sorted *s;
	uint32_t *at; /* the number of who has this place */
	size_t done = 0;

	pthread_mutex_lock(&ds->lock);
	s = bring_in_order(ds, nr);
	at = xcalloc(s->n + 1, sizeof(*at));
	for (size_t i = 0; i < n; i++)
		at[v[i]->pos[nr]] = number[i];
	if (by.reverse)
		done = write_reverse(s, at, out);
	for (size_t i = 0; !by.reverse && i < s->n; i++)
		if (at[i] != 0)
			out[done++] = at[i];
	pthread_mutex_unlock(&ds->lock);
	ph_assert(done == n);
	free(at);
}
