#!/usr/bin/env bash
# Makes the bundle human-v1 from the cells in DATA: human_v1.sh DATA PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1 python=$2 run=runs/human-v1

"$python" scripts/human_v1_cells.py --data "$data" --output "$run/cells"
"$python" scripts/human_v1_markers.py --cells "$run/cells" --markers configs/human-v1-markers.yaml

train() { "$python" -m spoticell train --data-dir "$run/cells" --output-dir "$run/$2" --config "configs/$1.yaml" \
    --panels-dir "$run/panels" --random-state "$3"; }
bundle() { "$python" scripts/human_v1_bundle.py --cells "$run/cells" --train "$data/train" --calibration "$run/calibration" "$@"; }

train human-v1-calibration calibration 0
for seed in 0 1 2; do
    train human-v1 "seed$seed" "$seed"
    bundle --threshold 0.4 --final "$run/seed$seed" --output "$run/seed$seed/bundle"
done
"$python" benchmarks/development_tests.py --data "$data" --bundles "$run"/seed{0,1,2}/bundle --save development_tests
bundle --threshold 0.4 --final "$run/seed0" --results benchmarks/results/development_tests.json --output src/spoticell/data/human-v1
"$python" scripts/human_v1_references.py --data "$data" --output src/spoticell/data/references/human-v1
