#include "admin/material.h"

#include <unistd.h>

#include "admin/profsign.h"
#include "admin/tlsload.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { TEXT_MAX = 16 << 20 };

int
material_conf(const char *path, struct material *m, struct buf *errors)
{
	struct buf text;
	struct err e = { 0 };
	int rc;

	*m = (struct material){ .conf_fd = -1, .tls_fd = -1, .profile_fd = -1 };
	buf_init(&text, TEXT_MAX);
	if ((rc = file_read(path, &text, &e)) != 0) {
		buf_printf(errors, "%s: %s\n", path, e.text);
	} else if ((rc = conf_parse(
			path, buf_slice(&text), &m->conf, errors)) == 0) {
		m->conf_fd = file_sealed("posthof-conf", buf_slice(&text));
		rc = m->conf_fd < 0 ? m->conf_fd : 0;
	}
	buf_fini(&text);
	if (rc != 0)
		material_fini(m);
	return rc;
}

static void
on_entry(const struct tlsload_entry *en, void *arg)
{
	(void)arg;
	if (en->rc != 0 && en->name[0] != '*') /* that one is an error */
		log_warn(NULL, "tls", "name=%s left_out=\"%s\"",
		    log_q(slice_str(en->name)), en->err->text);
}

int
material_load(const char *path, struct material *m, struct buf *errors)
{
	struct buf bundle;
	struct err e = { 0 };
	int rc;

	if ((rc = material_conf(path, m, errors)) != 0)
		return rc;
	buf_init(&bundle, TEXT_MAX);
	if ((rc = tlsload(m->conf, &bundle, on_entry, NULL, &e)) != 0) {
		buf_printf(errors, "%s\n", e.text);
	} else {
		m->tls_fd = file_sealed("posthof-tls", buf_slice(&bundle));
		rc = m->tls_fd < 0
			 ? m->tls_fd
			 : profsign_load(m->conf, &m->profile_fd, errors);
	}
	if (bundle.p != NULL)
		mem_wipe(bundle.p, bundle.cap);
	buf_fini(&bundle);
	if (rc != 0)
		material_fini(m);
	return rc;
}

void
material_fini(struct material *m)
{
	conf_free(&m->conf);
	if (m->conf_fd >= 0)
		close(m->conf_fd);
	if (m->tls_fd >= 0)
		close(m->tls_fd);
	if (m->profile_fd >= 0)
		close(m->profile_fd);
	m->conf_fd = m->tls_fd = m->profile_fd = -1;
}
