#include "lib/setup/srv.h"

/* Services of RFC 6186 3 and RFC 8314 5.1, the wanted one with the lowest
 * priority (RFC 6186 3.4: IMAP before POP3). */
static const struct {
	const char *service, *door;
	int priority;
} records[] = {
	{ "_submissions", "submissions", 0 },
	{ "_submission", "submission", 10 },
	{ "_imaps", "imaps", 0 },
	{ "_imap", "imap", 10 },
	{ "_pop3s", "pop3s", 20 },
	{ "_pop3", "pop3", 30 },
};

void
srv_write(const struct conf *conf, const char *domain, const char *server,
    struct buf *out)
{
	for (size_t i = 0; i < PH_LEN(records); i++) {
		unsigned port = setup_port(conf, records[i].door);

		buf_printf(
		    out, "%s._tcp.%s. IN SRV ", records[i].service, domain);
		if (port != 0)
			buf_printf(out, "%d 1 %u %s.\n", records[i].priority,
			    port, server);
		else /* RFC 6186 3.4: decidedly not available */
			buf_add_str(out, "0 0 0 .\n");
	}
	if (conf->listen_http.n == 0 || conf->hostname[0] == '\0')
		return;
	buf_printf(
	    out, "autoconfig.%s. IN CNAME %s.\n", domain, conf->hostname);
	buf_printf(
	    out, "autodiscover.%s. IN CNAME %s.\n", domain, conf->hostname);
	buf_printf(out,
	    "_autodiscover._tcp.%s. IN SRV 0 1 443 "
	    "autodiscover.%s.\n",
	    domain, domain);
}
