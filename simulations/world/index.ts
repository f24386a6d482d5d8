/**
 * A world: every node of a topology in one process, with the production program, in virtual time, over wires, disks and
 * engines made of data. Must not do real I/O, read a clock or chance of this machine, or know what a test is about.
 * Read first: world.ts, machine.ts.
 */
export { bringUp, enrol, linked } from './bring-up.ts'
export type { DiskWrite } from './disk.ts'
export type { Engine } from './engine.ts'
export type { CrashKind, Machine } from './machine.ts'
export type { Standstill } from './machine-clock.ts'
export type { ContainerAct, Observer } from './observer.ts'
export { simulatedConfig } from './simulated-config.ts'
export type { SpokenLink, SpokenStream } from './spoken-links.ts'
export type { PassingFrame } from './wire.ts'
export { createWorld, type World, type WorldImage, type WorldOptions } from './world.ts'
