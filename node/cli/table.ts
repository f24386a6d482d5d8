/** A column of a table; numbers stand right. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** What came from elsewhere must not steer the terminal. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')

const widthOf = (text: string): number => [...text].length

/** Columns two spaces apart, titles in capitals, no space at the ends of lines; ends with a line break. */
export const formatTable = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const lines = [columns.map(({ title }) => title.toUpperCase()), ...rows.map((row) => row.map(printable))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => widthOf(line[at] ?? ''))))
  const cell = (text: string, at: number) => {
    const pad = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(text)))
    return columns[at]?.align === 'right' ? pad + text : text + pad
  }
  return lines
    .map(
      (line) =>
        `${columns
          .map((_, at) => cell(line[at] ?? '', at))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
