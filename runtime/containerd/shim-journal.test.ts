import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { ContainerdOptions } from './containerd-options.ts'
import { notedShims, noteShim } from './shim-journal.ts'

const place = (t: { teardown: (undo: () => void) => void }): ContainerdOptions => {
  const dataDir = mkdtempSync(join(tmpdir(), 'skerry-shims-'))
  t.teardown(() => rmSync(dataDir, { recursive: true }))
  return { dataDir } as unknown as ContainerdOptions
}
const name = (n: number) => n.toString(16).padStart(64, '0')

test('what was noted is known, once each, and a torn line is nothing', async (t) => {
  const options = place(t)
  t.deepEqual(await notedShims(options), [])
  for (const n of [1, 2, 1]) await noteShim(options, `/run/containerd/s/${name(n)}`)
  appendFileSync(join(options.dataDir, 'shims'), '../../etc/passwd\nabc')
  t.deepEqual(await notedShims(options), [name(1), name(2)])
})

test('the journal stays inside its bound and keeps the youngest', async (t) => {
  const options = place(t)
  writeFileSync(join(options.dataDir, 'shims'), Array.from({ length: 17_000 }, (_, n) => `${name(n)}\n`).join(''))
  await noteShim(options, `/run/containerd/s/${name(99_999)}`)
  t.true(statSync(join(options.dataDir, 'shims')).size < 2 ** 20)
  const noted = await notedShims(options)
  t.is(noted.at(-1), name(99_999))
  t.true(noted.includes(name(16_999)))
  t.false(noted.includes(name(0)))
})
