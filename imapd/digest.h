/*
 * digest.h - what SEARCH, SORT and THREAD want of a message's header, taken
 * out of it once and kept in memory (storage/shelf.h) while there is room.
 *
 * A digest never changes and lives as long as somebody holds its folder's
 * digests.  In jobs.
 */
#ifndef IMAPD_DIGEST_H
#define IMAPD_DIGEST_H

#include "imapd/order.h"
#include "imapd/thread.h"

struct digests; /* of one folder */
struct digest;

/* Fields that SEARCH looks into. */
enum digest_field { DF_FROM, DF_TO, DF_CC, DF_SUBJECT, DF_FIELDS };

/* The field of this name, or DF_FIELDS. */
enum digest_field digest_field(struct slice name);

struct digests *digests_take(struct store *s, uint64_t folder);
void digests_give(struct store *s, struct digests **ds);

/* Those of these UIDs (rising); NULL where there is none. */
void digests_get(struct digests *ds, const uint32_t *uids, size_t n,
    const struct digest **out);
/* Makes one of a message's header (or the fields kept of it); NULL: it is too
 * large to be kept. */
const struct digest *digests_add(
    struct digests *ds, const struct msg_meta *m, struct slice headers);

/* Does a value of this field contain the text (folded, fold.h)?  Without text:
 * is there such a field? */
bool digest_has(const struct digest *d, enum digest_field f, struct slice text);
/* The Date field as it reads there, zone and all; false: there is none. */
bool digest_sent(const struct digest *d, int64_t *sent_out);
/* Date, subject and size of an order_msg. */
void digest_order(const struct digest *d, struct order_msg *out);
struct thread_ids digest_ids(const struct digest *d);

/*
 * Sorts by OK_DATE or OK_SUBJECT alone: v[i] is known to the peer as
 * number[i], and numbers rise.  out[n]: the numbers.
 */
void digests_sort(struct digests *ds, struct order_by by,
    const struct digest **v, const uint32_t *number, size_t n, uint32_t *out);

#endif
