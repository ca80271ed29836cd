// Every error that is raised on purpose, by the names that they have in Python; each message says what to do.

export class SpoticellError extends Error {
  override name = "SpoticellError";
}

export class FileFormatError extends SpoticellError {
  override name = "FileFormatError";
}

export class CountsError extends SpoticellError {
  override name = "CountsError";
}

export class GeneMatchError extends SpoticellError {
  override name = "GeneMatchError";
}

export class BundleError extends SpoticellError {
  override name = "BundleError";
}

export class ConfigError extends SpoticellError {
  override name = "ConfigError";
}

export class OutputError extends SpoticellError {
  override name = "OutputError";
}
