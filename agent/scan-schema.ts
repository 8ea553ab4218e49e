/**
 * The JSON Schema of the records that `curfew scan --json` prints, for those who read them. Records
 * may gain fields, so none of the schemas forbids further ones.
 */
import Type from 'typebox';
import {
  candidateReasons,
  channels,
  componentStates,
  confidences,
  rootStatuses,
  scopes,
} from '../policies/component.js';
import { actions } from '../policies/document.js';
import { verdictStatuses } from '../policies/evaluate.js';
import { problemCodes } from './detect/index.js';

const one = (values: readonly string[], description: string): Type.TSchema =>
  Type.Unsafe({ type: 'string', enum: [...values], description });
const text = (description: string): Type.TString => Type.String({ description });
const orNull = (schema: Type.TSchema): Type.TSchema => Type.Union([schema, Type.Null()]);
const count = (description: string): Type.TInteger => Type.Integer({ minimum: 0, description });

const verdict = Type.Object(
  {
    status: one(verdictStatuses, 'What the policy says at the instant of the scan.'),
    rule: orNull(text('Id of the deciding rule, or `default`.')),
    effective: orNull(text('Instant from which the denial is in force, ISO 8601.')),
    daysLeft: orNull(Type.Integer({ description: "Calendar days in the policy's zone." })),
    action: orNull(one(actions, 'What the policy asks for.')),
    effectiveAction: orNull(one(actions, 'The same under --max-action.')),
  },
  { description: 'The policy applied to the component.' },
);

const component = Type.Object({
  record: Type.Literal('component'),
  id: text('The same for the same install in every scan.'),
  tool: orNull(text('Id of the catalogue entry; null for a candidate and what only a rule names.')),
  channel: one(channels, 'How it got onto the machine.'),
  manager: orNull(text('What stands behind the channel: npm, nvm, vscode, native ...')),
  purl: orNull(text('Package URL, where the ecosystem has one.')),
  name: text('The name in its ecosystem.'),
  version: orNull(text('As the ecosystem writes it; null when no record states it.')),
  path: text('Where it lies, as on the machine that was scanned.'),
  owner: orNull(text('Account in whose home it lies; null for what belongs to the machine.')),
  scope: one(scopes, 'For the whole account or machine, or within one project.'),
  state: one(componentStates, 'What it can do now.'),
  confidence: one(confidences, 'How sure it is that this is the tool.'),
  evidence: Type.Array(Type.String(), { description: 'Kinds of proof and known file names.' }),
  candidate: Type.Optional(
    Type.Array(one(candidateReasons, 'A sign that it is an AI tool.'), {
      description: 'Why it looks like an AI tool that nothing names; left out for all else.',
    }),
  ),
  publisher: Type.Optional(text('Who signed or published it, as it says itself.')),
  gateway: Type.Optional(
    orNull(text('Host of the model endpoint its tool is set up for; left out where not known.')),
  ),
  verdict: orNull(verdict),
  advisories: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Ids of published faults that name this version; left out where there are none.',
    }),
  ),
  possibleAdvisories: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Ids of those that may be in it, because the version is not known.',
    }),
  ),
  firstSeen: Type.Optional(text('Instant of the first scan that found it; only with --state.')),
  lastSeen: Type.Optional(
    text(
      'Instant of the last scan that saw it, earlier than this one where its place was not read.',
    ),
  ),
});

const problem = Type.Object({
  path: text('Where.'),
  code: one(problemCodes, 'What was wrong.'),
  isLoss: Type.Boolean({ description: 'Whether part of the root was not read.' }),
});

const summary = Type.Object({
  record: Type.Literal('summary'),
  status: one(['complete', 'partial'], 'complete: every root was read to its end or is not there.'),
  roots: Type.Array(
    Type.Object({
      root: text('Id of the place that was read.'),
      status: one(rootStatuses, 'What the read came to.'),
      problems: Type.Optional(Type.Array(problem)),
    }),
  ),
  counts: Type.Object({
    components: count('Records above.'),
    findings: count('Tools found, each once.'),
    verdicts: Type.Record(Type.String(), Type.Integer(), {
      description: 'Findings by the worst verdict of their components.',
    }),
  }),
  durationMs: Type.Number({ minimum: 0, description: 'Time of the scan in milliseconds.' }),
});

/** One line of the output: any number of components, then the summary. */
export const scanRecordSchema = Type.Union([component, summary], {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A record of curfew scan --json',
});
