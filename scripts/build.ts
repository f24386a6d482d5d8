/**
 * Bundles the program into `dist/`: three entries that share split chunks, the engine's protocol files and the topology
 * examples. The same sources give the same bytes, and a file whose bytes are right already is not touched.
 */
import { globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

const root = dirname(import.meta.dirname)
const dist = join(root, 'dist')

/** CommonJS dependencies inside an ESM bundle still ask for Node's own modules by `require`. */
const banner =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);"

const bundle = () =>
  build({
    absWorkingDir: root,
    entryPoints: {
      skerry: 'node/bin/skerry.ts',
      'skerry-node': 'node/bin/skerry-node.ts',
      // Loaded by `skerry simulate` alone.
      'skerry-simulate': 'simulations/week/index.ts',
    },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'part-[hash]',
    // Native code and WebAssembly that find their files beside themselves.
    // And parts of fastify that it asks for only when nobody gave it something better: an edge must not hold their text.
    external: [
      'automerge',
      'level',
      '@fastify/ajv-compiler',
      '@fastify/fast-json-stringify-compiler',
      'light-my-request',
    ],
    banner: { js: banner },
    // An engine keeps the text of what it runs: without white space an idle edge needs 4 MB less. Names stay, for traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    sourcemap: false,
    logLevel: 'warning',
    write: false,
  })

const readBytes = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Complete or not at all, so that a build beside a starting node does no harm. */
const place = (path: string, bytes: Uint8Array): void => {
  if (readBytes(path)?.equals(bytes)) return
  mkdirSync(dirname(path), { recursive: true })
  const incoming = `${path}.${process.pid}`
  writeFileSync(incoming, bytes)
  renameSync(incoming, path)
}

const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: root }).map((path) => join(root, path))

const { outputFiles } = await bundle()
const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]))
for (const path of filesOf('runtime/containerd/protos/*.proto'))
  files.set(join(dist, 'protos', basename(path)), readFileSync(path))
for (const path of filesOf('topologies/examples/*.{yaml,yml}'))
  files.set(join(dist, 'examples', basename(path)), readFileSync(path))
for (const [path, bytes] of files) place(path, bytes)

// Names that end in a number are what another build is just writing.
const stale = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => !files.has(path) && !/\.\d+$/.test(path))
for (const path of stale) rmSync(path, { force: true })

const sizeBytes = outputFiles.reduce((sum, { contents }) => sum + contents.byteLength, 0)
console.log(`${relative(root, dist)}: ${files.size} files, bundle of ${(sizeBytes / 2 ** 20).toFixed(1)} MiB`)
