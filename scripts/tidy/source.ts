/** A file of the repository as the rules see it. */
export interface Source {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** One line of complaint: `path:line: what is wrong, what to do`. */
export const complain = ({ path, text }: Source, at: number, words: string): string =>
  `${path}:${text.slice(0, at).split('\n').length}: ${words}`

const opensRegex = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|of|in|yield|await|void))\s*$/

/**
 * The same text, offsets kept, with comments, regular expressions and, unless asked to keep them, the insides of
 * strings blanked out: what is left is code. Expressions inside template strings stay.
 */
export const codeOf = (text: string, { keepStrings = false } = {}): string => {
  const out = [...text]
  const blank = (from: number, to: number) => {
    for (let at = from; at < to; at++) if (out[at] !== '\n') out[at] = ' '
  }
  /** Blanks from `at` to the end of a quoted thing; answers where it ends. */
  const skipQuoted = (at: number, close: string, keep: boolean): number => {
    let end = at + 1
    for (let inClass = false; end < text.length; end++) {
      if (text[end] === '\\') end++
      else if (close === '/' && text[end] === '[') inClass = true
      else if (close === '/' && text[end] === ']') inClass = false
      else if (text[end] === close && !inClass) break
    }
    if (!keep) blank(at + 1, end)
    return end + 1
  }
  const skipTemplate = (at: number): number => {
    let end = at + 1
    while (end < text.length && text[end] !== '`') {
      if (text.startsWith('${', end)) end = skipCode(end + 2, '}') + 1
      else {
        const step = text[end] === '\\' ? 2 : 1
        if (!keepStrings) blank(end, end + step)
        end += step
      }
    }
    return end + 1
  }
  const skipCode = (from: number, until?: string): number => {
    let depth = 0
    let at = from
    while (at < text.length) {
      const char = text[at]
      if (until !== undefined && depth === 0 && char === until) return at
      if (char === '{') depth++
      if (char === '}') depth--
      const next = skipOther(at)
      at = next ?? at + 1
    }
    return at
  }
  const skipOther = (at: number): number | undefined => {
    const char = text[at]
    if (text.startsWith('//', at) || text.startsWith('/*', at)) {
      const close = text[at + 1] === '*' ? text.indexOf('*/', at + 2) + 2 : text.indexOf('\n', at)
      const end = close <= at ? text.length : close
      blank(at, end)
      return end
    }
    if (char === "'" || char === '"') return skipQuoted(at, char, keepStrings)
    if (char === '`') return skipTemplate(at)
    if (char === '/' && opensRegex.test(out.slice(Math.max(0, at - 40), at).join(''))) return skipQuoted(at, '/', false)
    return undefined
  }
  skipCode(0)
  return out.join('')
}

/** Each module a file imports or re-exports, static or lazily by `import()`, with its offset. */
export const importsOf = ({ text }: Source): { specifier: string; at: number; lazy: boolean }[] => {
  const code = codeOf(text)
  const withStrings = codeOf(text, { keepStrings: true })
  return [...withStrings.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g)]
    .filter(({ index }) => code[index] !== ' ')
    .map((match) => ({ specifier: match[2] ?? '', at: match.index, lazy: match[0].includes('(') }))
}
