#include "storage/tables.h"

/* Small pages where many write few rows; keep_pages where keys come again. */
const struct db_table_def store_tables[T_COUNT] = {
	[T_META] = { "meta", 4096, true },
	[T_PACKAGE] = { "package", 4096, true },
	[T_DOMAIN] = { "domain", 4096, true },
	[T_ACCOUNT] = { "account", 4096, true },
	[T_ACCOUNT_ID] = { "account_id", 4096, false },
	[T_ADDRESS] = { "address", 4096, true },
	[T_ADDRESS_OF] = { "address_of", 4096, true },
	[T_USAGE] = { "usage", 512, true },
	[T_FOLDER_NAME] = { "folder_name", 4096, true },
	[T_FOLDER] = { "folder", 512, true },
	[T_KEYWORD] = { "keyword", 4096, false },
	[T_HOT] = { "hot", 4096, false },
	[T_ENTRY] = { "entry", 4096, false },
	[T_GONE] = { "gone", 4096, false },
	[T_MESSAGE] = { "message", 4096, false },
	[T_BODY] = { "body", 4096, false },
	[T_SEGMENT] = { "segment", 512, false },
	[T_QUEUE] = { "queue", 4096, false },
	[T_QUEUE_DUE] = { "queue_due", 4096, false },
	[T_EVENT] = { "event", 4096, false },
	[T_INTENT] = { "intent", 4096, true },
	[T_DEVICE] = { "device", 4096, true },
	[T_FETCHED] = { "fetched", 4096, false },
	[T_WARNED] = { "warned", 4096, true },
};
