/**
 * The whole tree at scale on this machine: one tower, aggregators of 500 sites, and as many edges as are asked for, over TCP
 * with Noise on loopback. Must not measure anything but the production node, or call a bar met that was not measured.
 * Read first: scale-bench.ts, measure.ts.
 */
export { scaleBench } from './scale-bench.ts'
