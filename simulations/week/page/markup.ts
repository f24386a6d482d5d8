const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeHtml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no HTML document may hold these
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')

/** Text that is HTML already: made by `html` alone, so that nothing gets into a page unescaped. */
export interface Markup {
  readonly markup: string
}

type Filling = string | number | Markup | undefined | readonly (Markup | undefined)[]

const fill = (value: Filling): string => {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeHtml(value)
  if ('markup' in value) return value.markup
  return value.map((one) => one?.markup ?? '').join('')
}

/** HTML or SVG; what is filled in is escaped, for elements and for attributes in double quotes. */
export const html = (parts: TemplateStringsArray, ...values: readonly Filling[]): Markup => ({
  markup: parts.map((part, at) => `${part}${fill(values[at])}`).join(''),
})

/** A number of a drawing, a tenth of a pixel exact. */
export const px = (value: number): number => Math.round(value * 10) / 10
