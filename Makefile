# tunlab: the whole build. Everything generated goes to build/; `make help` lists the targets.

CLANG   ?= clang
STRIP   ?= llvm-strip
PREFIX  ?= /usr/local
DESTDIR ?=
LISTEN  ?= 127.0.0.1:8080

B  := build
O  := $(B)/obj
Q  := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)
SUDO := $(if $(filter 0,$(shell id -u)),,$(shell command -v sudo))

# Ubuntu ships bpftool per kernel, behind a wrapper that refuses when the running kernel's is missing; any of them will do.
BPFTOOL ?= $(shell for t in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do \
	$$t version >/dev/null 2>&1 && { echo $$t; break; }; done)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

LIBS     := libbpf libmnl libcjson inih libpcap
CPPFLAGS += -D_GNU_SOURCE -I. -I$(B) $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
CFLAGS   ?= -O2 -g
STRICT   := -std=gnu11 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Werror -MMD -MP
LDLIBS   += $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lcivetweb -lelf -lz -lpthread -lm
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BPFFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -MMD -MP -I. -I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

SRC := $(wildcard base/*.c lab/*.c lab/*/*.c monitor/*.c ui/*.c)
OBJ := $(SRC:%.c=$(O)/%.o)
LIB := $(filter-out $(O)/lab/main.o,$(OBJ))
ASAN_OBJ := $(OBJ:$(O)/%=$(B)/asan/%)
ASAN_LIB := $(LIB:$(O)/%=$(B)/asan/%)

UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
ROOT := $(patsubst tests/%.c,%,$(wildcard tests/bpf/*_test.c tests/netns/*_test.c))
BENCH := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
SCENARIOS := $(wildcard scenarios/*.ini)
WEB_SRC := $(wildcard ui/web/report/* ui/web/*.js ui/web/draw/*.js ui/web/*.mjs ui/web/*.html ui/web/*.css ui/web/*.svg)
WEB := $(B)/web/dist
REPORT := $(B)/web/report/report.html

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help deps deps-test all demo test test-kernels bench bench-more fuzz asan install clean

help:
	@echo 'tunlab: overlay network lab, traffic, tunnel-aware monitor and verdict in one program'
	@echo
	@echo '  make demo       install what is missing, build, run scenarios/skewed.ini with its page on $(LISTEN)'
	@echo '  make test       install what is missing, build, run every test; test-kernels: on stock kernels, 5.10 to the newest, under QEMU'
	@echo '  make all        build $(B)/tunlab (default scenario, page and BPF object are inside it)'
	@echo '  make deps       install what the build needs (apt); deps-test: what the tests need on top'
	@echo '  make bench      measure this machine, as ratios (tunlab bench); bench-more: what only developers ask for'
	@echo '  make fuzz       fuzz the packet parser with FUZZ_RUNS packets (default 10 million, about a minute), its copies in the'
	@echo '                  kernel with a tenth as many, and the scenario reader for FUZZ_SECONDS (default 60)'
	@echo '  make asan       build $(B)/asan/tunlab with address and undefined-behaviour checks'
	@echo '  make install    copy the program to $$(DESTDIR)$$(PREFIX)/bin (PREFIX=$(PREFIX))'
	@echo '  make clean      remove $(B)/'
	@echo
	@echo '  V=1 shows full command lines; CC, CLANG, BPFTOOL, CFLAGS, LISTEN can be set.'

# Set-up. Beside these: bpftool, node and npm to build, chromium to test, by command (see tests/install-deps).
APT_BUILD := build-essential git pkg-config clang llvm libbpf-dev libelf-dev zlib1g-dev libmnl-dev libcivetweb-dev \
	libcjson-dev libinih-dev libpcap-dev linux-libc-dev
APT_TEST  := iproute2 iputils-ping iperf3 qemu-system-x86 busybox-static cpio kmod procps xz-utils libxml2-utils python3-yaml

deps:
	@tests/install-deps build $(APT_BUILD)
deps-test: deps
	@tests/install-deps test $(APT_TEST)

all: $(B)/tunlab

demo: deps
	@$(MAKE) --no-print-directory all
	@$(SUDO) $(B)/tunlab run scenarios/skewed.ini --listen $(LISTEN); r=$$?; [ $$r -eq 130 ] || exit $$r

$(B)/tunlab: $(OBJ)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/%.o: %.c Makefile
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(STRICT) $(CFLAGS) -c -o $@ $<

$(B)/asan/%.o: %.c Makefile
	$(call say,CC,$< (asan))mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(STRICT) $(CFLAGS) -O1 $(SANITIZE) -c -o $@ $<

asan: $(B)/asan/tunlab
$(B)/asan/tunlab: $(ASAN_OBJ)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The version is baked into one object, made anew when it changes.
$(B)/version.h: FORCE
	$(Q)mkdir -p $(B) && echo '#define TUNLAB_VERSION "$(VERSION)"' >$@.new && \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

# BPF: object, stripped of debug sections (its BTF stays), then the skeleton that embeds it.
$(B)/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c -o $@ $< && $(STRIP) -g $@
$(B)/bench/%.bpf.o: bpf/bench/%.bpf.c Makefile
	$(call say,BPF,$<)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c -o $@ $< && $(STRIP) -g $@
$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $(subst -,_,$(notdir $*))_bpf >$@

# The page: npm's packages and the bundle live in build/, so the source tree stays as git has it.
$(B)/web/.installed: ui/web/package.json ui/web/package-lock.json ui/web/.npmrc
	$(call say,NPM,ci)mkdir -p $(B)/web && cp $^ $(B)/web/ && cd $(B)/web && npm ci --loglevel=error --no-audit --no-fund >/dev/null && touch .installed
$(WEB)/.built: $(B)/web/.installed $(WEB_SRC) Makefile
	$(call say,BUNDLE,$(WEB))mkdir -p $(WEB) && cp ui/web/*.html ui/web/*.svg $(WEB)/ && \
	NODE_PATH=$(B)/web/node_modules $(B)/web/node_modules/.bin/esbuild ui/web/app.js ui/web/feed-worker.js ui/web/style.css \
		--bundle --minify --format=iife --target=es2020 --legal-comments=none --metafile=$(B)/web/meta.json \
		--log-level=warning --outdir=$(WEB) && \
	node ui/web/licences.mjs $(B)/web/meta.json $(B)/web/node_modules >$(WEB)/licences.txt && touch $@

# The HTML report: one file with style and script in it, and the hashes by which its policy knows them.
$(REPORT): $(B)/web/.installed $(WEB_SRC) Makefile
	$(call say,BUNDLE,$@)mkdir -p $(@D) && NODE_PATH=$(B)/web/node_modules $(B)/web/node_modules/.bin/esbuild ui/web/report/report.js ui/web/report/report.css \
		--bundle --minify --format=iife --target=es2020 --legal-comments=none --metafile=$(@D)/meta.json --log-level=warning --outdir=$(@D) && \
	node ui/web/licences.mjs $(@D)/meta.json $(B)/web/node_modules >$(@D)/licences.txt && \
	node ui/web/report/inline.mjs ui/web/report/report.html $(@D)/report.css $(@D)/report.js $(@D)/licences.txt >$@

# What the binary carries: lines for the table in ui/assets.c.
$(B)/assets.inc: $(WEB)/.built $(REPORT) $(SCENARIOS) Makefile
	$(call say,EMBED,$@){ for f in $(WEB)/*.*; do echo "ASSET(page, \"$${f##*/}\", \"$$f\")"; done; \
	echo 'ASSET(report, "report.html", "$(REPORT)")'; \
	for f in $(SCENARIOS); do echo "ASSET(scenario, \"$${f##*/}\", \"$$f\")"; done; } >$@

