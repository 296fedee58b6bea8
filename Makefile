# ungil: build, test and everything else that is done to the source. `make help` lists the targets.
#
# Personal settings (CC, CFLAGS, PREFIX, ...) belong into local.mk, which git ignores.
#   make BUILD=build-x     builds into another folder         make V=1       shows the commands
#   make test T=pattern    runs the tests that match          make CFLAGS=…  replaces -O2 -g
#   make JOBS=1            one command at a time instead of one for each core

-include local.mk

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
T       ?=
V       ?= 0

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
  MAKEFLAGS += -j$(or $(JOBS),$(shell getconf _NPROCESSORS_ONLN))
endif
SUBMAKE := +$(Q)$(MAKE)

# --- Flags --------------------------------------------------------------------------------------------------------------
# Three kinds of build differ only here: the developers' (fast to link), RELEASE=1 (what `make install` installs) and SAN=1
# (what `make san` tests). Each has its own folder.

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter
AR       := $(if $(shell command -v gcc-ar),gcc-ar,ar)

ifeq ($(RELEASE),1)
  mode_flags   := -O3 -flto=auto
  vendor_flags := -O3 -flto=auto
else ifeq ($(SAN),1)
  # tree-sitter's own sources get only the address sanitizer: their undefined behaviour is not ours to repair.
  mode_flags   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
  vendor_flags := -O1 -g -fno-omit-frame-pointer -fsanitize=address
  # Leaks are not looked for: arenas that live as long as the run are not given back before exit.
  export ASAN_OPTIONS  := detect_leaks=0:abort_on_error=1
  export UBSAN_OPTIONS := print_stacktrace=1
else
  mode_flags   := $(CFLAGS)
  vendor_flags := -O2 -g
endif

LIBRARIES  := libpcre2-8 libgit2 jansson libcurl libmicrohttpd nettle libzstd
lib_cflags := $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
lib_libs   := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)

TS_CORE   := node_modules/tree-sitter/vendor/tree-sitter/lib
TS_PYTHON := node_modules/tree-sitter-python/src
TS_TOML   := node_modules/@tree-sitter-grammars/tree-sitter-toml/src

our_cflags    := -std=c11 -D_GNU_SOURCE $(mode_flags) $(WARNINGS) -Isrc -I$(BUILD)/gen -isystem $(TS_CORE)/include $(lib_cflags)
vendor_cflags := -std=c11 -D_GNU_SOURCE $(vendor_flags) -w
link_flags    := $(mode_flags) $(LDFLAGS)
link_libs     := $(lib_libs) -lpthread -lm

# --- Files --------------------------------------------------------------------------------------------------------------
# Everything is found by wildcard: a new source, page or test needs no line here. src/tool holds programs that run during
# the build and are no part of ungil.

