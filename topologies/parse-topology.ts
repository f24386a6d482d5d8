import { InvalidInputError, type Problem } from '../base/index.ts'
import { expandTopology } from './expand.ts'
import { fieldText } from './field-path.ts'
import { readYaml, refuseDocument, type YamlDocument } from './read-yaml.ts'
import { topologySchema } from './schema.ts'
import { shapeProblems } from './shape-problems.ts'
import { type Topology, topologyLimits } from './topology.ts'

const readableVersion = 1

/** Problems that make all others meaningless: no map, or written for a later program. */
const formatProblem = ({ source, value, lineOf }: YamlDocument): Problem | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { source, line: 1, field: '', message: 'a topology is a map', suggestion: 'start it with version: 1' }
  const { version } = value as { version?: unknown }
  if (typeof version === 'number' && version > readableVersion)
    return {
      source,
      line: lineOf(['version']),
      field: 'version',
      message: `the topology is written in version ${version}, this program reads version ${readableVersion}`,
      suggestion: 'use a newer skerry',
    }
  return undefined
}

const orderProblem = ({ source, value }: YamlDocument): Problem[] => {
  const keys = Object.keys(value as object)
  const at = keys.indexOf('version')
  if (at <= 0) return []
  return [
    { source, line: 1, field: 'version', message: 'must be the first field', suggestion: 'move version: 1 to the top' },
  ]
}

/**
 * Reads a topology file.
 *
 * @param source the file as the person named it, for messages
 * @throws {InvalidInputError} with every problem found, in source order
 */
export const parseTopology = (text: string, source: string): Topology => {
  const document = readYaml(text, source, {
    limitBytes: topologyLimits.fileBytes,
    advice: 'use patterns like {0001..0500}',
  })
  const fatal = formatProblem(document)
  if (fatal !== undefined) throw new InvalidInputError([fatal])
  const problems = [...orderProblem(document), ...shapeProblems(topologySchema, document)]
  const topology = expandTopology(document.value, {
    lineOf: document.lineOf,
    report: (path, message, suggestion) =>
      problems.push({ source, line: document.lineOf(path), field: fieldText(path), message, suggestion }),
  })
  if (problems.length > 0) throw refuseDocument(problems)
  return topology
}
