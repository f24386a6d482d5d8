import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { pack } from 'tar-stream'
import { ContainersError } from '../containers-error.ts'
import { buildArchive, extractLayers, openArchive } from './index.ts'

const folder = async (t: ExecutionContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'oci-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}
const shop = {
  name: 'demo/shop:1',
  files: [
    { path: 'bin/shop', data: '#!/bin/sh\n', mode: 0o755 },
    { path: 'etc/shop.conf', data: 'open' },
    { path: 'bin/sh', linkTo: '/bin/shop' },
  ],
  config: { entrypoint: ['/bin/shop'], cmd: ['--open'], env: { A: 'b=c' }, labels: { 'skerry/process': '["x"]' } },
} as const

type RawEntry = { name: string; data?: string | Uint8Array; linkname?: string; type?: 'symlink' | 'link' | 'directory' }
const tarOf = async (entries: readonly RawEntry[]): Promise<Buffer> => {
  const stream = pack()
  for (const { name, data, linkname, type } of entries)
    if (type) stream.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) })
    else stream.entry({ name }, Buffer.from(data ?? ''))
  stream.finalize()
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** An archive around raw layers, with anything in it replaceable: what an attacker would make. */
const hostileArchive = async (
  layers: readonly Uint8Array[],
  change: {
    index?: (index: { schemaVersion: number; manifests: Record<string, unknown>[] }) => unknown
    manifest?: (manifest: Record<string, unknown>) => unknown
    extra?: readonly RawEntry[]
  } = {},
  mediaType = 'application/vnd.oci.image.layer.v1.tar',
  diffIds = layers.map((layer) => `sha256:${sha256(layer)}`),
): Promise<Buffer> => {
  const blobs: RawEntry[] = []
  const add = (type: string, bytes: string | Uint8Array) => {
    blobs.push({ name: `blobs/sha256/${sha256(bytes)}`, data: bytes })
    return { mediaType: type, digest: `sha256:${sha256(bytes)}`, size: Buffer.byteLength(bytes) }
  }
  const config = {
    architecture: 'any',
    os: 'linux',
    config: { Labels: { 'skerry/process': '[]' } },
    rootfs: { diff_ids: diffIds },
  }
  const manifest = {
    schemaVersion: 2,
    config: add('application/vnd.oci.image.config.v1+json', JSON.stringify(config)),
    layers: layers.map((layer) => add(mediaType, layer)),
  }
  const top = add(
    'application/vnd.oci.image.manifest.v1+json',
    JSON.stringify(change.manifest ? change.manifest(manifest) : manifest),
  )
  const index = { schemaVersion: 2, manifests: [{ ...top, annotations: { 'io.containerd.image.name': 'bad:1' } }] }
  return tarOf([
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: JSON.stringify(change.index ? change.index(index) : index) },
    ...blobs,
    ...(change.extra ?? []),
  ])
}

const save = async (t: ExecutionContext, bytes: Uint8Array): Promise<string> => {
  const path = join(await folder(t), 'image.tar')
  await writeFile(path, bytes)
  return path
}
const refused = async (t: ExecutionContext, run: () => Promise<unknown>, words: RegExp): Promise<void> => {
  const error = await t.throwsAsync(run, { instanceOf: ContainersError })
  t.is((error as ContainersError).code, 'bad-image')
  t.regex(error.message, words)
}
const unpack = async (path: string, directory: string, bounds = {}): Promise<void> => {
  const archive = await openArchive(path)
  try {
    await extractLayers(archive, archive.images[0]!, directory, bounds)
  } finally {
    await archive.close()
  }
}

