#include "submitd/own.h"

#include "auth/ident.h"
#include "submitd/app.h"

static int
ask(struct client *c, struct slice addr)
{
	struct server *srv = c->s.sl->srv;
	struct rights r;
	int rc = auth_may_send_as(srv->auth, &c->who, addr);

	if (rc != ERR_DENIED)
		return rc;
	rc = rights_get(app_of(srv)->rights, srv->conf, &c->who, &r);
	if (rc == 0 && !rights_lists(&r, addr))
		rc = ERR_DENIED;
	return rc;
}

int
own_address(struct client *c, struct slice addr)
{
	struct rights_cache *known = app_of(c->s.sl->srv)->rights;
	char folded[IDENT_MAX + 1];
	uint64_t turn;
	int rc;

	if (ident_fold_address(addr, folded, NULL) != 0)
		return ERR_DENIED;
	if (rights_owns(known, c->who.account, slice_str(folded)))
		return 0;
	turn = rights_turn(known);
	rc = ask(c, slice_str(folded));
	if (rc == 0)
		rights_own(known, c->who.account, slice_str(folded), turn);
	return rc;
}

bool
own_address_known(const struct client *c, struct slice addr)
{
	char folded[IDENT_MAX + 1];

	return ident_fold_address(addr, folded, NULL) == 0 &&
	       rights_owns(app_of(c->s.sl->srv)->rights, c->who.account,
		   slice_str(folded));
}
