/**
 * All devices, narrowed by state and search; both stand in the address, so a view can be passed on.
 * The server searches and pages; the console only asks for more.
 */
import { Button, NativeSelect, Paper, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { devicesQuery } from './api.js';
import { DeviceTable } from './device-table.js';
import { useTitle } from './frame.js';
import { Icon } from './icons.js';
import { useTexts } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { statesByNeed, stateOf } from './states.js';

const pageDevices = 50;
const typingPauseMs = 250;
const longestSearch = 200;

interface FilterProps {
  readonly state: string;
  readonly search: string;
  readonly change: (field: 'state' | 'search', value: string) => void;
}

function Filters({ state, search, change }: FilterProps) {
  const { devices, states } = useTexts();
  const [typed, setTyped] = useState(search);
  const searchSoon = useDebouncedCallback((text: string) => change('search', text), typingPauseMs);
  return (
    <search className="filters">
      <TextInput
        type="search"
        label={devices.search}
        placeholder={devices.searchHint}
        leftSection={<Icon name="search" />}
        maxLength={longestSearch}
        value={typed}
        onChange={({ currentTarget: { value } }) => {
          setTyped(value);
          searchSoon(value);
        }}
      />
      <NativeSelect
        label={devices.state}
        value={state}
        onChange={({ currentTarget: { value } }) => change('state', value)}
        data={[
          { value: '', label: devices.allStates },
          ...statesByNeed.map((value) => ({ value, label: states[value] })),
        ]}
      />
    </search>
  );
}

interface ListProps {
  readonly state: string;
  readonly search: string;
  readonly showAll: () => void;
}

function List({ state, search, showAll }: ListProps) {
  const { devices, fleet } = useTexts();
  const query = useInfiniteQuery({
    ...devicesQuery({ state: stateOf(state), search, limit: pageDevices }),
    placeholderData: keepPreviousData,
  });
  if (query.data === undefined)
    return query.error === null ? (
      <Loading rows={8} height={28} />
    ) : (
      <Failure fault={query.error} retry={() => void query.refetch()} />
    );
  const rows = query.data.pages.flatMap((page) => page.devices);
  const isNarrowed = state !== '' || search !== '';
  if (rows.length === 0)
    return isNarrowed ? (
      <Empty title={devices.none} how={devices.noneHow}>
        <Button variant="default" size="xs" onClick={showAll}>
          {devices.clearFilter}
        </Button>
      </Empty>
    ) : (
      <Empty title={fleet.none} how={fleet.noneHow} command="curfew-server token create" />
    );
  const question = `${state} ${search} ${query.data.pages.length} ${query.isPlaceholderData}`;
  return (
    <>
      <DeviceTable caption={devices.title} question={question} devices={rows} />
      <p className="more">
        <span className="quiet" role="status">
          {devices.shown(rows.length, query.data.pages[0]?.total ?? rows.length)}
        </span>
        {query.hasNextPage ? (
          <Button
            variant="default"
            size="xs"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {devices.more}
          </Button>
        ) : null}
      </p>
    </>
  );
}

/** The list of devices. */
export function DevicesView() {
  const { devices } = useTexts();
  useTitle(devices.title);
  const [address, setAddress] = useSearchParams();
  const [resets, setResets] = useState(0);
  const state = stateOf(address.get('state')) ?? '';
  const search = (address.get('search') ?? '').slice(0, longestSearch);
  const change = (field: 'state' | 'search', value: string) =>
    setAddress(
      (current) => {
        if (value === '') current.delete(field);
        else current.set(field, value);
        return current;
      },
      { replace: true },
    );
  const showAll = () => {
    setAddress({}, { replace: true });
    setResets(resets + 1);
  };
  return (
    <>
      <Title order={1} className="page-title">
        {devices.title}
      </Title>
      <Paper component="section" className="card">
        <Filters key={resets} state={state} search={search} change={change} />
        <List state={state} search={search} showAll={showAll} />
      </Paper>
    </>
  );
}
