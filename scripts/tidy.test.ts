import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { parseTopology } from '../topologies/index.ts'
import {
  findBadDoor,
  findDoorBreaks,
  findLayerBreaks,
  findLazyPackages,
  findStrays,
  findTestTools,
} from './tidy/layers.ts'
import { adapters, findBannedCalls, findImpureImports } from './tidy/purity.ts'
import type { Source } from './tidy/source.ts'
import {
  findDeadLinks,
  findEmptyNames,
  findFatBase,
  findLongFile,
  findLooseDependencies,
  findMachinePlaces,
} from './tidy/words.ts'

const root = dirname(import.meta.dirname)
const skipped = new Set(['node_modules', '.git', '.node24', '.skerry', 'dist', 'coverage'])
const readable = /\.(ts|mjs|js|json|ya?ml|md|proto|txt|sh|npmrc)$|(^|\/)(LICENSE|run|\.npmrc|\.gitignore)$/

const walk = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (skipped.has(entry.name)) return []
    return entry.isDirectory() ? walk(path) : [path]
  })

const files: readonly Source[] = walk('')
  .filter((path) => readable.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const code = files.filter(({ path }) => /\.(ts|mjs)$/.test(path))
const doors = new Set(code.filter(({ path }) => path.endsWith('/index.ts')).map(({ path }) => dirname(path)))

type Rule = (source: Source) => string[]
const knownFiles = new Set(['base/clock.ts', 'base/errors.ts'])
const sampleDoors = new Set(['base', 'runtime/oci'])

const from = (specifier: string) => `import { x } from '${specifier}'\n`
const door = (block: string) => `/**\n * ${block}\n */\nexport { a } from './clock.ts'\n`

/** Each rule with its code, samples it must catch and samples it must let pass. */
const rules: readonly {
  name: string
  sources: readonly Source[]
  find: Rule
  sampleFind?: Rule
  bad: readonly (readonly [path: string, text: string, words: RegExp])[]
  good: readonly (readonly [path: string, text: string])[]
}[] = [
  {
    name: 'imports go to the left, never to a sibling',
    sources: code,
    find: findLayerBreaks,
    bad: [
      ['base/a.ts', from('../mesh/index.ts'), /^base\/a\.ts:1: base may not import mesh/],
      ['mesh/a.ts', from('../runtime/index.ts'), /mesh may not import runtime/],
      ['node/services/x/a.ts', from('../../api/index.ts'), /node\/services may not import node/],
      ['runtime/a.ts', "export { y } from '../node/index.ts'", /runtime may not import node/],
      ['runtime/a.ts', "const y = await import('../node/index.ts')", /runtime may not import node/],
    ],
    good: [
      ['node/a.ts', from('../mesh/index.ts')],
      ['mesh/a.ts', `// import { x } from '../runtime/index.ts'\n${from('./b.ts')}`],
    ],
  },
  {
    name: 'another folder is entered by its door',
    sources: code,
    find: (source) => findDoorBreaks(source, doors),
    sampleFind: (source) => findDoorBreaks(source, sampleDoors),
    bad: [
      [
        'mesh/a.ts',
        `\n${from('../base/clock.ts')}`,
        /^mesh\/a\.ts:2: import base\/index\.ts instead of base\/clock\.ts/,
      ],
      ['runtime/a.ts', from('./oci/tar.ts'), /import runtime\/oci\/index\.ts/],
      ['node/a.ts', from('../runtime/containerd/client.ts'), /import runtime\/index\.ts/],
    ],
    good: [
      ['mesh/a.ts', from('../base/index.ts')],
      ['runtime/oci/a.ts', from('../plan.ts') + from('./tar.ts')],
      ['node/a.ts', from('../runtime/oci/index.ts')],
      ['node/a.test.ts', from('../mesh/mesh.contract.ts')],
    ],
  },
  {
    name: 'a door says what it does, what it must not do, and what to read first',
    sources: code,
    find: (source) => findBadDoor(source, (path) => existsSync(join(root, path))),
    sampleFind: (source) => findBadDoor(source, (path) => knownFiles.has(path)),
    bad: [
      ['base/index.ts', "export { a } from './clock.ts'", /^base\/index\.ts:1: a door opens with a block/],
      ['base/index.ts', door('Ports. Read first: clock.ts, errors.ts.'), /must not do/],
      ['base/index.ts', door('Ports. Must not do I/O. Read first: clock.ts.'), /two files/],
      [
        'base/index.ts',
        door('Ports. Must not do I/O. Read first: clock.ts, gone.ts.'),
        /gone\.ts, which does not exist/,
      ],
      [
        'base/index.ts',
        `${door('Ports. Must not do I/O. Read first: clock.ts, errors.ts.')}export * from './ids.ts'`,
        /one by one/,
      ],
    ],
    good: [['base/index.ts', door('Ports.\n * Must not do I/O.\n * Read first: clock.ts, errors.ts.')]],
  },
  {
    name: 'a third-party package has one home',
    sources: code,
    find: findStrays,
    bad: [
      ['runtime/a.ts', from('@grpc/grpc-js'), /^runtime\/a\.ts:1: @grpc\/grpc-js lives in runtime\/containerd\//],
      ['node/a.ts', from('fastify'), /fastify lives in node\/api\//],
      ['node/a.ts', from('commander'), /commander lives in node\/cli\//],
      ['node/a.ts', from('libp2p'), /libp2p lives in mesh\//],
    ],
    good: [['node/api/a.ts', from('fastify')]],
  },
  {
    name: 'packages are imported lazily through a file of ours',
    sources: code,
    find: findLazyPackages,
    bad: [['node/api/a.ts', "const x = await import('fastify')", /^node\/api\/a\.ts:1: import\(\) of fastify differs/]],
    good: [['node/api/a.ts', "await import('./x.ts'); await import('node:os'); const s = `import('fastify')`"]],
  },
  {
    name: 'test tools stay in tests',
    sources: code,
    find: findTestTools,
    bad: [['mesh/a.ts', from('fast-check'), /fast-check is for tests/]],
    good: [['mesh/a.test.ts', from('ava') + from('./mesh.contract.ts')]],
  },
  {
    name: 'clock, timers and chance are used by adapters only',
    sources: code,
    find: findBannedCalls,
    bad: [
      ['mesh/a.ts', 'const a = 1\nconst b = Date.now()', /^mesh\/a\.ts:2: Date is banned here, take a Clock$/],
      ['mesh/a.ts', 'const b = new Date()', /Date is banned/],
      ['mesh/a.ts', 'performance.now()', /performance\.now is banned/],
      ['mesh/a.ts', 'Math.random()', /Math\.random is banned/],
      ['mesh/a.test.ts', 'Math.random()', /Math\.random is banned/],
      ['mesh/a.ts', "import { randomUUID } from 'node:crypto'", /chance of node:crypto/],
      ['mesh/a.ts', 'setTimeout(run, 5)', /timers are banned/],
      ['mesh/a.ts', 'setInterval(run, 5)', /timers are banned/],
      ['mesh/a.ts', 'setImmediate(run)', /timers are banned/],
      ['mesh/a.ts', 'queueMicrotask(run)', /queueMicrotask is banned/],
      ['mesh/a.ts', 'AbortSignal.timeout(5)', /AbortSignal\.timeout is banned/],
      ['mesh/a.ts', 'crypto.subtle.digest()', /crypto\.subtle is banned/],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is code
      ['mesh/a.ts', 'const text = `${Date.now()} ms`', /Date is banned/],
      ['mesh/a.ts', 'const half = total / 2; const b = Date.now() / 2', /Date is banned/],
    ],
    good: [
      ['mesh/a.ts', "// Date\nconst a = 'Date' + `setTimeout` + /Math.random()/.source"],
      ['mesh/a.ts', 'const b = new Date(clock.wallMs())'],
      ['node/powers/clock.ts', 'Date.now()'],
    ],
  },
  {
    name: 'pure files import nothing of Node',
    sources: code,
    find: findImpureImports,
    bad: [
      ['runtime/plan.ts', from('node:fs'), /^runtime\/plan\.ts:1: node:fs is banned here/],
      ['runtime/plan.ts', "import { createHash, randomBytes } from 'node:crypto'", /node:crypto is banned/],
    ],
    good: [
      ['runtime/plan.ts', "import { createHash } from 'node:crypto'\n"],
      ['mesh/libp2p/door.ts', from('node:net')],
      ['runtime/plan.test.ts', from('node:fs')],
    ],
  },
  {
    name: 'no file is over 400 lines',
    sources: files,
    find: findLongFile,
    bad: [['mesh/a.ts', 'a\n'.repeat(401), /^mesh\/a\.ts:400: 401 lines/]],
    good: [['mesh/a.ts', 'a\n'.repeat(400)]],
  },
  {
    name: 'names say what a thing is',
    sources: files,
    find: findEmptyNames,
    bad: [
      ['mesh/utils.ts', '', /"utils" says nothing/],
      ['mesh/string-helpers.ts', '', /"helpers" says nothing/],
      ['lib/a.ts', '', /"lib" says nothing/],
      ['mesh/types.ts', '', /"types" says nothing/],
      ['mesh/a.ts', 'class LinkManager {}', /LinkManager says nothing/],
    ],
    good: [
      ['mesh/library.ts', 'const helper = 1'],
      ['runtime/containerd/protos/types.proto', ''],
    ],
  },
  {
    name: 'nothing points at one machine or registry',
    sources: files,
    find: findMachinePlaces,
    bad: [
      ['a.md', `x\nsee ${['', 'work', 'main'].join('/')}`, /^a\.md:2: a path of one machine/],
      ['a.md', `see ${['', 'root', 'project'].join('/')}`, /a path of one machine/],
      ['a.json', `https://${['registry', 'example', 'org'].join('.')}/a`, /the host of a registry/],
    ],
    good: [['a.md', 'node/work/a, /run/skerry, runtime/root/x']],
  },
  {
    name: 'links between documents lead to files that are there',
    sources: files,
    find: (source) => findDeadLinks(source, (path) => existsSync(join(root, path))),
    sampleFind: (source) => findDeadLinks(source, (path) => knownFiles.has(path)),
    bad: [
      ['docs/a.md', 'x\n[the clock](../base/watch.ts)', /^docs\/a\.md:2: the link \.\.\/base\/watch\.ts leads nowhere/],
      ['a.md', '[a](base/gone.md#part)', /base\/gone\.md leads nowhere/],
    ],
    good: [['docs/a.md', '[a](../base/clock.ts#x) [b](https://example.org/x) [c](#here)\n```\n[d](e)\n```']],
  },
  {
    name: 'dependencies are pinned and the lock file holds no address',
    sources: files,
    find: findLooseDependencies,
    bad: [
      ['package.json', '{ "dependencies": { "a": "^1.0.0" } }', /^package\.json:1: a is "\^1\.0\.0"/],
      ['package.json', '{ "devDependencies": { "a": "latest" } }', /pin one exact version/],
      ['package-lock.json', '{\n"resolved": "x" }', /^package-lock\.json:2: an address/],
    ],
    good: [['package.json', '{ "dependencies": { "a": "1.0.0" } }']],
  },
]

for (const { name, sources, find, sampleFind = find, bad, good } of rules) {
  test(`tidy: ${name}`, (t) => {
    t.deepEqual(sources.flatMap(find), [])
  })

  test(`the rule is awake: ${name}`, (t) => {
    for (const [path, text, words] of bad) {
      const found = sampleFind({ path, text })
      t.true(
        found.some((line) => words.test(line)),
        `${path} ${text.slice(0, 60)}: ${found.join(' | ') || 'not caught'}`,
      )
    }
    for (const [path, text] of good) t.deepEqual(sampleFind({ path, text }), [], `${path} ${text.slice(0, 60)}`)
  })
}

test('tidy: base stays at eight files and 400 lines', (t) => {
  t.deepEqual(findFatBase(code.filter(({ path }) => path.startsWith('base/'))), [])
})

test('the rule is awake: base stays at eight files and 400 lines', (t) => {
  const fat = Array.from({ length: 9 }, (_, at) => ({ path: `base/${at}.ts`, text: 'a\n'.repeat(50) }))
  t.is(findFatBase(fat).length, 2)
  t.deepEqual(findFatBase([...fat.slice(0, 8), { path: 'base/a.test.ts', text: 'a\n'.repeat(300) }]), [])
})

test('tidy: every top folder with code has a door', (t) => {
  const folders = ['base', 'topologies', 'crdt', 'mesh', 'runtime', 'node']
  const without = folders.filter(
    (folder) => !doors.has(folder) && code.some(({ path }) => path.startsWith(`${folder}/`)),
  )
  t.deepEqual(without, [])
})

test('tidy: every adapter on the list exists', (t) => {
  t.deepEqual(
    adapters.filter(({ path }) => !existsSync(join(root, path))).map(({ path }) => path),
    [],
  )
})

test('tidy: every topology example is valid', (t) => {
  const examples = files.filter(({ path }) => /^topologies\/examples\/[^/]+\.ya?ml$/.test(path))
  t.true(examples.length > 0, 'there are no examples')
  for (const { path, text } of examples) t.notThrows(() => parseTopology(text, path))
})
