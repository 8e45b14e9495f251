#include "lib/base/siphash.h"

#include "lib/base/map.h"

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t
rotl(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
rounds(struct sip *s, unsigned n)
{
	while (n-- != 0) {
		s->a += s->b;
		s->b = rotl(s->b, 13) ^ s->a;
		s->a = rotl(s->a, 32);
		s->c += s->d;
		s->d = rotl(s->d, 16) ^ s->c;
		s->a += s->d;
		s->d = rotl(s->d, 21) ^ s->a;
		s->c += s->b;
		s->b = rotl(s->b, 17) ^ s->c;
		s->c = rotl(s->c, 32);
	}
}

static void
take(struct sip *s, uint64_t word)
{
	s->d ^= word;
	rounds(s, 2);
	s->a ^= word;
}

static uint64_t
little(const char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- != 0)
		v = v << 8 | (unsigned char)p[n];
	return v;
}

uint64_t
siphash_key(struct slice in, uint64_t k0, uint64_t k1)
{
	struct sip s = { k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573) };
	uint64_t last = (uint64_t)in.n << 56;

	for (; in.n >= 8; in = slice_from(in, 8))
		take(&s, little(in.p, 8));
	take(&s, last | little(in.p, in.n));
	s.c ^= 0xff;
	rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t
siphash(struct slice s)
{
	uint64_t seed = map_seed();

	return siphash_key(s, seed, seed * UINT64_C(0x9e3779b97f4a7c15));
}
