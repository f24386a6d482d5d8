import { openSync, writeSync } from 'node:fs'
import type { StateFile } from '../../../node/powers/index.ts'

/** Where the state files of all edges of a process are written, one after the other. */
export interface StateJournal {
  append(name: string, text: string): void
}

/**
 * Written and not synced: in the field each edge has a disk and a thread to wait for it of its own. Here hundreds share one of
 * each, and thousands of small files would be most of what is measured.
 */
export const openStateJournal = (path: string): StateJournal => {
  const file = openSync(path, 'a', 0o600)
  return { append: (name, text) => void writeSync(file, `${name} ${text}\n`) }
}

/** A state file of an edge that starts once and is read in the life that wrote it. */
export const createEdgeStateFile = <Value>(
  name: string,
  journal: StateJournal,
  onSave: (value: Value) => void,
): StateFile<Value> => {
  let kept: string | undefined
  return {
    load: () => (kept === undefined ? undefined : (JSON.parse(kept) as Value)),
    save: (value) => {
      kept = JSON.stringify(value)
      journal.append(name, kept)
      onSave(value)
    },
  }
}
