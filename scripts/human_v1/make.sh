#!/usr/bin/env bash
# Makes the bundle human-v1 from the cells in DATA: make.sh DATA PYTHON
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$1 python=$2 run=runs/human-v1

"$python" -m scripts.human_v1.training_cells --data "$data" --output "$run/cells"

# cells for the two calibration runs: nothing that was made from a data set that the run holds out
without() { mkdir -p "$run/$1"; for cells in "$run"/cells/*.h5ad; do
    [[ $(basename "$cells") =~ ^($2) ]] || ln -sf "$(realpath "$cells")" "$run/$1/"; done; }
without cells-a 'atlas_averages_enge_pancreas_rare'
without cells-b 'clustifyrdata_pan_indrop|darmanis_brain'
# the held-out data sets as their authors labelled them
mkdir -p "$run/labelled"
ln -sf "$(realpath "$data")"/train/*.h5ad "$(realpath "$data")"/more/train/*.h5ad "$run/labelled/"

train() { "$python" -m spoticell train --data-dir "$run/$2" --output-dir "$run/$3" --config "configs/$1.yaml" \
    --panels-dir "$run/panels" --random-state "$4"; }
bundle() { "$python" -m scripts.human_v1.card --cells "$run/cells" --calibration "$run/calibration.json" \
    --threshold 0.3 "$@"; }

train human-v1-calibration-a cells-a calibration-a 0
train human-v1-calibration-b cells-b calibration-b 0
"$python" -m scripts.human_v1.held_out --runs "$run"/calibration-{a,b} --labelled "$run/labelled" --panels "$run/panels" \
    --output "$run/calibration.json"
for seed in 0 1 2; do
    train human-v1 cells "seed$seed" "$seed"
    bundle --final "$run/seed$seed" --output "$run/seed$seed/bundle"
done
judge=()
if [ -f "$data/../bench/score.py" ] && "$python" -c 'import cellxgene_ontology_guide' 2> /dev/null; then
    judge=(--judge "$data/../bench/score.py")
fi
"$python" -m benchmarks.accuracy.development_tests --data "$data" --bundles "$run"/seed{0,1,2}/bundle "${judge[@]}" \
    --save development_tests
bundle --final "$run/seed0" --results benchmarks/results/development_tests.json --output src/spoticell/data/human-v1
"$python" -m scripts.human_v1.reference_cells --data "$data" --output src/spoticell/data/references/human-v1
