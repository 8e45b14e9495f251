/*
 * watch.h - what a client has asked for by NOTIFY (RFC 5465).
 *
 * c->watch says what it wants to know and what it knows: of each folder the
 * name, subscription and numbers it was told.  It belongs to who has the
 * client, the loop or a job.  What comes from other sessions meanwhile gathers
 * in c->inbox, which is the loop's: first news_start() puts both together.
 */
#ifndef IMAPD_WATCH_H
#define IMAPD_WATCH_H

#include <sys/queue.h>

#include "imapd/client.h"
#include "imapd/parse_notify.h"
#include "lib/base/arena.h"
#include "storage/notify.h"

enum {
	WATCH_CAME_MAX = 32,
	WATCH_OWN_MAX = 32,
	WATCH_NOTES_MAX = 200,
	WATCH_OWNERS_MAX = 64
};

/* An annotation that changed (RFC 5464). */
struct watch_note {
	uint64_t folder; /* 0: of the server */
	char entry[NOTIFY_ENTRY_MAX];
};

/* A client's place among those who want to know of an account. */
struct watch_reg {
	struct watch_inbox *inbox;
	uint64_t account;
	struct watch_reg *next, *prev; /* app.c's */
};

/* What came for it. */
struct watch_inbox {
	struct client *client;
	/* its own account first, then others that share folders with it */
	struct watch_reg regs[1 + WATCH_OWNERS_MAX];
	unsigned nregs;
	LIST_ENTRY(watch_inbox) link;  /* app.c's */
	bool shared;                   /* rights matter */
	uint64_t came[WATCH_CAME_MAX]; /* folders that changed */
	unsigned ncame;
	bool all;  /* too many: look at every one */
	bool list; /* the list of folders, or rights there, have changed */
	struct watch_note *notes;
	size_t nnotes, cap;
	bool lost_notes;
};

struct watch_entry {
	struct folder_info info; /* with the numbers told last */
	unsigned asked, events;  /* sums of notify_what; those that may be */
	bool dirty;
	/* what this session itself did to it since */
	uint32_t own_messages, own_uidnext;
};

/* The account's folders as they were told. */
struct watch_list {
	struct arena arena;
	struct watch_entry *v; /* by name */
	size_t n;
	struct watch_entry **by_id; /* those with one, rising */
	size_t nids;
};

/* What this session itself has done: to a folder alone, with those above it
 * (CREATE makes them), with those below it (RENAME takes them along). */
enum watch_reach { OWN_ALONE, OWN_ABOVE, OWN_BELOW };

struct watch_own {
	char *name;
	enum watch_reach reach;
};

struct watch {
	char *text; /* the command, args point into it */
	struct arena arena;
	struct args_notify *args;
	unsigned selected; /* events of the selected folder */
	bool delayed;      /* its expunges wait for a command */
	bool others;       /* there are groups for other folders */
	bool shared;       /* ... that may be shared ones */
	bool server_notes; /* ServerMetadataChange */
	bool any_notes;    /* that or MailboxMetadataChange */
	uint64_t owners[WATCH_OWNERS_MAX]; /* of shared folders */
	unsigned nowners;
	const struct args_fetch *fetch; /* of new messages, or NULL */
	struct watch_list list;
	bool relist, any_dirty, overflow;
	struct watch_note *notes; /* to be told */
	size_t nnotes, at_note;
	size_t at; /* folder being told */
	struct watch_own own[WATCH_OWN_MAX];
	unsigned nown;
	/* UIDs it put into the selected folder */
	struct seq_range own_uids[WATCH_OWN_MAX];
	unsigned nown_uids;
	struct watch_note own_notes[WATCH_OWN_MAX];
	unsigned nown_notes;
};

/* In a job: from a NOTIFY command, with the folders as they are. */
PH_MUSTUSE int watch_new(
    struct client *c, struct slice command, struct watch **w_out);
void watch_free(struct watch **w);
/* The STATUS lines of NOTIFY SET STATUS; false: there are more. */
bool watch_tell_status(struct client *c, struct watch *w);

/* In a job: tells what has changed in other folders. */
enum step watch_step(struct client *c);

/* Is the selected folder's news of this kind unwanted? */
bool watch_mutes(const struct client *c, unsigned event);
/* In a job: this session did it itself.  uids: rising; between them may be
 * others' (a large COPY is several transactions). */
void watch_own_name(
    struct client *c, struct slice name, enum watch_reach reach);
void watch_own_messages(
    struct client *c, uint64_t folder, const uint32_t *uids, size_t n);
void watch_own_note(struct client *c, uint64_t folder, struct slice entry);
bool watch_is_own(const struct client *c, uint32_t uid);

#endif
