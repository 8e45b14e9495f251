#include "admin/cmds.h"
#include "storage/verify.h"

enum { REPORT_MAX = 16 << 20, TRIES = 5 };

/* On a host at work a change in the middle of the walk looks like a breach: it
 * is one when it is still there in the fifth walk. */
static int
verify(struct store *s, struct buf *report)
{
	int rc = ERR_CORRUPT;

	for (int i = 0; i < TRIES && rc == ERR_CORRUPT; i++) {
		buf_clear(report);
		rc = store_verify(s, report);
	}
	return rc;
}

int
cmd_fsck(struct cmd *c)
{
	struct buf report;
	struct slice rest, line;
	json_t *list = json_array();
	int rc;

	buf_init(&report, REPORT_MAX);
	rc = verify(c->store, &report);
	rest = buf_slice(&report);
	while (rest.n != 0 && slice_split(&rest, '\n', &line)) {
		if (line.n != 0 && c->out.json)
			(void)json_array_append_new(list, out_str(line));
		else if (line.n != 0)
			out_printf(&c->out, "%.*s\n", (int)line.n, line.p);
	}
	if (c->out.json)
		out_record(&c->out, NULL, 0,
		    json_pack("{s:b,s:O}", "ok", rc == 0, "findings", list));
	else if (rc == 0)
		out_printf(&c->out, "nothing is wrong\n");
	json_decref(list);
	buf_fini(&report);
	if (rc == 0 || rc == ERR_CORRUPT)
		return rc == 0 ? CMD_DONE : CMD_REFUSED;
	return cmd_refuse(c, rc, "fsck could not look at everything");
}
