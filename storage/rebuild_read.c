#include "storage/rebuild_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/note_read.h"
#include "storage/segment_file.h"
#include "storage/segment_scan.h"

/* A segment while it is read. */
struct reading {
	struct rebuild *r;
	uint32_t number, count;
};

#define GROW(r, list)                                                        \
	((r)->list = mem_grow(                                               \
	     (r)->list, &(r)->cap_##list, (r)->n##list, sizeof(*(r)->list)), \
	    &(r)->list[(r)->n##list++])

static void
take_body(struct reading *g, const struct seg_found *f)
{
	struct body_loc *b = GROW(g->r, bodies);

	*b = (struct body_loc){ .id = f->rec.id,
		.segment = g->number,
		.offset = f->offset,
		.length = f->rec.length,
		.crc = f->rec.crc };
	if (f->rec.id >> 32 == g->number && (uint32_t)f->rec.id > g->count)
		g->count = (uint32_t)f->rec.id;
}

static void
tell(struct rebuild *r, const struct seg_found *f, const struct note *n,
    uint8_t tag, struct slice name)
{
	struct rb_told *t = GROW(r, tells);

	*t = (struct rb_told){ .id = f->rec.id,
		.folder = n->folder,
		.account = n->account,
		.use = n->use,
		.uidvalidity = (uint32_t)n->uidvalidity,
		.tag = tag,
		.name = arena_copy(&r->arena, name),
		.account_name = arena_copy(&r->arena, n->account_name) };
}

static void
take_place(struct rebuild *r, const struct seg_found *f, const struct note *n)
{
	struct rb_place *p = GROW(r, places);

	*p = (struct rb_place){ .account = n->account,
		.folder = n->folder,
		.modseq = n->modseq,
		.msgid = n->msgid,
		.body = n->body,
		.keywords = n->keywords,
		.uid = (uint32_t)n->uid,
		.flags = (uint32_t)n->flags,
		.internal_date = n->internal_date,
		.save_date = n->save_date,
		.prefix = arena_copy(&r->arena, n->prefix),
		.uidl = arena_copy(&r->arena, n->uidl) };
	/* The first of a folder says its names, where nothing else does. */
	if (r->nplaces == 1 || p[-1].folder != p->folder)
		tell(r, f, n, TAG_PLACE, n->folder_name);
}

struct changing {
	struct rebuild *r;
	const struct note *n;
};

static bool
take_uid(const struct note_uid *u, void *arg)
{
	struct changing *g = arg;
	struct rb_change *c = GROW(g->r, changes);

	*c = (struct rb_change){ .folder = g->n->folder,
		.modseq = g->n->modseq,
		.state = u->state,
		.uid = u->uid,
		.gone = u->gone };
	return true;
}

static void
take_change(struct rebuild *r, const struct seg_found *f, const struct note *n)
{
	struct changing g = { r, n };

	if (!note_each_uid(n, take_uid, &g))
		log_warn(NULL, "rebuild", "note=%llx damaged=1",
		    (unsigned long long)f->rec.id);
	if (n->made.p != NULL)
		tell(r, f, n, TAG_MADE, n->made);
	if (n->renamed.p != NULL)
		tell(r, f, n, TAG_RENAMED, n->renamed);
	if (n->deleted.p != NULL)
		tell(r, f, n, TAG_DELETED, SLICE(""));
	if (n->keyword.n > 1)
		tell(r, f, n, TAG_KEYWORD, n->keyword);
}

static int
take_record(const struct seg_found *f, void *arg)
{
	struct reading *g = arg;
	struct note n;

	if (f->rec.kind == REC_BODY)
		take_body(g, f);
	else if (!note_decode(f->desc, &n))
		log_warn(NULL, "rebuild", "note=%llx damaged=1",
		    (unsigned long long)f->rec.id);
	else if (f->rec.kind == REC_PLACE)
		take_place(g->r, f, &n);
	else
		take_change(g->r, f, &n);
	return 0;
}

static int
read_file(struct rebuild *r, uint32_t number, int fd)
{
	struct reading g = { .r = r, .number = number };
	struct seg_scan_result res;
	uint8_t head[SEG_HEAD_USED];
	struct rb_segment *s;
	uint64_t high;
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	high = (uint64_t)st.st_size;
	if (pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	    seg_head_decode(head, number, &high) && high > (uint64_t)st.st_size)
		high = (uint64_t)st.st_size;
	rc = segment_scan(fd, SEG_HEADER, high, take_record, &g, &res);
	if (rc != 0)
		return rc;
	s = GROW(r, segs);
	*s = (struct rb_segment){ number, g.count,
		res.clean ? res.end : seg_align(high) };
	return 0;
}

static int
read_named(struct rebuild *r, const char *dir, const char *name)
{
	char back[SEGMENT_NAME_BYTES], *end, *path;
	uint32_t number = (uint32_t)strtoul(name, &end, 16);
	int fd, rc = 0;

	segment_name(number, back);
	if (!slice_eq(slice_str(back), slice_str(name)))
		return 0;
	path = xasprintf("%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return err_from_errno(errno);
	rc = read_file(r, number, fd);
	close(fd);
	return rc;
}

#define CMP(x, y, field)              \
	if ((x)->field != (y)->field) \
	return (x)->field < (y)->field ? -1 : 1

static int
cmp_place(const void *a, const void *b)
{
	const struct rb_place *x = a, *y = b;

	CMP(x, y, folder);
	CMP(x, y, uid);
	CMP(x, y, modseq);
	return 0;
}

static int
cmp_change(const void *a, const void *b)
{
	const struct rb_change *x = a, *y = b;

	CMP(x, y, folder);
	CMP(x, y, uid);
	CMP(x, y, modseq);
	return 0;
}

static int
cmp_told(const void *a, const void *b)
{
	const struct rb_told *x = a, *y = b;

	CMP(x, y, folder);
	CMP(x, y, id);
	return 0;
}

static int
cmp_body(const void *a, const void *b)
{
	const struct body_loc *x = a, *y = b;

	CMP(x, y, id);
	CMP(x, y, segment);
	return 0;
}

static void
sort(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	if (n > 1)
		qsort(v, n, size, cmp);
}

int
rebuild_read(struct rebuild *r)
{
	char *dir = xasprintf("%s/mail", r->s->conf.state_dir);
	DIR *d = opendir(dir);
	struct dirent *ent;
	int rc = d == NULL ? err_from_errno(errno) : 0;

	while (d != NULL && rc == 0 && (ent = readdir(d)) != NULL)
		rc = read_named(r, dir, ent->d_name);
	if (d != NULL)
		closedir(d);
	free(dir);
	sort(r->places, r->nplaces, sizeof(*r->places), cmp_place);
	sort(r->changes, r->nchanges, sizeof(*r->changes), cmp_change);
	sort(r->tells, r->ntells, sizeof(*r->tells), cmp_told);
	sort(r->bodies, r->nbodies, sizeof(*r->bodies), cmp_body);
	return rc;
}

void
rebuild_free(struct rebuild *r)
{
	free(r->places);
	free(r->changes);
	free(r->tells);
	free(r->bodies);
	free(r->segs);
	arena_clear(&r->arena);
}

struct body_loc *
rebuild_body(struct rebuild *r, uint64_t id)
{
	size_t lo = 0, hi = r->nbodies;

	/* The last of this id: where it was moved to. */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->bodies[mid].id <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && r->bodies[lo - 1].id == id ? &r->bodies[lo - 1] : NULL;
}
