# Posthof.  `make help` says what there is.

B ?= build
CC = gcc
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
JOBS ?= $(shell nproc)
PYTHON = python3

CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDEN = -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
LDHARDEN = -pie -Wl,-z,relro,-z,now
ifneq ($(SAN),)
# Fortify and sanitizers do not mix; with them gcc 12 sees null formats.
HARDEN = -fPIE -fno-omit-frame-pointer
WARN += -Wno-format-truncation -Wno-format-overflow
endif
# Hidden, so that no library finds a function of ours in place of its own:
# libunbound calls libevent's event_add().
ALL_CFLAGS = -std=gnu17 -fvisibility=hidden $(WARN) $(HARDEN) -pthread $(CFLAGS) $(SAN)
LDLIBS = -Wl,--as-needed -ldb -lsasl2 -luv -lssl -lcrypto -lconfuse -ljansson -lunbound -lz \
	-lunistring -lidn2 -lcrypt -largon2 -lnettle -lmicrohttpd -pthread

# Layers, lowest first; a folder may use only those before it (see lint).
LAYERS = lib/base lib/crypt lib/mail lib/setup lib/db lib/net storage auth \
	lib/daemon imapd pop3d submitd webd admin
PROGRAMS = posthof imapd pop3d submitd webd

srcs = $(wildcard $(1)/*.c)
objs = $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(call srcs,$(1))))
arch = $(B)/$(subst /,_,$(1)).a

# Archives in link order: the highest layer first.
DAEMON_LIBS = lib/daemon auth storage lib/net lib/db lib/mail lib/crypt lib/base
imapd_LIBS = imapd $(DAEMON_LIBS)
pop3d_LIBS = pop3d $(DAEMON_LIBS)
submitd_LIBS = submitd $(DAEMON_LIBS)
webd_LIBS = webd lib/setup auth storage lib/db lib/mail lib/crypt lib/base
posthof_LIBS = admin lib/setup auth storage lib/db lib/mail lib/crypt lib/base
posthof_DIR = admin
imapd_DIR = imapd
pop3d_DIR = pop3d
submitd_DIR = submitd
webd_DIR = webd

.PHONY: all
all: $(addprefix $(B)/,$(PROGRAMS)) ## build the programs

define program
$(B)/$(1): $(B)/obj/$($(1)_DIR)/main.o $(foreach l,$($(1)_LIBS),$(call arch,$(l)))
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	@$$(CC) $$(ALL_CFLAGS) $$(LDHARDEN) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

define layer
$(call arch,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/unit/test_X.c is linked with the layer that holds X.c and
# those below it, so that a test shows what its module really needs.
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
libs_of_lib/base = lib/base
libs_of_lib/crypt = lib/crypt lib/base
libs_of_lib/mail = lib/mail lib/base
libs_of_lib/setup = lib/setup lib/crypt lib/base
libs_of_lib/db = lib/db lib/base
libs_of_lib/net = lib/net lib/crypt lib/base
libs_of_storage = storage lib/db lib/mail lib/crypt lib/base
libs_of_auth = auth storage lib/db lib/mail lib/crypt lib/base
libs_of_lib/daemon = $(DAEMON_LIBS)
libs_of_imapd = $(imapd_LIBS)
libs_of_pop3d = $(pop3d_LIBS)
libs_of_submitd = $(submitd_LIBS)
libs_of_webd = $(webd_LIBS)
libs_of_admin = $(posthof_LIBS)
# The layer of tests/unit/test_X.c: where X.c is.
# Where two layers have an X.c, test_LAYER_X says which: test_pop3d_parse.
layer_of = $(firstword $(foreach l,$(LAYERS),$(if $(wildcard $(l)/$(patsubst $(subst /,_,$(l))_%,%,$(1)).c),$(l))))

define unit
$(B)/tests/unit/test_$(1): $(B)/obj/tests/unit/test_$(1).o $(foreach l,$(libs_of_$(call layer_of,$(1))),$(call arch,$(l)))
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	@$$(CC) $$(ALL_CFLAGS) $$(LDHARDEN) -o $$@ $$^ -lcmocka $$(LDLIBS)
endef
$(foreach t,$(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c)),$(eval $(call unit,$(t))))

# Fuzzers: tests/fuzz/fuzz_X.c feeds one grammar from one buffer.  Linked with
# replay.c it runs its corpus, which is a test; `make fuzz` makes new inputs.
FUZZ_NAMES = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ = $(addprefix $(B)/tests/fuzz/fuzz_,$(FUZZ_NAMES))
ifneq ($(LIBFUZZER),)
FUZZ_MAIN =
FUZZ_LINK = -fsanitize=fuzzer
else
FUZZ_MAIN = $(B)/obj/tests/fuzz/replay.o
endif

define fuzz
$(B)/tests/fuzz/fuzz_$(1): $(B)/obj/tests/fuzz/fuzz_$(1).o $(FUZZ_MAIN) $(foreach l,$(libs_of_$(call layer_of,$(1))),$(call arch,$(l)))
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	@$$(CC) $$(ALL_CFLAGS) $$(LDHARDEN) $$(FUZZ_LINK) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach t,$(FUZZ_NAMES),$(eval $(call fuzz,$(t))))

-include $(shell find $(B)/obj -name '*.d' -type f 2>/dev/null)

SUB = $(MAKE) --no-print-directory -j$(JOBS)
RUNTESTS = $(PYTHON) tools/runtests --build $(B) --jobs $(JOBS)

.PHONY: run
run: deps ## build, make a host in run/, print its settings, serve
	@$(SUB) all
	@tools/run $(B)

.PHONY: check
check: test-deps ## lint and every test; ends with "N passed, N failed"
	@$(SUB) -k all tests || echo "the build failed; what needs it will fail"
	@$(RUNTESTS) lint clients crash proto stress unit fuzz

.PHONY: tests
tests: $(UNIT) $(FUZZ) ## build the unit tests and the corpus runners

.PHONY: unit
unit: ## build and run the unit tests
	@$(SUB) -k tests || true
	@$(RUNTESTS) unit fuzz

.PHONY: lint
lint: ## layers, banned calls, sizes, format, clang-tidy, cppcheck
	@$(RUNTESTS) lint

.PHONY: proto
proto: ## transcripts over real daemons
	@$(SUB) all
	@$(RUNTESTS) proto

.PHONY: clients
clients: ## real clients against a real host
	@$(SUB) all
	@$(RUNTESTS) clients

.PHONY: stress
stress: ## a minute of random commands by 20 IMAP clients, against a model
	@$(SUB) all
	@POSTHOF_LONG=1 $(RUNTESTS) stress

.PHONY: crash
crash: ## kill -9, full disks and damaged files, for long
	@$(SUB) all
	@POSTHOF_LONG=1 $(RUNTESTS) crash

.PHONY: asan
asan: ## everything under AddressSanitizer and UBSan in build-asan
	@$(SUB) -k B=build-asan SAN="-fsanitize=address,undefined" all tests || true
	@$(MAKE) --no-print-directory B=build-asan sanitized

.PHONY: tsan
tsan: ## everything under ThreadSanitizer in build-tsan
	@$(SUB) -k B=build-tsan SAN="-fsanitize=thread -Wno-tsan" all tests || true
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp" \
	    $(MAKE) --no-print-directory B=build-tsan sanitized

.PHONY: sanitized
sanitized:
	@$(RUNTESTS) unit fuzz proto

.PHONY: fuzz
FUZZ_SEC ?= 60
fuzz: ## FUZZ_SEC seconds of new inputs for every grammar (needs clang)
	@$(SUB) B=build-fuzz CC=clang LIBFUZZER=1 WARN=-w HARDEN=-fPIE \
	    SAN="-fsanitize=address,undefined,fuzzer-no-link" \
	    $(addprefix build-fuzz/tests/fuzz/fuzz_,$(FUZZ_NAMES))
	@tools/fuzz build-fuzz $(FUZZ_SEC) $(FUZZ_NAMES)

.PHONY: bench
bench: ## figures: CPU and memory per operation (BENCH="imap select")
	@$(SUB) all
	@POSTHOF_BIN=$(abspath $(B)) tests/bench/run $(BENCH)

.PHONY: bench-peers
bench-peers: ## figures beside Dovecot's and Cyrus's, in one run (as root)
	@$(SUB) all
	@tools/deps build test
	@tools/mtas $(B)/mtas dovecot cyrus
	@POSTHOF_BIN=$(abspath $(B)) tests/bench/peers.py $(BENCH)

.PHONY: deps
deps: ## install the Debian packages the build needs
	@tools/deps build

.PHONY: test-deps
test-deps: ## install the Debian packages the tests need as well
	@tools/deps build test
	@tools/npm $(B)/npm
	@tools/corpus $(B)/corpus
	@tools/mtas $(B)/mtas

MAN = $(foreach n,1 5 8,$(wildcard */*.$(n) lib/*/*.$(n)))

.PHONY: install
install: all ## install under DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/posthof
	install -m 755 $(B)/posthof $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(B)/imapd $(B)/pop3d $(B)/submitd \
	    $(B)/webd $(DESTDIR)$(PREFIX)/libexec/posthof/
	@for m in $(MAN); do \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; \
		install -d $$d && install -m 644 $$m $$d/ || exit 1; \
	done
	install -d $(addprefix $(DESTDIR)$(PREFIX)/lib/,systemd/system \
	    sysusers.d tmpfiles.d)
	install -m 644 etc/systemd/posthof.sysusers \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/posthof.conf
	install -m 644 etc/systemd/posthof.tmpfiles \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/posthof.conf
	sed 's,@PREFIX@,$(PREFIX),g; s,@SYSCONFDIR@,$(SYSCONFDIR),g' \
	    etc/systemd/posthof.service.in \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/posthof.service
	install -d $(DESTDIR)$(SYSCONFDIR)/posthof
	$(B)/posthof sample-config > $(DESTDIR)$(SYSCONFDIR)/posthof/posthof.conf.sample

.PHONY: format
format: ## put every file into the house form
	@git ls-files '*.c' '*.h' | xargs clang-format -i

.PHONY: rfc
rfc: ## where each decision of a standard is cited
	@tools/rfc

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: clean
clean: ## remove what was built
	rm -rf build build-asan build-tsan build-fuzz $(B)
