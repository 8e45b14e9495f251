/*
 * marks.h - tells the store what was fetched, and by which device.
 *
 * Losing marks is harmless: mail stays longer.  So failures are logged only.
 */
#ifndef POP3D_MARKS_H
#define POP3D_MARKS_H

#include "lib/daemon/server.h"
#include "pop3d/drop.h"

/* In a job: a login. */
void marks_login(
    struct store *s, const struct auth_who *who, const char *session_id);
/* In a job; m may be NULL. */
void marks_write(const struct drop_marks *m, struct store *s, uint32_t secret,
    const char *session_id);
/* On the loop: the same in a job of its own, for a session that ends without
 * QUIT.  Takes m, which may be NULL. */
void marks_later(struct server_loop *sl, struct drop_marks *m, uint32_t secret,
    const char *session_id);

#endif
