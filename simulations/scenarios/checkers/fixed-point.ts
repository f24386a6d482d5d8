import type { MakeChecker } from '../checker.ts'

/**
 * A container that ran for ten minutes since its last restart has that restart forgotten, which is written down once for
 * each; there are at most four on a host.
 */
const forgetting = { file: 'state/histories', writes: 4 }

/** A tower signs a beacon every ten minutes for ever; it passes down the tree. A tower keeps all records twice. */
const beacons = /^store\/(copy\/)?r\/beacon\//
/** What children were told is kept once it was read, with whatever is written next; the lanes it is read from are judged. */
const cache = 'store/told/'

/** Once everything is as wanted, nothing is planned, written or restarted for as long as anybody watches. */
export const fixedPoint: MakeChecker = ({ world }) => {
  const violations: string[] = []
  const forgot = new Map<string, number>()
  let isQuiet = false
  let seen = 0
  const disturb = (text: string) => {
    if (isQuiet) violations.push(`at ${(world.nowMs() / 1000).toFixed(3)} s ${text}`)
    else seen++
  }
  return {
    invariant: 8,
    sentence: 'reconciliation reaches a fixed point: no flip-flop',
    observer: {
      act: (machine, act) => disturb(`${machine} had its engine do: ${act.kind}`),
      write: (machine, { name }) => {
        if (beacons.test(name) || name.startsWith(cache)) return
        const times = (forgot.get(machine) ?? 0) + 1
        if (isQuiet && name === forgetting.file) forgot.set(machine, times)
        if (name !== forgetting.file || times > forgetting.writes) disturb(`${machine} wrote ${name}`)
      },
      died: (machine) => disturb(`${machine} died`),
    },
    violations: () => violations,
    seen: () => seen,
    expectQuiet: () => {
      isQuiet = true
    },
    expectChange: () => {
      isQuiet = false
      forgot.clear()
    },
  }
}
