#include "admin/hostlook.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/user.h"

enum {
	FIX_MAX = 2100,
	CHECKPOINT_LATE_SEC = 15 * 60,
	BACKUP_LATE_SEC = 2 * 86400
};

bool
hostlook_is_name(const char *name)
{
	unsigned char ip[16];
	const char *dot = strchr(name, '.');

	return dot != NULL && dot != name && dot[1] != '\0' &&
	       strchr(name, ':') == NULL && name[0] != '[' &&
	       inet_pton(AF_INET, name, ip) != 1;
}

bool
hostlook_name(
    const struct conf *conf, struct findings *f, char out[HOSTLOOK_NAME_MAX])
{
	bool is_set = conf->hostname[0] != '\0';

	if (!slice_copy(slice_str(conf->hostname), out, HOSTLOOK_NAME_MAX) ||
	    (!is_set && gethostname(out, HOSTLOOK_NAME_MAX - 1) != 0))
		out[0] = '\0';
	out[HOSTLOOK_NAME_MAX - 1] = '\0';
	for (char *c = out; *c != '\0'; c++)
		*c = ascii_lower(*c);
	if (!hostlook_is_name(out)) {
		findings_add(f, FINDING_ERROR, "hostname",
		    out[0] != '\0' ? out : "-",
		    "set hostname in posthof.conf to the full name of this "
		    "host, such as mail.example.de, and restart",
		    "%s; other hosts refuse mail from one that greets so",
		    strchr(out, '.') == NULL ? "has no dot"
					     : "is no host name");
		return false;
	}
	findings_add(f, FINDING_OK, "hostname", out, NULL, "%s",
	    is_set ? "is set" : "is the system's");
	return true;
}

static void
look_dir(
    struct findings *f, const char *path, const struct user *user, mode_t bad)
{
	char fix[FIX_MAX];
	uid_t owner = user->drop ? user->uid : geteuid();
	struct stat st;

	if (stat(path, &st) != 0) {
		findings_add(f, FINDING_WARNING, "directory", path,
		    "start the host once, it makes it",
		    "is not there or cannot be looked at");
		return;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != owner) {
		(void)snprintf(
		    fix, sizeof(fix), "chown -R %u %s", (unsigned)owner, path);
		findings_add(f, FINDING_ERROR, "directory", path, fix,
		    S_ISDIR(st.st_mode) ? "belongs to user %u, not to the "
					  "daemons' user %u"
					: "is no directory (user %u; %u)",
		    (unsigned)st.st_uid, (unsigned)owner);
		return;
	}
	if ((st.st_mode & bad) != 0) {
		(void)snprintf(fix, sizeof(fix), "chmod %o %s",
		    (unsigned)(st.st_mode & 07777 & ~bad), path);
		findings_add(f, FINDING_ERROR, "directory", path, fix,
		    "has mode %04o, more than the daemons need",
		    (unsigned)(st.st_mode & 07777));
		return;
	}
	findings_add(f, FINDING_OK, "directory", path, NULL,
	    "owner and mode %04o are good", (unsigned)(st.st_mode & 07777));
}

void
hostlook_dirs(const struct conf *conf, struct findings *f)
{
	struct user user;
	struct err e;

	if (user_lookup(conf->user, &user, &e) != 0)
		return; /* told with the configuration */
	look_dir(f, conf->state_dir, &user, 0027);
	look_dir(f, conf->run_dir, &user, 0022);
}

void
hostlook_age(int64_t sec, char out[32])
{
	static const struct {
		int64_t sec;
		const char *name;
	} units[] = {
		{ 86400, "day" },
		{ 3600, "hour" },
		{ 60, "minute" },
		{ 1, "second" },
	};
	size_t i = 0;

	if (sec < 0)
		sec = 0;
	while (i + 1 < PH_LEN(units) && sec < units[i].sec)
		i++;
	sec /= units[i].sec;
	(void)snprintf(out, 32, "%lld %s%s", (long long)sec, units[i].name,
	    sec == 1 ? "" : "s");
}

static void
look_space(const struct conf *conf, struct findings *f, json_t *facts)
{
	enum { MIB_BITS = 20, ROOM = 4 };
	uint64_t free_bytes =
	    (uint64_t)json_integer_value(json_object_get(facts, "free_bytes"));
	enum finding_level level = FINDING_OK;

	if (!json_is_true(json_object_get(facts, "has_space")))
		level = FINDING_ERROR;
	else if (free_bytes / ROOM < conf->free_floor)
		level = FINDING_WARNING;
	findings_add(f, level, "space", conf->state_dir,
	    level != FINDING_OK ? "free or add disk space" : NULL,
	    "%lluM free; with less than %lluM (free-space-floor) new mail is "
	    "refused",
	    (unsigned long long)(free_bytes >> MIB_BITS),
	    (unsigned long long)(conf->free_floor >> MIB_BITS));
}

void
hostlook_store(const struct conf *conf, struct findings *f, json_t *facts,
    bool runs, int64_t now)
{
	int64_t point =
	    json_integer_value(json_object_get(facts, "last_checkpoint"));
	int64_t backup =
	    json_integer_value(json_object_get(facts, "last_backup"));
	char age[32];
	bool late;

	findings_add(f, runs ? FINDING_OK : FINDING_WARNING, "host", "serve",
	    runs ? NULL : "posthof serve", "%s",
	    runs ? "the host runs" : "the host is stopped");
	look_space(conf, f, facts);
	late = runs && now - point > CHECKPOINT_LATE_SEC;
	hostlook_age(now - point, age);
	findings_add(f, late ? FINDING_WARNING : FINDING_OK, "checkpoint",
	    conf->state_dir,
	    late ? "look into the log for \"checkpoint\"; restart the host if "
		   "it fails again and again"
		 : NULL,
	    "the last one was %s ago%s", age,
	    late ? ", which is well only if nothing was written since" : "");
	late = now - backup > BACKUP_LATE_SEC;
	hostlook_age(now - backup, age);
	findings_add(f, late ? FINDING_WARNING : FINDING_OK, "backup",
	    conf->state_dir, late ? "posthof backup DIR, each night" : NULL,
	    backup != 0 ? "the last one was %s ago" : "there was none yet",
	    age);
}
