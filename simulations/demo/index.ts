/**
 * The demo, and what drives a real tree on this machine from outside: the command line in processes of its own,
 * requests to nodes and containers, and a thief with a stolen disk. Must not reach into a node or do what a person at
 * this machine could not. Read first: world.ts, steps.ts.
 */
export { cutPower } from './power-cut.ts'
export { imageName, shopArchive } from './shop.ts'
export {
  commandLines,
  createWorld,
  type DemoNode,
  demoRecord,
  getJson,
  httpBody,
  pause,
  type World,
} from './world.ts'
