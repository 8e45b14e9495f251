#include "admin/profsign.h"

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"
#include "lib/crypt/cms.h"

enum { PEM_MAX = 1 << 20, SIGNED_MAX = 4 << 20 };

static bool
is_wanted(const struct conf *conf)
{
	return conf->profile_cert[0] != '\0' || conf->profile_key[0] != '\0';
}

static void
wipe(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->cap);
	buf_fini(b);
}

static int
read_pair(const struct conf *conf, struct buf *bundle, struct err *e)
{
	struct buf chain, key, tried;
	int rc;

	buf_init(&chain, PEM_MAX);
	buf_init(&key, PEM_MAX);
	buf_init(&tried, PEM_MAX);
	if ((rc = file_read(conf->profile_cert, &chain, e)) == 0 &&
	    (rc = file_read(conf->profile_key, &key, e)) == 0 &&
	    (rc = cms_sign(buf_slice(&chain), buf_slice(&key), SLICE("try"),
		 &tried, e)) == 0)
		bundle_add(
		    bundle, &(struct bundle_entry){ .name = SLICE("profile"),
				.chain_pem = buf_slice(&chain),
				.key_pem = buf_slice(&key) });
	buf_fini(&chain);
	wipe(&key);
	buf_fini(&tried);
	return rc;
}

int
profsign_load(const struct conf *conf, int *fd_out, struct buf *errors)
{
	struct err e = { 0 };
	struct buf bundle;
	int rc = 0;

	*fd_out = -1;
	buf_init(&bundle, 2 * PEM_MAX + 64);
	if (is_wanted(conf) && (rc = read_pair(conf, &bundle, &e)) != 0)
		buf_printf(errors, "profile-cert, profile-key: %s\n", e.text);
	if (rc == 0) {
		*fd_out = file_sealed("posthof-profile", buf_slice(&bundle));
		rc = *fd_out < 0 ? *fd_out : 0;
	}
	wipe(&bundle);
	return rc;
}

int
profsign(const struct conf *conf, int fd, struct buf *io, struct err *e)
{
	struct bundle_entry en;
	struct buf bundle, made;
	struct slice rest;
	bool bad = false;
	int rc;

	if (!is_wanted(conf))
		return 0;
	if (fd < 0)
		return err_set(e, ERR_DENIED, "profile-key cannot be read");
	buf_init(&bundle, 2 * PEM_MAX + 64);
	buf_init(&made, SIGNED_MAX);
	if ((rc = file_read_fd(fd, &bundle, e)) == 0) {
		rest = buf_slice(&bundle);
		rc = bundle_next(&rest, &en, &bad)
			 ? cms_sign(en.chain_pem, en.key_pem, buf_slice(io),
			       &made, e)
			 : err_set(e, ERR_DENIED, "profile-key is not loaded");
	}
	if (rc == 0) {
		buf_clear(io);
		buf_add_slice(io, buf_slice(&made));
	}
	wipe(&bundle);
	buf_fini(&made);
	return rc;
}
