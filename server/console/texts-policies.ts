/**
 * The words of the page about policies, in both languages side by side; the first is the shape that the
 * other fills. Names of standings are those of the fleet's states where there is one.
 */
import type { PlanView } from '../plan-views.js';

type Reason = PlanView['impact']['at'][number]['reasons'][number]['kind'];
type Standing = keyof PlanView['impact']['at'][number]['devices']['planned'];
type FileChange = PlanView['targets'][number]['changes'][number]['files'][number]['change'];
type PolicyState = PlanView['policies'][number]['state'];

const english = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
const chinese = (count: number, unit: string): string => `${count.toLocaleString('zh-CN')} ${unit}`;

export const policiesEn = {
  title: 'Policies',
  live: 'Live policies',
  none: 'No policy is live yet',
  noneHow: 'Paste one below, plan it, and publish it. Or on the server:',
  sequence: (sequence: number) => `bundle ${sequence}`,
  text: 'Text',
  edit: 'Edit',
  noDenial: 'Denies nothing.',
  change: 'Change',
  changeHow: 'A policy as YAML. One of the same name is replaced; any other is added.',
  plan: 'Plan',
  planAt: 'Also judge the fleet at',
  planAtHow: 'Days or instants, separated by spaces.',
  publish: 'Publish',
  publishHow: 'Only what was planned can be published.',
  published: (sequence: number) => `Published as bundle ${sequence}.`,
  unchanged: 'All of this is live already.',
  problems: 'The policy has errors and cannot be planned',
  problem: (line: number, column: number) => `Line ${line}, column ${column}`,
  warnings: 'Warnings',
  adminsOnly: 'Admins plan and publish policies.',
  result: 'What it would do',
  over: (sequence: number) =>
    sequence === 0 ? 'Nothing is live yet.' : `Compared with bundle ${sequence}.`,
  states: { new: 'new', changed: 'changed', same: 'as live' } satisfies Record<
    PolicyState,
    string
  > as Record<PolicyState, string>,
  differences: 'What changes',
  noDifference: 'No rule means anything else.',
  dates: 'Dates in the fleet’s zones',
  inForce: (rule: string, date: string) => `${rule}: in force ${date}`,
  announced: (rule: string, date: string) => `${rule}: prompts begin ${date}`,
  devicesIn: (count: number, zone: string) => `${zone}, ${english(count, 'device')}`,
  devices: 'Devices',
  people: 'People',
  tools: 'Devices by tool',
  inventory: (devices: number, people: number, components: number) =>
    `${english(devices, 'device')}, ${english(people, 'person', 'people')}, ${english(components, 'component')}`,
  follows: (policy: string | null, live: number, planned: number) =>
    `${policy ?? 'No policy'}: followed by ${live} devices, then by ${planned}`,
  neverScanned: (count: number) => `${english(count, 'device')} never scanned, in no figure`,
  partial: (count: number) => `${english(count, 'device')} scanned in part: more may be there`,
  withoutZone: (count: number) => `${english(count, 'device')} without a known zone: UTC is used`,
  left: (count: number) => `${english(count, 'later date')} left out`,
  when: 'When',
  tool: 'Tool',
  unknownTool: 'not in the catalogue',
  reasons: {
    now: () => 'now',
    asked: () => 'as asked',
    announce: (rule: string) => `${rule} is announced`,
    effective: (rule: string) => `${rule} is in force`,
    grace: (rule: string) => `grace of ${rule} ends`,
  } satisfies Record<Reason, unknown> as Record<Reason, (rule: string) => string>,
  standings: {
    violation: 'Violation',
    unforeseen: 'Not foreseen',
    pending: 'Pending',
    unknown: 'Unknown',
    excepted: 'Excepted',
    clear: 'Clear',
  } satisfies Record<Standing, string> as Record<Standing, string>,
  anyReview: 'Any review',
  anyExcepted: 'Any excepted',
  gained: (count: number) => `${count.toLocaleString('en')} new`,
  unforeseen: 'What the server cannot foresee',
  open: (rule: string, fields: string, components: number, devices: number) =>
    `${rule} asks for the ${fields}, which devices do not tell: open for ${english(components, 'component')} on ${english(devices, 'device')}`,
  unreported: (rule: string, names: string) =>
    `${rule} names what devices do not report yet (${names}): it shows after the publish`,
  grace: (rule: string) =>
    `${rule} gives grace: where a device has not told when it was first notified, the earliest time is taken`,
  targets: 'Files for other enforcers',
  target: (title: string, policy: string, at: string) => `${title} for ${policy}, from ${at}`,
  asLive: 'as live',
  files: { new: 'new', changed: 'changed', gone: 'gone' } satisfies Record<
    FileChange,
    string
  > as Record<FileChange, string>,
};

