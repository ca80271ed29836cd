process SPOTICELL_ANNOTATE {
    tag "$meta.id"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    // made in a clone of Spoticell: docker build --target cli --tag spoticell-cli:0.1.0 .
    container "spoticell-cli:0.1.0"

    input:
    // a folder of its own, since the output may have the same name
    tuple val(meta), path(cells, stageAs: 'input/*')

    output:
    tuple val(meta), path("${prefix}.h5ad")           , emit: h5ad
    tuple val(meta), path("${prefix}.composition.csv"), emit: composition
    tuple val(meta), path("${prefix}.html")           , emit: report
    tuple val(meta), path("${prefix}.json")           , emit: summary
    path "versions.yml"                               , emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    spoticell annotate ${cells} \\
        --output '${prefix}.h5ad' \\
        --report '${prefix}.html' \\
        --composition '${prefix}.composition.csv' \\
        --sample '${meta.id}' \\
        --threads ${task.cpus} \\
        --json \\
        --quiet \\
        ${args} \\
        > '${prefix}.json'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        spoticell: \$(spoticell --version | sed 's/^spoticell //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch '${prefix}.h5ad' '${prefix}.composition.csv' '${prefix}.html' '${prefix}.json'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        spoticell: \$(spoticell --version | sed 's/^spoticell //')
    END_VERSIONS
    """
}
