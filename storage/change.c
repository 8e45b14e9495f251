#include "storage/change.h"

#include "storage/acl.h"
#include "storage/hot.h"
#include "storage/image.h"

/* More runs than an event can name. */
static const uint32_t too_many = UINT32_MAX;

void
change_begin(struct notify_event *ev, uint64_t account, uint64_t folder,
    uint64_t modseq_from, uint64_t modseq_to)
{
	*ev = (struct notify_event){ .kind = NOTIFY_FOLDER,
		.account = account,
		.folder = folder,
		.modseq_from = modseq_from,
		.modseq_to = modseq_to };
}

void
change_uid(struct notify_event *ev, uint32_t uid)
{
	uint32_t run = hot_run_of(uid);

	if (ev->nruns == too_many)
		return;
	for (uint32_t i = ev->nruns; i-- > 0;)
		if (ev->runs[i] == run)
			return;
	if (ev->nruns == NOTIFY_RUNS_MAX)
		ev->nruns = too_many;
	else
		ev->runs[ev->nruns++] = run;
}

void
change_publish(struct store *s, struct notify_event *ev)
{
	if (ev->nruns == too_many)
		ev->nruns = 0;
	images_stale(s, ev);
	notify_add(s, ev);
}

void
change_folders(struct store *s, uint64_t account)
{
	struct notify_event ev = { .kind = NOTIFY_FOLDERS, .account = account };

	notify_add(s, &ev);
}

void
change_rights(struct store *s, uint64_t account, uint64_t folder)
{
	struct notify_event ev = {
		.kind = NOTIFY_RIGHTS, .account = account, .folder = folder
	};

	acl_changed(s);
	notify_add(s, &ev);
}

void
change_metadata(
    struct store *s, uint64_t account, uint64_t folder, struct slice entry)
{
	struct notify_event ev = {
		.kind = NOTIFY_METADATA, .account = account, .folder = folder
	};

	(void)slice_copy(entry, ev.entry, sizeof(ev.entry));
	notify_add(s, &ev);
}