$(O)/monitor/monitor.o $(B)/asan/monitor/monitor.o: $(B)/monitor.skel.h
$(O)/lab/bench/programs.o $(B)/asan/lab/bench/programs.o: $(B)/bench/packets.skel.h
$(O)/lab/net/link.o $(B)/asan/lab/net/link.o: $(B)/loss.skel.h
$(O)/ui/assets.o $(B)/asan/ui/assets.o: $(B)/assets.inc
$(O)/base/program.o $(B)/asan/base/program.o: $(B)/version.h

# Tests. Unit tests link the sanitized library; those that need root run by sudo where the user is not root.
test: deps-test
	@$(MAKE) --no-print-directory tests-built
	@SUDO='$(SUDO)' tests/run $(B) $(UNIT:%=unit/%) kernels/6.1 $(ROOT)

KERNELS := 5.10 6.1 6.12 newest
test-kernels: deps-test
	@$(MAKE) --no-print-directory all
	@ONLY=kernels tests/run $(B) $(KERNELS:%=kernels/%)

.PHONY: tests-built
tests-built: all asan $(UNIT:%=$(B)/tests/unit/%) $(ROOT:%=$(B)/tests/%) $(B)/tests/lib/programs $(B)/tests/lib/terminal $(B)/tests/bench/neighbour

