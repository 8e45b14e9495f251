/*
 * mail_tree.h - what must be true of every tree of parts, and how tests show
 * one.
 */
#ifndef TESTS_UNIT_MAIL_TREE_H
#define TESTS_UNIT_MAIL_TREE_H

#include "tests/unit/mail_util.h"

#include "lib/mail/mime.h"
#include "lib/mail/mime_index.h"

#define CRLF "\r\n"

static inline const struct mime_part *
first_in(const struct mime_part *part)
{
	return part->kind == MIME_MESSAGE ? part->message : part->child;
}

static inline void
check_part(const struct mime_part *part, struct slice msg)
{
	const struct mime_part *in = first_in(part), *c;
	uint64_t at = part->body_off, lines = 0;

	assert_true(part->head_off <= part->body_off);
	assert_true(mime_end(part) <= msg.n);
	for (uint64_t i = part->body_off; i < mime_end(part); i++)
		lines += msg.p[i] == '\n';
	assert_int_equal(lines, part->lines);
	assert_int_equal(in != NULL, part->kind != MIME_LEAF);
	if (part->kind == MIME_MESSAGE) {
		assert_null(part->child);
		assert_null(in->next);
		assert_int_equal(in->head_off, part->body_off);
		assert_int_equal(mime_end(in), mime_end(part));
	} else {
		assert_null(part->message);
	}
	for (c = in; c != NULL; c = c->next) {
		assert_ptr_equal(c->parent, part);
		assert_true(c->head_off >= at);
		at = mime_end(c);
	}
	assert_true(at <= mime_end(part));
	if (part->kind == MIME_LEAF && part->parent != NULL)
		assert_int_equal(part->has_nul,
		    slice_chr(slice_sub(msg, part->head_off,
				  mime_end(part) - part->head_off),
			'\0') != mime_end(part) - part->head_off);
}

/* All parts, each before those in it; returns how many. */
static inline size_t
check_tree(const struct mime_part *root, struct slice msg)
{
	const struct mime_part *part = root;
	size_t n = 0;

	assert_null(root->parent);
	assert_int_equal(root->head_off, 0);
	assert_int_equal(mime_end(root), msg.n);
	assert_int_equal(root->has_nul, slice_chr(msg, '\0') != msg.n);
	while (part != NULL) {
		n++;
		check_part(part, msg);
		if (first_in(part) != NULL) {
			part = first_in(part);
			continue;
		}
		while (part != NULL && part->next == NULL)
			part = part->parent;
		part = part != NULL ? part->next : NULL;
	}
	return n;
}

/* "multipart/mixed(text/plain{body}message/rfc822[...])" */
static inline void
show_tree(struct buf *b, const struct mime_part *part, struct slice msg)
{
	buf_printf(b, "%.*s/%.*s", (int)part->type.n, part->type.p,
	    (int)part->subtype.n, part->subtype.p);
	if (part->kind == MIME_MULTIPART) {
		buf_add_char(b, '(');
		for (part = part->child; part != NULL; part = part->next)
			show_tree(b, part, msg);
		buf_add_char(b, ')');
	} else if (part->kind == MIME_MESSAGE) {
		buf_add_char(b, '[');
		show_tree(b, part->message, msg);
		buf_add_char(b, ']');
	} else {
		buf_add_char(b, part->opaque ? '!' : '{');
		buf_add_slice(
		    b, slice_sub(msg, part->body_off, part->body_len));
		buf_add_char(b, '}');
	}
}

/* The message whose section numbers RFC 9051 6.4.5.1 gives as an example. */
static const char complex_sample[] =
    "Subject: outer" CRLF "Content-Type: multipart/mixed; boundary=A" CRLF CRLF
    "preamble" CRLF "--A" CRLF CRLF "part 1" CRLF "--A" CRLF
    "Content-Type: application/octet-stream" CRLF
    "Content-Transfer-Encoding: base64" CRLF CRLF "cGFydCAy" CRLF "--A" CRLF
    "Content-Type: message/rfc822" CRLF CRLF "Subject: three" CRLF
    "Content-Type: multipart/mixed; boundary=\"B\"" CRLF CRLF "--B" CRLF
    "Content-Type: text/plain; charset=utf-8" CRLF CRLF "3.1" CRLF "--B" CRLF
    "Content-Type: application/octet-stream" CRLF CRLF "3.2" CRLF "--B--" CRLF
    "epilogue B" CRLF "--A" CRLF
    "Content-Type: multipart/mixed; boundary=C" CRLF CRLF "--C" CRLF
    "Content-Type: image/gif" CRLF CRLF "4.1" CRLF "--C" CRLF
    "Content-Type: message/rfc822" CRLF CRLF "Subject: four two" CRLF
    "Content-Type: multipart/mixed; boundary=D" CRLF CRLF "--D" CRLF CRLF
    "4.2.1" CRLF "--D" CRLF
    "Content-Type: multipart/alternative; boundary=E" CRLF CRLF "--E" CRLF CRLF
    "4.2.2.1" CRLF "--E" CRLF "Content-Type: text/richtext" CRLF CRLF
    "4.2.2.2" CRLF "--E--" CRLF "--D--" CRLF "--C--" CRLF "--A--" CRLF
    "epilogue" CRLF;

#endif
