/*
 * fuzz_answer.c - requests to webd: a line each for method, path, Host,
 * emailaddress, lang, Accept-Language, then the body.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "webd/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: the host does not change. */
static const struct answer_host *
the_host(void)
{
	static struct domains domains;
	static struct answer_host host;
	struct conf *conf = NULL;
	struct buf errors;
	int fd;

	if (host.conf != NULL)
		return &host;
	buf_init(&errors, 4096);
	ph_assert(conf_parse("t", SLICE("hostname = \"h.example\"\n"), &conf,
		      &errors) == 0);
	buf_fini(&errors);
	domains_init(&domains);
	fd = file_sealed("domains", SLICE("k.ex\nxn--mller-kva.example\n"));
	ph_assert(fd >= 0 && domains_read(&domains, fd) == 0);
	close(fd);
	host = (struct answer_host){ .conf = conf, .domains = &domains };
	return &host;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum answer_method methods[] = { METHOD_GET, METHOD_POST,
		METHOD_OTHER };
	struct slice rest = slice_of(data, size), line[6] = { { NULL, 0 } };
	struct ask a = { .method = METHOD_GET };
	struct answer an;
	char *path;

	for (size_t i = 0; i < PH_LEN(line); i++)
		if (!slice_split(&rest, '\n', &line[i]))
			line[i] = (struct slice){ NULL, 0 };
	if (line[0].n != 0)
		a.method = methods[(unsigned char)line[0].p[0] % 3];
	path = slice_dup(line[1]); /* libmicrohttpd's ends at a NUL */
	a.path = slice_str(path);
	a.host = line[2];
	a.address = line[3];
	a.lang = line[4];
	a.accept_language = line[5];
	a.body = rest;
	answer_make(the_host(), &a, &an);
	ph_assert(an.status >= 200 && an.type != NULL);
	ph_assert(utf8_valid(buf_slice(&an.body)) && !buf_failed(&an.body));
	buf_fini(&an.body);
	free(path);
	return 0;
}
