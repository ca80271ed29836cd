// Names the cells of every sample of a sheet, and joins their compositions.
//
//     nextflow run pipelines/nextflow --input samples.csv --outdir named
//
// samples.csv has the columns sample and file.  Spoticell is taken from the PATH; -profile docker or conda brings it.

include { SPOTICELL_ANNOTATE } from './modules/local/spoticell/annotate/main'

workflow {
    if (!params.input) {
        error "Give a sheet of samples: --input samples.csv, a csv file with the columns sample and file."
    }
    samples = channel
        .fromPath(params.input, checkIfExists: true)
        .splitCsv(header: true)
        .map { row -> tuple([id: row.sample], file(row.file, checkIfExists: true)) }

    SPOTICELL_ANNOTATE(samples)

    SPOTICELL_ANNOTATE.out.composition
        .map { _meta, table -> table }
        .collectFile(name: 'composition.csv', storeDir: params.outdir, keepHeader: true, skip: 1, sort: { table -> table.name })
}
