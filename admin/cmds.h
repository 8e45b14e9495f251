/*
 * cmds.h - the handlers of all commands, for the table in cmds.c.  Each
 * returns the exit status (cmd.h).
 */
#ifndef ADMIN_CMDS_H
#define ADMIN_CMDS_H

#include "admin/cmd.h"

/* cmd_host.c */
int cmd_serve(struct cmd *c);
int cmd_keeper(struct cmd *c);
int cmd_recover(struct cmd *c);
int cmd_reload(struct cmd *c);
int cmd_stop(struct cmd *c);
int cmd_version(struct cmd *c);
int cmd_help(struct cmd *c);

/* cmd_status.c */
int cmd_status(struct cmd *c);
int cmd_store_status(struct cmd *c);

/* cmd_config.c */
int cmd_check_config(struct cmd *c);
int cmd_sample_config(struct cmd *c);

/* cmd_quickstart.c */
int cmd_quickstart(struct cmd *c);

/* cmd_package.c */
int cmd_package_add(struct cmd *c);
int cmd_package_set(struct cmd *c);
int cmd_package_show(struct cmd *c);
int cmd_package_list(struct cmd *c);
int cmd_package_del(struct cmd *c);
int cmd_package_suspend(struct cmd *c);
int cmd_package_resume(struct cmd *c);

/* cmd_domain.c */
int cmd_domain_add(struct cmd *c);
int cmd_domain_set(struct cmd *c);
int cmd_domain_show(struct cmd *c);
int cmd_domain_list(struct cmd *c);
int cmd_domain_del(struct cmd *c);
int cmd_domain_dns(struct cmd *c);

/* cmd_account.c */
int cmd_account_add(struct cmd *c);
int cmd_account_set(struct cmd *c);
int cmd_account_show(struct cmd *c);
int cmd_account_list(struct cmd *c);
int cmd_account_del(struct cmd *c);
int cmd_account_undelete(struct cmd *c);
int cmd_account_passwd(struct cmd *c);
int cmd_account_suspend(struct cmd *c);
int cmd_account_resume(struct cmd *c);

/* cmd_app.c */
int cmd_app_add(struct cmd *c);
int cmd_app_list(struct cmd *c);
int cmd_app_revoke(struct cmd *c);

/* cmd_address.c */
int cmd_address_add(struct cmd *c);
int cmd_address_set(struct cmd *c);
int cmd_address_show(struct cmd *c);
int cmd_address_list(struct cmd *c);
int cmd_address_del(struct cmd *c);

/* cmd_queue.c */
int cmd_trace(struct cmd *c);
int cmd_queue_list(struct cmd *c);
int cmd_queue_show(struct cmd *c);
int cmd_queue_retry(struct cmd *c);
int cmd_queue_hold(struct cmd *c);
int cmd_queue_release(struct cmd *c);
int cmd_queue_drop(struct cmd *c);

/* cmd_logins.c */
int cmd_logins(struct cmd *c);
int cmd_refused(struct cmd *c);

/* cmd_session.c */
int cmd_session_list(struct cmd *c);
int cmd_session_kick(struct cmd *c);

/* cmd_settings.c */
int cmd_settings(struct cmd *c);

/* cmd_provision.c */
int cmd_provision(struct cmd *c);

/* cmd_doctor.c */
int cmd_doctor(struct cmd *c);
int cmd_store_facts(struct cmd *c);

/* cmd_fsck.c */
int cmd_fsck(struct cmd *c);

/* cmd_folder.c */
int cmd_folder_doubles(struct cmd *c);

/* cmd_backup.c */
int cmd_backup(struct cmd *c);
int cmd_check_backup(struct cmd *c);
int cmd_restore(struct cmd *c);
/* cmd_rebuild.c */
int cmd_rebuild(struct cmd *c);

#endif
