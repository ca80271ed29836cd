// The version of the Python package that this is told after: that of src/spoticell/version.py.
export const VERSION = "0.1.0";
