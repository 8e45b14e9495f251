#include "admin/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

enum { HEAD = 5, WAIT_SEC = 30, PIECE = 64 << 10 };

bool
ctl_address(const char *run_dir, const char *name, struct sockaddr_un *out)
{
	char *path = xasprintf("%s/%s", run_dir, name);
	bool fits;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	fits =
	    slice_copy(slice_str(path), out->sun_path, sizeof(out->sun_path));
	free(path);
	return fits;
}

int
ctl_listen(
    const char *run_dir, const char *name, int type, int backlog, struct err *e)
{
	struct sockaddr_un sa;
	mode_t mask;
	int fd, bad;

	if (!ctl_address(run_dir, name, &sa))
		return err_set(e, ERR_TOOBIG, "run-dir is too long");
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	(void)unlink(sa.sun_path);
	mask = umask(0177);
	bad = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	      listen(fd, backlog) != 0;
	(void)umask(mask);
	if (!bad)
		return fd;
	(void)err_set(
	    e, ERR_IO, "cannot listen at %s: %s", sa.sun_path, strerror(errno));
	close(fd);
	return ERR_IO;
}

bool
ctl_may_ask(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static int
send_all(int fd, const char *p, size_t n)
{
	while (n != 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return ERR_CLOSED;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int
recv_all(int fd, void *to, size_t n)
{
	char *p = to;

	while (n != 0) {
		ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return ERR_TIMEOUT;
		if (got <= 0)
			return ERR_CLOSED;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int
recv_head(int fd, char *kind_out, uint32_t *n_out)
{
	char head[HEAD];
	int rc = recv_all(fd, head, sizeof(head));

	*kind_out = rc == 0 ? head[0] : '\0';
	*n_out = rc == 0 ? num_get32(head + 1) : 0;
	return rc;
}

int
ctl_send(int fd, char kind, struct slice bytes)
{
	char head[HEAD] = { kind };
	int rc;

	num_put32(head + 1, (uint32_t)bytes.n);
	if ((rc = send_all(fd, head, sizeof(head))) != 0)
		return rc;
	return send_all(fd, bytes.p, bytes.n);
}

static int
read_word(int fd, struct ctl_request *r, size_t n)
{
	char *word;
	int rc;

	if (n > CTL_WORD_MAX || r->nwords == PH_LEN(r->words))
		return ERR_TOOBIG;
	word = xcalloc(n + 1, 1);
	r->words[r->nwords++] = word;
	if ((rc = recv_all(fd, word, n)) != 0)
		return rc;
	return slice_chr(slice_of(word, n), '\0') == n ? 0 : ERR_INVALID;
}

static int
read_input(int fd, struct ctl_request *r, size_t n)
{
	char *to;

	if (n > PIECE || (to = buf_reserve(&r->input, n)) == NULL)
		return ERR_TOOBIG;
	buf_advance(&r->input, n);
	return recv_all(fd, to, n);
}

int
ctl_read(int fd, struct ctl_request *r)
{
	const struct timeval wait = { .tv_sec = WAIT_SEC };
	char kind = '\0';
	uint32_t n;
	int rc;

	*r = (struct ctl_request){ 0 };
	buf_init(&r->input, CMD_INPUT_MAX);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	while ((rc = recv_head(fd, &kind, &n)) == 0 && kind != 'G') {
		if (kind == 'A')
			rc = read_word(fd, r, n);
		else if (kind == 'I')
			rc = read_input(fd, r, n);
		else
			rc = ERR_INVALID;
		if (rc != 0)
			break;
	}
	return rc;
}

void
ctl_request_fini(struct ctl_request *r)
{
	for (size_t i = 0; i < r->nwords; i++)
		free(r->words[i]);
	if (r->input.p != NULL)
		mem_wipe(r->input.p, r->input.cap);
	buf_fini(&r->input);
	r->nwords = 0;
}

int
ctl_dial(const char *run_dir, int *fd_out, struct err *e)
{
	struct sockaddr_un sa;
	int fd, errnum;

	if (!ctl_address(run_dir, CTL_KEEPER, &sa))
		return err_set(e, ERR_TOOBIG, "run-dir is too long");
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*fd_out = fd;
		return 0;
	}
	errnum = errno;
	close(fd);
	if (errnum == EACCES)
		return err_set(e, ERR_DENIED,
		    "%s may be used by root and the daemons' user only",
		    sa.sun_path);
	return err_set(e, ERR_NOTFOUND, "the host is not running");
}

static int
send_request(int fd, size_t argc, const char *const *argv, struct slice input)
{
	int rc = 0;

	for (size_t i = 0; i < argc && rc == 0; i++)
		rc = ctl_send(fd, 'A', slice_str(argv[i]));
	while (input.n != 0 && rc == 0) {
		struct slice piece = slice_sub(input, 0, PIECE);

		rc = ctl_send(fd, 'I', piece);
		input = slice_from(input, piece.n);
	}
	return rc != 0 ? rc : ctl_send(fd, 'G', SLICE(""));
}

int
ctl_ask(int fd, size_t argc, const char *const *argv, struct slice input,
    void (*sink)(void *arg, enum out_stream stream, struct slice bytes),
    void *arg, int *status_out, struct err *e)
{
	struct buf bytes;
	char kind = '\0', *to;
	uint32_t n;
	int rc = send_request(fd, argc, argv, input);

	buf_init(&bytes, CMD_INPUT_MAX * 4U);
	while (rc == 0 && kind != 'X' && (rc = recv_head(fd, &kind, &n)) == 0) {
		buf_clear(&bytes);
		if ((to = buf_reserve(&bytes, n + 1U)) == NULL ||
		    recv_all(fd, to, n) != 0) {
			rc = ERR_CLOSED;
		} else if (kind == 'X') {
			*status_out = n == 1 ? to[0] : CMD_REFUSED;
		} else {
			sink(arg, kind == 'E' ? OUT_STDERR : OUT_STDOUT,
			    slice_of(to, n));
		}
	}
	buf_fini(&bytes);
	if (rc != 0)
		return err_set(e, ERR_CLOSED,
		    "the host went away during the command; see whether it "
		    "was done and try again");
	return 0;
}