test('an archive that was built reads back as it was meant', async (t) => {
  const archive = await openArchive(await save(t, await buildArchive(shop)))
  t.teardown(() => archive.close())
  const image = archive.images[0]!
  t.is(image.name, 'demo/shop:1')
  t.is(image.digest, `sha256:${sha256(image.manifest.bytes)}`)
  t.deepEqual(image.config.entrypoint, ['/bin/shop'])
  t.deepEqual(image.config.cmd, ['--open'])
  t.deepEqual(image.config.env, { A: 'b=c' })
  t.is(image.config.workingDir, '/')
  t.deepEqual(
    image.layers.map(({ digest }) => digest),
    [...image.config.diffIds],
  )
  let size = 0
  for await (const piece of archive.blob(image.layers[0]!.digest)) size += piece.length
  t.is(size, image.layers[0]!.sizeBytes)
})

test('the same input builds the same bytes', async (t) => {
  t.deepEqual(await buildArchive(shop), await buildArchive(structuredClone(shop)))
  t.notDeepEqual(await buildArchive(shop), await buildArchive({ ...shop, name: 'demo/shop:2' }))
})

test('of an image for several platforms the one of this machine is taken', async (t) => {
  const arm = { ...shop, architecture: 'arm64', config: { entrypoint: ['/bin/shop'] } }
  const path = await save(t, await buildArchive(arm))
  const archive = await openArchive(path, { architecture: 'arm64' })
  t.is(archive.images[0]!.config.architecture, 'arm64')
  await archive.close()
  await refused(t, () => openArchive(path, { architecture: 'amd64' }), /for arm64, but this machine is amd64/)
})

test('an index inside the archive is followed to the right platform', async (t) => {
  const bytes = await hostileArchive([await tarOf([])])
  const plain = await openArchive(await save(t, bytes))
  const manifest = plain.images[0]!.manifest
  await plain.close()
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const entry = { mediaType: type, digest: manifest.digest, size: manifest.sizeBytes }
  const nested = (os: string) =>
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { ...entry, digest: `sha256:${'0'.repeat(64)}`, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...entry, platform: { os, architecture: 'riscv64' } },
      ],
    })
  const archiveWith = (text: string) =>
    hostileArchive([new Uint8Array(1024)], {
      index: () => ({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.index.v1+json',
            digest: `sha256:${sha256(text)}`,
            size: text.length,
            annotations: { 'org.opencontainers.image.ref.name': 'multi:1' },
          },
        ],
      }),
      extra: [{ name: `blobs/sha256/${sha256(text)}`, data: text }],
    })
  const good = await openArchive(await save(t, await archiveWith(nested('linux'))), { architecture: 'riscv64' })
  t.is(good.images[0]!.digest, manifest.digest)
  await good.close()
  const other = await save(t, await archiveWith(nested('windows')))
  await refused(t, () => openArchive(other, { architecture: 'riscv64' }), /not for linux\/riscv64/)
})

test('a file that is cut off anywhere is refused before anything of it is used', async (t) => {
  const whole = await buildArchive(shop)
  for (const length of [0, 100, 700, 1600, 3000, whole.length - 3000]) {
    const path = await save(t, whole.subarray(0, length))
    await refused(t, () => openArchive(path), /cut off|no tar file|holds no|does not hold/)
  }
})

test('one flipped bit anywhere in a blob is found', async (t) => {
  const whole = await buildArchive(shop)
  const archive = await openArchive(await save(t, whole))
  const { layers, manifest } = archive.images[0]!
  await archive.close()
  const flip = (needle: Uint8Array, at: number) => {
    const copy = Buffer.from(whole)
    const found = copy.indexOf(needle)
    t.true(found > 0)
    copy[found + at]! ^= 1
    return copy
  }
  await refused(t, async () => openArchive(await save(t, flip(manifest.bytes, 20))), /manifest/)
  const layer = await save(t, flip(Buffer.from('#!/bin/sh\n'), 3))
  const out = await folder(t)
  await refused(t, () => unpack(layer, out), new RegExp(`does not match its digest ${layers[0]!.digest}`))
})

test('a manifest of more than 4 MiB is refused unread', async (t) => {
  const bytes = await hostileArchive([], { manifest: (manifest) => ({ ...manifest, more: 'x'.repeat(5 << 20) }) })
  await refused(t, async () => openArchive(await save(t, bytes)), /manifest of \d+ bytes; at most 4194304/)
})

