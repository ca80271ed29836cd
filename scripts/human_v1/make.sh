#!/usr/bin/env bash
# Makes the bundles human-v1 and human-v1-dual, and their reference cells, from the cells in DATA: make.sh DATA PYTHON
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$1 python=$2 made=runs/human-v1 names=(human-v1 human-v1-dual)

"$python" -m scripts.human_v1.training_cells --data "$data" --output "$made/cells"

# cells for the two calibration runs: nothing that was made from a data set that the run holds out
without() { mkdir -p "$made/$1"; for cells in "$made"/cells/*.h5ad; do
    [[ $(basename "$cells") =~ ^($2) ]] || ln -sf "$(realpath "$cells")" "$made/$1/"; done; }
without cells-a 'atlas_averages_enge_pancreas_rare'
without cells-b 'clustifyrdata_pan_indrop|darmanis_brain'
# the held-out data sets as their authors labelled them
mkdir -p "$made/labelled"
ln -sf "$(realpath "$data")"/train/*.h5ad "$(realpath "$data")"/more/train/*.h5ad "$made/labelled/"

# what a model's training has beside configs/human-v1.yaml
declare -A beside=([human-v1]="--config configs/human-v1-members.yaml" [human-v1-dual]="--config dual-path")
train() { # shellcheck disable=SC2086 - several words
    "$python" -m spoticell train --data-dir "$made/$2" --output-dir "runs/$1/$3" --panels-dir "$made/panels" \
        --random-state "$4" --config configs/human-v1.yaml ${beside[$1]} "${@:5}"; }
bundle() { "$python" -m scripts.human_v1.card --name "$1" --cells "$made/cells" \
    --calibration "runs/$1/calibration.json" --threshold 0.3 "${@:2}"; }

for name in "${names[@]}"; do
    for part in a b; do
        train "$name" "cells-$part" "calibration-$part" 0 --config "configs/human-v1-calibration-$part.yaml"
    done
    "$python" -m scripts.human_v1.held_out --runs "runs/$name"/calibration-{a,b} --labelled "$made/labelled" \
        --panels "$made/panels" --output "runs/$name/calibration.json"
    for seed in 0 1 2; do
        train "$name" cells "seed$seed" "$seed"
        bundle "$name" --final "runs/$name/seed$seed" --output "runs/$name/seed$seed/bundle"
    done
done
judge=()
if [ -f "$data/../bench/score.py" ] && "$python" -c 'import cellxgene_ontology_guide' 2> /dev/null; then
    judge=(--judge "$data/../bench/score.py")
fi
"$python" -m benchmarks.accuracy.development_tests --data "$data" "${judge[@]}" --save development_tests \
    --bundles runs/{human-v1,human-v1-dual}/seed{0,1,2}/bundle
for name in "${names[@]}"; do
    bundle "$name" --final "runs/$name/seed0" --results benchmarks/results/development_tests.json \
        --output "src/spoticell/data/$name"
    "$python" -m scripts.human_v1.reference_cells --data "$data" --bundle "$name" \
        --output "src/spoticell/data/references/$name"
done
