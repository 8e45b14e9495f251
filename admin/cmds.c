#include "admin/cmds.h"
#include "admin/policy.h"

#define PICK_USAGE "--sender A --recipient A --domain D"
#define SELECT_USAGE "ID... | " PICK_USAGE " | --all [--json]"
#define SELECT_OPTS "json all domain= sender= recipient="
#define PASS_OPTS "password-stdin password-hash="
#define LIMIT_OPTS "quota= messages="
#define ACCOUNT_OPTS                                          \
	" folders= networks= lang= name= pop3-remove-after= " \
	"pop3-login-delay= junk= uidl="

enum { MANY = ARGS_WORDS_MAX };

/* Longer names first where one begins another. */
static const struct cmd_row rows[] = {
	{ "quickstart",
	    "DIR [--domain D] [--accounts N] [--port-offset N] "
	    "[--password-file F] [--json]",
	    "domain= accounts= port-offset= password-file= json", 1, 1,
	    CMD_LOCAL, NULL, cmd_quickstart, "make a complete host in DIR" },
	{ "serve", "", "", 0, 0, CMD_FILE, NULL, cmd_serve,
	    "run the host until it is stopped" },
	{ "status", "[--json]", "json", 0, 0, CMD_CONF, NULL, cmd_status,
	    "what runs, since when, and how it is" },
	{ "reload", "", "", 0, 0, CMD_CONF, NULL, cmd_reload,
	    "read configuration and certificates again" },
	{ "stop", "", "", 0, 0, CMD_CONF, NULL, cmd_stop,
	    "stop the host; returns when it is down" },
	{ "check-config", "", "", 0, 0, CMD_FILE, NULL, cmd_check_config,
	    "all mistakes in the configuration, with file:line" },
	{ "sample-config", "[--man]", "man", 0, 0, CMD_LOCAL, NULL,
	    cmd_sample_config,
	    "a configuration with every option and its default" },
	{ "keeper", "", "", 0, 0, CMD_HIDDEN, NULL, cmd_keeper, "" },
	{ "recover", "", "", 0, 0, CMD_HIDDEN, NULL, cmd_recover, "" },
	{ "store status", "[--json]", "json", 0, 0, CMD_STORE, NULL,
	    cmd_store_status, "space, queue, cache and locks of the store" },
	{ "store facts", "[--json]", "json", 0, 0, CMD_STORE, NULL,
	    cmd_store_facts, "what `doctor` asks the store, as JSON" },
	{ "doctor", "[--dns] [--quiet] [--json]", "json dns quiet", 0, 0,
	    CMD_FILE, NULL, cmd_doctor,
	    "what is missing on this host and for its domains, and what to "
	    "do" },

	{ "package add",
	    "webNNN [--quota 10G] [--messages N] [--accounts-max N] "
	    "[--domains-max N] [--sends-per-hour N]" POLICY_USAGE,
	    LIMIT_OPTS
	    " accounts-max= domains-max= sends-per-hour=" POLICY_OPTS,
	    1, 1, CMD_STORE, NULL, cmd_package_add, "a new package" },
	{ "package set",
	    "webNNN [--quota 10G] [--messages N] [--accounts-max N] "
	    "[--domains-max N] [--sends-per-hour N]" POLICY_USAGE,
	    LIMIT_OPTS
	    " accounts-max= domains-max= sends-per-hour=" POLICY_OPTS,
	    1, 1, CMD_STORE, NULL, cmd_package_set,
	    "change its limits; 0: none" },
	{ "package show", "webNNN [--json]", "json", 1, 1, CMD_STORE, NULL,
	    cmd_package_show, "limits and use" },
	{ "package list", "[--json]", "json", 0, 0, CMD_STORE, NULL,
	    cmd_package_list, "all packages" },
	{ "package suspend", "webNNN [--mail accept|refuse]", "mail=", 1, 1,
	    CMD_STORE, NULL, cmd_package_suspend,
	    "no login for its accounts; mail is taken or refused" },
	{ "package resume", "webNNN", "", 1, 1, CMD_STORE, NULL,
	    cmd_package_resume, "and again" },
	{ "package del", "webNNN", "", 1, 1, CMD_STORE, NULL, cmd_package_del,
	    "remove an empty package" },

	{ "domain add", "DOMAIN --package webNNN", "package=", 1, 1, CMD_STORE,
	    NULL, cmd_domain_add, "a domain whose mail is for this host" },
	{ "domain set", "DOMAIN" POLICY_USAGE, POLICY_OPTS, 1, 1, CMD_STORE,
	    NULL, cmd_domain_set, "what its people may send; 0: not set" },
	{ "domain show", "DOMAIN [--json]", "json", 1, 1, CMD_STORE, NULL,
	    cmd_domain_show, "whose it is" },
	{ "domain list", "[--package webNNN] [--json]", "json package=", 0, 0,
	    CMD_STORE, NULL, cmd_domain_list, "all domains" },
	{ "domain dns", "DOMAIN", "", 1, 1, CMD_STORE, NULL, cmd_domain_dns,
	    "lines for its zone: MX, SPF, SRV" },
	{ "domain del", "DOMAIN", "", 1, 1, CMD_STORE, NULL, cmd_domain_del,
	    "remove a domain without addresses" },

	{ "account add",
	    "webNNNpM | webNNN [--password-stdin | --password-hash H] "
	    "[--address A]... [--quota 2G] [--messages N] [--folders N] "
	    "[--lang de|en] "
	    "[--name NAME] [--networks N|any] [--pop3-remove-after 30d|never] "
	    "[--pop3-login-delay 15m|default] "
	    "[--junk inbox|folder] [--uidl FORMAT] "
	    "[--json]" POLICY_ACCOUNT_USAGE,
	    "json " PASS_OPTS
	    " address=* " LIMIT_OPTS ACCOUNT_OPTS POLICY_ACCOUNT_OPTS,
	    1, 1, CMD_STORE, "password-stdin", cmd_account_add,
	    "a new account; without a password one is made and shown" },
	{ "account set",
	    "webNNNpM [--quota 2G] [--messages N] [--folders N] "
	    "[--lang de|en] "
	    "[--name NAME] [--networks N|any] [--pop3-remove-after 30d|never] "
	    "[--pop3-login-delay 15m|default] "
	    "[--junk inbox|folder] [--uidl FORMAT] "
	    "[--address A]... [--password-stdin | --password-hash "
	    "H]" POLICY_ACCOUNT_USAGE,
	    "json " PASS_OPTS
	    " address=* " LIMIT_OPTS ACCOUNT_OPTS POLICY_ACCOUNT_OPTS,
	    1, 1, CMD_STORE, "password-stdin", cmd_account_set,
	    "change it; 0: no limit" },
	{ "account show", "webNNNpM|ADDRESS [--json]", "json", 1, 1, CMD_STORE,
	    NULL, cmd_account_show, "all about one" },
	{ "account list", "[--package webNNN] [--deleted] [--json]",
	    "json package= deleted", 0, 0, CMD_STORE, NULL, cmd_account_list,
	    "all accounts" },
	{ "account passwd",
	    "webNNNpM [--password-stdin | --password-hash H] [--json]",
	    "json " PASS_OPTS, 1, 1, CMD_STORE, "password-stdin",
	    cmd_account_passwd,
	    "a new password; without options one is made and shown" },
	{ "account suspend", "webNNNpM [--mail accept|refuse]", "mail=", 1, 1,
	    CMD_STORE, NULL, cmd_account_suspend,
	    "no login, sessions end; mail is taken or refused" },
	{ "account resume", "webNNNpM", "", 1, 1, CMD_STORE, NULL,
	    cmd_account_resume, "and again" },
	{ "account del", "webNNNpM [--now]", "now", 1, 1, CMD_STORE, NULL,
	    cmd_account_del, "remove it; its mail goes after undelete-time" },
	{ "account undelete", "webNNNpM", "", 1, 1, CMD_STORE, NULL,
	    cmd_account_undelete, "and back, with its mail and addresses" },

	{ "app-password add",
	    "webNNNpM --label L [--scope imap,pop3,smtp] [--expires 90d] "
	    "[--json]",
	    "json label= scope= expires=", 1, 1, CMD_STORE, NULL, cmd_app_add,
	    "a password for one program, made and shown once" },
	{ "app-password list", "webNNNpM [--json]", "json", 1, 1, CMD_STORE,
	    NULL, cmd_app_list, "labels, scopes, last use" },
	{ "app-password revoke", "webNNNpM ID", "", 2, 2, CMD_STORE, NULL,
	    cmd_app_revoke, "end it, and the sessions it opened" },

	{ "address add", "ADDRESS --to TARGET...", "to=*", 1, MANY, CMD_STORE,
	    NULL, cmd_address_add,
	    "ADDRESS (or @DOMAIN for all others) leads to these" },
	{ "address set", "ADDRESS --to TARGET...", "to=*", 1, MANY, CMD_STORE,
	    NULL, cmd_address_set, "now leads to these instead" },
	{ "address show", "ADDRESS [--json]", "json", 1, 1, CMD_STORE, NULL,
	    cmd_address_show, "where mail for it goes" },
	{ "address list", "[--domain D | --account A] [--json]",
	    "json domain= account=", 0, 0, CMD_STORE, NULL, cmd_address_list,
	    "all addresses" },
	{ "address del", "ADDRESS", "", 1, 1, CMD_STORE, NULL, cmd_address_del,
	    "remove it" },

	{ "folder doubles", "ACCOUNT | --all [--merge] [--json]",
	    "json all merge", 0, 1, CMD_STORE, NULL, cmd_folder_doubles,
	    "\"Gesendet\" beside Sent: report them, or merge them" },

	{ "provision", "[--json] < BATCH", "json", 0, 0, CMD_STORE, "*",
	    cmd_provision,
	    "commands from a file, one a line; add means add or set" },
	{ "settings",
	    "ACCOUNT [--lang de|en] [--format text|html|json|autoconfig|"
	    "autodiscover|mobileconfig|srv]",
	    "json lang= format=", 1, 1, CMD_STORE, NULL, cmd_settings,
	    "the help page for this account's mail programs" },
	{ "logins", "ACCOUNT [--limit N] [--json]", "json limit=", 1, 1,
	    CMD_STORE, NULL, cmd_logins, "who logged in, from where" },
	{ "refused", "[ACCOUNT] [--limit N] [--json]", "json limit=", 0, 1,
	    CMD_STORE, NULL, cmd_refused,
	    "what was not taken: of strangers, or of an account" },
	{ "session list", "[--account A | --package webNNN] [--json]",
	    "json account= package=", 0, 0, CMD_STORE, NULL, cmd_session_list,
	    "who is logged in now" },
	{ "session kick", "ID | ACCOUNT [--json]", "json", 1, 1, CMD_STORE,
	    NULL, cmd_session_kick, "end this session, or all of an account" },

	{ "queue list", "[" PICK_USAGE "] [--json]",
	    "json domain= sender= recipient=", 0, 0, CMD_STORE, NULL,
	    cmd_queue_list, "mail on its way to others" },
	{ "queue show", "ID [--json]", "json", 1, 1, CMD_STORE, NULL,
	    cmd_queue_show, "recipients and what the other hosts said" },
	{ "queue retry", SELECT_USAGE, SELECT_OPTS, 0, MANY, CMD_STORE, NULL,
	    cmd_queue_retry, "try now" },
	{ "queue hold", SELECT_USAGE, SELECT_OPTS, 0, MANY, CMD_STORE, NULL,
	    cmd_queue_hold, "keep until released" },
	{ "queue release", SELECT_USAGE, SELECT_OPTS, 0, MANY, CMD_STORE, NULL,
	    cmd_queue_release, "end holding, try now" },
	{ "queue drop", SELECT_USAGE, SELECT_OPTS, 0, MANY, CMD_STORE, NULL,
	    cmd_queue_drop, "delete without telling the sender" },

	{ "trace", "ID|ADDRESS|MESSAGE-ID [--limit N] [--json]",
	    "json limit=", 1, 1, CMD_STORE, NULL, cmd_trace,
	    "what became of a mail, from its acceptance to its end" },

	{ "backup", "DIR", "", 1, 1, CMD_STORE, NULL, cmd_backup,
	    "copy the store into a new folder, and prove the copy" },
	{ "check-backup", "DIR", "", 1, 1, CMD_LOCAL, NULL, cmd_check_backup,
	    "recover the copy's index and look at all of it" },
	{ "restore", "DIR", "", 1, 1, CMD_CONF, NULL, cmd_restore,
	    "put a backup in the place of the store" },
	{ "rebuild", "[--json]", "json", 0, 0, CMD_CONF, NULL, cmd_rebuild,
	    "make the index anew from the mail, when it is lost" },
	{ "fsck", "[--json]", "json", 0, 0, CMD_STORE, NULL, cmd_fsck,
	    "compare index and mail, name what is wrong" },
	{ "version", "", "", 0, 0, CMD_LOCAL, NULL, cmd_version,
	    "which Posthof this is" },
	{ "help", "[COMMAND]", "", 0, 3, CMD_LOCAL, NULL, cmd_help,
	    "this list" },
};

const struct cmd_row *
cmd_at(size_t i)
{
	return i < PH_LEN(rows) ? &rows[i] : NULL;
}
