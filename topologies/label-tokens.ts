/** A piece of a label expression with the column where it starts, from 1. */
export interface Token {
  readonly kind: 'word' | 'quoted' | '=' | '!=' | '(' | ')' | 'end'
  /** What it says, without quotes and escapes. */
  readonly text: string
  readonly column: number
}

const piece = /(?<space>\s+)|(?<mark>!=|=(?!=)|[()])|(?<word>[A-Za-z0-9._\-+/:@]+)|"(?<quoted>(?:[^"\\]|\\["\\])*)"/y

const advice = (rest: string): readonly [string, string] => {
  if (rest.startsWith('==')) return ['"==" is not known', 'write =']
  if (rest.startsWith('&')) return ['"&" is not known', 'write and']
  if (rest.startsWith('|')) return ['"|" is not known', 'write or']
  if (rest.startsWith('!')) return ['"!" is not known here', 'write not, or != to compare']
  if (rest.startsWith('"'))
    return ['the quote is not closed, or holds an unknown escape', 'close it; escape with \\" or \\\\']
  if (rest.startsWith("'")) return ["' is not a quote here", 'use "']
  return [`${JSON.stringify(String.fromCodePoint(rest.codePointAt(0) ?? 0))} is not known here`, 'put values in quotes']
}

/** Splits an expression; the last token is always `end`. Calls `fail` at what is no token. */
export const tokenize = (
  text: string,
  fail: (column: number, message: string, suggestion: string) => never,
): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    piece.lastIndex = at
    const match = piece.exec(text)
    if (match === null) return fail(at + 1, ...advice(text.slice(at)))
    const { space, mark, word, quoted } = match.groups ?? {}
    const column = at + 1
    if (mark !== undefined) tokens.push({ kind: mark as '=' | '!=' | '(' | ')', text: mark, column })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, column })
    else if (space === undefined)
      tokens.push({ kind: 'quoted', text: (quoted ?? '').replaceAll(/\\(.)/g, '$1'), column })
    at += match[0].length
  }
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }]
}
