#include "lib/base/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"

union aux {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
};

int
control_read(int from, struct control_msg *out)
{
	union aux aux;
	struct iovec iov = { out->p, sizeof(out->p) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = aux.bytes,
		.msg_controllen = sizeof(aux.bytes) };
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	for (size_t i = 0; i < CONTROL_FDS; i++)
		out->fds[i] = -1;
	out->n = n > 0 ? (size_t)n : 0;
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len <= CMSG_LEN(sizeof(out->fds)))
		memcpy(out->fds, CMSG_DATA(h), h->cmsg_len - CMSG_LEN(0));
	if (n > 0)
		return 0;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return ERR_BUSY;
	return n == 0 ? ERR_CLOSED : ERR_IO;
}

void
control_done(struct control_msg *m)
{
	for (size_t i = 0; i < CONTROL_FDS; i++) {
		if (m->fds[i] >= 0)
			close(m->fds[i]);
		m->fds[i] = -1;
	}
}

bool
control_say(int to, const void *p, size_t n, const int *fds, size_t nfds)
{
	union aux aux = { 0 };
	struct iovec iov = { (void *)p, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;

	if (nfds != 0) {
		m.msg_control = aux.bytes;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, nfds * sizeof(int));
	}
	if (sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno != EAGAIN)
		log_warn(NULL, "control", "errno=%d", errno);
	return false;
}
