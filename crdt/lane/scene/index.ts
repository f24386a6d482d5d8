/**
 * Owners, lanes and hostile changes made up for tests: those of the neighbours of `crdt/lane` too.
 * Must not be used by the program.
 * Read first: ../lane-scene.ts, ../lane-replica.test.ts.
 */
export {
  craft,
  edit,
  entryText,
  hexOf,
  intentLane,
  type LaneScene,
  laneScene,
  localLane,
  memberLane,
  networkId,
  shop,
} from '../lane-scene.ts'
