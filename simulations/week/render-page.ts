import { escapeHtml } from './escape-html.ts'
import type { Report } from './report.ts'
import { reportText } from './report-text.ts'

/** The report as one HTML file that needs nothing beside it. */
export const renderPage = (report: Report): string =>
  `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${escapeHtml(report.record.network)}</title><pre>${escapeHtml(reportText(report))}</pre></html>\n`
