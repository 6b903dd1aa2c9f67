# Kaiwa: `make demo` shows it, `make test` proves it; both install what is missing first.
.DEFAULT_GOAL := help
.PHONY: help demo test check docs faults proving pictures phrases hardware deb check-arm64 bench bench-start bench-takeover bench-voice bench-mint \
	bench-broadcast budget day fuzz test-board test-sora-vendor constraints clean
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the whole chain on this computer (ARGS="--once --json out.json" for one scripted conversation)
	@.ci/setup demo
	@.venv/bin/kaiwa-cloud demo $(ARGS)

test: ## install what is missing, then run every test (ARGS="-k session" for some)
	@.ci/setup test
	@env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -W error::ResourceWarning -m pytest -n 2 --dist loadfile $(ARGS)

check: ## style, types, and the rules of the layering
	@.ci/setup test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

budget: ## whether a live session fits on each class of board (ARGS="--board pi4 --picture character --json FILE")
	@.ci/setup test
	@.venv/bin/python -m tests.bench.budget $(ARGS)

bench-broadcast: ## how late observers hear and read, and what it costs (ARGS="--only viewers")
	@.ci/setup test
	@.venv/bin/python -m tests.bench.broadcast $(ARGS)

day: ## a day of 300 sessions with random faults, after which nothing is left (ARGS="--sessions 50 --seed 7")
	@.ci/setup test
	@MALLOC_ARENA_MAX=2 .venv/bin/python -m tests.day $(ARGS)

test-board: ## a board that is emulated, with the package in it: pins, sound, bad networks, power cuts; needs root (ARGS="-k power")
	@.ci/setup board
	@.venv/bin/python -m tests.board $(ARGS)

test-sora-vendor: ## sora-python-sdk's own tests against the stand-in (CLONE=path of a clone)
	@.ci/setup test
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python -m tests.sora_vendor $(CLONE) $(ARGS)

fuzz: ## bytes that look for a way out of every decoder (ARGS="-max_total_time=60" or others of libFuzzer's)
	@.ci/setup test
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --constraints constraints.txt --group fuzz
	@.venv/bin/python -m tests.fuzz $(or $(ARGS),-max_total_time=60)

proving: ## let doctor and calibrate speak in a simulated room, and write docs/doctor.md
	@.ci/setup test
	@.venv/bin/python -m tests.proving

faults: ## inject every fault that a test knows, and write docs/faults.md
	@.ci/setup test
	.venv/bin/python -m tests.faults

docs: ## draw what is generated in docs/
	@.ci/setup test
	.venv/bin/python -c "from device.diagram import document; print(document(), end='')" > docs/session.md

pictures: ## draw docs/pictures/ anew
	@.ci/setup test
	.venv/bin/python -m tests.provisioning.observer.pictures
	.venv/bin/python -m tests.provisioning.console.pictures
	.venv/bin/python -m tests.provisioning.replay.pictures
	.venv/bin/python -m tests.provisioning.local.demo.pictures
	.venv/bin/python -m tests.device.picture.pictures
	.venv/bin/python -m tests.device.doctor.pictures

bench: bench-start bench-takeover bench-mint bench-voice bench-broadcast ## every bench, one after the other

bench-takeover: ## what is heard where one call takes over from another (ARGS="--changes 3 --json FILE")
	@.ci/setup test
	@.venv/bin/python -m tests.bench.takeover $(ARGS)

bench-start: ## each step from the press to the conversation, and from a question to its answer (ARGS="--starts 20 --json FILE")
	@.ci/setup test
	@.venv/bin/python -m tests.bench.start $(ARGS)

bench-mint: ## grants over Mosquitto with mutual TLS, enrolments, a fleet at once (ARGS="--quick", "--only herd", "--json FILE")
	@.ci/setup test
	@.venv/bin/python -m tests.bench.mint $(ARGS)

bench-voice: ## how the voice sounds, lags and costs, beside its peers (ARGS="--quick", "--only loss", "--json FILE")
	@.ci/setup test
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --constraints constraints.txt --group bench
	@.venv/bin/python -m tests.bench.voice $(ARGS)

phrases: ## speak what robots say of their faults into device/panel/spoken/
	@.ci/setup test
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --constraints constraints.txt --editable '.[device,cloud,local,ja]'
	@.venv/bin/python packaging/render_phrases.py

hardware: ## draw wiring, header and enclosure in hardware/
	@.ci/setup hardware
	hardware/draw

deb: ## build Debian packages for this machine into dist/ (ARGS=device or ARGS=cloud for one of them; RELEASE_KEY=FILE.pem)
	@.ci/setup demo
	@export RELEASE_KEY='$(RELEASE_KEY)'; for role in $(or $(ARGS),device cloud); do packaging/build-deb $$role dist; done

check-arm64: ## resolve every wheel a board needs, for both Debians, and list them in docs/arm64.md
	@.ci/setup test
	@.venv/bin/python packaging/check_arm64.py

constraints: ## resolve every dependency anew into constraints.txt
	@.ci/setup test
	.venv/bin/uv pip compile pyproject.toml --all-extras --group dev --group bench --group fuzz --group hardware --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --custom-compile-command "make constraints" -q -o constraints.txt

clean: ## remove what the other targets made here
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
