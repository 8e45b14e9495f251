/*
 * sync.h - the selected folder, and telling the peer what changed in it.
 *
 * In jobs, unless said otherwise.
 */
#ifndef IMAPD_SYNC_H
#define IMAPD_SYNC_H

#include "imapd/client.h"
#include "imapd/seqset.h"
#include "storage/view.h"

/* Names of a folder's keywords as far as they are known. */
struct keyword_names {
	struct arena arena;
	struct slice v[FOLDER_KEYWORDS_MAX];
};

struct fetch_run;

struct selected {
	struct client *client;
	/* app.c's, on the loop */
	struct selected *next, *prev;
	uint64_t watched;
	/* NULL: closed in a job, to be cleared away on the loop */
	struct view *view;
	bool read_only;
	bool shared;     /* another's folder: rights may change */
	bool examined;   /* EXAMINE */
	unsigned rights; /* enum right */
	/* what it was opened by, and when (generation.h): of the account for
	 * the name, of the folder for the keywords' names */
	char *name; /* NULL: not known */
	struct folder_info info;
	uint64_t name_generation, keyword_generation;
	bool fresh_name; /* the loop has not learnt of it (opened.h) */
	uint32_t told_exists, told_recent; /* what the peer knows */
	struct keyword_names *names;       /* NULL: no keywords */
	uint64_t known;                    /* bits that have a name */
	/* news on their way */
	bool pending;
	struct view_delta delta;
	size_t at_gone, at_changed;
	/* with NOTIFY: changes of flags from here on were not told (0: all
	 * were), and those being told after all */
	uint64_t muted_from;
	uint32_t catching;
	/* new messages on their way */
	struct fetch_run *fetch;
	struct seq_range *fresh;
	/* "$", RFC 5182: UIDs, rising; or NULL */
	uint32_t *saved;
	size_t nsaved;
};

/* Opens the folder; what was selected is closed before.  info: with the
 * peer's rights.  Without one that allows a change it is read-only (RFC 4314
 * 5.2). */
PH_MUSTUSE int sync_select(
    struct client *c, const struct folder_info *info, bool read_only);
/* Remembers an own folder that was selected by info->name; generation: the
 * account's, from before it was looked up. */
void sync_remember(
    struct client *c, const struct folder_info *info, uint64_t generation);
/* On the loop: is this the selected folder's name, still?  And selects it
 * again, when that need not wait: false, and nothing has happened. */
bool sync_remembers(
    const struct client *c, struct slice name, struct folder_info *info_out);
bool sync_select_again(struct client *c, bool read_only);
/* The same of any own folder that is known. */
struct opened;
bool sync_select_known(
    struct client *c, const struct opened *o, bool read_only);
/* Asks again what the peer may do in another's folder, and tells FLAGS when
 * that has changed; without the right to read there is nothing left but to
 * say goodbye (RFC 4314 5.1.1).  Costs nothing in own folders. */
void sync_rights(struct client *c);
/* Closes the view; the rest goes with sync_settle(). */
void sync_deselect(struct client *c);
/* On the loop, after each job: state and watch list follow the view. */
void sync_settle(struct client *c);
/* On the loop, at the client's end, when no job runs. */
void sync_free(struct client *c);

/* On the loop or in a job: is there something to tell? */
bool sync_wanted(const struct client *c);

/* Takes the folder's news into the view, to be told by sync_step(): from here
 * on the view is the present one.  Those taken before and not told yet stay;
 * nothing is taken then. */
PH_MUSTUSE int sync_take(struct client *c, bool may_expunge);
/* Tells them, taking what is there now first.  STEP_AGAIN: more to tell when
 * the output has gone. */
enum step sync_step(struct client *c, bool may_expunge, bool with_uid);

/* Reads the names, at SELECT. */
void sync_load_keywords(struct client *c);
/* Makes sure that names of these keyword bits are known; tells FLAGS when
 * there are new ones. */
void sync_keywords(struct client *c, uint64_t bits);
/* "* FLAGS (...)" CRLF, and PERMANENTFLAGS. */
void sync_tell_flags(struct client *c);
/* A CONDSTORE enabling command, RFC 7162 3.1: tells HIGHESTMODSEQ the first
 * time. */
void sync_condstore(struct client *c);
/* FLAGS (...) as they stand in a FETCH response. */
void sync_flags_item(struct client *c, const struct view_msg *m);
/* "* n FETCH (", or with UIDONLY "* uid UIDFETCH (" (RFC 9586). */
void sync_fetch_head(struct client *c, uint32_t seq, uint32_t uid);
/* A whole "* n FETCH (FLAGS ...)", with what the client has enabled. */
void sync_fetch_line(
    struct client *c, uint32_t seq, const struct view_msg *m, bool with_uid);

/* The same with MODSEQ alone. */
void sync_modseq_line(
    struct client *c, uint32_t seq, const struct view_msg *m, bool with_uid);

/* More output than is good for one job? */
bool sync_full(const struct client *c);

#endif
