/*
 * drop.h - the maildrop: the messages of one session, numbered at login.
 *
 * Nothing that others do renumbers it.  It is one folder, or all of them in
 * order of arrival.  Belongs to one session and is used in its jobs; what says
 * "loop" may also be asked on the loop.
 */
#ifndef POP3D_DROP_H
#define POP3D_DROP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct drop;
struct msg_group;
struct store;

enum { DROP_ALL_MAX = 200000 }; /* messages in all folders together */

/* A message: where it is. */
struct drop_msg {
	uint64_t folder;
	uint32_t uid;
};

/* folder: its name, "" for INBOX.  ERR_NOTFOUND: no such folder. */
PH_MUSTUSE int drop_open(struct store *s, uint64_t account, struct slice folder,
    struct drop **drop_out);
/* One that is known, when nothing need be read; NULL: ask drop_open(); loop. */
struct drop *drop_open_now(struct store *s, uint64_t account, uint64_t folder);
/* All folders; ERR_LIMIT over DROP_ALL_MAX messages. */
PH_MUSTUSE int drop_open_all(
    struct store *s, uint64_t account, struct drop **drop_out);
/* Blocks no longer than a lock; loop. */
void drop_free(struct drop **d);

/* At login; loop. */
uint32_t drop_count(const struct drop *d);
/* The folder, or 0 for all of them; loop. */
uint64_t drop_folder(const struct drop *d);
/* seq: 1..drop_count(). */
void drop_get(const struct drop *d, uint32_t seq, struct drop_msg *out);

/* Marks of this session; loop. */
bool drop_is_gone(const struct drop *d, uint32_t seq);
void drop_dele(struct drop *d, uint32_t seq);
void drop_reset(struct drop *d);
uint32_t drop_ngone(const struct drop *d);

/* Octets of the messages not marked, as of login. */
PH_MUSTUSE int drop_bytes(struct drop *d, uint64_t *bytes_out);

/* Messages that were sent whole.  got: in a job.  sure: on the loop, when
 * another command has come after all of them had gone out. */
void drop_got(struct drop *d, uint32_t seq);
void drop_sure(struct drop *d);

/* What fetched_add() is to be told, once; the caller frees.  NULL: nothing.
 * At a QUIT all that were sent, else those that are sure; what is marked
 * deleted is left out.  Loop. */
struct drop_marks {
	struct msg_group *groups;
	size_t ngroups;
};
struct drop_marks *drop_take_marks(struct drop *d, bool quit);
void drop_marks_free(struct drop_marks **m);

/* The UPDATE state (RFC 1939 6): removes what is marked, all or nothing. */
PH_MUSTUSE int drop_update(struct drop *d);

#endif
