/**
 * What can befall a world, by name, a file for each kind of thing that fails. A fault draws all it needs from the chance
 * it is given, says in words what it does, and can be mended at any moment. Must not look into a node.
 * Read first: fault.ts, links.ts.
 */
import { clocks } from './clocks.ts'
import { crashes } from './crashes.ts'
import { disks } from './disks.ts'
import { engines } from './engines.ts'
import { hostile } from './hostile.ts'
import { links } from './links.ts'
import { storms } from './storms.ts'
import { twoFacedOwners } from './two-faced.ts'

export type { Fault, Harm } from './fault.ts'

export const faults = {
  ...links,
  ...crashes,
  ...clocks,
  ...disks,
  ...engines,
  ...storms,
  ...hostile,
  ...twoFacedOwners,
}

export type FaultName = keyof typeof faults
