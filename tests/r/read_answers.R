# read_answers.R FOLDER FILE MORE...: reads answers as users of R would, writes what R then holds into the folder, and
# the counts of the other files.
arguments <- commandArgs(trailingOnly = TRUE)
into <- function(name) file.path(arguments[1], name)
file <- arguments[2]
options(digits = 17)

source("examples/answers_in_r.R")
write_table <- function(table, name) write.csv(table, into(name), na = "<NA>", fileEncoding = "UTF-8")

obs <- read_obs(file)
write_table(obs, "obs.csv")
write_table(data.frame(kind = vapply(obs, class, "")), "kinds.csv")
levels <- lapply(Filter(is.factor, obs), levels)
write_table(data.frame(column = rep(names(levels), lengths(levels)), level = unlist(levels)), "levels.csv")
write_table(read_var(file), "var.csv")
write_table(read_fingerprints(file), "fingerprints.csv")
write_table(read_fingerprints(file, "spoticell_probabilities"), "probabilities.csv")
stopifnot(identical(names(read_colors(file)), levels(obs$spoticell_cell_type_short)), grepl("^#", read_colors(file)))
stopifnot(read_run(file)$bundle == "tiny", read_run(file)$input$cells == nrow(obs))

for (one in arguments[-1]) write_table(as.matrix(read_matrix(one)), paste0(basename(one), ".csv"))
write_for_spoticell(read_matrix(file), into("for-spoticell"))

if (requireNamespace("SingleCellExperiment", quietly = TRUE)) {
    sce <- as_single_cell_experiment(file)
    stopifnot(identical(sce$spoticell_cell_type, obs$spoticell_cell_type))
    stopifnot(identical(SingleCellExperiment::reducedDim(sce, "spoticell"), read_fingerprints(file)))
    stopifnot(identical(SingleCellExperiment::counts(sce), read_matrix(file)))
}
