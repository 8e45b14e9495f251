/*
 * material.h - what daemons get handed: configuration and certificates, as
 * sealed memory files.
 */
#ifndef ADMIN_MATERIAL_H
#define ADMIN_MATERIAL_H

#include "lib/base/conf.h"

struct material {
	struct conf *conf;
	int conf_fd, tls_fd, profile_fd;
};

/* The configuration alone (the others are -1 then).  Each mistake is a line
 * in errors. */
PH_MUSTUSE int material_conf(
    const char *path, struct material *m, struct buf *errors);
/* And the certificates, and what signs profiles (profsign.h).  Nothing is held
 * when it fails. */
PH_MUSTUSE int material_load(
    const char *path, struct material *m, struct buf *errors);
void material_fini(struct material *m);

#endif
