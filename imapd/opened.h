/*
 * opened.h - what a loop knows of folders that its clients have selected
 * lately: name, place, keywords.  As long as nothing of it has changed
 * (generation.h) the next SELECT need not ask the index.  On the loop only.
 */
#ifndef IMAPD_OPENED_H
#define IMAPD_OPENED_H

#include "imapd/sync.h"

struct opened {
	uint64_t account; /* 0: an empty place */
	char *name;
	struct folder_info info; /* without its name */
	uint64_t name_generation, keyword_generation;
	uint64_t known;
	struct keyword_names *names; /* or NULL */
};

/* Of one loop. */
struct openeds;
struct openeds *openeds_new(void);
void openeds_free(struct openeds **o);

/* The client's own folder has just been selected in a job. */
void opened_learn(struct client *c);
/* An own folder of the client's; NULL: not known, or not any more. */
const struct opened *opened_find(struct client *c, struct slice name);
/* A copy for somebody's own; NULL of NULL. */
struct keyword_names *opened_names(const struct keyword_names *names);

#endif
