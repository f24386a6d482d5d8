/**
 * The HTTP API of a node: a table of routes, over one port to what the node offers, behind one authorizer.
 * Must not decide anything about applications, sites or hosts, keep state of its own, or know the command line.
 * Read first: routes.ts (with route.ts), services.ts.
 */
export type {
  AskedRenewal,
  AuthorityKeyView,
  AuthorityServices,
  NarrowedView,
  RenewedView,
  RetiredView,
  ZoneAuthorityView,
} from './authority-views.ts'
export type { Authorization, AuthorizationRequest, Authorizer, Operation } from './authorizer.ts'
export type { ConflictCandidateView, ConflictView, SettledView } from './conflict-views.ts'
export { type Api, type ApiOptions, type ApiPowers, createApi } from './fastify-api.ts'
export type { ApiLimits } from './fastify-app.ts'
export type { MemberStatus, MemberView, TokenView } from './member-views.ts'
export type { ErrorBody, ErrorEntry } from './problem-report.ts'
export type {
  ApiServices,
  Asked,
  AskedMember,
  AskedState,
  BlockTarget,
  Caller,
  CallingHost,
  ConfigBatch,
  ConfigChange,
  ConfigKind,
  ConfigObject,
  ConfigServices,
  ConfigText,
  ConfigWrite,
  DocumentChange,
  ExecOutcome,
  ImageServices,
  MemberServices,
  OperationServices,
  StateServices,
} from './services.ts'
export { createSingleTokenAuthorizer } from './single-token-authorizer.ts'
export type {
  ApplicationSiteView,
  ApplicationStateView,
  ApplicationZoneView,
  ContainerView,
  CountsView,
  CountView,
  DeploymentStateView,
  DifferenceView,
  DiffView,
  ExecView,
  ExplainView,
  HostView,
  ImageView,
  IngressView,
  NodeView,
  RollbackView,
  ServiceInstanceView,
  SiteView,
  TreeView,
  WaitingView,
  ZoneNodeView,
  ZonePolicyView,
  ZoneView,
} from './views.ts'
