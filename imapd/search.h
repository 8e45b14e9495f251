/*
 * search.h - does a message match a search program?
 *
 * Asked in stages, cheapest first: what the view knows, what the index knows,
 * what is in the header, what is in the text.  Each stage may leave MAYBE.
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/digest.h"
#include "imapd/parse_search.h"
#include "imapd/search_text.h"
#include "imapd/sync.h"
#include "storage/msg.h"

enum search_stage { BY_VIEW, BY_INFO, BY_META, BY_HEADER, BY_TEXT };
enum search_says { SAYS_NO, SAYS_YES, SAYS_MAYBE };

struct search {
	struct client *c;
	struct search_key *key;
	enum search_stage last; /* no later stage is needed */
	bool digests;           /* they help */
	bool view;              /* it does, for some key */
	struct text_hunt *hunt; /* BODY and TEXT keys, or NULL */
	struct text_key *texts;
	size_t ntexts;
	struct buf head, plain, utf8, folded; /* scratch */
	/* the message asked about */
	enum search_stage stage;
	uint32_t seq;
	struct view_cur ahead;
	const struct view_msg *m;
	const struct msg_meta *meta;
	const struct digest *digest; /* or NULL */
	bool head_read;
	int rc; /* of a failed read */
};

/* Resolves sets, keywords and texts; in a job.  False: a message number that
 * is not there. */
bool search_init(struct search *s, struct client *c, struct search_key *key);
void search_fini(struct search *s);
/* Does the view alone answer this key (whatever is in it)? */
bool search_is_of_view(const struct search_key *k);

/* What can be said of message number seq from the view alone. */
enum search_says search_by_view(struct search *s, uint32_t seq);
/* The same with its digest (digest.h), for s->digests. */
enum search_says search_by_digest(
    struct search *s, uint32_t seq, const struct digest *digest);
/* The same with its record in the index (with meta when s->last is beyond
 * BY_INFO); goes on to header and text as far as it must.  Never MAYBE. */
enum search_says search_by_index(
    struct search *s, uint32_t seq, const struct msg_meta *meta);

#endif
