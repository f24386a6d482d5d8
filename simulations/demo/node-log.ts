import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoNode } from './world.ts'

/** A line of a node's log. */
export interface NodeLogLine {
  readonly part: string
  readonly message: string
  readonly code?: string
  readonly why?: string
}

const pathOf = (node: DemoNode) => join(node['data-dir'], 'node.log')

/** Where a node's log ends now. */
export const logEnd = (node: DemoNode): number => statSync(pathOf(node)).size

/** Whole lines that a node wrote after `from`, in bytes. */
export const logSince = (node: DemoNode, from: number): readonly NodeLogLine[] =>
  readFileSync(pathOf(node))
    .subarray(from)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as NodeLogLine)
