import { type Fence, formatEntry, type LaneValue, nextFence, type Put, replacingEntry } from '../../../crdt/index.ts'
import type { ChildWrite } from './plan-children.ts'

/** One change holds at most 1,000 puts and 256 KiB; what is beyond this comes with the next plan. */
const maxWrites = 500
const maxTextBytes = 128 * 1024

/** What is there in a lane at the moment it is written. */
export interface IntentDraft {
  readonly standing: ReadonlyMap<string, readonly Pick<Put, 'entry'>[]>
  /** The highest of the lane. */
  readonly fence: Fence
}

/**
 * The edits of one child's intent lane: each entry with a fence above all before it. What came to stand in the lane since
 * the plan was made is replaced by name as well. Answers nothing where the lane has a fence of a generation its owner
 * was not granted: then it is read-only.
 * @param writes of this child alone; of many, the first ones that fit into one change
 * @param generation of the owner who signs
 */
export const writeEntries = (
  { standing, fence }: IntentDraft,
  writes: readonly ChildWrite[],
  generation: number,
): ReadonlyMap<string, LaneValue> => {
  const edits = new Map<string, LaneValue>()
  let highest = fence
  let sizeBytes = 0
  for (const { application, decision, version, step, seen } of writes.slice(0, maxWrites)) {
    const next = nextFence(highest, generation)
    if (next === undefined) break
    const now = (standing.get(application) ?? []).flatMap(({ entry }) => entry?.decision ?? [])
    const text = formatEntry(replacingEntry(now, seen, { decision, version, step, fence: next }))
    sizeBytes += Buffer.byteLength(text)
    if (sizeBytes > maxTextBytes && edits.size > 0) break
    edits.set(application, text)
    highest = next
  }
  return edits
}