test('entries that lead out of the archive are refused', async (t) => {
  for (const name of ['../evil', '/etc/passwd', 'blobs/../../evil']) {
    const bytes = await hostileArchive([], { extra: [{ name, data: 'x' }] })
    await refused(t, async () => openArchive(await save(t, bytes)), /leads out of the archive/)
  }
})

test('archives that lack something, or say two things, are refused in words', async (t) => {
  const cases: [Promise<Buffer>, RegExp][] = [
    [tarOf([{ name: 'manifest.json', data: '[]' }]), /holds no oci-layout, so it is no OCI archive/],
    [hostileArchive([], { index: () => ({ schemaVersion: 2, manifests: [] }) }), /holds no image with a name/],
    [hostileArchive([], { index: () => 'text' }), /bad index.json/],
    [hostileArchive([], { index: (i) => ({ ...i, manifests: [i.manifests[0], i.manifests[0]] }) }), /two images named/],
    [
      hostileArchive([], {
        index: (i) => ({
          ...i,
          manifests: [{ ...i.manifests[0], annotations: { 'io.containerd.image.name': '../x' } }],
        }),
      }),
      /an image named "..\/x"/,
    ],
    [
      hostileArchive([], { index: (i) => ({ ...i, manifests: [{ ...i.manifests[0], size: 7 }] }) }),
      /of \d+ bytes where 7 are named/,
    ],
    [hostileArchive([await tarOf([])], {}, 'application/x-odd'), /a layer of the kind application\/x-odd/],
    [hostileArchive([await tarOf([])], {}, undefined, []), /has 1 layers in bad:1 where its configuration names 0/],
  ]
  for (const [bytes, words] of cases) await refused(t, async () => openArchive(await save(t, await bytes)), words)
})

test('a file that is not there is named', async (t) => {
  await refused(t, () => openArchive('/nowhere/image.tar'), /cannot open image archive \/nowhere\/image.tar/)
})

test('layers are unpacked in order, whiteouts included', async (t) => {
  const bytes = await buildArchive({
    name: 'x:1',
    files: [
      { path: 'a/old', data: '1' },
      { path: 'b/old', data: '1' },
      { path: 'keep', data: '1' },
      { path: 'gone', data: '1' },
    ],
    moreLayers: [
      [
        { path: 'a/new', data: '2' },
        { path: 'a/.wh..wh..opq', data: '' },
        { path: '.wh.gone', data: '' },
        { path: 'keep', data: '2' },
      ],
    ],
  })
  const out = await folder(t)
  await unpack(await save(t, bytes), out)
  await t.throwsAsync(stat(join(out, 'a/old')), { code: 'ENOENT' })
  await t.throwsAsync(stat(join(out, 'gone')), { code: 'ENOENT' })
  t.is(await readFile(join(out, 'a/new'), 'utf8'), '2')
  t.is(await readFile(join(out, 'b/old'), 'utf8'), '1')
  t.is(await readFile(join(out, 'keep'), 'utf8'), '2')
})

test('modes survive without the bits that give rights, and compressed layers are read', async (t) => {
  const layer = await tarOf([{ name: 'run', data: 'x' }])
  const bytes = await hostileArchive([gzipSync(layer)], {}, 'application/vnd.oci.image.layer.v1.tar+gzip', [
    `sha256:${sha256(layer)}`,
  ])
  const out = await folder(t)
  await unpack(await save(t, bytes), out)
  t.is(await readFile(join(out, 'run'), 'utf8'), 'x')
  const odd = await buildArchive({ name: 'x:1', files: [{ path: 'su', data: 'x', mode: 0o4755 }] })
  await unpack(await save(t, odd), out)
  t.is((await stat(join(out, 'su'))).mode & 0o7777, 0o755)
})

