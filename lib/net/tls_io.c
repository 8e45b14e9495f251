#include "lib/net/tls_io.h"

#include <string.h>

static int
io_read(BIO *b, char *to, size_t n, size_t *got_out)
{
	struct tls_io *io = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	*got_out = 0;
	if (io == NULL || io->in.n == 0) {
		BIO_set_retry_read(b);
		return 0;
	}
	if (n > io->in.n)
		n = io->in.n;
	memcpy(to, io->in.p, n);
	io->in = slice_from(io->in, n);
	*got_out = n;
	return 1;
}

static int
io_write(BIO *b, const char *from, size_t n, size_t *done_out)
{
	struct tls_io *io = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (io != NULL)
		io->out(io, slice_of(from, n));
	*done_out = n;
	return 1;
}

static long
io_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static int
io_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

BIO_METHOD *
tls_io_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "posthof");

	if (m == NULL)
		return NULL;
	if (BIO_meth_set_read_ex(m, io_read) &&
	    BIO_meth_set_create(m, io_create) &&
	    BIO_meth_set_write_ex(m, io_write) && BIO_meth_set_ctrl(m, io_ctrl))
		return m;
	BIO_meth_free(m);
	return NULL;
}
