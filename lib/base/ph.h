/*
 * ph.h - macros every file may use, and nothing else.
 */
#ifndef LIB_BASE_PH_H
#define LIB_BASE_PH_H

#include <stddef.h>

/* The result must be looked at; the compiler warns otherwise. */
#define PH_MUSTUSE __attribute__((warn_unused_result))
#define PH_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define PH_NORETURN __attribute__((noreturn))

#define PH_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* From a pointer to a member back to the object that embeds it. */
#define PH_CONTAINER(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Our own logic is wrong: say where and stop.  Never for bytes from a peer. */
#define ph_assert(cond) \
	((cond) ? (void)0 : ph_assert_fail(#cond, __FILE__, __LINE__))

PH_NORETURN void ph_assert_fail(const char *cond, const char *file, int line);

#endif
