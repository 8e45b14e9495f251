#include "storage/tables.h"

/* keep_pages where keys come again. */
const struct db_table_def store_tables[T_COUNT] = {
	[T_META] = { "meta", true },
	[T_PACKAGE] = { "package", true },
	[T_DOMAIN] = { "domain", true },
	[T_ACCOUNT] = { "account", true },
	[T_ACCOUNT_ID] = { "account_id", false },
	[T_ADDRESS] = { "address", true },
	[T_ADDRESS_OF] = { "address_of", true },
	[T_USAGE] = { "usage", true },
	[T_FOLDER_NAME] = { "folder_name", true },
	[T_FOLDER] = { "folder", true },
	[T_KEYWORD] = { "keyword", false },
	[T_HOT] = { "hot", false },
	[T_ENTRY] = { "entry", false },
	[T_GONE] = { "gone", false },
	[T_MESSAGE] = { "message", false },
	[T_BODY] = { "body", false },
	[T_SEGMENT] = { "segment", false },
	[T_QUEUE] = { "queue", false },
	[T_QUEUE_DUE] = { "queue_due", false },
	[T_EVENT] = { "event", false },
	[T_INTENT] = { "intent", true },
	[T_DEVICE] = { "device", true },
	[T_FETCHED] = { "fetched", false },
	[T_WARNED] = { "warned", true },
};
