/*
 * text.h - the languages of replies (RFC 6856 3).
 */
#ifndef POP3D_TEXT_H
#define POP3D_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"

enum text_lang { TEXT_EN, TEXT_DE, TEXT_LANGS };

/* The words for an English text or format; that itself when there is no
 * translation.  A translated format takes the same arguments. */
const char *text_in(enum text_lang lang, const char *english);
/* Its tag, "de", and its name in itself, "Deutsch". */
const char *text_tag(enum text_lang lang);
const char *text_name(enum text_lang lang);
/* The language for a range (RFC 4647 2.1): "de", "de-AT".  False: none. */
bool text_lang_of(struct slice range, enum text_lang *lang_out);

#endif
