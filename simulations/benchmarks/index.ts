/**
 * Benchmarks: what the program costs on this machine, beside peers that do the same work. Must not measure anything a
 * user does not get, or call a bar met that was not measured.
 * Read first: bench-row.ts, runtime-bench.ts.
 */
export type { Bench, BenchOptions, BenchRow } from './bench-row.ts'
export { crdtBench } from './crdt-bench.ts'
export { runtimeBench } from './runtime-bench.ts'
