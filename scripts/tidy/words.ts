import { posix } from 'node:path'
import { codeOf, complain, type Source } from './source.ts'

/** Longest file in lines, tests too. */
export const maxLines = 400
const isCode = (path: string) => /\.(ts|mjs|js)$/.test(path)

export const findLongFile = (source: Source): string[] => {
  const lines = source.text.trimEnd().split('\n').length
  if (!isCode(source.path) || lines <= maxLines) return []
  return [`${source.path}:${maxLines}: ${lines} lines, at most ${maxLines}: cut the file where it has two subjects`]
}

/** Names of code that say nothing about what a thing is. */
export const findEmptyNames = (source: Source): string[] => {
  if (!isCode(source.path)) return []
  const part = source.path
    .split('/')
    .flatMap((name) => name.split('.')[0]?.split('-') ?? [])
    .find((word) => /^(utils?|helpers?|commons?|lib|types|managers?)$/i.test(word))
  const found = part ? [`${source.path}:1: "${part}" says nothing: a thing lives with what it is about`] : []
  // One is the name of an option of libp2p.
  const match = /\b(?!connectionManager\b)\w*Manager\b/.exec(codeOf(source.text))
  if (match) found.push(complain(source, match.index, `${match[0]} says nothing: name what it does`))
  return found
}

/** Places that exist on one machine only. */
const machinePlaces: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.])\/(work|Users)\/[\w.-]/, 'a path of one machine'],
  [/(?<![\w.])\/home\/(?!skerry\b)[\w.-]/, 'a path of one machine'],
  [/(?<![\w.])\/root\/[\w.-]/, 'a path of one machine'],
  [/\/tmp\/node24\b/, 'a path of one machine'],
  [
    /\bregistry\.[\w-]+\.(?:org|com|net|io|dev)\b|\b(?:artifac[t]ory|verdacci[o]|codeartifac[t])\b/i,
    'the host of a registry',
  ],
]

export const findMachinePlaces = (source: Source): string[] =>
  machinePlaces.flatMap(([pattern, words]) => {
    const match = pattern.exec(source.text)
    return match ? [complain(source, match.index, `${words} (${match[0]}) has no place in the repository`)] : []
  })

/** @param base the code files of base/ */
export const findFatBase = (base: readonly Source[]): string[] => {
  const files = base.filter(({ path }) => !path.endsWith('.test.ts'))
  const lines = files.reduce((sum, { text }) => sum + text.trimEnd().split('\n').length, 0)
  const found: string[] = []
  if (files.length > 8) found.push(`base:1: ${files.length} files, at most 8: what one folder needs lives there`)
  if (lines > 400) found.push(`base:1: ${lines} lines, at most 400: what one folder needs lives there`)
  return found
}

/** Exact versions in package.json, no addresses in package-lock.json. */
export const findLooseDependencies = (source: Source): string[] => {
  const name = posix.basename(source.path)
  if (name === 'package-lock.json') {
    const at = source.text.indexOf('"resolved"')
    return at < 0
      ? []
      : [complain(source, at, 'an address in the lock file: run npm install with the .npmrc of this folder')]
  }
  if (name !== 'package.json') return []
  const manifest = JSON.parse(source.text) as Record<string, Record<string, string> | undefined>
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, version]) => !/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([dependency, version]) =>
        complain(
          source,
          source.text.indexOf(`"${dependency}"`),
          `${dependency} is "${version}": pin one exact version`,
        ),
      ),
  )
}

/** Links of documents to files of ours that are not there. */
export const findDeadLinks = (source: Source, exists: (path: string) => boolean): string[] => {
  if (!source.path.endsWith('.md')) return []
  const prose = source.text.replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, ' '))
  return [...prose.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(({ index, 1: link = '' }) =>
    exists(posix.join(posix.dirname(source.path), link))
      ? []
      : [complain(source, index, `the link ${link} leads nowhere`)],
  )
}
