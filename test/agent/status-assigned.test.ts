/** What `curfew status` says of a device's assignment: from the signed documents, in both languages. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assignedLines, assignedRecord, type AssignedRecord } from '../../agent/status-assigned.js';
import { runStatus } from '../../agent/status-command.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { AssignmentPayload } from '../../wire/assignment.js';
import { empty, excepted, makeVictim, type Victim } from './thief.js';

const now = Date.UTC(2026, 6, 8);
const catalogue = builtInCatalogue();
const recorded = (given: Partial<AssignmentPayload> | null): AssignedRecord => {
  const assignment = given === null ? null : { ...empty, ...given };
  return assignedRecord({ bundle: null, assignment, catalogue }, now);
};
const lines = (given: Partial<AssignmentPayload>, language: 'en' | 'zh-CN') =>
  assignedLines(recorded(given), { language, zone: 'Asia/Shanghai', catalogue });

const coming = {
  ...excepted,
  id: 'x2',
  from: '2026-07-09T00:00:00Z',
  until: '2026-07-20T00:00:00Z',
};
const past = { ...excepted, id: 'x3', until: '2026-07-08T00:00:00Z' };
const exceptions = [excepted, coming, past];

describe('the lines', () => {
  test('name each exception with its end and reason, in both languages', () => {
    expect(lines({ exceptions }, 'en')).toEqual([
      'Exception for Claude Code until 1 January 2027, 08:00 (Asia/Shanghai)',
      '  reason: moving (granted by kim)',
      'Exception for Claude Code from 9 July 2026, 08:00 (Asia/Shanghai) until 20 July 2026, 08:00 (Asia/Shanghai)',
      '  reason: moving (granted by kim)',
    ]);
    expect(lines({ exceptions }, 'zh-CN')).toEqual([
      'Claude Code 例外，有效至 2027年1月1日 08:00 (Asia/Shanghai)',
      '  原因：moving（批准人：kim）',
      'Claude Code 例外，自 2026年7月9日 08:00 (Asia/Shanghai) 起，至 2026年7月20日 08:00 (Asia/Shanghai)',
      '  原因：moving（批准人：kim）',
    ]);
  });

  test('tell a pause, with its end or without, and the message in the reader’s language', () => {
    const message = { en: 'Ask the desk.\nRoom 3.', 'zh-CN': '请联系服务台。' };
    const pauseUntil = '2026-07-09T00:00:00Z';
    expect(lines({ message, pause: true, pauseUntil }, 'en')).toEqual([
      'Paused until 9 July 2026, 08:00 (Asia/Shanghai): nothing is done on this device',
      'Message from your administrators: Ask the desk.\n  Room 3.',
    ]);
    expect(lines({ message, pause: true }, 'zh-CN')).toEqual([
      '已暂停，直到管理员结束暂停：此设备上不会采取任何措施',
      '管理员留言：请联系服务台。',
    ]);
    expect(lines({ pause: true, pauseUntil: '2026-07-08T00:00:00Z' }, 'en')).toEqual([]);
    expect(lines({ message: { de: 'Nur deutsch' } }, 'zh-CN')).toEqual(['管理员留言：Nur deutsch']);
  });

  test('tell a grace until it is over', () => {
    const graceUntil = '2026-07-09T00:00:00Z';
    expect(lines({ graceUntil }, 'en')).toEqual([
      'Grace until 9 July 2026, 08:00 (Asia/Shanghai): nothing is in force on this device before',
    ]);
    expect(lines({ graceUntil }, 'zh-CN')).toEqual([
      '宽限至 2026年7月9日 08:00 (Asia/Shanghai)：在此之前，此设备上没有任何禁令生效',
    ]);
    expect(lines({ graceUntil: '2026-07-08T00:00:00Z' }, 'en')).toEqual([]);
  });

  test('say nothing where there is nothing to say', () => {
    expect(lines({}, 'en')).toEqual([]);
    expect(recorded(null)).toEqual({
      ...{ assigned: false, group: null, pause: null, graceUntil: null, message: null },
      exceptions: [],
    });
  });
});

describe('curfew status', () => {
  let victim: Victim;
  const before = process.env['CURFEW_DATA_FOLDER'];
  beforeEach(async () => {
    victim = await makeVictim();
    process.env['CURFEW_DATA_FOLDER'] = victim.folder;
  });
  afterEach(() => {
    victim.close();
    if (before === undefined) delete process.env['CURFEW_DATA_FOLDER'];
    else process.env['CURFEW_DATA_FOLDER'] = before;
  });
  const status = async (...argv: string[]): Promise<string> => {
    let out = '';
    await runStatus(argv, { stdout: (text) => void (out += text), stderr: () => undefined });
    return out;
  };

  test('shows what the verified assignment says, and no longer once its key is not named', async () => {
    const until = '9999-01-01T00:00:00Z';
    await victim.take({ exceptions: [{ ...excepted, until }], pause: true, group: 'lab' });
    const record = JSON.parse(await status('--json')) as AssignedRecord;
    expect(record).toMatchObject({
      ...{ assigned: true, group: 'lab', pause: { until: null } },
      exceptions: [
        {
          id: 'x1',
          tool: 'claude-code',
          for: 'device-1',
          reason: 'moving',
          author: 'kim',
          holds: true,
        },
      ],
    });
    expect(await status()).toContain('Claude Code');
    expect(await status()).toContain('moving');
    await victim.bundle(2, [victim.fresh.x]);
    expect(JSON.parse(await status('--json'))).toMatchObject({ assigned: false, exceptions: [] });
  });

  test('changes nothing of what the agent keeps', async () => {
    const { documents } = victim;
    await victim.take({ sequence: 3 });
    await status();
    expect(documents.assignmentSequence()).toBe(3);
    expect((await victim.take({ sequence: 4 })).kind).toBe('taken');
  });
});