$(B)/tests/unit/%: $(B)/asan/tests/unit/%.o $(ASAN_LIB)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# It stands in front of libc's functions, and looks for leaks itself.
$(B)/tests/netns/fault_test: $(B)/asan/tests/netns/fault_test.o $(ASAN_LIB)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANITIZE) -rdynamic $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/tests/%: $(O)/tests/%.o $(LIB)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench: deps
	@$(MAKE) --no-print-directory all
	@$(SUDO) $(B)/tunlab bench
# What only those who change the program ask for.
bench-more: deps
	@$(MAKE) --no-print-directory all $(BENCH:%=$(B)/tests/bench/%)
	@SUDO='$(SUDO)' tests/bench/run $(B)

FUZZ_SECONDS ?= 60
FUZZ_RUNS ?= 10000000
FUZZ_SEED ?= 88172645463325252
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_LIB := base/addr.c base/emit.c base/table.c base/text.c monitor/names.c $(wildcard lab/scenario/*.c)
CORPUS ?= ../shared/corpus
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_LIB) $(wildcard bpf/*.h) Makefile
	$(call say,FUZZ,$@)mkdir -p $(@D) && $(CLANG) $(CPPFLAGS) -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-o $@ $< $(FUZZ_LIB) -linih -lm
$(B)/fuzz/parse_seeds: tests/fuzz/parse_seeds.c Makefile
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(STRICT) -O2 -o $@ $< -lpcap
# The packet parser begins with packets of captures, where there are any; the kernel's copies of it have to agree on mutants of what
# was interesting.
fuzz: $(FUZZ:%=$(B)/fuzz/%) $(B)/fuzz/parse_seeds $(B)/tests/bpf/corpus_test
	$(Q)mkdir -p $(B)/fuzz/parse_fuzz.corpus $(B)/fuzz/scenario_fuzz.corpus
	$(Q)$(B)/fuzz/parse_seeds $(B)/fuzz/parse_fuzz.corpus $(wildcard $(CORPUS)/pcap/*)
	$(Q)$(B)/fuzz/parse_fuzz -runs=$(FUZZ_RUNS) -print_final_stats=1 $(B)/fuzz/parse_fuzz.corpus
	$(Q)$(SUDO) env TUNLAB_MUTANTS=$$(($(FUZZ_RUNS) / 10)) TUNLAB_SEED=$(FUZZ_SEED) $(B)/tests/bpf/corpus_test mutated
	$(Q)$(B)/fuzz/scenario_fuzz -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $(B)/fuzz/scenario_fuzz.corpus

install: all
	install -D -m 755 $(B)/tunlab $(DESTDIR)$(PREFIX)/bin/tunlab

clean:
	rm -rf $(B)

-include $(OBJ:.o=.d) $(ASAN_OBJ:.o=.d) $(wildcard $(B)/*.d $(B)/bench/*.d $(O)/tests/*/*.d $(B)/asan/tests/*/*.d)
