/*
 * tables.h - the tables of the index, in the one order in which a transaction
 * may touch them (FORMAT "Order").  For storage/ only.
 */
#ifndef STORAGE_TABLES_H
#define STORAGE_TABLES_H

#include "lib/db/db.h"

enum table {
	T_META,
	T_PACKAGE,
	T_DOMAIN,
	T_ACCOUNT,
	T_ACCOUNT_ID,
	T_ADDRESS,
	T_ADDRESS_OF,
	T_POLICY,
	T_KNOWN,
	T_SENDING,
	T_USAGE,
	T_FOLDER_NAME,
	T_FOLDER,
	T_KEYWORD,
	T_ACL,
	T_SHARED,
	T_METADATA,
	T_HOT,
	T_TRASH,
	T_ENTRY,
	T_UIDL,
	T_GONE,
	T_MESSAGE,
	T_BODY,
	T_SEGMENT,
	T_QUEUE,
	T_QUEUE_DUE,
	T_EVENT,
	T_INTENT,
	T_DEVICE,
	T_FETCHED,
	T_WARNED,
	T_SENT,
	T_FATE,
	T_BOX,
	T_COUNT
};

extern const struct db_table_def store_tables[T_COUNT];

#endif
