#include "pop3d/ahead.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "pop3d/drop_priv.h"

void
ahead_init(struct ahead *a)
{
	*a = (struct ahead){ .goal = AHEAD_FIRST };
	arena_init(&a->arena);
	buf_init(&a->bytes, 2 * AHEAD_BYTES);
}

static void
clear_metas(struct ahead *a)
{
	segment_ahead_fini(&a->bodies);
	free(a->metas);
	a->metas = NULL;
	a->nmetas = 0;
	arena_clear(&a->arena);
}

static void
clear_replies(struct ahead *a)
{
	a->at = a->nreplies = 0;
	buf_fini(&a->bytes);
	buf_init(&a->bytes, 2 * AHEAD_BYTES);
}

void
ahead_clear(struct ahead *a)
{
	clear_metas(a);
	clear_replies(a);
	a->last = a->row = 0;
}

void
ahead_ask(struct ahead *a, uint32_t seq)
{
	a->row = seq == a->last + 1 ? a->row + 1 : 0;
	a->last = seq;
}

/* The UIDs from seq on, while they rise in one folder. */
static size_t
next_uids(struct drop *d, uint32_t seq, uint64_t *folder_out, uint32_t *uids)
{
	struct drop_msg m;
	size_t n = 0;

	for (; n < AHEAD_METAS && seq + n <= drop_count(d); n++) {
		drop_get(d, seq + (uint32_t)n, &m);
		if (n != 0 && (m.folder != *folder_out || m.uid <= uids[n - 1]))
			break;
		*folder_out = m.folder;
		uids[n] = m.uid;
	}
	return n;
}

static void
keep_meta(struct ahead *a, const uint32_t *uids, const struct msg_meta *m)
{
	static const struct slice none = { NULL, 0 };
	uint32_t i = 0;

	while (i < a->nmetas && uids[i] != m->uid)
		i++;
	if (i == a->nmetas)
		return;
	a->metas[i] = *m;
	a->metas[i].prefix = arena_copy(&a->arena, m->prefix);
	a->metas[i].uidl = a->metas[i].envelope = none;
	a->metas[i].bodystructure = a->metas[i].structure = none;
	a->metas[i].headers = a->metas[i].preview = none;
	a->metas[i].ahead = &a->bodies; /* the iterator's goes with it */
}

/* What fails here is looked for again, singly. */
static void
read_metas(struct ahead *a, struct drop *d, uint32_t seq)
{
	struct msg_iter *it = NULL;
	uint32_t uids[AHEAD_METAS] = { 0 };
	uint64_t folder = 0;
	struct msg_meta m;
	size_t n;
	int rc;

	clear_metas(a);
	n = next_uids(d, seq, &folder, uids);
	a->metas = xcalloc(n + 1, sizeof(*a->metas));
	a->from = seq;
	a->nmetas = (uint32_t)n;
	rc = msg_iter_open(
	    d->store, d->account, folder, uids, n, 1, MSG_WANT_META, &it);
	while (rc == 0 && (rc = msg_iter_next(it, &m)) == 0)
		if (m.body != 0)
			keep_meta(a, uids, &m);
	msg_iter_close(&it);
}

static const struct msg_meta *
known(const struct ahead *a, uint32_t seq, uint64_t now_ms)
{
	if (now_ms >= a->metas_until || seq < a->from ||
	    seq - a->from >= a->nmetas)
		return NULL;
	return &a->metas[seq - a->from];
}

const struct msg_meta *
ahead_meta(struct ahead *a, struct drop *d, uint32_t seq, uint64_t now_ms)
{
	const struct msg_meta *m = known(a, seq, now_ms);

	if (m == NULL && a->row >= AHEAD_LEAST) {
		read_metas(a, d, seq);
		a->metas_until = now_ms + AHEAD_MS;
		m = known(a, seq, now_ms);
	}
	return m != NULL && m->uid != 0 ? m : NULL;
}

void
ahead_rest(struct ahead *a)
{
	segment_ahead_fini(&a->bodies);
}

bool
ahead_has(const struct ahead *a, uint32_t seq, uint64_t now_ms)
{
	return a->at < a->nreplies && a->next == seq &&
	       now_ms < a->replies_until;
}

/* A client that far away does not come for all of them in time. */
static void
wasted(struct ahead *a)
{
	a->goal = a->at != 0 ? a->at : 1;
	clear_replies(a);
}

/* More of them would have been used too, as it seems. */
static void
used_up(struct ahead *a, uint64_t now_ms)
{
	if (now_ms + AHEAD_MS / 2 < a->replies_until)
		a->goal *= 2;
	if (a->goal > AHEAD_REPLIES)
		a->goal = AHEAD_REPLIES;
	clear_replies(a);
}

bool
ahead_take(struct ahead *a, uint32_t seq, uint64_t now_ms, struct buf *out)
{
	size_t n;

	if (!ahead_has(a, seq, now_ms)) {
		if (a->nreplies != 0)
			wasted(a);
		return false;
	}
	n = a->sizes[a->at++];
	buf_add_slice(out, slice_sub(buf_slice(&a->bytes), 0, n));
	buf_consume(&a->bytes, n);
	a->next++;
	if (a->at == a->nreplies)
		used_up(a, now_ms);
	return true;
}

bool
ahead_wants(struct ahead *a, struct drop *d, uint32_t seq, uint64_t now_ms)
{
	const struct msg_meta *m;

	if (a->row < AHEAD_LEAST || a->nreplies >= a->goal ||
	    buf_len(&a->bytes) + AHEAD_MESSAGE > AHEAD_BYTES ||
	    seq > drop_count(d) || drop_is_gone(d, seq))
		return false;
	m = ahead_meta(a, d, seq, now_ms);
	return m != NULL && m->size <= AHEAD_MESSAGE;
}

void
ahead_made(struct ahead *a, uint32_t seq, size_t n, uint64_t now_ms)
{
	if (a->nreplies == 0) {
		a->next = seq;
		a->replies_until = now_ms + AHEAD_MS;
	}
	a->sizes[a->nreplies++] = n;
}
