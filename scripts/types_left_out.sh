#!/usr/bin/env bash
# Trains the model without some types and data sets, and asks what it makes of their cells; three times, with three seeds:
# types_left_out.sh CELLS PANELS PYTHON [CONFIG]
set -euo pipefail
cd "$(dirname "$0")/.."
cells=$1 panels=$2 python=$3 config=${4:-configs/human-v1.yaml} run=runs/without
sets=(pbmc3k_10x wu2021_breast_cid4465 darmanis2015_brain darmanis_brain_mean_per_type)
# each line: siblings, cousins and whole lineages, no kin to one another
groups=(
    "CL:0000625 CL:0000236 CL:0000451 CL:0000115"
    "CL:0000875 CL:0000895 CL:0000623 CL:0000097 CL:0002320 CL:0002319"
    "CL:0000897 CL:0000784 CL:0000980 CL:0000775 CL:0000128 CL:0000233 CL:0000066"
)

without=()
for group in "${!groups[@]}"; do
    read -ra types <<< "${groups[group]}"
    folder="$run/group$group"
    [[ -d $folder/cells ]] ||
        "$python" -m benchmarks.lib.fewer_cells "$cells" "$folder/cells" --types "${types[@]}" --sets "${sets[@]}"
    for seed in 0 1 2; do
        [[ -d $folder/seed$seed/best_model_f1 ]] || "$python" -m spoticell train --data-dir "$folder/cells" \
            --output-dir "$folder/seed$seed" --config "$config" --panels-dir "$panels" --random-state "$seed"
        without+=(--without "$folder/seed$seed/best_model_f1" "$folder/cells" "${types[@]}")
    done
done
"$python" -m benchmarks.accuracy.unknown_types --cells "$cells" "${without[@]}" --save unknowns
