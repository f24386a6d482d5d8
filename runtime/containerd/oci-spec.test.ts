import test from 'ava'
import type { ContainerSpec } from '../containers.ts'
import { commandOf, execProcess, ociSpec } from './oci-spec.ts'

const image = {
  architecture: 'amd64',
  entrypoint: ['/entry'],
  cmd: ['image-cmd'],
  env: { A: 'image', B: 'image' },
  user: '',
  workingDir: '/srv',
  labels: {},
  diffIds: [],
}
const spec: ContainerSpec = { image: 'x:1', env: {}, mounts: [], shutdownTimeoutMs: 1, logSizeBytes: 1 }
const place = {
  hostname: 'web-1',
  cgroupPath: '/skerry/e/t/c',
  user: { uid: 0, gid: 0 },
  files: [],
  maxOpenFiles: 1024,
  countsSwap: true,
}

test('a new entrypoint drops the cmd of the image, a new cmd alone replaces it', (t) => {
  t.deepEqual(commandOf({}, image), ['/entry', 'image-cmd'])
  t.deepEqual(commandOf({ cmd: ['mine'] }, image), ['/entry', 'mine'])
  t.deepEqual(commandOf({ entrypoint: ['/mine'] }, image), ['/mine'])
  t.deepEqual(commandOf({ entrypoint: ['/mine'], cmd: ['too'] }, image), ['/mine', 'too'])
  t.deepEqual(commandOf({ cmd: [] }, image), ['/entry'])
})

test('limits bound memory with swap, and processor time as a quota of 100 ms', (t) => {
  const { resources } = ociSpec({ ...spec, memoryBytes: 67_108_864, cpuMillis: 200 }, image, place).linux
  t.deepEqual(resources.memory, { limit: 67_108_864, swap: 67_108_864 })
  t.deepEqual(resources.cpu, { period: 100_000, quota: 20_000, shares: 205 })
  const without = ociSpec({ ...spec, memoryBytes: 5 }, image, { ...place, countsSwap: false }).linux.resources
  t.deepEqual(without.memory, { limit: 5 })
  t.is(ociSpec({ ...spec, cpuMillis: 1 }, image, place).linux.resources.cpu?.quota, 1000)
  t.false('memory' in ociSpec(spec, image, place).linux.resources)
})

test('the specification wins over the image, the image over what everyone gets', (t) => {
  const { env } = ociSpec({ ...spec, env: { B: 'mine', PATH: '/only' } }, image, place).process
  t.deepEqual(env, ['PATH=/only', 'HOSTNAME=web-1', 'A=image', 'B=mine'])
})

test('an instance with a network joins it, one without gets an empty one', (t) => {
  const network = (netns?: string) =>
    ociSpec(spec, image, netns === undefined ? place : { ...place, netns }).linux.namespaces.at(-1)
  t.deepEqual(network(), { type: 'network' })
  t.deepEqual(network('/run/x'), { type: 'network', path: '/run/x' })
})

test('no container may gain rights, and a command in it has the same', (t) => {
  const all = ociSpec(spec, image, place)
  t.true(all.process.noNewPrivileges)
  t.false(all.process.capabilities.bounding.includes('CAP_SYS_ADMIN'))
  const process = execProcess(all, ['ls'])
  t.deepEqual({ ...process, args: all.process.args }, { ...all.process })
  t.deepEqual(process.args, ['ls'])
})

test('where this host is a chroot, a command enters the container’s root before it becomes the container’s user', (t) => {
  const all = ociSpec(spec, image, { ...place, user: { uid: 1000, gid: 1001 } })
  const process = execProcess(all, ['ls', '/'], '/srv/machine')
  t.deepEqual(process.args, ['/usr/sbin/chroot', '--userspec=+1000:+1001', '--groups=', '/srv/machine', 'ls', '/'])
  t.is(process.user.uid, 0)
  t.is(process.cwd, '/')
})
