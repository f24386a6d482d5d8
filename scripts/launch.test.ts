import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'

/** A package as npm would install it: launchers and a bundle that prints what it was called and given. */
const makePackage = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry bin '))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['bin', 'setup'])
    cpSync(join(import.meta.dirname, part), join(folder, 'scripts', part), { recursive: true })
  mkdirSync(join(folder, 'dist'))
  const program = `
    import { basename } from 'node:path'
    console.log(JSON.stringify([basename(process.argv[1]), ...process.argv.slice(2)]))
    process.exitCode = 5`
  for (const name of ['skerry.mjs', 'skerry-node.mjs']) writeFileSync(join(folder, 'dist', name), program)
  return folder
}

for (const name of ['skerry', 'skerry-tower', 'skerry-aggregator', 'skerry-edge'])
  test(`${name} runs its bundle under its own name, also through a link`, (t) => {
    const folder = makePackage(t)
    const file = join(folder, 'scripts', 'bin', `${name}.mjs`)
    chmodSync(file, 0o755)
    const link = join(folder, 'linked')
    symlinkSync(file, link)
    for (const path of [file, link]) {
      const { status, stdout } = spawnSync(process.execPath, [path, '--site', 'a b'], { encoding: 'utf8' })
      t.is(stdout.trim(), JSON.stringify([name, '--site', 'a b']))
      t.is(status, 5)
    }
  })
