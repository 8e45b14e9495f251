/*
 * file.h - whole files, safely; all of it may block.
 *
 * Errors are enum ph_err from errno; e (may be NULL) gets path and errno as
 * detail.
 */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Appends the file's bytes to out, within out's ceiling (else ERR_TOOBIG). */
PH_MUSTUSE int file_read(const char *path, struct buf *out, struct err *e);
/* The same from an open descriptor, from its start, by pread. */
PH_MUSTUSE int file_read_fd(int fd, struct buf *out, struct err *e);

/* Writes a temporary beside it, fsync, rename, fsync the directory: the file
 * is the old one or the new one, whole, whatever happens. */
PH_MUSTUSE int file_replace(
    const char *path, struct slice bytes, mode_t mode, struct err *e);

/* mkdir -p; existing directories keep their mode. */
PH_MUSTUSE int file_mkdirs(const char *path, mode_t mode, struct err *e);
PH_MUSTUSE int file_sync_dir(const char *path, struct err *e);

/* All n bytes, EINTR retried. */
PH_MUSTUSE int file_write_all(int fd, const void *p, size_t n);
PH_MUSTUSE int file_pwrite_all(int fd, const void *p, size_t n, off_t at);
/* Exactly n bytes; ERR_CORRUPT at an early end. */
PH_MUSTUSE int file_pread_all(int fd, void *p, size_t n, off_t at);

/* A sealed memory file holding these bytes (memfd_create, F_SEAL_*), close on
 * exec; the descriptor or a negative enum ph_err. */
PH_MUSTUSE int file_sealed(const char *name, struct slice bytes);

#endif
