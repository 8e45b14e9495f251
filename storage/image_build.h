/*
 * image_build.h - making images: from runs, from an older image.  For
 * image.c and image_diff.c.
 */
#ifndef STORAGE_IMAGE_BUILD_H
#define STORAGE_IMAGE_BUILD_H

#include "storage/image.h"

/* Takes bytes of `n` entries. */
struct run *run_new(uint32_t nr, const uint8_t *packed, uint32_t n);
struct run *run_ref(struct run *r);
void run_unref(struct run **r);
struct leaf *leaf_ref(struct leaf *l);

/* Runs come in rising order; a leaf equal to the old image's is shared. */
struct image_build {
	struct image *im;
	const struct image *old; /* may be NULL */
	uint32_t old_leaf;       /* the next of old to look at */
	uint32_t leaf_nr, nruns;
	struct run *run[LEAF_RUNS];
};

void image_build_init(struct image_build *b, const struct image *old);
/* Both take the caller's reference.  A leaf must not share its number with
 * runs added. */
void image_build_run(struct image_build *b, struct run *r);
void image_build_leaf(struct image_build *b, struct leaf *l);
/* The run of this number of the old image, borrowed, or NULL; for rising
 * numbers. */
struct run *image_old_run(struct image_build *b, uint32_t nr);
/* The caller's reference; its folder, account, ... are still 0. */
struct image *image_build_done(struct image_build *b);
/* Instead of done. */
void image_build_abort(struct image_build *b);

#endif
