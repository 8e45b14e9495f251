# Posthof.  `make help` says what there is.

B ?= build
CC = gcc
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

PKGS = openssl libuv libconfuse jansson libunbound libsasl2
CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDEN = -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
LDHARDEN = -pie -Wl,-z,relro,-z,now
ALL_CFLAGS = -std=gnu17 $(WARN) $(HARDEN) -pthread $(CFLAGS) $(SAN)
LDLIBS = -ldb -lsasl2 -luv -lssl -lcrypto -lconfuse -ljansson -lunbound -lz \
	-lunistring -lcrypt -pthread

# Layers, lowest first; a folder may use only those before it (see lint).
LAYERS = lib/base lib/crypt lib/mail lib/db lib/net storage auth lib/daemon \
	imapd pop3d submitd admin
PROGRAMS = posthof imapd pop3d submitd

srcs = $(wildcard $(1)/*.c)
objs = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(call srcs,$(1))))
arch = $(B)/$(subst /,_,$(1)).a

# Archives in link order: the highest layer first.
DAEMON_LIBS = lib/daemon auth storage lib/net lib/db lib/mail lib/crypt lib/base
imapd_LIBS = imapd $(DAEMON_LIBS)
pop3d_LIBS = pop3d $(DAEMON_LIBS)
submitd_LIBS = submitd $(DAEMON_LIBS)
posthof_LIBS = admin auth storage lib/db lib/mail lib/crypt lib/base
posthof_DIR = admin
imapd_DIR = imapd
pop3d_DIR = pop3d
submitd_DIR = submitd

.PHONY: all
all: $(addprefix $(B)/,$(PROGRAMS)) ## build the four programs

define program
$(B)/$(1): $(B)/$($(1)_DIR)/main.o $(foreach l,$($(1)_LIBS),$(call arch,$(l)))
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

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/unit/test_X.c is linked with the layer that holds X.c and
# those below it, so that a test shows what its module really needs.
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
libs_of_lib/base = lib/base
libs_of_lib/crypt = lib/crypt lib/base
libs_of_lib/mail = lib/mail lib/base
libs_of_lib/db = lib/db lib/base
libs_of_lib/net = lib/net lib/crypt lib/base
libs_of_storage = storage lib/db lib/mail lib/crypt lib/base
libs_of_auth = auth storage lib/db lib/mail lib/crypt lib/base
libs_of_lib/daemon = $(DAEMON_LIBS)
libs_of_imapd = $(imapd_LIBS)
libs_of_pop3d = $(pop3d_LIBS)
libs_of_submitd = $(submitd_LIBS)
libs_of_admin = $(posthof_LIBS)
# The layer of tests/unit/test_X.c: where X.c is.
layer_of = $(firstword $(foreach l,$(LAYERS),$(if $(wildcard $(l)/$(1).c),$(l))))

define unit
$(B)/tests/unit/test_$(1): $(B)/tests/unit/test_$(1).o $(foreach l,$(libs_of_$(call layer_of,$(1))),$(call arch,$(l)))
	@echo "  LD   $$@"
	@$$(CC) $$(ALL_CFLAGS) $$(LDHARDEN) -o $$@ $$^ -lcmocka $$(LDLIBS)
endef
$(foreach t,$(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c)),$(eval $(call unit,$(t))))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: unit
unit: $(UNIT) ## build and run the unit tests

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)
