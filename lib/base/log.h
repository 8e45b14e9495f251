/*
 * log.h - one line per event: time, level, program, client id, event word,
 * key=value.
 *
 *	log_info(id, "login", "account=%s mech=%s", name, mech);
 *
 * Goes to standard error in one write(2); the supervisor passes that on.
 * Bytes from outside go through log_q() (quoted, escaped, cut).  No secret is
 * ever an argument.
 */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include <stdint.h>

#include "lib/base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* program: static string.  Once, before any thread. */
void log_init(const char *program, enum log_level max_level);
/* As the option log-level names it. */
enum log_level log_level_named(const char *word);
bool log_wants(enum log_level level);

/* id: the session's or message's id, or NULL. */
void log_write(enum log_level level, const char *id, const char *event,
    const char *fmt, ...) PH_PRINTF(4, 5);

#define log_error(id, event, ...) log_write(LOG_ERROR, id, event, __VA_ARGS__)
#define log_warn(id, event, ...) log_write(LOG_WARN, id, event, __VA_ARGS__)
#define log_info(id, event, ...) log_write(LOG_INFO, id, event, __VA_ARGS__)
#define log_debug(id, event, ...) log_write(LOG_DEBUG, id, event, __VA_ARGS__)

/*
 * What happens to a mail: besides the log, at level info, such
 * a line goes to the tee, whatever the level of the log; log_trail() goes to
 * the tee alone, for what would be too much in the log.
 */
void log_to(bool log, const char *id, const char *event, const char *fmt, ...)
    PH_PRINTF(4, 5);
#define log_mail(id, event, ...) log_to(true, id, event, __VA_ARGS__)
#define log_trail(id, event, ...) log_to(false, id, event, __VA_ARGS__)
/* fn gets each line with its newline, on the thread that says it.  Set while
 * no other thread runs; NULL: none. */
void log_tee(void (*fn)(void *arg, struct slice line), void *arg);

/* A quoted form of outside bytes, cut at 200: `"..."` with \xNN.  The memory
 * is the thread's own, valid until its fifth next call. */
const char *log_q(struct slice s);

#endif
