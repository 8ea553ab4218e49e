/**
 * The policies: those that are live with their dates and their text, and for admins a place to change
 * them. A text is planned first; it can be published as long as it is the one that was planned.
 */
import { Button, Paper, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { PlanAnswer, PublishAnswer } from '../plan-views.js';
import type { PolicyList } from '../views.js';
import { planPolicy, policiesQuery, publishPolicy, sessionQuery } from './api.js';
import { useTitle } from './frame.js';
import { useLanguage, useTexts } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { PlanShown, Problems } from './plan.js';
import { Shown } from './shown.js';
import { dateText, shownZone } from './times.js';

type Policy = PolicyList['policies'][number];

function LivePolicy({
  policy,
  edit,
}: {
  readonly policy: Policy;
  readonly edit: (() => void) | null;
}) {
  const { texts, language } = useLanguage();
  const words = texts.policies;
  const zone = shownZone(policy.timezone);
  return (
    <li>
      <article className="policy">
        <h3>
          <Shown text={policy.title} />{' '}
          <span className="quiet">
            <Shown text={policy.policy} /> · {words.sequence(policy.sequence)}
          </span>
        </h3>
        {policy.denials.length === 0 ? (
          <p className="quiet">{words.noDenial}</p>
        ) : (
          <ul className="plain lines">
            {policy.denials.map(({ rule, toolNames, effective }) => (
              <li key={rule}>
                <Shown text={toolNames.join(', ') || rule} />
                {' · '}
                {texts.countdown.from(dateText(effective, zone, language))}{' '}
                <span className="quiet">{policy.timezone ?? 'UTC'}</span>
              </li>
            ))}
          </ul>
        )}
        <details>
          <summary>{words.text}</summary>
          {/* A region that scrolls must be reachable by keyboard. */}
          <pre className="policy-text" tabIndex={0} aria-label={`${words.text}: ${policy.policy}`}>
            <Shown text={policy.yaml} />
          </pre>
        </details>
        {edit === null ? null : (
          <Button variant="default" size="compact-sm" onClick={edit}>
            {words.edit}
          </Button>
        )}
      </article>
    </li>
  );
}

interface LiveProps {
  readonly edit: ((yaml: string) => void) | null;
}

function LivePolicies({ edit }: LiveProps) {
  const words = useTexts().policies;
  const { data, error, refetch } = useQuery(policiesQuery);
  if (error !== null) return <Failure fault={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  if (data.policies.length === 0) {
    const command = 'curfew-server policy plan policy.yaml';
    return <Empty title={words.none} how={words.noneHow} command={command} />;
  }
  return (
    <ul className="plain">
      {data.policies.map((policy) => (
        <LivePolicy
          key={policy.policy}
          policy={policy}
          edit={edit === null ? null : () => edit(policy.yaml)}
        />
      ))}
    </ul>
  );
}

function Result({ answer }: { readonly answer: PlanAnswer }) {
  const words = useTexts().policies;
  return (
    <section aria-label={words.result} className="plan-result">
      {answer.kind === 'plan' ? (
        <PlanShown plan={answer.plan} />
      ) : (
        <div role="alert">
          <h3>{words.problems}</h3>
          <Problems problems={answer.problems} />
        </div>
      )}
    </section>
  );
}

function Published({ answer }: { readonly answer: PublishAnswer | undefined }) {
  const words = useTexts().policies;
  return (
    <span className="quiet" role="status">
      {answer === undefined
        ? words.publishHow
        : answer.isPublished
          ? words.published(answer.sequence)
          : words.unchanged}
    </span>
  );
}

interface EditorProps {
  readonly yaml: string;
  readonly write: (yaml: string) => void;
}

function Editor({ yaml, write }: EditorProps) {
  const words = useTexts().policies;
  const client = useQueryClient();
  const [at, setAt] = useState('');
  const plan = useMutation({ mutationFn: planPolicy });
  const publish = useMutation({
    mutationFn: publishPolicy,
    onSuccess: () => client.invalidateQueries(),
  });
  const answer = plan.data;
  // What was planned is what is in the box, to the letter.
  const isPlanned = answer?.kind === 'plan' && plan.variables?.yaml === yaml;
  const ask = () => {
    publish.reset();
    plan.mutate({ yaml, at: at.split(/[\s,]+/).filter((text) => text !== '') });
  };
  return (
    <>
      <Textarea
        label={words.change}
        description={words.changeHow}
        rows={16}
        spellCheck={false}
        className="policy-editor"
        value={yaml}
        onChange={({ currentTarget }) => write(currentTarget.value)}
      />
      <TextInput
        label={words.planAt}
        description={words.planAtHow}
        className="plan-at"
        value={at}
        onChange={({ currentTarget }) => setAt(currentTarget.value)}
      />
      <div className="plan-buttons">
        <Button
          variant="default"
          loading={plan.isPending}
          disabled={yaml.trim() === ''}
          onClick={ask}
        >
          {words.plan}
        </Button>
        <Button
          variant="default"
          loading={publish.isPending}
          disabled={!isPlanned || publish.isSuccess}
          onClick={() => publish.mutate(yaml)}
        >
          {words.publish}
        </Button>
        <Published answer={publish.data} />
      </div>
      {plan.error === null ? null : <Failure fault={plan.error} retry={ask} />}
      {publish.error === null ? null : <Failure fault={publish.error} retry={ask} />}
      {answer === undefined ? null : <Result answer={answer} />}
    </>
  );
}

/** Live policies, and how they are changed. */
export function PoliciesView() {
  const words = useTexts().policies;
  useTitle(words.title);
  const { data: session } = useQuery(sessionQuery);
  const [yaml, setYaml] = useState('');
  const isAdmin = session?.role === 'admin';
  return (
    <>
      <Title order={1} className="page-title">
        {words.title}
      </Title>
      <Paper component="section" className="card" aria-labelledby="policies-live">
        <Title order={2} id="policies-live" className="card-title">
          {words.live}
        </Title>
        <LivePolicies edit={isAdmin ? setYaml : null} />
      </Paper>
      <Paper component="section" className="card policies-change" aria-labelledby="policies-change">
        <Title order={2} id="policies-change" className="card-title">
          {words.plan}
        </Title>
        {isAdmin ? (
          <Editor yaml={yaml} write={setYaml} />
        ) : (
          <p className="quiet">{words.adminsOnly}</p>
        )}
      </Paper>
    </>
  );
}
