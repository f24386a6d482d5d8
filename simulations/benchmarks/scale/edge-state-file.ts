import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StateFile } from '../../../node/powers/index.ts'

/**
 * A state file of an edge that is written and not synced: in the field each edge has a disk and a thread to wait for it of its
 * own, here hundreds share one of each.
 */
export const createEdgeStateFile = <Value>(path: string, onSave: (value: Value) => void): StateFile<Value> => {
  let kept: Value | undefined
  return {
    load: () => kept,
    save: (value) => {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, JSON.stringify(value))
      kept = structuredClone(value)
      onSave(value)
    },
  }
}
