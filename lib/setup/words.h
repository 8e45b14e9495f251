/*
 * words.h - what the help page says, in each language; plain UTF-8.
 */
#ifndef LIB_SETUP_WORDS_H
#define LIB_SETUP_WORDS_H

#include "lib/setup/setup.h"

enum { WORDS_PARAGRAPHS = 4 };

/* A heading and what stands under it; paragraphs end at NULL. */
struct words_section {
	const char *title;
	const char *paragraphs[WORDS_PARAGRAPHS];
};

struct words {
	const char *lang, *name; /* "de", "Deutsch" */
	const char *title, *title_for;
	const char *intro;
	const char *services[SETUP_SERVICES];
	const char *server, *port, *or_port, *user, *or_user, *password;
	const char *your_password, *auth, *auth_yes, *auth_where;
	const char *ask, *ask_address, *ask_button, *not_ours;
	const char *profile, *profile_why;
	const struct words_section *sections;
	size_t nsections;
};

/* The words for a language; German when there are none. */
const struct words *words_for(const char *lang);
/* i from 0; NULL behind the last. */
const struct words *words_at(size_t i);

#endif
