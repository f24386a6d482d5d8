import { posix } from 'node:path'
import { complain, importsOf, type Source } from './source.ts'

/** From left to right; a file imports from its own unit or one of a lower layer. Equal numbers are siblings. */
const layers: Readonly<Record<string, number>> = {
  base: 0,
  topologies: 1,
  crdt: 2,
  mesh: 3,
  runtime: 3,
  'node/services': 4,
  node: 5,
  simulations: 6,
  scripts: 7,
}

const unitOf = (path: string): string | undefined =>
  path.startsWith('node/services/') ? 'node/services' : Object.keys(layers).find((unit) => path.startsWith(`${unit}/`))

const isRelative = (specifier: string) => specifier.startsWith('.')
const isTest = (path: string) => /\.(test|contract)\.ts$/.test(path)

/** No import to the right, none between siblings. */
export const findLayerBreaks = (source: Source): string[] => {
  const own = unitOf(source.path)
  if (own === undefined) return []
  return importsOf(source).flatMap(({ specifier, at }) => {
    const other = isRelative(specifier) ? unitOf(posix.join(posix.dirname(source.path), specifier)) : own
    if (other === own) return []
    if (other !== undefined && (layers[other] ?? 0) < (layers[own] ?? 0)) return []
    const words = `${own} may not import ${other ?? specifier}: take a port that someone to the right wires`
    return [complain(source, at, words)]
  })
}

/** @param doors folders that have an index.ts, without a closing slash */
export const findDoorBreaks = (source: Source, doors: ReadonlySet<string>): string[] =>
  importsOf(source).flatMap(({ specifier, at }) => {
    if (!isRelative(specifier)) return []
    const target = posix.join(posix.dirname(source.path), specifier)
    for (let folder = posix.dirname(target); folder !== '.'; folder = posix.dirname(folder)) {
      const isInside = source.path.startsWith(`${folder}/`)
      const isClosed = doors.has(folder) || folder in layers
      if (isInside || !isClosed || target === `${folder}/index.ts`) continue
      // A file behind an inner door is reached through that door.
      if (posix.basename(target) === 'index.ts' && doors.has(posix.dirname(target))) continue
      // The contract of a port is passed by adapters in other folders too, and a door names nothing for tests.
      if (target.endsWith('.contract.ts') && isTest(source.path)) continue
      return [complain(source, at, `import ${folder}/index.ts instead of ${target}: a folder has one door`)]
    }
    return []
  })

/** A door says what the folder does, what it must not do, and which two files to read first. */
export const findBadDoor = (source: Source, exists: (path: string) => boolean): string[] => {
  if (posix.basename(source.path) !== 'index.ts') return []
  const folder = posix.dirname(source.path)
  const block = /^\/\*\*([\s\S]*?)\*\//.exec(source.text)?.[1]
  if (block === undefined)
    return [complain(source, 0, 'a door opens with a block: what it does, must not do, what to read first')]
  const words = block.replaceAll(/\n \* ?/g, ' ')
  const found: string[] = []
  if (!/\bmust not\b/i.test(words))
    found.push(complain(source, 0, 'the block does not say what the folder must not do'))
  const named = (/Read first: (.*)/.exec(words)?.[1] ?? '').replaceAll(/\([^)]*\)/g, '').match(/[\w./-]+\.\w+/g) ?? []
  if (named.length !== 2) found.push(complain(source, 0, 'the block does not name two files: Read first: a.ts, b.ts.'))
  for (const name of named)
    if (!exists(posix.join(folder, name)))
      found.push(complain(source, 0, `the block sends to ${name}, which does not exist`))
  const code = source.text.replace(/^\/\*\*[\s\S]*?\*\//, '')
  if (/export \*/.test(code)) found.push(complain(source, 0, 'a door lists its names one by one, without export *'))
  return found
}

/** Where each third-party package lives. */
const homes: readonly (readonly [RegExp, string])[] = [
  [/^@grpc\/|^@bufbuild\//, 'runtime/containerd/'],
  [/^@?fastify(\/|$)|^ws$/, 'node/api/'],
  [/^commander$/, 'node/cli/'],
  [/^@?libp2p(\/|$)|^@chainsafe\/|^@multiformats\//, 'mesh/'],
  [/^automerge$|^@automerge\/|^yjs$/, 'crdt/'],
  [/^level$|^classic-level$/, 'crdt/store/'],
  [/^esbuild$/, 'scripts/'],
]

export const findStrays = (source: Source): string[] =>
  importsOf(source).flatMap(({ specifier, at }) => {
    const home = homes.find(([pattern]) => pattern.test(specifier))?.[1]
    if (home === undefined || source.path.startsWith(home)) return []
    return [complain(source, at, `${specifier} lives in ${home} alone: put a port in between`)]
  })

/** Test tools stay out of the program. */
export const findTestTools = (source: Source): string[] => {
  if (isTest(source.path)) return []
  return importsOf(source)
    .filter(({ specifier }) => /^(ava|fast-check)$/.test(specifier) || /\.(test|contract)\.ts$/.test(specifier))
    .map(({ specifier, at }) => complain(source, at, `${specifier} is for tests`))
}

/** Node and the bundle disagree on what `import()` of a CommonJS package gives: its names, or `default` alone. */
export const findLazyPackages = (source: Source): string[] =>
  importsOf(source)
    .filter(({ specifier, lazy }) => lazy && !isRelative(specifier) && !specifier.startsWith('node:'))
    .map(({ specifier, at }) =>
      complain(
        source,
        at,
        `import() of ${specifier} differs in the bundle: put it into a file of ours and import() that`,
      ),
    )
