/*
 * german.h - what replies say, in German (W7).  Pure.
 *
 * Texts are looked up by their English form, which may come from any layer;
 * "*" in the table stands for what varies.
 */
#ifndef SUBMITD_GERMAN_H
#define SUBMITD_GERMAN_H

#include <stdbool.h>
#include <stddef.h>

/* ASCII, into out[cap]; false and "": not known, or too long. */
bool german(const char *en, char *out, size_t cap);

#endif
