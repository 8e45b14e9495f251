/*
 * store_mail.h - messages for tests of storage.
 */
#ifndef TESTS_UNIT_STORE_MAIL_H
#define TESTS_UNIT_STORE_MAIL_H

#include "tests/unit/unit.h"

#include <stdio.h>

#include "storage/deliver.h"
#include "storage/trash.h"

/* Message number n: some 150 bytes, different for each. */
static inline struct slice
mail_text(char *to, size_t cap, unsigned n)
{
	int len = snprintf(to, cap,
	    "From: a%u@example.org\r\nTo: b@example.org\r\n"
	    "Subject: number %u\r\nMessage-ID: <%u@example.org>\r\n\r\n"
	    "Body of number %u.\r\n",
	    n, n, n, n);

	assert_true(len > 0 && (size_t)len < cap);
	return slice_of(to, (size_t)len);
}

/* Delivers one message; its UID. */
static inline uint32_t
put_mail(struct store *s, uint64_t account, uint64_t folder, uint32_t flags,
    struct slice text)
{
	struct deliver_target t = {
		.account = account, .folder = folder, .flags = flags
	};
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e = { 0 };
	int rc = deliver(s, &d, &e);

	if (rc != 0)
		print_error("deliver: %d %s\n", rc, e.text);
	assert_int_equal(rc, 0);
	return t.uid;
}

/* n messages, numbered from 1. */
static inline void
put_mails(struct store *s, uint64_t account, uint64_t folder, unsigned n)
{
	char text[300];

	for (unsigned i = 1; i <= n; i++)
		(void)put_mail(
		    s, account, folder, 0, mail_text(text, sizeof(text), i));
}

/* What large expunges have left for the keeper. */
static inline void
release_trash(struct store *s)
{
	bool more = true;

	while (more)
		assert_int_equal(trash_step(s, &more), 0);
}

#endif
