import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { desiredForHost } from './desired.ts'
import type { IntendedApplication } from './intent.ts'
import { parseDocuments } from './parse-documents.ts'
import { revisionOf } from './revision.ts'
import { sampleApplication, sampleDigest, samplePlace } from './sample-config.ts'
import type { ApplicationSpec } from './specification.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const image = { name: 'demo/shop:1', digest: sampleDigest(), archive: sampleDigest('b') }
const head = { tenant: 'main', version: '1', revision: 'r', deployment: 'd' }

const intend = (spec: ApplicationSpec): IntendedApplication => ({
  ...head,
  application: spec.name,
  phase: 'run',
  spec,
  images: [image],
})
const desired = (spec: ApplicationSpec, hosts = ['h1'], host = 'h1') =>
  desiredForHost({ intended: intend(spec), place: samplePlace('n1', hosts), host, hash })
const containerOf = (spec: ApplicationSpec) => desired(spec).instances[0]?.containers[0]

test('units, files, ports and probes are resolved into what a driver is told', (t) => {
  const [document] = parseDocuments(readFileSync(new URL('golden/shop.yaml', import.meta.url), 'utf8'), 'shop.yaml')
  const { instances, images } = desired(document?.value as ApplicationSpec)
  const web = instances[0]
  t.deepEqual(
    instances.map(({ id }) => id),
    ['shop.web-1', 'shop.web-2', 'shop.logger-1'],
  )
  t.deepEqual(images, [image])
  t.deepEqual(web?.ingress, [
    { protocol: 'tcp', port: 8080 },
    { protocol: 'tcp', port: 9000 },
    { protocol: 'tcp', port: 9001 },
  ])
  t.deepEqual(web?.containers[0]?.spec, {
    image: 'demo/shop:1',
    entrypoint: ['/bin/httpd'],
    cmd: ['-f', '-p', '8080'],
    env: { COLOUR: 'blue', PORT: '8080' },
    user: { uid: 1000, gid: 1000 },
    memoryBytes: 64 * 1024 * 1024,
    cpuMillis: 200,
    mounts: [
      {
        kind: 'directory',
        path: '/www',
        files: { 'index.html': 'hello from the shop\n', 'httpd.conf': 'A:*' },
      },
      { kind: 'file', path: '/etc/shop.ini', data: 'colour = blue' },
    ],
    shutdownTimeoutMs: 5_000,
    logSizeBytes: 1_000_000,
  })
  t.deepEqual(web?.containers[0]?.probes, {
    startup: {
      check: { kind: 'exec', args: ['/bin/true'] },
      initialDelayMs: 0,
      periodMs: 1_000,
      timeoutMs: 1_000,
      failureThreshold: 30,
      successThreshold: 1,
    },
    readiness: {
      check: { kind: 'http', port: 8080, path: '/index.html' },
      initialDelayMs: 0,
      periodMs: 1_000,
      timeoutMs: 1_000,
      failureThreshold: 3,
      successThreshold: 2,
    },
    liveness: {
      check: { kind: 'tcp', port: 8080 },
      initialDelayMs: 5_000,
      periodMs: 10_000,
      timeoutMs: 1_000,
      failureThreshold: 3,
      successThreshold: 1,
    },
  })
})

test('the hosts of a site share the instances without speaking to each other', (t) => {
  const spec = sampleApplication({}, { replicas: 7 })
  const hosts = ['h1', 'h2', 'h3']
  const ids = hosts.flatMap((host) => desired(spec, hosts, host).instances.map(({ id }) => id))
  t.deepEqual(
    ids.toSorted(),
    [1, 2, 3, 4, 5, 6, 7].map((n) => `shop.web-${n}`),
  )
})

test('a change of probes, of a sibling, of replicas or of the version leaves the hash of a container alone', (t) => {
  const before = containerOf(sampleApplication())?.specHash
  const probes = { readiness: { tcp: { port: 80 } } }
  const sibling = {
    containers: [
      { name: 'web', image: 'demo/shop:1' },
      { name: 'other', image: 'demo/shop:1' },
    ],
  }
  t.truthy(before)
  t.is(containerOf(sampleApplication({}, {}, { probes }))?.specHash, before)
  t.is(containerOf(sampleApplication({}, sibling))?.specHash, before)
  t.is(containerOf(sampleApplication({}, { replicas: 3 }))?.specHash, before)
  t.is(containerOf(sampleApplication({ version: '2' }))?.specHash, before)
  // Written otherwise, meant the same.
  t.is(
    containerOf(sampleApplication({}, {}, { memory: '64MiB' }))?.specHash,
    containerOf(sampleApplication({}, {}, { memory: '65536KiB' }))?.specHash,
  )
})

test('a change of what runs changes the hash of its container alone', (t) => {
  const before = containerOf(sampleApplication())?.specHash
  for (const change of [
    { env: { A: 'b' } },
    { cmd: ['x'] },
    { memory: '64MiB' },
    { cpus: 0.5 },
    { user: '1:1' },
    { entrypoint: ['x'] },
  ])
    t.not(containerOf(sampleApplication({}, {}, change))?.specHash, before, JSON.stringify(change))
  const moved = {
    ...intend(sampleApplication()),
    images: [{ ...image, digest: sampleDigest('c') }],
  } as IntendedApplication
  const again = desiredForHost({ intended: moved, place: samplePlace(), host: 'h1', hash })
  t.not(again.instances[0]?.containers[0]?.specHash, before)
})

test('a change of ports changes the hash of the network and of nothing else', (t) => {
  const open = (ranges: string) => ({
    network: {
      'ingress-ip-per-instance': { protocols: [{ name: 'tcp', 'port-ranges': ranges }], access: { 'allow-all': true } },
    },
  })
  const instance = (ranges: string) => desired(sampleApplication({}, open(ranges))).instances[0]
  t.is(instance('80,81')?.networkHash, instance('81,80')?.networkHash)
  t.is(instance('80-81')?.networkHash, instance('81,80')?.networkHash)
  t.not(instance('80')?.networkHash, instance('81')?.networkHash)
  t.is(instance('80')?.containers[0]?.specHash, instance('81')?.containers[0]?.specHash)
})

test('retired and elsewhere are said, never left out', (t) => {
  const spec = sampleApplication()
  const retired: IntendedApplication = { ...head, application: 'shop', phase: 'retired' }
  t.deepEqual(desiredForHost({ intended: retired, place: samplePlace(), host: 'h1', hash }), {
    ...head,
    application: 'shop',
    phase: 'retired',
    instances: [],
    images: [],
  })
  const elsewhere = desired(spec, ['h1'], 'h9')
  t.is(elsewhere.phase, 'run')
  t.deepEqual(elsewhere.instances, [])
})

test('a revision is named by its content, its images with their archives, and the salt, not by how it is written', (t) => {
  const spec = sampleApplication({ version: '1', labels: { a: 'b', c: 'd' } })
  const other = sampleApplication({ labels: { c: 'd', a: 'b' }, version: '1' })
  const named = (one: ApplicationSpec, images = [image], salt = 's') => revisionOf(one, images, { salt, hash })
  t.regex(named(spec), /^[0-9a-f]{64}$/)
  t.is(named(spec), named(other))
  t.not(named(spec), named(spec, [{ ...image, archive: 'elsewhere' }]))
  t.not(named(spec), named(spec, [image], 'other'))
  t.not(named(spec), named(spec, [{ ...image, digest: sampleDigest('c') }]))
  t.not(named(spec), named(sampleApplication({ version: '1' })))
})
