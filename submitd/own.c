#include "submitd/own.h"

#include "auth/ident.h"
#include "submitd/app.h"

int
own_address(struct client *c, struct slice addr)
{
	struct server *srv = c->s.sl->srv;
	char folded[IDENT_MAX + 1];
	struct rights r;
	int rc;

	if (ident_fold_address(addr, folded, NULL) != 0)
		return ERR_DENIED;
	rc = auth_may_send_as(srv->auth, &c->who, slice_str(folded));
	if (rc != ERR_DENIED)
		return rc;
	rc =
	    rights_get(app_of(srv)->rights, srv->store, srv->conf, &c->who, &r);
	if (rc == 0 && !rights_lists(&r, slice_str(folded)))
		rc = ERR_DENIED;
	return rc;
}