sources     := $(wildcard src/main.c) $(filter-out src/tool/%,$(wildcard src/*/*.c))
pages       := $(sort $(wildcard transforms/*.md))
rule_pages  := $(sort $(wildcard docs/rules/*.md))
data_files  := $(sort $(wildcard src/know/*.tsv src/ready/*.py))
unit_tests  := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
embed_tool  := $(if $(wildcard src/tool/embed.c),$(BUILD)/tool/embed)

main_object := $(BUILD)/obj/main.o
objects     := $(filter-out $(main_object),$(sources:src/%.c=$(BUILD)/obj/%.o)) $(if $(embed_tool),$(BUILD)/gen/pages.o $(BUILD)/gen/rule_pages.o $(BUILD)/gen/data_files.o)
vendor      := $(addprefix $(BUILD)/vendor/,core.o python.o python_scanner.o toml.o toml_scanner.o)

.PHONY: all setup test run-tests demo accept san fuzz run-fuzz bench run-bench docs lint format accuracy \
        fidelity release install uninstall clean help FORCE

# --- The program --------------------------------------------------------------------------------------------------------

all: $(BUILD)/ungil                     ## build/ungil (the default; needs no network once set up)

$(BUILD)/ungil: $(main_object) $(BUILD)/libungil.a $(BUILD)/vendor.a $(BUILD)/abi.ok
	$(call say,LINK,$@)$(CC) $(link_flags) -o $@ $(filter %.o %.a,$^) $(link_libs)

$(BUILD)/libungil.a: $(objects) $(BUILD)/objects.list
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(our_cflags) -MMD -MP -c -o $@ $<

# The one file that reads tree-sitter's own headers: <src/tree.h>.
$(BUILD)/obj/parse/flatten.o: our_cflags += -isystem $(TS_CORE)

-include $(patsubst %.o,%.d,$(main_object) $(objects)) $(wildcard $(BUILD)/tests/*.d $(BUILD)/tool/*.d)

# --- tree-sitter and its grammars for Python and TOML: compiled as they come, without our warnings -----------------------

$(BUILD)/vendor/core.o:           $(TS_CORE)/src/lib.c
$(BUILD)/vendor/python.o:         $(TS_PYTHON)/parser.c
$(BUILD)/vendor/python_scanner.o: $(TS_PYTHON)/scanner.c
$(BUILD)/vendor/toml.o:           $(TS_TOML)/parser.c
$(BUILD)/vendor/toml_scanner.o:   $(TS_TOML)/scanner.c
# The scanner of Python takes its memory from where the core does (src/parse/heap.c), not from malloc.
$(BUILD)/vendor/python_scanner.o: vendor_cflags += -DTREE_SITTER_REUSE_ALLOCATOR
# Each grammar comes with the header that it was generated for; the core has its own.
$(vendor): $(BUILD)/vendor.flags
	@mkdir -p $(@D)
	$(call say,CC,$(filter %.c,$^))$(CC) $(vendor_cflags) $(if $(filter %core.o,$@),-I$(TS_CORE)/include -I$(TS_CORE)/src,-I$(dir $(filter %.c,$^))) -c -o $@ $(filter %.c,$^)

$(BUILD)/vendor.a: $(vendor)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/abi.ok: $(BUILD)/tool/abi
	$(Q)$< && touch $@

# Reached only when these files are not there.
$(TS_CORE)/src/lib.c $(TS_PYTHON)/parser.c $(TS_PYTHON)/scanner.c $(TS_TOML)/parser.c $(TS_TOML)/scanner.c:
	@exit 1

# --- Tools that run during the build, and what they generate -------------------------------------------------------------

$(BUILD)/tool/%: src/tool/%.c $(BUILD)/vendor.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) $(our_cflags) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/vendor.a $(link_libs)

$(BUILD)/gen/pages.c: $(embed_tool) $(pages) $(BUILD)/pages.list
	@mkdir -p $(@D)
	$(call say,EMBED,$@)$(embed_tool) $@ embedded_page $(pages)

$(BUILD)/gen/rule_pages.c: $(embed_tool) $(rule_pages) $(BUILD)/pages.list
	@mkdir -p $(@D)
	$(call say,EMBED,$@)$(embed_tool) $@ rule_page $(rule_pages)

$(BUILD)/gen/data_files.c: $(embed_tool) $(data_files) $(BUILD)/pages.list
	@mkdir -p $(@D)
	$(call say,EMBED,$@)$(embed_tool) $@ data_file $(data_files)

# What has a say in the facts of a file: stored facts of another version are collected anew (src/facts/store.c).
facts_sources := $(sort $(wildcard src/facts/* src/parse/* src/base/str.c src/base/map.c src/read/index.c src/know/unseen.def src/know/calls.*)) src/facts.h src/known.h src/pipeline.h package-lock.json
$(BUILD)/gen/facts_version.h: $(facts_sources)
	@mkdir -p $(@D)
	$(Q)printf 'static const char facts_version[] = "%s";\n' "$$(cat $^ | sha256sum | cut -c1-16)" >$@
$(BUILD)/obj/facts/store.o: $(BUILD)/gen/facts_version.h

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(call say,CC,$<)$(CC) $(our_cflags) -MMD -MP -c -o $@ $<

not_set_up = echo "error: the libraries ($(LIBRARIES)) or tree-sitter's sources (node_modules) are missing; run: make setup" >&2; exit 1;

# These files change only when their text does, and so rebuild what depends on flags or on which files exist.
remember = mkdir -p $(BUILD); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@

$(BUILD)/flags: FORCE
	@$(if $(and $(lib_libs),$(wildcard $(TS_CORE)/src/lib.c)),,$(not_set_up))$(call remember,$(CC) $(our_cflags) $(link_flags) $(link_libs))
$(BUILD)/vendor.flags: $(BUILD)/flags FORCE
	@$(call remember,$(CC) $(vendor_cflags))
$(BUILD)/objects.list: FORCE
	@$(call remember,$(objects))
$(BUILD)/pages.list: FORCE
	@$(call remember,$(pages) $(rule_pages) $(data_files))

# --- Tests --------------------------------------------------------------------------------------------------------------
# A suite is a program in build/tests/ made from tests/unit/test_*.c, or an executable tests/suite_*.py or tests/suite_*.sh;
# tests/run.sh says what is expected of one.

export BUILD T V

test: setup                             ## sets up what is missing, builds, runs every test suite
	$(SUBMAKE) run-tests

run-tests: $(BUILD)/ungil $(unit_tests)
	$(Q)tests/run.sh

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/tests/filter.o $(BUILD)/libungil.a $(BUILD)/vendor.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(our_cflags) -Itests/unit -MMD -MP -MF $@.d -o $@ $(filter %.c %.o %.a,$^) $(LDFLAGS) $(link_libs) $$(pkg-config --cflags --libs cmocka)

$(BUILD)/tests/filter.o: tests/unit/filter.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(our_cflags) -c -o $@ $< $$(pkg-config --cflags cmocka)

accept: $(BUILD)/ungil $(unit_tests)    ## rewrites the expected output of the tests that match T; review it with git diff
	$(Q)ACCEPT=1 tests/run.sh

san:                                    ## the same tests under the address and undefined-behaviour sanitizers
	$(SUBMAKE) BUILD=build-san SAN=1 run-tests

# --- Everything else: a script in tests/ that gets the program's path as UNGIL --------------------------------------------

script = $(Q)$(if $(wildcard $(1)),UNGIL='$(abspath $(BUILD)/ungil)' $(1),echo "make $@: there is no $(1) yet" >&2; exit 2)

setup:                                  ## installs what the build and the tests need; silent when all is there
	@tests/setup.sh

demo: setup                             ## sets up, builds, shows check and diff on the sample project
	$(SUBMAKE) all
	$(call script,tests/demo.sh)

fuzz:                                   ## damaged and odd input against the sanitizer build
	$(SUBMAKE) BUILD=build-san SAN=1 run-fuzz
run-fuzz: $(BUILD)/ungil
	$(call script,tests/fuzz.sh)

bench:                                  ## time of a whole run against tree-sitter's bare parse, on the standard library
	$(SUBMAKE) BUILD=build-release RELEASE=1 run-bench
run-bench: $(BUILD)/ungil $(BUILD)/bench_parse
	$(call script,tests/bench.sh)

$(BUILD)/bench_parse: tests/bench_parse.c $(BUILD)/vendor.a $(BUILD)/flags
	$(call say,LINK,$@)$(CC) $(our_cflags) $(LDFLAGS) -o $@ $< $(BUILD)/vendor.a -lpthread

docs: all                               ## regenerates the pages of docs/ that are made from the code
	$(call script,tests/docs.sh)

accuracy: all                           ## precision and recall against marked sources
	$(call script,tests/accuracy.sh)

fidelity: all                           ## fix on a copy of much real code: does everything still compile?
	$(call script,tests/fidelity.sh)

lint:                                   ## include rules, banned functions, line lengths
	@tests/lint.sh

format:                                 ## clang-format over the C sources (apt-get install clang-format)
	@command -v clang-format >/dev/null || { echo 'make format needs clang-format' >&2; exit 2; }
	clang-format -i $$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h')

# --- Installing -----------------------------------------------------------------------------------------------------------

release:                                ## build-release/ungil: -O3, link-time optimisation
	$(SUBMAKE) BUILD=build-release RELEASE=1 all

install: release                        ## installs the release build below PREFIX (DESTDIR is put in front)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 build-release/ungil '$(DESTDIR)$(PREFIX)/bin/ungil'

uninstall:                              ## takes it away again
	rm -f '$(DESTDIR)$(PREFIX)/bin/ungil'

clean:                                  ## removes every build folder; node_modules stays
	rm -rf build build-* '$(BUILD)'

help:                                   ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1 - \2/p' Makefile | awk -F' - ' '{ printf "%-18s %s\n", $$1, $$2 }'
