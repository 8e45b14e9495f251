#include "lib/base/num.h"

#include "lib/base/cur.h"

bool
num_parse(struct slice s, uint64_t max, uint64_t *out)
{
	struct cur c;

	cur_init(&c, s);
	return cur_u64(&c, max, out) && cur_end(&c);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool
parse_unit(
    struct slice s, const struct unit *units, size_t count, uint64_t *out)
{
	struct cur c;
	struct slice rest;
	uint64_t v;

	*out = 0;
	cur_init(&c, s);
	if (!cur_u64(&c, UINT64_MAX, &v))
		return false;
	rest = slice_trim(cur_rest(&c));
	for (size_t i = 0; i < count; i++)
		if (slice_ieq_str(rest, units[i].name))
			return num_mul(v, units[i].factor, out);
	return false;
}

bool
num_parse_size(struct slice s, uint64_t *bytes_out)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "K", 1 << 10 },
		{ "KB", 1 << 10 },
		{ "KiB", 1 << 10 },
		{ "M", 1 << 20 },
		{ "MB", 1 << 20 },
		{ "MiB", 1 << 20 },
		{ "G", 1 << 30 },
		{ "GB", 1 << 30 },
		{ "GiB", 1 << 30 },
		{ "T", UINT64_C(1) << 40 },
		{ "TB", UINT64_C(1) << 40 },
		{ "TiB", UINT64_C(1) << 40 },
	};

	return parse_unit(s, units, PH_LEN(units), bytes_out);
}

bool
num_parse_duration(struct slice s, uint64_t *ms_out)
{
	static const struct unit units[] = {
		{ "", 1000 },
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 3600 * 1000 },
		{ "d", 24 * 3600 * 1000 },
		{ "w", 7 * 24 * 3600 * 1000 },
	};

	return parse_unit(s, units, PH_LEN(units), ms_out);
}
