/**
 * The report as one page for a browser: a drawing, tables and words, made of plain data.
 * Must not read, measure or decide anything, and must not let text get into the page but through `html`.
 * Read first: render-page.ts, markup.ts.
 */
export { renderPage } from './render-page.ts'
