import test from 'ava'
import { createLog, type LogLine } from './log.ts'

test('each line carries its level, part, message and fields', (t) => {
  const lines: LogLine[] = []
  const log = createLog((line) => void lines.push(line))
  log.info('started', { pid: 7 })
  log.child('mesh').child('link').warn('slow')
  log.debug('d')
  log.error('e')
  t.deepEqual(
    lines.map(({ level, part, message, fields }) => [level, part, message, fields]),
    [
      ['info', 'node', 'started', { pid: 7 }],
      ['warn', 'node.mesh.link', 'slow', {}],
      ['debug', 'node', 'd', {}],
      ['error', 'node', 'e', {}],
    ],
  )
})
