/*
 * date.h - RFC 5322 3.3 date-time and RFC 9051 date-time.
 *
 * Zones are minutes east of UTC.  Nothing asks the clock or the locale.
 */
#ifndef LIB_MAIL_DATE_H
#define LIB_MAIL_DATE_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * A Date field's value, obsolete years, zones and comments (RFC 5322 4.3)
 * included.  False when it is no date; the outputs are 0 then.  An unknown
 * zone, or none, is -0000: 0 minutes.
 */
bool date_parse(struct slice value, int64_t *unix_sec, int *tz_min_out);

/* Appends "Fri, 21 Nov 1997 09:55:06 -0600". */
void date_rfc5322(struct buf *out, int64_t unix_sec, int tz_min);

/* Appends "\"17-Jul-1996 02:44:25 -0700\"", quotes included. */
void date_internal(struct buf *out, int64_t unix_sec, int tz_min);

/* RFC 9051 date-time, with or without its quotes; strict. */
bool date_internal_parse(struct slice s, int64_t *unix_sec, int *tz_min_out);

/* RFC 9051 date-text ("1-Feb-1994", day with one or two digits): seconds of
 * that day's start in UTC.  Strict, without quotes. */
bool date_day_parse(struct slice s, int64_t *unix_sec);

/* Seconds since 1970 of a civil date in UTC; any year 0..9999.  Arguments in
 * range are the caller's duty: month 1..12, day 1..31. */
int64_t date_from_civil(int year, int month, int day);
/* The reverse; years before 0 or past 9999 are clipped. */
void date_to_civil(int64_t unix_sec, int *year, int *month, int *day);

#endif