test('a layer that does not unpack to its diff id is refused', async (t) => {
  const layer = await tarOf([{ name: 'x', data: 'x' }])
  const bytes = await hostileArchive([layer], {}, undefined, [`sha256:${'1'.repeat(64)}`])
  const out = await folder(t)
  await refused(t, async () => unpack(await save(t, bytes), out), /does not unpack to sha256:1/)
})

const escapes: Record<string, readonly RawEntry[]> = {
  'a name with dots': [{ name: 'a/../../evil', data: 'x' }],
  'a hard link to a file of the host': [{ name: 'passwd', type: 'link', linkname: '../../etc/passwd' }],
  'a hard link to a file that is not in the image': [{ name: 'passwd', type: 'link', linkname: '/etc/passwd' }],
  'a hard link to a symbolic link': [
    { name: 'd/l', type: 'symlink', linkname: '..' },
    { name: 'l', type: 'link', linkname: 'd/l' },
  ],
  'a whiteout of its parent': [{ name: '.wh...', data: '' }],
  'a whiteout of itself': [{ name: 'a/.wh..', data: '' }],
  'a circle of links': [
    { name: 'a', type: 'symlink', linkname: 'b' },
    { name: 'b', type: 'symlink', linkname: 'a' },
    { name: 'a/evil', data: 'x' },
  ],
}
for (const [what, entries] of Object.entries(escapes))
  test(`a layer with ${what} is refused`, async (t) => {
    const bytes = await hostileArchive([await tarOf(entries)])
    const out = join(await folder(t), 'deep', 'rootfs')
    await refused(t, async () => unpack(await save(t, bytes), out), /leads out|does not hold|circle of links/)
    await t.throwsAsync(stat(join(out, '..', 'evil')), { code: 'ENOENT' })
  })

test('links of an image end inside of it, and files written through them too', async (t) => {
  const out = join(await folder(t), 'deep', 'rootfs')
  const layer = await tarOf([
    { name: 'etc/passwd', data: 'ours' },
    { name: 'up', type: 'symlink', linkname: '../../../..' },
    { name: 'abs', type: 'symlink', linkname: '/etc' },
    { name: 'tricky', type: 'symlink', linkname: 'etc/../../..' },
    { name: 'up/written', data: 'x' },
    { name: 'abs/shop', data: 'y' },
  ])
  await unpack(await save(t, await hostileArchive([layer])), out)
  t.is(await readFile(join(out, 'abs/passwd'), 'utf8'), 'ours')
  t.is(await readFile(join(out, 'up/etc/passwd'), 'utf8'), 'ours')
  t.is(await readFile(join(out, 'tricky/etc/passwd'), 'utf8'), 'ours')
  t.is(await readFile(join(out, 'written'), 'utf8'), 'x')
  t.is(await readFile(join(out, 'etc/shop'), 'utf8'), 'y')
})

test('a link that was there before does not lead writing out', async (t) => {
  const parent = await folder(t)
  const out = join(parent, 'rootfs')
  await unpack(await save(t, await buildArchive({ name: 'x:1', files: [] })), out)
  await symlink(parent, join(out, 'trap'))
  await unpack(await save(t, await hostileArchive([await tarOf([{ name: 'trap/evil', data: 'x' }])])), out)
  await t.throwsAsync(stat(join(parent, 'evil')), { code: 'ENOENT' })
})

test('an image larger than its bounds is refused', async (t) => {
  const bytes = await save(t, await hostileArchive([await tarOf([{ name: 'big', data: Buffer.alloc(9000) }])]))
  const out = await folder(t)
  await refused(t, () => unpack(bytes, out, { maxBytes: 8000 }), /more than 8000 bytes/)
  await refused(t, () => unpack(bytes, out, { maxEntries: 0 }), /more than 0 files/)
})

test('opening stops when it is told to', async (t) => {
  const path = await save(t, await buildArchive(shop))
  await t.throwsAsync(openArchive(path, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
})
