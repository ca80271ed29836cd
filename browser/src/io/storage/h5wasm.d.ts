// What is used of h5wasm's inner module, which has no types of its own.

declare module "*/hdf5_util.js" {
  export interface Metadata {
    type: number;
    size: number;
    signed: boolean;
    littleEndian: boolean;
    vlen: boolean;
    cset?: number;
    strpad?: number;
    shape: number[] | null;
    chunks: number[] | null;
    total_size: number;
    ref_type?: string;
    virtual_sources?: object[];
    enum_type?: { members: Record<string, number> };
    array_type?: Metadata;
    vlen_type?: Metadata;
    compound_type?: { members: (Metadata & { name: string; offset: number })[] };
  }

  export interface Stream {
    node: Node;
    position: number;
  }

  export interface Node {
    node_ops: object;
    stream_ops: object;
    mode: number;
    id: number;
  }

  export interface H5Module {
    HEAPU8: Uint8Array;
    FS: {
      create(path: string): Node | { node: Node };
      lookupPath(path: string): { node: Node };
      unlink(path: string): void;
    };
    _malloc(size: number): number;
    _free(pointer: number): void;
    open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
    close_file(file: bigint): number;
    get_names(file: bigint, path: string, recursive: boolean): string[];
    get_type(file: bigint, path: string): number;
    get_symbolic_link(file: bigint, path: string): string | null;
    get_external_link(file: bigint, path: string): { filename?: string };
    get_attribute_names(file: bigint, path: string): string[];
    get_attribute_metadata(file: bigint, path: string, name: string): Metadata;
    get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
    get_dataset_metadata(file: bigint, path: string): Metadata;
    get_dataset_filters(file: bigint, path: string): { id: number; name: string; cd_values: number[] }[];
    get_dataset_data(file: bigint, path: string, count: bigint[] | null, offset: bigint[] | null, strides: bigint[] | null, pointer: bigint): number;
    reclaim_vlen_memory(file: bigint, path: string, attribute: string, pointer: bigint): number;
    reclaim_vlen_memory_count(file: bigint, path: string, attribute: string, pointer: bigint, count: bigint[]): number;
    get_referenced_name(file: bigint, reference: number[], isObject: boolean): string | null;
    create_object_reference(file: bigint, path: string): Uint8Array;
  }

  interface Options {
    noInitialRun: boolean;
    printErr: (line: string) => void;
    instantiateWasm: (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance, code: WebAssembly.Module) => void) => object;
  }

  export default function start(options: Options): Promise<H5Module>;
}
