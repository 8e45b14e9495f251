/*
 * parse_args.h - the arguments of commands; APPEND, FETCH, SEARCH, SORT
 * and NOTIFY have files of their own.
 *
 * Each rule reads from behind the command's name to the end and leaves its
 * struct in the command's arena.
 */
#ifndef IMAPD_PARSE_ARGS_H
#define IMAPD_PARSE_ARGS_H

#include "imapd/parse.h"
#include "storage/account.h"
#include "storage/folder.h"
#include "storage/msg.h"

bool parse_nothing(struct parse *p, void **args_out);

struct args_login {
	struct slice user, pass;
};
bool parse_login(struct parse *p, void **args_out);

struct args_auth {
	struct slice mech;
	struct slice initial; /* base64 or "="; p == NULL: none */
};
bool parse_authenticate(struct parse *p, void **args_out);

/* RFC 2971 3.3 */
struct args_id {
	struct slice *v; /* field, value, field, value ... */
	size_t n;        /* pairs */
};
bool parse_id(struct parse *p, void **args_out);

/* RFC 5161 3.1 */
struct args_enable {
	struct slice *v;
	size_t n;
};
bool parse_enable(struct parse *p, void **args_out);

/* RFC 4978 5; other algorithms fail */
bool parse_compress(struct parse *p, void **args_out);

/* DELETE, SUBSCRIBE, UNSUBSCRIBE; CREATE (RFC 6154 3). */
struct args_name {
	struct slice name;
	enum folder_use use; /* CREATE only */
};
bool parse_name(struct parse *p, void **args_out);
bool parse_create(struct parse *p, void **args_out);
/* GETQUOTA and SETQUOTA name a quota root, which is no folder. */
bool parse_root(struct parse *p, void **args_out);
struct args_setquota {
	struct slice root;
	struct account_own own;
	bool unknown; /* a resource that is not limited here */
};
bool parse_setquota(struct parse *p, void **args_out);

struct args_rename {
	struct slice from, to;
};
bool parse_rename(struct parse *p, void **args_out);

/* RFC 7162 3.1.8 and 3.2.5 */
struct args_select {
	struct slice name;
	bool condstore, qresync, has_known, has_match;
	uint32_t uidvalidity;
	uint64_t modseq;
	struct seqset known;                /* UIDs */
	struct seqset match_seq, match_uid; /* of the same length */
};
bool parse_select(struct parse *p, void **args_out);

enum status_item {
	ST_MESSAGES = 1,
	ST_RECENT = 2,
	ST_UIDNEXT = 4,
	ST_UIDVALIDITY = 8,
	ST_UNSEEN = 16,
	ST_HIGHESTMODSEQ = 32,    /* RFC 7162 3.1.7 */
	ST_SIZE = 64,             /* RFC 8438 */
	ST_DELETED = 128,         /* RFC 9051 6.3.11 */
	ST_APPENDLIMIT = 256,     /* RFC 7889 */
	ST_MAILBOXID = 512,       /* RFC 8474 4.3 */
	ST_DELETED_STORAGE = 1024 /* RFC 9208 4.1.4 */
};
struct args_status {
	struct slice name;
	unsigned items; /* sum of status_item */
};
bool parse_status(struct parse *p, void **args_out);

/* RFC 5258 3 */
enum list_option {
	LO_SUBSCRIBED = 1,
	LO_REMOTE = 2,
	LO_RECURSIVE = 4,
	LO_SPECIAL_USE = 8,
	LO_CHILDREN = 16,
	LO_STATUS = 32,   /* RFC 5819 */
	LO_MYRIGHTS = 64, /* RFC 8440 */
	LO_METADATA = 128 /* RFC 9590 */
};
struct args_list {
	unsigned select, ret;  /* sums of list_option */
	unsigned items;        /* of STATUS */
	struct slice *entries; /* of METADATA */
	size_t nentries;
	bool extended; /* has options or a list of patterns */
	struct slice reference;
	struct slice *patterns;
	size_t npatterns;
};
bool parse_list(struct parse *p, void **args_out);
bool parse_lsub(struct parse *p, void **args_out);

struct args_store {
	struct seqset set;
	enum msg_op op;
	bool silent;
	uint64_t unchanged_since; /* UINT64_MAX: no condition */
	struct parse_flags flags;
};
bool parse_store(struct parse *p, void **args_out);

/* COPY, MOVE */
struct args_copy {
	struct seqset set;
	struct slice name;
};
bool parse_copy(struct parse *p, void **args_out);

/* UID EXPUNGE */
struct args_set {
	struct seqset set;
};
bool parse_only_set(struct parse *p, void **args_out);

#endif
