# Reads h5ad files that Spoticell wrote into R, and writes counts from R for Spoticell.
#
#     source("answers_in_r.R")
#     cells <- read_obs("named.h5ad")                     # a data.frame, a row a cell
#     sce <- as_single_cell_experiment("named.h5ad")      # or as_seurat("named.h5ad")
#     write_for_spoticell(counts(sce), "for-spoticell")   # a folder that spoticell annotate reads
#
# Needs rhdf5 and Matrix, and what it makes: SingleCellExperiment or Seurat.  Python isn't needed.

suppressPackageStartupMessages({
    library(rhdf5)
    library(Matrix)
})

# attributes that are booleans can't be read by older releases of rhdf5, which say so each time; none is used here
.attributes <- function(file, name) suppressWarnings(h5readAttributes(file, name))

.values <- function(file, name) {
    values <- h5read(file, name, bit64conversion = "double")
    if (is.character(values)) Encoding(values) <- "UTF-8"
    # booleans come as a factor of two levels
    if (is.factor(values) && all(levels(values) %in% c("FALSE", "TRUE"))) return(as.vector(values == "TRUE"))
    if (length(dim(values)) == 1) as.vector(values) else values
}

.missing_where <- function(values, mask) {
    values[mask] <- NA
    values
}

# a column, whichever of AnnData's ways of storing one it has
.column <- function(file, name) {
    switch(.attributes(file, name)[["encoding-type"]],
        "categorical" = {
            levels <- .values(file, paste0(name, "/categories"))
            codes <- .values(file, paste0(name, "/codes"))
            factor(levels[ifelse(codes < 0, NA, codes + 1)], levels = levels)
        },
        "nullable-integer" = ,
        "nullable-boolean" = ,
        "nullable-string-array" =
            .missing_where(.values(file, paste0(name, "/values")), .values(file, paste0(name, "/mask"))),
        .values(file, name)
    )
}

# names of cells ("obs") or genes ("var"), which R wants to differ
.names <- function(file, name) {
    make.unique(as.character(.column(file, paste0(name, "/", .attributes(file, name)[["_index"]]))))
}

.table <- function(file, name) {
    columns <- as.character(.attributes(file, name)[["column-order"]])
    names <- .names(file, name)
    table <- lapply(setNames(columns, columns), function(column) .column(file, paste0(name, "/", column)))
    # a list of no columns would lose the rows
    table <- if (length(table)) data.frame(table, check.names = FALSE) else data.frame(row.names = seq_along(names))
    rownames(table) <- names
    table
}

# What is known of each cell: answers as factors, scores as numbers, NA where nothing is said.
read_obs <- function(file) .table(file, "obs")

# What is known of each gene.
read_var <- function(file) .table(file, "var")

# Fingerprints, a row a cell.  For probabilities: name = "spoticell_probabilities".
read_fingerprints <- function(file, name = "X_spoticell") {
    # R's first axis is HDF5's last
    matrix <- t(h5read(file, paste0("obsm/", name)))
    rownames(matrix) <- .names(file, "obs")
    if (name == "spoticell_probabilities") colnames(matrix) <- .values(file, "uns/spoticell/classes")
    matrix
}

# What was done: version, model, threshold, tissues, notes.
read_run <- function(file) h5read(file, "uns/spoticell")

# Colours of a column's types, the same as in the report: DimPlot(object, cols = read_colors("named.h5ad"))
read_colors <- function(file, column = "spoticell_cell_type_short") {
    types <- .values(file, paste0("obs/", column, "/categories"))
    setNames(.values(file, paste0("uns/", column, "_colors")), types)
}

# A matrix as genes x cells, sparse: X, or such as "layers/counts".
read_matrix <- function(file, name = "X") {
    genes <- .names(file, "var")
    cells <- .names(file, "obs")
    kind <- .attributes(file, name)[["encoding-type"]]
    if (kind == "array") {
        matrix <- as(as(h5read(file, name), "dMatrix"), "CsparseMatrix")
    } else {
        part <- function(which) as.vector(h5read(file, paste0(name, "/", which), bit64conversion = "double"))
        # rows of csr are cells, which are columns here
        by_cell <- kind == "csr_matrix"
        matrix <- sparseMatrix(
            i = part("indices"), p = part("indptr"), x = part("data"), index1 = FALSE,
            dims = if (by_cell) c(length(genes), length(cells)) else c(length(cells), length(genes))
        )
        if (!by_cell) matrix <- t(matrix)
    }
    dimnames(matrix) <- list(genes, cells)
    matrix
}

# All of it for Bioconductor.  X must hold counts; else name the layer.
as_single_cell_experiment <- function(file, matrix = "X") {
    SingleCellExperiment::SingleCellExperiment(
        assays = list(counts = read_matrix(file, matrix)),
        colData = S4Vectors::DataFrame(read_obs(file), check.names = FALSE),
        rowData = S4Vectors::DataFrame(read_var(file), check.names = FALSE),
        reducedDims = list(spoticell = read_fingerprints(file)),
        metadata = list(spoticell = read_run(file))
    )
}

# All of it for Seurat.  Seurat allows no "_" in names of genes, and puts "-" there.
as_seurat <- function(file, matrix = "X") {
    object <- Seurat::CreateSeuratObject(read_matrix(file, matrix), meta.data = read_obs(file))
    fingerprints <- read_fingerprints(file)
    colnames(fingerprints) <- paste0("SPOTICELL_", seq_len(ncol(fingerprints)))
    object[["spoticell"]] <- Seurat::CreateDimReducObject(fingerprints, key = "SPOTICELL_", assay = "RNA")
    Seurat::Idents(object) <- "spoticell_cell_type_short"
    object
}

# Counts (genes x cells) as a folder in the form of Cell Ranger, which Spoticell reads.
write_for_spoticell <- function(counts, folder) {
    stopifnot(!is.null(rownames(counts)), !is.null(colnames(counts)))
    dir.create(folder, showWarnings = FALSE, recursive = TRUE)
    invisible(writeMM(as(as(counts, "dMatrix"), "CsparseMatrix"), file.path(folder, "matrix.mtx")))
    writeLines(colnames(counts), file.path(folder, "barcodes.tsv"))
    genes <- data.frame(rownames(counts), rownames(counts), "Gene Expression")
    write.table(genes, file.path(folder, "features.tsv"), sep = "\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
    invisible(folder)
}