export const policiesZhCn: typeof policiesEn = {
  title: '策略',
  live: '生效中的策略',
  none: '尚无生效中的策略',
  noneHow: '在下方粘贴策略，先预演再发布；也可在服务器上执行：',
  sequence: (sequence) => `策略包 ${sequence}`,
  text: '原文',
  edit: '编辑',
  noDenial: '未禁用任何工具。',
  change: '修改',
  changeHow: '以 YAML 书写的策略。同名策略会被替换，其他策略会被加入。',
  plan: '预演',
  planAt: '另外评估这些时间',
  planAtHow: '日期或时刻，以空格分隔。',
  publish: '发布',
  publishHow: '只能发布预演过的内容。',
  published: (sequence) => `已发布为策略包 ${sequence}。`,
  unchanged: '内容与生效中的完全相同。',
  problems: '策略有错误，无法预演',
  problem: (line, column) => `第 ${line} 行，第 ${column} 列`,
  warnings: '警告',
  adminsOnly: '策略由管理员预演和发布。',
  result: '预演结果',
  over: (sequence) => (sequence === 0 ? '尚无生效中的策略。' : `与策略包 ${sequence} 相比。`),
  states: { new: '新增', changed: '有变', same: '未变' },
  differences: '变化内容',
  noDifference: '没有规则的含义发生变化。',
  dates: '各时区的日期',
  inForce: (rule, date) => `${rule}：${date} 生效`,
  announced: (rule, date) => `${rule}：${date} 开始提醒`,
  devicesIn: (count, zone) => `${zone}，${chinese(count, '台设备')}`,
  devices: '设备',
  people: '人员',
  tools: '按工具统计的设备',
  inventory: (devices, people, components) =>
    `${chinese(devices, '台设备')}，${chinese(people, '人')}，${chinese(components, '个组件')}`,
  follows: (policy, live, planned) =>
    `${policy ?? '无策略'}：现有 ${live} 台设备遵循，此后 ${planned} 台`,
  neverScanned: (count) => `${chinese(count, '台设备')}从未扫描，不计入任何数字`,
  partial: (count) => `${chinese(count, '台设备')}扫描不完整，可能还有更多内容`,
  withoutZone: (count) => `${chinese(count, '台设备')}没有可识别的时区，按 UTC 计算`,
  left: (count) => `另有 ${chinese(count, '个更晚的日期')}未列出`,
  when: '时间',
  tool: '工具',
  unknownTool: '不在目录中',
  reasons: {
    now: () => '现在',
    asked: () => '按要求',
    announce: (rule) => `${rule} 开始提醒`,
    effective: (rule) => `${rule} 生效`,
    grace: (rule) => `${rule} 宽限期结束`,
  },
  standings: {
    violation: '违规',
    unforeseen: '无法预知',
    pending: '待生效',
    unknown: '无法判定',
    excepted: '例外',
    clear: '合规',
  },
  anyReview: '有待审查',
  anyExcepted: '有例外',
  gained: (count) => `新增 ${count.toLocaleString('zh-CN')}`,
  unforeseen: '服务器无法预知的内容',
  open: (rule, fields, components, devices) =>
    `${rule} 需要 ${fields}，而设备不上报：${chinese(devices, '台设备')}上的${chinese(components, '个组件')}无法确定`,
  unreported: (rule, names) => `${rule} 提及设备尚未上报的内容（${names}）：发布后才会显示`,
  grace: (rule) => `${rule} 有宽限期：设备未上报首次通知时间时，按最早可能的时间计算`,
  targets: '其他执行工具的文件',
  target: (title, policy, at) => `${title}，策略 ${policy}，自 ${at} 起`,
  asLive: '与生效中的相同',
  files: { new: '新增', changed: '有变', gone: '移除' },
};
