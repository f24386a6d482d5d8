import test from 'ava'
import fc from 'fast-check'
import { containerLabels, nodeFilter, readLabels } from './labels.ts'

const owner = {
  tenant: 'acme',
  application: 'web',
  service: 'front',
  instance: 'web.front-1',
  container: 'nginx',
  version: '1.0',
  revision: 'sha256:r',
  specHash: 'sha256:s',
}
const labelled = { node: 'edge-1', owner, imageDigest: 'sha256:i', stopSignal: 3 }

test('the labels of format 1 are these and stay these', (t) => {
  t.deepEqual(containerLabels(labelled), {
    'skerry/v': '1',
    'skerry/node': 'edge-1',
    'skerry/tenant': 'acme',
    'skerry/application': 'web',
    'skerry/service': 'front',
    'skerry/instance': 'web.front-1',
    'skerry/container': 'nginx',
    'skerry/version': '1.0',
    'skerry/revision': 'sha256:r',
    'skerry/spec': 'sha256:s',
    'skerry/image': 'sha256:i',
    'skerry/stop-signal': '3',
  })
})

test('what was written is read back, whatever the names', (t) => {
  const text = fc.string()
  const owners = fc.record({
    tenant: text,
    application: text,
    service: text,
    instance: text,
    container: text,
    version: text,
    revision: text,
    specHash: text,
  })
  const property = fc.property(owners, fc.integer({ min: 1, max: 64 }), (any, stopSignal) => {
    const container = { ...labelled, owner: any, stopSignal }
    const reading = readLabels(containerLabels(container), 'edge-1')
    return reading.kind === 'ours' && JSON.stringify(reading.container) === JSON.stringify(container)
  })
  t.notThrows(() => fc.assert(property))
})

test('containers of others, of newer formats and with labels missing are told apart', (t) => {
  const labels = containerLabels(labelled)
  t.is(readLabels(labels, 'edge-2').kind, 'foreign')
  t.is(readLabels({}, 'edge-1').kind, 'foreign')
  t.deepEqual(readLabels({ ...labels, 'skerry/v': '2' }, 'edge-1'), { kind: 'newer', format: '2' })
  const { 'skerry/spec': _, ...rest } = labels
  t.deepEqual(readLabels(rest, 'edge-1'), { kind: 'damaged', missing: 'skerry/spec' })
  t.is(readLabels({ ...labels, 'skerry/later': 'x' }, 'edge-1').kind, 'ours')
})

test('filters name the node and quote what they name', (t) => {
  t.is(nodeFilter('edge-1'), 'labels."skerry/node"=="edge-1"')
  t.is(
    nodeFilter('e', { instance: 'a"b', container: 'c' }),
    'labels."skerry/node"=="e",labels."skerry/instance"=="a\\"b",labels."skerry/container"=="c"',
  )
})
