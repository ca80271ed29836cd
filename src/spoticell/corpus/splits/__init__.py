"""Which cells are trained on, validated on and tested on."""
