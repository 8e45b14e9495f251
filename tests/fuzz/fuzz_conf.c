/*
 * fuzz_conf.c - posthof.conf of any bytes: an answer, never a crash, and a
 * configuration only when no mistake was told.
 */
#include "lib/base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf;
	struct buf errors;
	int rc;

	buf_init(&errors, 1 << 20);
	rc = conf_parse("f", slice_of(data, size), &conf, &errors);
	ph_assert((rc == 0) == (conf != NULL));
	ph_assert((rc == 0) == (buf_len(&errors) == 0));
	conf_free(&conf);
	buf_fini(&errors);
	return 0;
}
