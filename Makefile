# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test check format speed docs pictures clean

demo: $(INSTALLED)
	$(BIN)/deepbench-torch generate astro demo --overwrite
	$(BIN)/deepbench-torch show demo/astro.h5 --output demo/gallery.png
	$(BIN)/python -m baselines.reproduce astro --epochs 3 --root demo --results-file demo/results.csv

test: check
	$(BIN)/pytest -n auto --quiet --cov --cov-fail-under=95
	$(BIN)/pytest -n auto --quiet --nbmake --nbmake-timeout=900 --timeout=0 notebooks

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.prose

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

speed: $(INSTALLED)
	$(BIN)/python -m baselines.speed

# Pages of the public names, the guides and the notebooks: docs/index.html.
docs: $(INSTALLED)
	$(BIN)/python -m tests.pages docs

# The README's pictures, without those of the baselines.
pictures: $(INSTALLED)
	rm -f $(patsubst %,.readme/%.png,astro sky lens survey geometric objects nbody)
	$(BIN)/deepbench-torch show astro --output .readme/astro.png
	$(BIN)/deepbench-torch show sky --boxes --columns 8 --rows 2 --output .readme/sky.png
	$(BIN)/deepbench-torch show lens --columns 8 --rows 2 --output .readme/lens.png
	$(BIN)/deepbench-torch show survey --columns 8 --rows 2 --output .readme/survey.png
	$(BIN)/deepbench-torch show geometric --masks --columns 10 --rows 2 --output .readme/geometric.png
	$(BIN)/deepbench-torch show .readme/objects.yaml --output .readme/objects.png
	$(BIN)/deepbench-torch show nbody --rows 1 --seed 5 --output .readme/nbody.png

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo docs runs
