import { project } from './projection.ts'
import type { Query } from './query.ts'
import type { Answer } from './route.ts'

type DataAnswer = Exclude<Answer, { kind: 'bytes' }>

/** What goes out as the body: the value after `count`, `keys` and `fields`. */
export const shapeAnswer = (answer: DataAnswer, query: Query): unknown => {
  const { fields, keys, count } = query
  const value = answer.kind === 'object' ? answer.value : answer.items
  if (answer.kind === 'list') {
    if (count) return { count: answer.items.length }
    if (keys) return answer.items.map((item) => Object.entries(item).find(([name]) => name === answer.key)?.[1] ?? null)
  }
  return fields === undefined ? value : project(value, fields)
}
