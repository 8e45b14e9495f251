#include "lib/base/role.h"

static _Thread_local bool on_loop;

void
role_set_loop(bool is_loop)
{
	on_loop = is_loop;
}

bool
role_is_loop(void)
{
	return on_loop;
}
