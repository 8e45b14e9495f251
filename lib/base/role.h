/*
 * role.h - what this thread is for: a loop's thread must never wait, so calls
 * that may wait ask here whether they were made on one by mistake.
 */
#ifndef LIB_BASE_ROLE_H
#define LIB_BASE_ROLE_H

#include <stdbool.h>

void role_set_loop(bool is_loop); /* of the calling thread */
bool role_is_loop(void);

#endif
