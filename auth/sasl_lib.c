/*
 * The library keeps its state in the process.  It never sees a configuration
 * file, loads only the two plug-ins that are named below, and gets secrets from
 * us alone: SCRAM keys through an auxprop plug-in registered in the process.
 */
#include "auth/sasl_lib.h"

#include <pthread.h>
#include <stdlib.h>

#include "auth/sasl.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/slice.h"

/* And so is what guards it. */
static pthread_once_t setup_once = PTHREAD_ONCE_INIT;
static int setup_result;

/* What auth_mechs() promises; their -PLUS come with them. */
static const char *const mechs[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1" };

/* The library takes a mutex as void *. */
struct mutex {
	pthread_mutex_t m;
};

static void *
mutex_new(void)
{
	struct mutex *mutex = xmalloc(sizeof(*mutex));

	(void)pthread_mutex_init(&mutex->m, NULL);
	return mutex;
}

static int
mutex_lock(void *mutex)
{
	return pthread_mutex_lock(&((struct mutex *)mutex)->m) == 0 ? SASL_OK
								    : SASL_FAIL;
}

static int
mutex_unlock(void *mutex)
{
	return pthread_mutex_unlock(&((struct mutex *)mutex)->m) == 0
		   ? SASL_OK
		   : SASL_FAIL;
}

static void
mutex_free(void *mutex)
{
	(void)pthread_mutex_destroy(&((struct mutex *)mutex)->m);
	free(mutex);
}

/* What the library says while it is set up. */
static int
on_setup_log(void *context, int level, const char *message)
{
	(void)context;
	if (level == SASL_LOG_ERR || level == SASL_LOG_WARN)
		log_warn(NULL, "sasl", "text=%s", log_q(slice_str(message)));
	return SASL_OK;
}

/* All options, in place of a configuration file. */
static int
on_getopt(void *context, const char *plugin, const char *option,
    const char **result, unsigned *len)
{
	static const char *const options[][2] = {
		{ "auxprop_plugin", "posthof" },
		{ "pwcheck_method", "auxprop" },
		{ "mech_list", "PLAIN SCRAM-SHA-256 SCRAM-SHA-1" },
		{ "canon_user_plugin", "INTERNAL" },
		{ "reauth_timeout", "0" },
	};

	(void)context;
	(void)plugin;
	for (size_t i = 0; i < PH_LEN(options); i++) {
		if (!slice_eq(slice_str(option), slice_str(options[i][0])))
			continue;
		*result = options[i][1];
		if (len != NULL)
			*len = (unsigned)slice_str(*result).n;
		return SASL_OK;
	}
	return SASL_FAIL;
}

/* Of the plug-ins that are installed only these are loaded. */
static int
on_verify_file(void *context, const char *file, sasl_verify_type_t type)
{
	struct slice path = slice_str(file), base;

	(void)context;
	base = slice_from(path,
	    slice_rchr(path, '/') == path.n ? 0 : slice_rchr(path, '/') + 1);
	if (type == SASL_VRFY_PLUGIN &&
	    (slice_starts(base, SLICE("libplain.")) ||
		slice_starts(base, SLICE("libscram."))))
		return SASL_OK;
	return SASL_CONTINUE;
}

static int
on_auxprop_init(const sasl_utils_t *utils, int max_version, int *out_version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	static char plug_name[] = "posthof";
	static sasl_auxprop_plug_t ours = { .auxprop_lookup = sasl_lookup,
		.name = plug_name };

	(void)utils;
	(void)name;
	if (max_version < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*out_version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &ours;
	return SASL_OK;
}

static bool
is_there(const char *mech)
{
	const char **v = sasl_global_listmech();

	for (; v != NULL && *v != NULL; v++)
		if (slice_ieq_str(slice_str(*v), mech))
			return true;
	return false;
}

/* Are the mechanisms there that auth_mechs() promises? */
static int
check_mechs(void)
{
	for (size_t i = 0; i < PH_LEN(mechs); i++)
		if (!is_there(mechs[i]))
			return ERR_UNSUPPORTED;
	return 0;
}

static void
setup(void)
{
	static const sasl_callback_t callbacks[] = {
		{ SASL_CB_LOG, SASL_PROC(on_setup_log), NULL },
		{ SASL_CB_GETOPT, SASL_PROC(on_getopt), NULL },
		{ SASL_CB_VERIFYFILE, SASL_PROC(on_verify_file), NULL },
		{ SASL_CB_LIST_END, NULL, NULL },
	};

	sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
	if (sasl_server_init(callbacks, NULL) != SASL_OK ||
	    sasl_auxprop_add_plugin("posthof", on_auxprop_init) != SASL_OK)
		setup_result = ERR_INTERNAL;
	else
		setup_result = check_mechs();
}

int
sasl_lib_setup(struct err *e)
{
	(void)pthread_once(&setup_once, setup);
	if (setup_result == ERR_UNSUPPORTED)
		return err_set(e, setup_result,
		    "SASL has no PLAIN or SCRAM: install "
		    "libsasl2-modules");
	if (setup_result != 0)
		return err_set(e, setup_result, "SASL does not start");
	return 0;
}
