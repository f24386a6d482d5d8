/**
 * Topology files: their schema, the policies of zones, label expressions, and pure questions about the tree. Also how
 * the YAML that people write is read, with its lines, here and for specifications.
 * Must not do I/O (files are read by `node/`), know what runs anywhere, or decide what is placed where.
 * Read first: topology.ts, parse-topology.ts.
 */
export { describeTree } from './describe-tree.ts'
export { type FieldPath, fieldText, kindWords, valueAt } from './field-path.ts'
export { formatTopology } from './format-topology.ts'
export {
  describeExpression,
  type LabelExpression,
  LabelExpressionError,
  labelExpressionLimits,
  matchesLabels,
  parseLabelExpression,
} from './label-expression.ts'
export { keysOfExpression, labelsSeenFrom, type SeenLabels } from './labels-seen.ts'
export { type NarrowedPolicy, narrowPolicy, withPolicies } from './narrow-policy.ts'
export { parseTopology } from './parse-topology.ts'
export { type PolicyKind, type PolicyLevel, policyKinds, policyLevels, type ZonePolicy } from './policy.ts'
export { readYaml, readYamlDocuments, refuseDocument, type YamlDocument } from './read-yaml.ts'
export { fields, shapeProblems } from './shape-problems.ts'
export { borderAround, sliceFor } from './slice.ts'
export {
  type Host,
  type Labels,
  type SettledBy,
  type Site,
  type Topology,
  topologyLimits,
  type Zone,
} from './topology.ts'
export {
  ancestorsOf,
  hostLabels,
  hosts,
  type NodeRole,
  nodesOf,
  parentOf,
  requireZone,
  scopeOfSite,
  siteLabels,
  siteNamed,
  sites,
  type TopologyNode,
  zoneAt,
  zones,
} from './tree.ts'
export { type AncestorView, explainPolicy, type KindView, type PolicyExplanation, visibleTo } from './visibility.ts'
