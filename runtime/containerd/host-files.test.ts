import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { placeFiles, reachableResolvers } from './container-files.ts'
import { imageNamespace, isTenantNamespace, tenantNamespace } from './containerd-options.ts'
import { mountsBelow } from './destroy-containerd.ts'
import { chainIds } from './image-store.ts'
import { layerDirectories, resolveUser } from './image-user.ts'
import { splitRule } from './iptables-firewall.ts'
import { createNetworkRecords, networkKey, recordOf } from './network-records.ts'

const folder = async (t: ExecutionContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'files-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}
const host = { hostname: 'web-1', addresses: ['10.0.0.2'] }

test('a container gets its name, hosts and files, deepest mounts last', async (t) => {
  const directory = join(await folder(t), 'c1')
  const mounts = [
    { kind: 'file', path: '/etc/shop/deep/x', data: 'X' },
    { kind: 'directory', path: '/etc/shop', files: { a: 'A' } },
    { kind: 'file', path: '/etc/hosts', data: 'mine' },
  ] as const
  const placed = await placeFiles(directory, { mounts }, host)
  t.deepEqual(
    placed.map(({ path, writable }) => [path, writable ?? false]),
    [
      ['/etc/hostname', true],
      ['/etc/hosts', false],
      ['/etc/resolv.conf', true],
      ['/etc/shop', false],
      ['/etc/shop/deep/x', false],
    ],
  )
  t.is(await readFile(placed.find(({ path }) => path === '/etc/hosts')!.source, 'utf8'), 'mine')
  t.is(await readFile(join(placed[3]!.source, 'a'), 'utf8'), 'A')
})

test('files are refused where they would cover the kernel or lead elsewhere', async (t) => {
  const directory = join(await folder(t), 'c1')
  for (const path of ['/', '/proc', '/proc/x', '/sys', '/dev', '/dev/pts/1', 'etc', '/a/../proc'])
    await t.throwsAsync(placeFiles(directory, { mounts: [{ kind: 'file', path, data: '' }] }, host), {
      code: 'start-failed',
    })
  for (const name of ['', '.', '..', 'a/b', '../x'])
    await t.throwsAsync(
      placeFiles(directory, { mounts: [{ kind: 'directory', path: '/x', files: { [name]: '' } }] }, host),
      { code: 'start-failed', message: /a file named/ },
    )
})

test('resolvers on the loopback of the host are left out', (t) => {
  const text = 'search shop.example\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.1\n'
  t.is(reachableResolvers(text), 'search shop.example\nnameserver 10.0.0.1\n')
})

test('the user of an image is found in its own files and nowhere else', async (t) => {
  const root = await folder(t)
  const [upper, lower] = [join(root, 'upper'), join(root, 'lower')]
  for (const layer of [upper, lower]) await mkdir(join(layer, 'etc'), { recursive: true })
  await writeFile(join(lower, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\n')
  await writeFile(join(lower, 'etc/group'), 'web:x:1001:\nmail:x:8:\n')
  const options = [`upperdir=${upper}`, `workdir=${root}/work`, `lowerdir=${lower}`]
  const mounts = [{ type: 'overlay', source: 'overlay', options }]
  t.deepEqual(layerDirectories(mounts), [upper, lower])
  t.deepEqual(await resolveUser('', mounts), { uid: 0, gid: 0 })
  t.deepEqual(await resolveUser('web', mounts), { uid: 1000, gid: 1001 })
  t.deepEqual(await resolveUser('1000', mounts), { uid: 1000, gid: 1001 })
  t.deepEqual(await resolveUser('7', mounts), { uid: 7, gid: 0 })
  t.deepEqual(await resolveUser('7:9', mounts), { uid: 7, gid: 9 })
  t.deepEqual(await resolveUser('web:mail', mounts), { uid: 1000, gid: 8 })
  await t.throwsAsync(resolveUser('nobody-here', mounts), { code: 'start-failed', message: /user nobody-here/ })
  await t.throwsAsync(resolveUser('web:none', mounts), { code: 'start-failed', message: /group none/ })

  await rm(join(lower, 'etc'), { recursive: true })
  await rm(join(upper, 'etc'), { recursive: true })
  await symlink('/etc', join(lower, 'etc'))
  await t.throwsAsync(resolveUser('daemon', mounts), { code: 'start-failed' })
})

test('namespaces of containerd are legal for every legal name, and never mistaken for each other', (t) => {
  const legal = /^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/
  const names = ['acme', 'a--b', 'a-b', 'images', 'x'.repeat(63), `${'a'.repeat(30)}--${'b'.repeat(31)}`]
  const all = [...names.map(tenantNamespace), ...names.map(imageNamespace)]
  for (const name of all) t.true(legal.test(name) && name.length <= 76, name)
  t.is(new Set(all).size, all.length)
  t.is(tenantNamespace('acme'), 'skerry-acme')
  t.false(names.map(imageNamespace).some(isTenantNamespace))
})

test('mounts below a directory come deepest first, with their names decoded', (t) => {
  const info = [
    '22 1 0:1 / / rw - ext4 a rw',
    '23 22 0:2 / /run/x rw - tmpfs a rw',
    '24 23 0:3 / /run/x/a\\040b/rootfs rw - overlay a rw',
    '25 22 0:4 / /run/xy rw - tmpfs a rw',
  ].join('\n')
  t.deepEqual(mountsBelow(info, '/run/x'), ['/run/x/a b/rootfs', '/run/x'])
})

test('chain ids follow the OCI image specification', (t) => {
  const [a, b] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`)
  t.deepEqual(chainIds([]), [])
  t.deepEqual(chainIds([a!]), [a])
  // printf 'sha256:aa… sha256:bb…' | sha256sum
  t.is(chainIds([a!, b!])[1], 'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c')
})

test('rules of the packet filter are split into the words they were made of', (t) => {
  const line = '-A POSTROUTING -m comment --comment "dnat name: \\"n\\" id: \\"i\\"" -j CNI-DN-0123'
  t.deepEqual(splitRule(line).slice(-4), ['--comment', 'dnat name: "n" id: "i"', '-j', 'CNI-DN-0123'])
})

test('a network record is read back, and one that was cut short reads as none', async (t) => {
  const directory = join(await folder(t), 'networks')
  const records = createNetworkRecords(directory)
  const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: 20_001 }]
  const record = recordOf({ instance: 'web.web-1', tenant: 'acme', networkHash: 'h', ports }, ['10.0.0.2'])
  const key = networkKey('acme', 'web.web-1')
  await records.write(key, record)
  t.deepEqual(await records.read(key), record)
  await writeFile(`${directory}/broken.json`, '{"v":1,"ten')
  t.is(await records.read('broken'), undefined)
  t.deepEqual(await records.keys(), [key, 'broken'].toSorted())
  await records.remove(key)
  t.is(await records.read(key), undefined)
})
