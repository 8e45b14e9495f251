/*
 * segment_file.h - descriptors of segments for reading, kept open.
 *
 * A bounded cache: the longest unused goes first.  Thread-safe.
 */
#ifndef STORAGE_SEGMENT_FILE_H
#define STORAGE_SEGMENT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/ph.h"

/* Behind the name of one that is about to go. */
#define SEGMENT_ASIDE ".gone"

enum { SEGMENT_FILES_MAX = 64, SEGMENT_NAME_BYTES = 16 };

struct segment_files;
struct segment_file;

/* dir: STATE/mail, copied. */
struct segment_files *segment_files_new(const char *dir);
void segment_files_free(struct segment_files **f);

/* Holds the file until segment_file_put().  ERR_NOTFOUND. */
PH_MUSTUSE int segment_file_get(
    struct segment_files *f, uint32_t number, struct segment_file **file_out);
int segment_file_fd(const struct segment_file *file);
void segment_file_put(struct segment_files *f, struct segment_file **file);

/* Closes what was unlinked meanwhile, so that its space comes free. */
void segment_files_sweep(struct segment_files *f);

/* "0000002a.seg" */
void segment_name(uint32_t number, char out[SEGMENT_NAME_BYTES]);

#endif
