#include "tests/unit/unit.h"

#include "lib/setup/autodiscover.h"

#define NS "http://schemas.microsoft.com/exchange/autodiscover/"
#define WANT                            \
	"<AcceptableResponseSchema>" NS \
	"outlook/responseschema/2006a</AcceptableResponseSchema>"
#define REQ(inner)                                     \
	"<Autodiscover xmlns=\"" NS                    \
	"outlook/requestschema/2006\"><Request>" inner \
	"</Request></Autodiscover>"

/* [MS-OXDSCLI] 4.1 first, as Outlook sends it. */
static const struct {
	const char *in, *address;
	bool outlook;
} cases[] = {
	{ "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
	  "<Autodiscover xmlns=\"" NS "outlook/requestschema/2006\">\r\n"
	  "  <Request>\r\n    <EMailAddress>a@b.example</EMailAddress>\r\n"
	  "    " WANT "\r\n  </Request>\r\n</Autodiscover>\r\n",
	    "a@b.example", true },
	{ "\xef\xbb\xbf" REQ(WANT "<EMailAddress>a&amp;b@c</EMailAddress>"),
	    "a&b@c", true },
	{ REQ("<EMailAddress> <![CDATA[a@b]]> </EMailAddress>" WANT), "a@b",
	    true },
	{ REQ("<EMailAddress>&#97;&#x40;b</EMailAddress>" WANT), "a@b", true },
	{ REQ("<LegacyDN/><EMailAddress>a@b</EMailAddress>"), "a@b", true },
	{ REQ("<EMailAddress>a@b</EMailAddress>"
	      "<AcceptableResponseSchema>" NS
	      "mobilesync/responseschema/2006</AcceptableResponseSchema>"),
	    "a@b", false },
	{ "<x:Autodiscover xmlns:x='u'><!-- c --><x:Request a = \"1\" >"
	  "<x:EMailAddress>a@b</x:EMailAddress></x:Request>"
	  "</x:Autodiscover>",
	    "a@b", true },
	/* refused */
	{ "", NULL, false },
	{ "<Autodiscover/>", NULL, false },
	{ REQ(WANT), NULL, false },
	{ REQ("<EMailAddress></EMailAddress>"), NULL, false },
	{ REQ("<EMailAddress>a@b</EMailAddress>"
	      "<EMailAddress>c@d</EMailAddress>"),
	    NULL, false },
	{ "<Request><EMailAddress>a@b</EMailAddress></Request>", NULL, false },
	{ "<!DOCTYPE a [<!ENTITY e \"x\">]>" REQ(
	      "<EMailAddress>a@b</EMailAddress>"),
	    NULL, false },
	{ REQ("<EMailAddress>&e;</EMailAddress>"), NULL, false },
	{ REQ("<EMailAddress>&#0;@b</EMailAddress>"), NULL, false },
	{ REQ("<EMailAddress>&#xd800;@b</EMailAddress>"), NULL, false },
	{ REQ("<EMailAddress>\xff@b</EMailAddress>"), NULL, false },
	{ REQ("<EMailAddress>a@b</EMailAddres>"), NULL, false },
	{ REQ("<EMailAddress>a@b</EMailAddress>") "<a/>", NULL, false },
	{ REQ("<EMailAddress>a@b</EMailAddress>") "x", NULL, false },
	{ REQ("<a b></a><EMailAddress>a@b</EMailAddress>"), NULL, false },
	{ REQ("<a b='<'></a><EMailAddress>a@b</EMailAddress>"), NULL, false },
	{ "GET / HTTP/1.1", NULL, false },
};

static void
requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct autodiscover ad;
		bool ok = autodiscover_read(slice_str(cases[i].in), &ad);

		assert_int_equal(ok, cases[i].address != NULL);
		if (!ok)
			continue;
		assert_string_equal(ad.address, cases[i].address);
		assert_int_equal(ad.outlook, cases[i].outlook);
	}
}

/* Every prefix is refused, in a block of exact size. */
static void
prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice all = slice_trim(slice_str(cases[i].in));

		for (size_t n = 0; n < all.n; n++) {
			struct autodiscover ad;
			char *p = slice_dup(slice_sub(all, 0, n));
			bool ok = autodiscover_read(slice_of(p, n), &ad);

			/* But for what is too much at the end. */
			if (cases[i].address != NULL)
				assert_false(ok);
			free(p);
		}
	}
}

/* Deep nesting and long texts end at their caps. */
static void
bombs(void **state)
{
	struct autodiscover ad;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < 10000; i++)
		buf_add_str(&b, "<a>");
	assert_false(autodiscover_read(buf_slice(&b), &ad));
	buf_clear(&b);
	buf_add_str(&b, "<Autodiscover><Request><EMailAddress>");
	for (size_t i = 0; i < 10000; i++)
		buf_add_str(&b, "&amp;");
	buf_add_str(&b, "</EMailAddress></Request></Autodiscover>");
	assert_false(autodiscover_read(buf_slice(&b), &ad));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
