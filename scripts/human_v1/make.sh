#!/usr/bin/env bash
# Makes the bundle human-v1 from the cells in DATA: make.sh DATA PYTHON
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$1 python=$2 run=runs/human-v1

"$python" -m scripts.human_v1.training_cells --data "$data" --output "$run/cells"
"$python" -m scripts.human_v1.marker_cells --cells "$run/cells" --markers configs/human-v1-markers.yaml

# cells for the two calibration runs: nothing that was made from a data set that the run holds out
without() { mkdir -p "$run/$1"; for cells in "$run"/cells/*.h5ad; do
    [[ $(basename "$cells") =~ ^($2) ]] || ln -sf "$(realpath "$cells")" "$run/$1/"; done; }
without cells-a 'markers_(wu2021|pbmc)'
without cells-b 'markers_(baron|zheng|darmanis)|clustifyrdata_pan_indrop|darmanis_brain'

train() { "$python" -m spoticell train --data-dir "$run/$2" --output-dir "$run/$3" --config "configs/$1.yaml" \
    --panels-dir "$run/panels" --random-state "$4"; }
bundle() { "$python" -m scripts.human_v1.card --cells "$run/cells" --calibration "$run/calibration.json" \
    --threshold 0.5 "$@"; }

train human-v1-calibration-a cells-a calibration-a 0
train human-v1-calibration-b cells-b calibration-b 0
"$python" -m scripts.human_v1.held_out --runs "$run"/calibration-{a,b} --train "$data/train" --panels "$run/panels" \
    --output "$run/calibration.json"
for seed in 0 1 2; do
    train human-v1 cells "seed$seed" "$seed"
    bundle --final "$run/seed$seed" --output "$run/seed$seed/bundle"
done
"$python" -m benchmarks.accuracy.development_tests --data "$data" --bundles "$run"/seed{0,1,2}/bundle --save development_tests
bundle --final "$run/seed0" --results benchmarks/results/development_tests.json --output src/spoticell/data/human-v1
"$python" -m scripts.human_v1.reference_cells --data "$data" --output src/spoticell/data/references/human-v1
