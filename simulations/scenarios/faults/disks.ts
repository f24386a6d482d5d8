import type { Random } from '../../../base/index.ts'
import type { Machine } from '../../world/index.ts'
import { between, type Fault, pick, running } from './fault.ts'

/** When somebody does what the status of a node asks for, in milliseconds. */
const noticedMs = 5_000

/** What a tower has once, and says so when it is gone: archives of images. */
const isArchive = ({ place, disk }: Machine, hex: string): boolean => {
  const images = disk.stateFile<Readonly<Record<string, { readonly archive: string }>>>('images').load() ?? {}
  return place.role === 'tower' && Object.values(images).some(({ archive }) => archive === `sha256:${hex}`)
}

/** Ends the process, does something to the disk while nobody looks, and starts the process when it is over. */
const whileOff = (
  name: string,
  act: (machine: Machine, random: Random) => { readonly text: string; readonly mend?: () => void } | undefined,
): Fault => ({
  name,
  lastsMs: [500, 20_000],
  begin: (world, random) => {
    const victim = pick(random, running(world))
    const done = victim && act(victim, random)
    if (!victim || !done) return undefined
    victim.crash('kill')
    return {
      text: `${victim.place.name} ends, and on its disk ${done.text}`,
      end: () => {
        victim.start()
        const { mend } = done
        if (mend) world.at(world.nowMs() + noticedMs, 'operator imports an image again', mend)
      },
    }
  },
})

export const disks = {
  'disk-full': {
    name: 'disk-full',
    lastsMs: [5_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, world.machines)
      if (!victim) return undefined
      victim.disk.setFull(true)
      return { text: `the disk of ${victim.place.name} is full`, end: () => victim.disk.setFull(false) }
    },
  },
  'slow-sync': {
    name: 'slow-sync',
    lastsMs: [5_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, running(world))
      const delayMs = between(random, 50, 3_000)
      victim?.disk.setSync(delayMs)
      return (
        victim && {
          text: `the disk of ${victim.place.name} takes ${delayMs} ms to sync`,
          end: () => victim.disk.setSync(undefined),
        }
      )
    },
  },
  'flip-stored': whileOff('flip-stored', ({ disk }, random) => {
    const key = pick(random, disk.names().stored)
    return key !== undefined && disk.flipInStore(key) ? { text: `a bit of ${key} flips` } : undefined
  }),
  'flip-state': {
    name: 'flip-state',
    lastsMs: [3_000, 20_000],
    begin: (world, random) => {
      const victim = pick(random, running(world))
      const name =
        victim &&
        pick(
          random,
          victim.disk.names().states.filter((one) => one !== 'authority'),
        )
      if (!victim || name === undefined) return undefined
      victim.crash('kill')
      const putBack = victim.disk.flipInState(name)
      victim.start()
      return {
        text: `${victim.place.name} restarts, and a bit of its ${name}.json has flipped`,
        end: () => {
          // Somebody reads what the node says and puts the file back.
          victim.crash('kill')
          putBack?.()
          victim.start()
        },
      }
    },
  },
  'spoil-blob': whileOff('spoil-blob', (victim, random) => {
    const hex = pick(random, victim.disk.names().blobs)
    if (hex === undefined) return undefined
    const isAsked = isArchive(victim, hex)
    const putBack = victim.disk.spoilBlob(hex)
    return { text: `blob ${hex.slice(0, 12)} rots`, ...(isAsked && { mend: putBack }) }
  }),
} as const satisfies Readonly<Record<string, Fault>>
